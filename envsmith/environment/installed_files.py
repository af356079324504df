"""Installed files beyond single RECORDs: overlaps, incomplete installs, stray code, shadowed modules.

Source: PyPA specifications of recording installed projects and of ``direct_url.json`` (read 2026-11-21); pip 25.3,
``pip/_internal/utils/misc.py``: pip renames a folder to ``~NAME`` before it removes it.
"""

from __future__ import annotations

import email.parser
import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from envsmith.environment.model import EnvironmentLayout, InstallOrigin
from envsmith.environment.prefix import is_code, record_lines
from envsmith.environment.shadows import is_installed_from, shadows
from envsmith.files.own_folder import extended
from envsmith.files.text import open_regular, read_regular
from envsmith.model.wheel import import_of, is_loadable, is_top_module

MAX_PATHS = 5
_VERSIONED_MODULES = ("torch", "torchvision", "torchaudio", "torchcodec", "triton")
# The assignment of a string to `__version__`, with or without an annotation.
_VERSION = re.compile(r"""^__version__\s*(?::[^=]*)?=\s*["']([^"']+)["']""", re.MULTILINE)
# Folders that programs create at run time (comtypes, pywin32), and files that virtualenv adds.
_BYTECODE = "__pycache__"
_RUNTIME_FOLDERS = {_BYTECODE, "gen", "gen_py"}
_VIRTUALENV_FILES = {"_virtualenv.py", "_virtualenv.pth"}
# The two ways in which installers start a script with one Python: a shebang line, or `exec` where the path is too long.
_SHEBANG = re.compile(r'#!"?(/[^"]*?/(?:python|pypy)[\w.]*)"?(?:\s+-\S+)*\s*$')
_EXEC_LINE = re.compile(r"""'''exec'\s+["']?(/[^"'$]*/(?:python|pypy)[\w.]*)["']?\s""")
_NOT_MODULES = (".dist-info", ".data", ".libs", ".egg-info", ".pth")


def inspect(layout: EnvironmentLayout, before: Iterable[str]) -> dict[str, Any]:
    """Inspect the installed files.

    Args:
        layout: the folders of the environment.
        before: folders that Python searches before the packages: the project's, and those of PYTHONPATH.

    Returns:
        Values for `InstalledState.from_json`.
    """
    folders = [Path(name) for name in layout.site_folders]
    infos = [path for folder in folders for path in sorted(folder.glob("*.dist-info"))]
    records = {path: list(_record_hashes(path)) for path in infos}
    origins = {_name(path): asdict(origin) for path in infos if (origin := read_origin(path))}
    here = os.getcwd()  # noqa: PTH109 - a string
    modules = {_name(path): _top_level_modules(rows) for path, rows in records.items()}
    return {
        "overlaps": _overlaps(records),
        "halves": [half for folder in folders for half in _incomplete_installs(folder)],
        "origins": origins,
        "builds": {name: found for name in _VERSIONED_MODULES if (found := _module_version(folders, name))},
        "requires": {_name(path): _metadata(path).get_all("Requires-Dist") or [] for path in infos},
        "strays": list(_strays(folders, infos)),
        "elsewhere": list(_elsewhere(infos, layout)),
        "shadows": list(shadows(modules, before, origins, layout)),
        "own": [name for name, origin in origins.items() if is_installed_from(origin, here)],
    }


def _name(info: Path) -> str:
    return re.sub(r"[-_.]+", "-", info.name.partition("-")[0]).lower()


def _metadata(info: Path) -> Any:  # noqa: ANN401 - email's messages
    try:
        text = read_regular(info / "METADATA").decode("utf-8", "replace")
    except OSError:
        text = ""
    return email.parser.HeaderParser().parsestr(text)


def _record_hashes(info: Path) -> Iterator[tuple[str, str]]:
    """Yield path and hash of the files in a RECORD, without those of the ``.dist-info`` folder."""
    for row in record_lines(info / "RECORD"):
        if len(row) > 1 and row[1] and not row[0].startswith(f"{info.name}/"):
            yield row[0].replace("\\", "/"), row[1]


def _overlaps(records: dict[Path, list[tuple[str, str]]]) -> list[dict[str, Any]]:
    """Group loadable files with different contents under one path by the distributions that own them."""
    owners: dict[tuple[Path, str], dict[str, str]] = {}
    for info, rows in records.items():
        for path, hash_ in rows:
            owners.setdefault((info.parent, path), {})[_name(info)] = hash_
    groups: dict[tuple[str, ...], list[str]] = {}
    folders = {_name(info): (info.parent, rows) for info, rows in records.items()}
    for (_, path), found in owners.items():
        is_different = len(set(found.values())) > 1 and is_loadable(path)
        if is_different and not all(_is_stray(path, *folders[name]) for name in found):
            groups.setdefault(tuple(sorted(found)), []).append(path)
    return [
        {"owners": list(names), "count": len(paths), "paths": sorted(paths)[:MAX_PATHS]}
        for names, paths in sorted(groups.items())
    ]


def _is_stray(path: str, folder: Path, rows: list[tuple[str, str]]) -> bool:
    """Return whether a file is a leftover of the build of a distribution."""
    if not is_top_module(path):
        return False
    sources = [other for other, _ in rows if other.endswith(".py") and other != path and is_loadable(other)]
    named = import_of(path)
    return bool(sources) and not any(named.search(_content(folder / other)) for other in sources)


def _content(path: Path) -> bytes:
    try:
        return read_regular(path)
    except OSError:
        return b""


def _incomplete_installs(folder: Path) -> Iterator[dict[str, str]]:
    """Yield folders left by interrupted installs and removals."""
    for path in sorted(folder.glob("~*")):
        yield {"folder": path.name, "why": "left by an interrupted removal"}
    for path in sorted(folder.glob("*.dist-info")):
        if not (path / "METADATA").is_file():
            yield {"folder": path.name, "why": "no METADATA: its install or removal was interrupted"}


def read_origin(info: Path) -> InstallOrigin | None:
    """Read the origin of a distribution from its ``.dist-info``; None if it is from an index."""
    try:
        data = json.loads(read_regular(info / "direct_url.json"))
        return InstallOrigin.parse(data, os.path.realpath(os.curdir).replace(os.sep, "/"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _module_version(folders: Iterable[Path], name: str) -> str:
    """Read a module's `__version__` without importing it; empty if there is none."""
    for folder in folders:
        for file in ("version.py", "__init__.py"):
            try:
                found = _VERSION.search(read_regular(folder / name / file).decode("utf-8", "replace"))
            except OSError:
                continue
            if found:
                return found[1]
    return ""


def _top_level_modules(rows: Iterable[tuple[str, str]]) -> set[str]:
    """Return the top-level modules among the files of a RECORD."""
    found = set()
    for path, _ in rows:
        first, _, rest = path.partition("/")
        if first in ("..", "") or first.endswith(_NOT_MODULES):
            continue
        name = first if rest else first.partition(".")[0]
        if name.isidentifier() and (rest or first.endswith((".py", ".so", ".pyd"))):
            found.add(name)
    return found


def _strays(folders: Iterable[Path], infos: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """Yield code missing from every RECORD, by path; a folder without any recorded file counts as one path.

    Each comes with its possible owners: distributions whose RECORD may have been cut short.
    """
    records = {info: {os.path.normcase(path) for path in _recorded_paths(info)} for info in infos}
    owned = set().union(*records.values())
    for folder in filter(os.path.isdir, folders):
        tops = {info: _top_level_names(info, paths, folder) for info, paths in records.items()}
        root = extended(folder)
        for entry in sorted(os.scandir(root), key=lambda item: item.name):
            if (
                entry.name in _VIRTUALENV_FILES
                or entry.name == _BYTECODE  # of single-file modules; cannot be imported without their sources
                or entry.name.startswith("~")
                or entry.name.endswith((".dist-info", ".egg-info"))
            ):
                continue
            code = (f"{folder}{path[len(root) :]}" for path in _code_files(entry))
            loose = [path for path in code if os.path.normcase(path) not in owned]
            prefix = os.path.normcase(folder / entry.name)
            is_whole = not any(path == prefix or path.startswith(prefix + os.sep) for path in owned)
            paths = [entry.name] if loose and is_whole else [os.path.relpath(path, folder) for path in loose]
            owners = [
                _name(info) for info, names in tops.items() if entry.name.partition(".")[0].lower() in names
            ]
            yield from ({"path": path, "owners": owners} for path in paths)


def _elsewhere(infos: Iterable[Path], layout: EnvironmentLayout) -> Iterator[dict[str, str]]:
    """Yield programs that start a Python of another folder: the environment was moved or copied."""
    scripts = os.path.realpath(layout.scripts)
    if not layout.is_virtual:
        return
    for info in infos:
        for path in _recorded_paths(info):
            folder, name = os.path.split(path)
            # The name first: to resolve the folder of each of 12,000 files is slow.
            is_program = _last(folder) == _last(layout.scripts) and os.path.realpath(folder) == scripts
            python = _shebang_python(path) if is_program else ""
            if python and os.path.realpath(os.path.dirname(python)) != scripts:  # noqa: PTH120 - texts
                yield {"program": name, "owner": _name(info), "python": python}


def _last(folder: str) -> str:
    return os.path.normcase(os.path.basename(folder))  # noqa: PTH119 - texts


def _shebang_python(path: str) -> str:
    """Return the absolute path of the Python in a script's first lines; empty for other files.

    Source: scripts of pip 26.3 and uv 0.13.8 (2026-11-21): a path too long for the shebang is in an `exec` on line 2.
    """
    try:
        with open_regular(path) as stream:
            lines = stream.read(2048).decode("utf-8", "surrogateescape").split("\n")
    except OSError:
        return ""
    found = _SHEBANG.match(lines[0])
    if not found and lines[0].startswith("#!/bin/sh"):
        found = _EXEC_LINE.match(lines[1]) if len(lines) > 1 else None
    return found[1] if found else ""


def _top_level_names(info: Path, paths: Iterable[str], folder: Path) -> set[str]:
    """Return the top-level names in a folder that may belong to a distribution, in lower case."""
    found = {os.path.relpath(path, folder).partition(os.sep)[0].partition(".")[0] for path in paths}
    with suppress(OSError):
        found.update(read_regular(info / "top_level.txt").decode("utf-8", "replace").split())
    return {name.lower() for name in found} | {_name(info), _name(info).replace("-", "_")}


def _recorded_paths(info: Path) -> Iterator[str]:
    for row in record_lines(info / "RECORD"):
        yield os.path.normpath(os.path.join(info.parent, row[0]))  # noqa: PTH118 - texts


def _code_files(entry: os.DirEntry[str]) -> Iterator[str]:
    if not entry.is_dir():
        if is_code(entry.name):
            yield entry.path
        return
    for folder, names, files in os.walk(entry.path):
        names[:] = sorted(set(names) - _RUNTIME_FOLDERS)
        yield from (os.path.join(folder, name) for name in sorted(files) if is_code(name))  # noqa: PTH118 - texts
