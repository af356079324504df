"""Edits of requirement files, written only if the files are unchanged, all or none.

Without a journal, unlike the writes of lock folders: completing an interrupted edit later could overwrite changes made
since. After a failure the files already replaced are restored; after a kill each file is the old or the new one, and
running the command again completes the edit.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from envsmith.errors import ToolError
from envsmith.files.os_errors import retried, translate_os_errors
from envsmith.files.own_folder import check_links

# The marker of diff and git for a last line without a line feed.
_NO_END = b"\n\\ No newline at end of file\n"
_ANY_WRITE_BIT = 0o222


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementSource:
    """A file with requirements."""

    file: str
    """Relative to the project's root, with ``/``."""
    data: bytes
    reason: str = ""
    """Why the file cannot be edited; empty if it can."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class RequirementLine:
    """A line with a requirement."""

    file: str
    """Relative to the project's root, with ``/``."""
    line: int
    """Number of the first line of the requirement, counted from 1."""
    project: str
    """Normalised name of the package."""
    text: str
    """As written, without indentation."""
    reason: str = ""
    """Why the line is kept; empty if it is removed."""

    @property
    def place(self) -> str:
        """``requirements.txt:3``."""
        return f"{self.file}:{self.line}"

    def to_json(self) -> dict[str, object]:
        """Return the line as JSON values."""
        return {
            "file": self.file,
            "line": self.line,
            "project": self.project,
            "text": self.text,
            "reason": self.reason or None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """The content of one file before and after."""

    file: str
    """Relative to the project's root, with ``/``."""
    before: bytes | None
    """None for a new file."""
    after: bytes
    removed: tuple[RequirementLine, ...] = ()
    kept: tuple[RequirementLine, ...] = ()
    """Lines with the same requirements that cannot be removed."""

    @property
    def has_changes(self) -> bool:
        """Whether the content differs."""
        return self.after != self.before

    def diff(self) -> str:
        """Return the change as a unified diff with the line ends of the file; empty if the content is equal."""
        from difflib import diff_bytes, unified_diff

        diff = diff_bytes(
            unified_diff,
            _lines(self.before or b""),
            _lines(self.after),
            b"/dev/null" if self.before is None else f"a/{self.file}".encode(),
            f"b/{self.file}".encode(),
        )
        lines = (line if line.endswith(b"\n") else line + _NO_END for line in diff)
        return b"".join(lines).decode("utf-8", "replace")


def _lines(data: bytes) -> list[bytes]:
    """Split a file as diff and git do: only a line feed ends a line."""
    *lines, last = data.split(b"\n")
    return [line + b"\n" for line in lines] + ([last] if last else [])


def write_edits(root: Path, edits: Iterable[Edit]) -> tuple[str, ...]:
    """Replace or create files; modes are kept, and symbolic links inside the project are followed.

    Args:
        root: the project's folder.
        edits: those without changes are skipped.

    Returns:
        The files written.

    Raises:
        ToolError: TOL017 when a file was changed meanwhile, TOL019 when a link leads out of the project, TOL011 when
            the disk is full, TOL013 for any other OS error; then every file is unchanged.
    """
    edits = [edit for edit in edits if edit.has_changes]
    prepared: list[tuple[Path, Path, Edit]] = []
    done: list[tuple[Path, Edit]] = []
    try:
        for edit in edits:
            with _edit_errors(edit.file):
                check_links(root, root / edit.file)
                prepared.append(_prepare(Path(os.path.realpath(root / edit.file)), edit))
        for new, path, edit in prepared:
            with _edit_errors(edit.file):
                _check_unchanged(path, edit)
                retried(new.replace, path)
            done.append((path, edit))
    except BaseException:
        for path, edit in done:
            _restore(path, edit)
        raise
    finally:
        for new, _, _ in prepared:
            new.unlink(missing_ok=True)
    return tuple(edit.file for edit in edits)


def restore_edits(root: Path, edits: Iterable[Edit]) -> None:
    """Undo edits, written or not, except those of files that were changed since.

    Raises:
        ToolError: TOL011 when the disk is full, TOL013 for any other OS error.
    """
    for edit in edits:
        with _edit_errors(edit.file):
            _restore(Path(os.path.realpath(root / edit.file)), edit)


def edits_of(root: Path, texts: Mapping[str, str]) -> tuple[Edit, ...]:
    """Return the edits that give files the texts.

    Args:
        root: the project's folder.
        texts: file, relative to the root → its new content; the line ends of the file are kept.

    Raises:
        ToolError: TOL013 when a file cannot be read, or is not a regular file.
    """
    found = []
    for file, text in texts.items():
        path = root / file
        with _edit_errors(file, "read"):
            if path.exists() and not path.is_file():  # reading a FIFO would wait for ever
                raise OSError(errno.EINVAL, "not a regular file")
            before = path.read_bytes() if path.exists() else None
        found.append(Edit(file=file, before=before, after=_with_line_ends_of(before, text)))
    return tuple(found)


def _with_line_ends_of(before: bytes | None, text: str) -> bytes:
    """Encode a text with the line ends of a file: a checkout on Windows may have CRLF, the commit has LF."""
    data = text.encode()
    is_crlf = before is not None and b"\n" in before and before.count(b"\n") == before.count(b"\r\n")
    return data.replace(b"\n", b"\r\n") if is_crlf else data


def _prepare(path: Path, edit: Edit) -> tuple[Path, Path, Edit]:
    """Write the new content to a temporary file in the same folder."""
    _check_unchanged(path, edit)
    if edit.before is None:
        path.parent.mkdir(parents=True, exist_ok=True)
    elif not path.stat().st_mode & _ANY_WRITE_BIT:
        # A rename would replace a read-only file all the same.
        raise PermissionError(errno.EACCES, "the file is read-only")
    return _write_temporary(path, edit.after), path, edit


def _write_temporary(path: Path, data: bytes) -> Path:
    """Write data to a temporary file in the same folder, with the mode of the file if it exists."""
    new = path.with_name(f".envsmith-new-{path.name}")
    try:
        new.unlink(missing_ok=True)  # left by a killed process
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


def _restore(path: Path, edit: Edit) -> None:
    """Restore a replaced file, unless it was changed since."""
    if not path.is_file() or path.read_bytes() != edit.after:
        return
    if edit.before is None:
        path.unlink()
    else:
        retried(_write_temporary(path, edit.before).replace, path)


def _check_unchanged(path: Path, edit: Edit) -> None:
    found = path.read_bytes() if path.is_file() else None
    if found != edit.before or (found is None and path.exists()):
        raise ToolError(
            "TOL017",
            "the file was changed during the edit; no file was changed",
            where=edit.file,
            hint="run the command again",
        )


def _edit_errors(file: str, action: str = "write") -> AbstractContextManager[None]:
    return translate_os_errors(
        file,
        ToolError,
        ("TOL011", "TOL013"),
        action=action,
        result="no file was changed",
        hint="correct the permissions, then run the command again",
    )
