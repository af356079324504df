"""Sources of packages in folders and archives."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from envsmith.errors import ProfileError
from envsmith.files.text import is_missing, read_regular, read_text
from envsmith.index.sdist import archive_members

MOST_ARCHIVE_BYTES = 200 * 1024 * 1024
# Files that may say something of a package: below a top folder, as in most archives, or at the top.
_DECLARING = re.compile(
    r"[^\0]*?(?:pyproject\.toml|setup\.cfg|setup\.py|PKG-INFO|[^/]*\.dist-info/METADATA|[^/]*\.(?:txt|in))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderTree:
    """The project's folder and those beside it; paths are relative to the project."""

    project: Path

    def read(self, path: str) -> str | None:
        """Return the text of a file; None without it.

        Raises:
            ProfileError: PRF031 when it is not a text file.
            ToolError: TOL012 when it cannot be read.
        """
        file = self.project / path
        return None if is_missing(file) else read_text(file, path)

    def folders(self) -> Iterator[str]:
        """Not used: the members of a workspace are found by their patterns."""
        return iter(())

    def matching(self, folder: str, pattern: str) -> Iterator[str]:
        """Yield the folders with a pyproject.toml that a pattern below a folder matches."""
        base = self.project / folder
        for path in sorted(base.glob(f"{pattern.rstrip('/')}/pyproject.toml")):
            yield posixpath.join(folder, path.parent.relative_to(base).as_posix())

    def relative(self, path: str, origin: str) -> str:
        """Return a path relative to the project, with slashes; no link may lead elsewhere.

        Args:
            path: relative to the project, or absolute.
            origin: of the requirement.

        Raises:
            ProfileError: PRF060 when there is nothing, it is on another drive, or a link leads out of the project.
        """
        root = os.path.realpath(self.project)
        absolute = os.path.normpath(os.path.join(root, path))  # noqa: PTH118 - Path keeps `..`
        if not os.path.exists(absolute):  # noqa: PTH110
            raise ProfileError("PRF060", f"`{path}` does not exist", where=origin, hint="correct the path")
        real = os.path.realpath(absolute)
        if real != absolute and not Path(real).is_relative_to(root):
            raise ProfileError(
                "PRF060",
                f"`{path}` is, or is below, a link to another place",
                where=origin,
                hint="name the folder itself that the link leads to",
            )
        try:
            found = os.path.relpath(absolute, root)
        except ValueError as error:
            text = f"`{path}` is on another drive than the project"
            raise ProfileError(
                "PRF060", text, where=origin, hint="move it to the drive of the project"
            ) from error
        return Path(found).as_posix()

    def seen_from(self, folder: Path, path: str) -> str:
        """Return a path relative to another folder, such as that of a lock, with slashes."""
        absolute = os.path.join(os.path.abspath(self.project), path)  # noqa: PTH100, PTH118
        try:
            return Path(os.path.relpath(absolute, os.path.abspath(folder))).as_posix()  # noqa: PTH100
        except ValueError:  # another drive
            return Path(absolute).as_posix()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveTree:
    """The files of an archive or wheel that declare something."""

    files: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, archive: bytes) -> ArchiveTree:
        """Read the files of an archive, without their common top folder.

        Raises:
            ToolError: TOL027 when it is damaged.
        """
        found = dict(archive_members(archive, _DECLARING))
        tops = {path.partition("/")[0] for path in found}
        if (
            len(tops) == 1
            and all("/" in path for path in found)
            and not next(iter(tops)).endswith(".dist-info")
        ):
            found = {path.partition("/")[2]: text for path, text in found.items()}
        return cls(files=found)

    def read(self, path: str) -> str | None:
        """Return the text of a file; None without it."""
        return self.files.get(posixpath.normpath(path))

    def folders(self) -> Iterator[str]:
        """Yield the folders that have a pyproject.toml."""
        for path in self.files:
            if posixpath.basename(path) == "pyproject.toml":
                yield posixpath.dirname(path) or "."

    def wheel_metadata(self) -> str:
        """Return the metadata of a wheel; empty for another archive."""
        return next((text for path, text in self.files.items() if path.endswith(".dist-info/METADATA")), "")


def read_archive(path: Path) -> bytes:
    """Return the bytes of an archive; raise `OSError` if it cannot be read or is too large."""
    return read_regular(path, MOST_ARCHIVE_BYTES)
