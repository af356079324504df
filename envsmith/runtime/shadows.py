"""Find modules that are imported instead of installed ones, and instead of Python's own.

Part of `condition.py`, which runs it in the environment that is asked about.

Standard library only, and no name of envsmith's: any Python from 3.9 on runs it.
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

# Names that careless wheels have at the top, and every project, too.
_COMMON = {"benchmarks", "build", "docs", "examples", "scripts", "src", "test", "tests", "tools", "utils"}


def shadows(
    modules: dict[str, set[str]], before: list[str], origins: dict[str, dict[str, str]]
) -> Iterator[dict[str, str]]:
    """Yield them, each with the distribution whose module it hides; with none where it is Python's own.

    Args:
        modules: distribution → its modules at the top.
        before: folders that come before the packages.
        origins: distribution → where it was installed from; a project does not shadow what was installed from it.
    """
    for item in _over_installed(modules, [*before, *_user_sites()]):
        if not _is_of(origins.get(item["owner"]), item["path"]):
            yield item
    yield from _over_python(before)


def _user_sites() -> list[str]:
    """Return the user's own packages where they come before this interpreter's."""
    if sys.prefix != sys.base_prefix or os.environ.get("PYTHONNOUSERSITE"):
        return []
    return [site.getusersitepackages()]


def _over_installed(modules: dict[str, set[str]], folders: Iterable[str]) -> Iterator[dict[str, str]]:
    """Yield modules that are found before those of installed distributions."""
    own = {os.path.realpath(sysconfig.get_path("purelib")), os.path.realpath(sysconfig.get_path("platlib"))}
    for folder in dict.fromkeys(folders):
        if os.path.realpath(folder) in own:
            continue
        for name, tops in sorted(modules.items()):
            for top in sorted(tops - _COMMON):
                if path := _module(folder, top):
                    yield {"module": top, "owner": name, "path": path}


def _over_python(folders: Iterable[str]) -> Iterator[dict[str, str]]:
    """Yield modules that are found before Python's own of the same name; none with a Python before 3.10."""
    own = {os.path.realpath(sysconfig.get_path("stdlib")), os.path.realpath(sysconfig.get_path("platstdlib"))}
    names = sorted(set(getattr(sys, "stdlib_module_names", ())) - set(sys.builtin_module_names) - _COMMON)
    for folder in dict.fromkeys(folders):
        if os.path.realpath(folder) not in own:
            yield from (
                {"module": name, "owner": "", "path": path}
                for name in names
                if (path := _module(folder, name))
            )


def _module(folder: str, name: str) -> str:
    """Return the file that a module of a folder is imported from; empty where there is none."""
    endings = ("/__init__.py", *EXTENSION_SUFFIXES, ".py")
    paths = (Path(folder) / f"{name}{ending}" for ending in endings)
    return next((str(path) for path in paths if path.is_file()), "")


def _is_of(origin: dict[str, str] | None, path: str) -> bool:
    """Say whether a file lies in the very folder that a distribution was installed from: its sources shadow nothing."""
    return origin is not None and origin["kind"] == "folder" and _is_in(path, _folder(origin))


def lies_in(origin: dict[str, str], folder: str) -> bool:
    """Say whether a distribution was installed from a folder, or from one within it."""
    return origin["kind"] == "folder" and _is_in(_folder(origin), folder)


def _folder(origin: dict[str, str]) -> str:
    return url2pathname(urlsplit(origin["url"]).path)


def _is_in(path: str, folder: str) -> bool:
    whole = os.path.join(os.path.realpath(path), "")  # noqa: PTH118 - texts
    return whole.startswith(os.path.join(os.path.realpath(folder), ""))  # noqa: PTH118 - texts
