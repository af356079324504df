"""Record of a wheelhouse: its files, and their locks."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from envsmith.download.artifact import Artifact, is_filename, name_conflict
from envsmith.errors import EnvsmithError, ToolError
from envsmith.model.wheel import SHA256

FORMAT_VERSION = 1
FILENAME = "wheelhouse.toml"
FileSource = Literal["held", "fetched", "kept", "shared"]
"""Present before the run, downloaded, copied from envsmith's cache, or downloaded by another process meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedFile:
    """A file in the wheelhouse, verified in this run."""

    filename: str
    size_bytes: int
    source: FileSource
    seconds: float = 0.0

    def to_json(self) -> dict[str, object]:
        """Return the file as JSON values."""
        return {
            "file": self.filename,
            "size_bytes": self.size_bytes,
            "way": self.source,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadResult:
    """Files of a wheelhouse after a download, and the errors of the others."""

    files: tuple[FetchedFile, ...]
    failed: tuple[EnvsmithError, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedFile:
    """Entry of the record for one file."""

    sha256: str
    size_bytes: int
    locks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelhouseRecord:
    """Content of the record."""

    files: Mapping[str, RecordedFile] = field(default_factory=dict)
    locks: Mapping[str, str] = field(default_factory=dict)
    """lock → digest of its plan."""

    def with_files(
        self, artifacts: Iterable[Artifact], files: Iterable[FetchedFile], plans: Mapping[str, str]
    ) -> WheelhouseRecord:
        """Return the record after a download; files that a lock no longer needs are kept without it.

        Args:
            artifacts: the files needed.
            files: those present.
            plans: lock → digest of its plan, for the locks whose files are all present.
        """
        entries = {
            name: RecordedFile(
                sha256=entry.sha256,
                size_bytes=entry.size_bytes,
                locks=tuple(lock for lock in entry.locks if lock not in plans),
            )
            for name, entry in self.files.items()
        }
        sizes = {item.filename: item.size_bytes for item in files}
        for item in artifacts:
            if item.filename in sizes:
                others = entries[item.filename].locks if item.filename in entries else ()
                entries[item.filename] = RecordedFile(
                    sha256=item.sha256,
                    size_bytes=sizes[item.filename],
                    locks=tuple(sorted({*others, *item.locks})),
                )
        return WheelhouseRecord(files=entries, locks={**self.locks, **plans})

    def check(self, artifacts: Iterable[Artifact], plans: Mapping[str, str]) -> None:
        """Check that no download replaces a file that a lock outside of `plans` needs.

        Raises:
            ToolError: TOL042 for a file with the same name and another sha256.
        """
        for item in artifacts:
            entry = self.files.get(item.filename)
            others = [lock for lock in entry.locks if lock not in plans] if entry else []
            if entry and others and entry.sha256 != item.sha256:
                raise name_conflict(item, others[0], f"{item.filename} sha256:{entry.sha256}")

    def to_toml(self) -> str:
        """Return the record as TOML; equal records give equal bytes."""
        import tomlkit

        document = tomlkit.document()
        document.add(
            tomlkit.comment(
                "Written by `envsmith download`: the files of this folder, and the locks that need them."
            )
        )
        document.add("form", FORMAT_VERSION)
        document.add("locks", dict(sorted(self.locks.items())))
        files = tomlkit.table()
        for name, entry in sorted(self.files.items()):
            table = tomlkit.inline_table()
            table.update({"sha256": entry.sha256, "size": entry.size_bytes, "locks": list(entry.locks)})
            files.add(name, table)
        document.add("files", files)
        return tomlkit.dumps(document)

    @classmethod
    def from_toml(cls, text: str, place: str) -> WheelhouseRecord:
        """Parse a record.

        Raises:
            ToolError: TOL049 when the text is not a valid record.
        """
        try:
            return _parse(tomllib.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ToolError(
                "TOL049",
                f"invalid record of a wheelhouse: {error}",
                where=place,
                hint="delete it: the next download verifies all files and writes it again",
            ) from error


def _parse(data: Mapping[str, object]) -> WheelhouseRecord:
    if data["form"] != FORMAT_VERSION:
        raise ValueError(f"form is {data['form']!r}, expected {FORMAT_VERSION}")
    files: dict[str, RecordedFile] = {}
    for name, item in data["files"].items():  # type: ignore[attr-defined]
        if not is_filename(name) or not SHA256.fullmatch(item["sha256"]):
            raise ValueError(f"files.{name!r} has an invalid name or sha256")
        locks = tuple(sorted(str(lock) for lock in item["locks"]))
        files[name] = RecordedFile(sha256=item["sha256"], size_bytes=int(item["size"]), locks=locks)
    plans = {str(lock): str(plan) for lock, plan in data["locks"].items()}  # type: ignore[attr-defined]
    return WheelhouseRecord(files=files, locks=plans)
