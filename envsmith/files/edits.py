"""Edit: the files in which people ask for packages, and what is taken out of them.

Replaces files that people wrote: only as they were read, each in one step, all or none.

A journal, as lock folders have it, would be wrong here: a change that was broken off could be carried out later, over
what somebody has written since. So nothing is left to do: what is half done is taken back at once, and after a kill
each file is the old or the new one, and the same command again does the rest.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from envsmith.errors import ToolError

_NO_END = b"\n\\ No newline at end of file\n"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_WRITABLE = 0o222


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementSource:
    """A file in which packages are asked for."""

    file: str
    """Relative to the project's root, with ``/``."""
    data: bytes
    reason: str = ""
    """Why it is not edited; empty where it may be."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Line:
    """A line that asks for a package."""

    file: str
    """Relative to the project's root, with ``/``."""
    line: int
    """Counted from 1: the first, where it goes over several."""
    project: str
    """Normalised name of the package."""
    text: str
    """As written, without indent."""
    reason: str = ""
    """Why it stays; empty where it goes."""

    @property
    def place(self) -> str:
        """``requirements.txt:3``."""
        return f"{self.file}:{self.line}"

    def to_json(self) -> dict[str, object]:
        """Return the line as plain values."""
        return {
            "file": self.file,
            "line": self.line,
            "project": self.project,
            "text": self.text,
            "reason": self.reason or None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One file, as it is and as it is to be."""

    file: str
    """Relative to the project's root, with ``/``."""
    before: bytes | None
    """None where there is no such file yet."""
    after: bytes
    gone: tuple[Line, ...] = ()
    stays: tuple[Line, ...] = ()
    """Lines that ask, too, and cannot be taken out."""

    @property
    def changes(self) -> bool:
        """True where there is something to write."""
        return self.after != self.before

    def diff(self) -> str:
        """Return the change as a unified diff, with the line ends of the file; empty where nothing changes."""
        from difflib import diff_bytes, unified_diff

        made = diff_bytes(
            unified_diff,
            _lines(self.before or b""),
            _lines(self.after),
            b"/dev/null" if self.before is None else f"a/{self.file}".encode(),
            f"b/{self.file}".encode(),
        )
        whole = (line if line.endswith(b"\n") else line + _NO_END for line in made)
        return b"".join(whole).decode("utf-8", "replace")


def _lines(data: bytes) -> list[bytes]:
    """Part a file as diff and git do: a line ends with a line feed."""
    *lines, last = data.split(b"\n")
    return [line + b"\n" for line in lines] + ([last] if last else [])


def write_edits(root: Path, changes: Iterable[Edit]) -> tuple[str, ...]:
    """Replace files by what they are to be, or make them; modes are kept, and links lead to what they led to.

    Args:
        root: the project's folder.
        changes: what to replace; those that change nothing are passed over.

    Returns:
        The files written.

    Raises:
        ToolError: TOL017 when a file is no longer what it was read as, TOL011 when the disk is full, TOL013 when the
            system refuses; then every file is as before.
    """
    changes = [change for change in changes if change.changes]
    made: list[tuple[Path, Path, Edit]] = []
    done: list[tuple[Path, Edit]] = []
    try:
        for change in changes:
            with _refusals(change.file):
                made.append(_prepare((root / change.file).resolve(), change))
        for new, path, change in made:
            with _refusals(change.file):
                _check(path, change)
                new.replace(path)
            done.append((path, change))
    except BaseException:
        for path, change in done:
            _put_back(path, change)
        raise
    finally:
        for new, _, _ in made:
            new.unlink(missing_ok=True)
    return tuple(change.file for change in changes)


def edits_of(root: Path, texts: Mapping[str, str]) -> tuple[Edit, ...]:
    """Return what it takes for files to hold texts.

    Args:
        root: the project's folder.
        texts: file, relative to it → what it is to hold, with the line ends that it has.

    Raises:
        ToolError: TOL013 when the system refuses to read one.
    """
    found = []
    for file, text in texts.items():
        path = root / file
        with _refusals(file):
            before = path.read_bytes() if path.exists() else None
        found.append(Edit(file=file, before=before, after=_ended(text, before)))
    return tuple(found)


def _ended(text: str, before: bytes | None) -> bytes:
    """Return a text with the line ends of the file it is for: a checkout on Windows has other ends than the commit."""
    data = text.encode()
    is_windows = before is not None and b"\n" in before and before.count(b"\n") == before.count(b"\r\n")
    return data.replace(b"\n", b"\r\n") if is_windows else data


def _prepare(path: Path, change: Edit) -> tuple[Path, Path, Edit]:
    """Write the new content beside a file, or beside where it is to be."""
    _check(path, change)
    if change.before is None:
        path.parent.mkdir(parents=True, exist_ok=True)
    elif not path.stat().st_mode & _WRITABLE:
        raise PermissionError(errno.EACCES, "the file may only be read")
    return _beside(path, change.after), path, change


def _beside(path: Path, data: bytes) -> Path:
    """Write data under another name in the same folder, with the mode of the file it stands for if there is one."""
    new = path.with_name(f".envsmith-new-{path.name}")
    try:
        new.unlink(missing_ok=True)  # a killed process left it
        with new.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if path.exists():
            shutil.copymode(path, new)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    return new


def _put_back(path: Path, change: Edit) -> None:
    """Restore a file that was replaced, unless somebody has written it since."""
    if path.read_bytes() != change.after:
        return
    if change.before is None:
        path.unlink()
    else:
        _beside(path, change.before).replace(path)


def _check(path: Path, change: Edit) -> None:
    found = path.read_bytes() if path.is_file() else None
    if found != change.before or (found is None and path.exists()):
        raise ToolError(
            "TOL017",
            "the file was changed while it was being edited; nothing is written",
            where=change.file,
            hint="run the command again",
        )


@contextmanager
def _refusals(file: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        code, what = (
            ("TOL011", "the disk is full") if error.errno in _FULL else ("TOL013", "the system refuses")
        )
        raise ToolError(
            code,
            f"{what}: {error.strerror or error}; nothing is written",
            where=file,
            hint="make room, or correct the permissions; then try again",
        ) from error
