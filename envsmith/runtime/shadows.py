"""Shadowed modules: a project's module found before an installed one or one of the standard library.

Part of `installed_files.py`, which runs it in the environment to inspect.

Standard library only, no import of envsmith: runs on Python 3.9 and later.
"""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

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
    modules: dict[str, set[str]], before: list[str], origins: dict[str, dict[str, str]]
) -> Iterator[dict[str, str]]:
    """Yield shadowing modules with the owner of the hidden one; the owner is empty for the standard library.

    Args:
        modules: distribution → its top-level modules.
        before: folders that Python searches before the packages.
        origins: distribution → origin; a project does not shadow its own editable install.
    """
    for item in _over_installed(modules, [*before, *_user_sites()]):
        if not _is_own_source(origins.get(item["owner"]), item["path"]):
            yield item
    yield from _over_python(before)


def _user_sites() -> list[str]:
    """Return the user site folder if this interpreter searches it before its own."""
    if sys.prefix != sys.base_prefix or os.environ.get("PYTHONNOUSERSITE"):
        return []
    return [site.getusersitepackages()]


def _over_installed(modules: dict[str, set[str]], folders: Iterable[str]) -> Iterator[dict[str, str]]:
    """Yield modules that shadow those of installed distributions."""
    own = {os.path.realpath(sysconfig.get_path("purelib")), os.path.realpath(sysconfig.get_path("platlib"))}
    for folder in dict.fromkeys(folders):
        if os.path.realpath(folder) in own:
            continue
        for name, tops in sorted(modules.items()):
            for top in sorted(tops - _COMMON_NAMES):
                if path := _module_file(folder, top):
                    yield {"module": top, "owner": name, "path": path}


def _over_python(folders: Iterable[str]) -> Iterator[dict[str, str]]:
    """Yield modules that shadow the standard library; none before Python 3.10, which cannot list its modules."""
    own = {os.path.realpath(sysconfig.get_path("stdlib")), os.path.realpath(sysconfig.get_path("platstdlib"))}
    names = sorted(
        set(getattr(sys, "stdlib_module_names", ())) - set(sys.builtin_module_names) - _COMMON_NAMES
    )
    for folder in dict.fromkeys(folders):
        if os.path.realpath(folder) not in own:
            yield from (
                {"module": name, "owner": "", "path": path}
                for name in names
                if (path := _module_file(folder, name))
            )


def _module_file(folder: str, name: str) -> str:
    """Return the file from which a folder's module would be imported; empty if there is none."""
    endings = ("/__init__.py", *EXTENSION_SUFFIXES, ".py")
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
