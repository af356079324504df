"""Finds the files in which a project asks for packages, and says which of them may be edited."""

from __future__ import annotations

import os.path
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from envsmith.errors import ProfileError
from envsmith.files.edit import AskingFile, Edit
from envsmith.files.text import LARGEST_BYTES
from envsmith.scan.requirement_cuts import cut_requirements, included, is_requirements
from envsmith.scan.requirement_edits import cut_pyproject
from envsmith.usage.tree import kind_of

_FOLDER = "requirements"
_PYPROJECT = "pyproject.toml"
_CONSTRAINTS = re.compile(r"(?i).*constraints.*")
_OUTSIDE = "it lies outside the project"
_LIMITS = "it only limits: a constraint asks for nothing"


def requirement_places(root: Path, named: Iterable[str] = ()) -> tuple[AskingFile, ...]:
    """Return the project's requirements files with those they include, and its pyproject.toml.

    Looked for are ``requirements*.txt`` and ``*.in`` in the root, the files of a folder ``requirements``, and what is
    named besides. Files that are no regular ones, or too large, are left out.

    Raises:
        ProfileError: PRF030 when a file that was named is not there.
    """
    found: dict[Path, AskingFile] = {}
    for name in named:
        if not (root / name).is_file():
            hint = "correct the name, or create the file"
            raise ProfileError("PRF030", "there is no such file", where=name, hint=hint)
        _follow(root / name, root, "", found)
    for path in (*_usual(root), root / _PYPROJECT):
        _follow(path, root, "", found)
    return tuple(sorted(found.values(), key=lambda place: place.file))


def cut(place: AskingFile, projects: Collection[str], unrequired: Collection[str]) -> Edit:
    """Take what asks for some projects out of a file; all of it stays, with the reason, where it is not to be edited.

    Args:
        place: the file.
        projects: normalised names.
        unrequired: those of them that are known to be required by no package.
    """
    if place.file == _PYPROJECT:
        return cut_pyproject(place.data, place.file, projects)
    found = cut_requirements(place.data, place.file, projects, unrequired)
    if not place.reason:
        return found
    stays = (replace(line, reason=place.reason) for line in (*found.gone, *found.stays))
    return Edit(file=place.file, before=place.data, after=place.data, stays=tuple(sorted(stays)))


def _usual(root: Path) -> Iterator[Path]:
    for folder in (root, root / _FOLDER):
        for path in sorted(folder.glob("*")):
            name = path.relative_to(root).as_posix()
            if path.suffix not in (".txt", ".in") or path.name == "MANIFEST.in":
                continue
            is_asking = kind_of(name) == "requirements" and not _CONSTRAINTS.fullmatch(path.name)
            if is_asking or (path.suffix == ".in" and is_requirements(_text(_bytes(path)))):
                yield path


def _follow(path: Path, root: Path, reason: str, found: dict[Path, AskingFile]) -> None:
    """Take a file in, and the files it includes; what asks somewhere is not only a limit."""
    path = Path(os.path.normpath(path))
    if path in found and not (found[path].reason == _LIMITS and not reason):
        return
    data = _bytes(path)
    if not data:
        return
    outside = "" if path.resolve().is_relative_to(root.resolve()) else _OUTSIDE
    name = Path(os.path.relpath(path.absolute(), root.absolute())).as_posix()
    found[path] = AskingFile(file=name, data=data, reason=outside or reason)
    if path.name != _PYPROJECT:
        for kind, inner in included(_text(data)):
            _follow(path.parent / inner, root, _LIMITS if kind == "-c" else reason, found)


def _bytes(path: Path) -> bytes:
    """Return a file's bytes; none where it cannot be read, or is larger than such a file can be."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_BYTES:
            return b""
        return path.read_bytes()
    except (OSError, ValueError):
        return b""


def _text(data: bytes) -> str:
    return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "replace")
