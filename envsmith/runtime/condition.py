"""Say as JSON what an environment's files tell beyond each RECORD by itself.

Run as ``python -I condition.py [FOLDER ...]`` in the environment that is asked about. The folders are those that come
before the environment's own packages when its programs run: the project's, and those of PYTHONPATH.

Standard library only, and no name of envsmith's: any Python from 3.9 on runs it.

Source: the specifications of recording installed projects and of their origin (``direct_url.json``), PyPA, read
2026-11-21; that pip renames to ``~NAME`` what it is about to remove: pip 25.3, ``pip/_internal/utils/misc.py``.
"""

from __future__ import annotations

import csv
import email.parser
import json
import os
import re
import runpy
import sys
import sysconfig
from contextlib import suppress
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

_LOADED = runpy.run_path(str(Path(__file__).with_name("loaded.py")))
_SHADOWS = runpy.run_path(str(Path(__file__).with_name("shadows.py")))
MOST_NAMED = 5
_BUILT = ("torch", "torchvision", "torchaudio", "torchcodec", "triton")
_VERSION = re.compile(r"""^__version__\s*(?::[^=]*)?=\s*["']([^"']+)["']""", re.MULTILINE)
# What a program writes while it runs (comtypes, pywin32), and what environments are made with.
_BYTECODE = "__pycache__"
_WRITTEN = {_BYTECODE, "gen", "gen_py"}
_MADE = {"_virtualenv.py", "_virtualenv.pth"}
_CODE = (".py", ".pyc", ".pth", ".so", ".pyd", ".dll", ".dylib")
# How a script begins that an installer wrote for one Python.
_DIRECT = re.compile(r'#!"?(/[^"]*?/(?:python|pypy)[\w.]*)"?(?:\s+-\S+)*\s*$')
_LONG = re.compile(r"""'''exec'\s+["']?(/[^"'$]*/(?:python|pypy)[\w.]*)["']?\s""")
_NO_MODULE = (".dist-info", ".data", ".libs", ".egg-info", ".pth")


def condition(before: list[str]) -> dict[str, Any]:
    """Return what is overlapping, half-written, shadowed or from elsewhere."""
    folders = [Path(name) for name in dict.fromkeys((_path("purelib"), _path("platlib")))]
    infos = [path for folder in folders for path in sorted(folder.glob("*.dist-info"))]
    records = {path: list(_rows(path)) for path in infos}
    origins = {_name(path): origin for path in infos if (origin := _origin(path))}
    modules = {_name(path): _modules(rows) for path, rows in records.items()}
    return {
        "overlaps": _overlaps(records),
        "halves": [half for folder in folders for half in _halves(folder)],
        "origins": origins,
        "builds": {name: found for name in _BUILT if (found := _built(folders, name))},
        "requires": {_name(path): _metadata(path).get_all("Requires-Dist") or [] for path in infos},
        "strays": list(_strays(folders, infos)),
        "elsewhere": list(_elsewhere(infos)),
        "shadows": list(_SHADOWS["shadows"](modules, before, origins)),
        "own": [name for name, origin in origins.items() if _SHADOWS["lies_in"](origin, os.getcwd())],  # noqa: PTH109 - a text
    }


def _path(name: str) -> str:
    return sysconfig.get_path(name)


def _name(info: Path) -> str:
    return re.sub(r"[-_.]+", "-", info.name.partition("-")[0]).lower()


def _metadata(info: Path) -> Any:  # noqa: ANN401 - email's messages
    try:
        text = (info / "METADATA").read_text("utf-8", "replace")
    except OSError:
        text = ""
    return email.parser.HeaderParser().parsestr(text)


def _rows(info: Path) -> Iterator[tuple[str, str]]:
    """Yield path and hash of each file that is a distribution's own."""
    try:
        with (info / "RECORD").open(encoding="utf-8", errors="surrogateescape", newline="") as stream:
            for row in csv.reader(stream):
                if len(row) > 1 and row[1] and not row[0].startswith(f"{info.name}/"):
                    yield row[0].replace("\\", "/"), row[1]
    except (OSError, csv.Error):
        return


def _overlaps(records: dict[Path, list[tuple[str, str]]]) -> list[dict[str, Any]]:
    """Return which distributions have different files under one path, of those that a program may load."""
    owners: dict[tuple[Path, str], dict[str, str]] = {}
    for info, rows in records.items():
        for path, hash_ in rows:
            owners.setdefault((info.parent, path), {})[_name(info)] = hash_
    groups: dict[tuple[str, ...], list[str]] = {}
    for (_, path), found in owners.items():
        if len(set(found.values())) > 1 and _LOADED["is_loaded"](path):
            groups.setdefault(tuple(sorted(found)), []).append(path)
    return [
        {"owners": list(names), "count": len(paths), "paths": sorted(paths)[:MOST_NAMED]}
        for names, paths in sorted(groups.items())
    ]


def _halves(folder: Path) -> Iterator[dict[str, str]]:
    """Yield what was left by an install or removal that broke off."""
    for path in sorted(folder.glob("~*")):
        yield {"folder": path.name, "why": "left by a removal that broke off"}
    for path in sorted(folder.glob("*.dist-info")):
        if not (path / "METADATA").is_file():
            yield {"folder": path.name, "why": "it has no METADATA: its install or removal broke off"}


def _origin(info: Path) -> dict[str, str] | None:
    try:
        data = json.loads((info / "direct_url.json").read_text("utf-8"))
        url = str(data["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    archive = data.get("archive_info")
    if archive is None:
        return {"url": url, "kind": "vcs" if "vcs_info" in data else "folder", "sha256": ""}
    hashes = archive.get("hashes") or {}
    old = str(archive.get("hash", "")).partition("sha256=")[2]
    return {"url": url, "kind": "archive", "sha256": str(hashes.get("sha256", old))}


def _built(folders: Iterable[Path], name: str) -> str:
    """Return what a module says of its own version, without importing it."""
    for folder in folders:
        for file in ("version.py", "__init__.py"):
            try:
                found = _VERSION.search((folder / name / file).read_text("utf-8", "replace"))
            except OSError:
                continue
            if found:
                return found[1]
    return ""


def _modules(rows: Iterable[tuple[str, str]]) -> set[str]:
    """Return the top-level modules among the files of a RECORD."""
    found = set()
    for path, _ in rows:
        first, _, rest = path.partition("/")
        if first in ("..", "") or first.endswith(_NO_MODULE):
            continue
        name = first if rest else first.partition(".")[0]
        if name.isidentifier() and (rest or first.endswith((".py", ".so", ".pyd"))):
            found.add(name)
    return found


def _strays(folders: Iterable[Path], infos: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """Yield code that no RECORD names, relative to its folder: a whole entry where nobody owns anything in it.

    With it go the distributions that it may be of: their RECORD may have been cut.
    """
    records = {info: {os.path.normcase(path) for path in _owned(info)} for info in infos}
    owned = set().union(*records.values())
    for folder in folders:
        tops = {info: _tops(info, paths, folder) for info, paths in records.items()}
        for entry in sorted(os.scandir(folder), key=lambda item: item.name):
            if (
                entry.name in _MADE
                or entry.name
                == _BYTECODE  # of single-file modules; nothing in it is imported without its source
                or entry.name.startswith("~")
                or entry.name.endswith((".dist-info", ".egg-info"))
            ):
                continue
            loose = [path for path in _code(entry) if os.path.normcase(path) not in owned]
            prefix = os.path.normcase(entry.path)
            is_whole = not any(path == prefix or path.startswith(prefix + os.sep) for path in owned)
            paths = [entry.name] if loose and is_whole else [os.path.relpath(path, folder) for path in loose]
            owners = [
                _name(info) for info, names in tops.items() if entry.name.partition(".")[0].lower() in names
            ]
            yield from ({"path": path, "owners": owners} for path in paths)


def _elsewhere(infos: Iterable[Path]) -> Iterator[dict[str, str]]:
    """Yield programs that start the Python of another place: the environment was moved, or copied from there."""
    scripts = os.path.realpath(_path("scripts"))
    if sys.prefix == sys.base_prefix:
        return
    for info in infos:
        for path in _owned(info):
            folder, name = os.path.split(path)
            python = _started(path) if os.path.realpath(folder) == scripts else ""
            if python and os.path.realpath(os.path.dirname(python)) != scripts:  # noqa: PTH120 - texts
                yield {"program": name, "owner": _name(info), "python": python}


def _started(path: str) -> str:
    """Return the Python that a script names by its whole path; empty for anything else.

    Source: that installers write a path too long for the first line as `exec` on the second: scripts of pip 26.3 and uv
    0.13.8 (2026-11-21).
    """
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 - a text
            lines = stream.read(2048).decode("utf-8", "surrogateescape").split("\n")
    except OSError:
        return ""
    found = _DIRECT.match(lines[0])
    if not found and lines[0].startswith("#!/bin/sh"):
        found = _LONG.match(lines[1]) if len(lines) > 1 else None
    return found[1] if found else ""


def _tops(info: Path, paths: Iterable[str], folder: Path) -> set[str]:
    """Return the names at the top of a folder that may be a distribution's."""
    found = {os.path.relpath(path, folder).partition(os.sep)[0].partition(".")[0] for path in paths}
    with suppress(OSError):
        found.update((info / "top_level.txt").read_text("utf-8", "replace").split())
    return {name.lower() for name in found} | {_name(info), _name(info).replace("-", "_")}


def _owned(info: Path) -> Iterator[str]:
    try:
        with (info / "RECORD").open(encoding="utf-8", errors="surrogateescape", newline="") as stream:
            for row in csv.reader(stream):
                if row and row[0]:
                    yield os.path.normpath(os.path.join(info.parent, row[0]))  # noqa: PTH118 - texts
    except (OSError, csv.Error):
        return


def _code(entry: os.DirEntry[str]) -> Iterator[str]:
    if not entry.is_dir():
        if _is_code(entry.name):
            yield entry.path
        return
    for folder, names, files in os.walk(entry.path):
        names[:] = sorted(set(names) - _WRITTEN)
        yield from (os.path.join(folder, name) for name in sorted(files) if _is_code(name))  # noqa: PTH118 - texts


def _is_code(name: str) -> bool:
    return name.endswith(_CODE) or ".so." in name


def main(words: list[str]) -> None:
    """Answer on standard output; what anything prints there meanwhile and afterwards goes to standard error."""
    kept = os.dup(1)
    os.dup2(2, 1)
    with os.fdopen(kept, "w", encoding="utf-8") as stream:
        stream.write("\n" + json.dumps(condition(words)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
