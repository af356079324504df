"""Shadowed modules: a project's module found before an installed one or one of the standard library."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from envsmith.environment.model import EnvironmentLayout

# Common in wheels and in projects alike; reporting them would be noise.
_COMMON_NAMES = {
    "benchmarks",
    "build",
    "docs",
    "examples",
    "scripts",
    "src",
    "test",
    "tests",
    "tools",
    "utils",
}


def shadows(
    modules: dict[str, set[str]],
    before: Iterable[str],
    origins: dict[str, dict[str, str]],
    layout: EnvironmentLayout,
) -> Iterator[dict[str, str]]:
    """Yield shadowing modules with the owner of the hidden one; the owner is empty for the standard library.

    Args:
        modules: distribution → its top-level modules.
        before: folders that Python searches before the packages.
        origins: distribution → origin; a project does not shadow its own editable install.
        layout: the folders of the environment.
    """
    before = tuple(before)
    # An interpreter of the system searches the user's packages before its own.
    users = () if layout.is_virtual else (layout.user_site,)
    for item in _over_installed(modules, (*before, *users), layout):
        if not _is_own_source(origins.get(item["owner"]), item["path"]):
            yield item
    yield from _over_python(before, layout)


def _over_installed(
    modules: dict[str, set[str]], folders: Iterable[str], layout: EnvironmentLayout
) -> Iterator[dict[str, str]]:
    """Yield modules that shadow those of installed distributions."""
    own = {os.path.realpath(folder) for folder in layout.site_folders}
    for folder in dict.fromkeys(folders):
        if os.path.realpath(folder) in own:
            continue
        for name, tops in sorted(modules.items()):
            for top in sorted(tops - _COMMON_NAMES):
                if path := _module_file(folder, top, layout):
                    yield {"module": top, "owner": name, "path": path}


def _over_python(folders: Iterable[str], layout: EnvironmentLayout) -> Iterator[dict[str, str]]:
    """Yield modules that shadow the standard library; none before Python 3.10, which cannot list its modules."""
    own = {os.path.realpath(folder) for folder in layout.stdlib}
    names = sorted({*layout.stdlib_names} - _COMMON_NAMES)
    for folder in dict.fromkeys(folders):
        if os.path.realpath(folder) not in own:
            yield from (
                {"module": name, "owner": "", "path": path}
                for name in names
                if (path := _module_file(folder, name, layout))
            )


def _module_file(folder: str, name: str, layout: EnvironmentLayout) -> str:
    """Return the file from which a folder's module would be imported; empty if there is none."""
    endings = ("/__init__.py", *layout.suffixes, ".py")
    paths = (Path(folder) / f"{name}{ending}" for ending in endings)
    return next((str(path) for path in paths if path.is_file()), "")


def _is_own_source(origin: dict[str, str] | None, path: str) -> bool:
    """Say whether a file is in the folder from which its distribution was installed."""
    return origin is not None and origin["kind"] == "folder" and _is_in(path, _folder(origin))


def is_installed_from(origin: dict[str, str], folder: str) -> bool:
    """Say whether a distribution was installed from a folder or a subfolder of it."""
    return origin["kind"] == "folder" and _is_in(_folder(origin), folder)


def _folder(origin: dict[str, str]) -> str:
    return url2pathname(urlsplit(origin["url"]).path)


def _is_in(path: str, folder: str) -> bool:
    whole = os.path.join(os.path.realpath(path), "")  # noqa: PTH118 - texts
    return whole.startswith(os.path.join(os.path.realpath(folder), ""))  # noqa: PTH118 - texts
