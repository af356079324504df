"""Edit: the files in which people ask for packages, and what is taken out of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AskingFile:
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


_NO_END = b"\n\\ No newline at end of file\n"


def _lines(data: bytes) -> list[bytes]:
    """Part a file as diff and git do: a line ends with a line feed."""
    *lines, last = data.split(b"\n")
    return [line + b"\n" for line in lines] + ([last] if last else [])
