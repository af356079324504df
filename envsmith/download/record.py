"""Holdings: what a wheelhouse holds, and for which locks."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from envsmith.download.artifact import Artifact, ambiguous, is_filename
from envsmith.errors import EnvsmithError, ToolError
from envsmith.model.wheel import SHA256

FORM = 1
FILENAME = "wheelhouse.toml"
WAYS = ("held", "fetched", "kept", "shared")
"""How a file came to be there: before, by network, from envsmith's cache, by another process meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedFile:
    """One file that is there, its bytes proved in this run."""

    filename: str
    size_bytes: int
    way: str
    """One of WAYS."""
    seconds: float = 0.0

    def to_json(self) -> dict[str, object]:
        """Return it as plain values."""
        return {
            "file": self.filename,
            "size_bytes": self.size_bytes,
            "way": self.way,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadResult:
    """What came of filling a wheelhouse."""

    brought: tuple[FetchedFile, ...]
    failed: tuple[EnvsmithError, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedFile:
    """One file of a wheelhouse."""

    sha256: str
    size_bytes: int
    locks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelhouseRecord:
    """The record that lies in a wheelhouse."""

    files: Mapping[str, RecordedFile] = field(default_factory=dict)
    locks: Mapping[str, str] = field(default_factory=dict)
    """lock → digest of its plan."""

    def with_files(
        self, artifacts: Iterable[Artifact], brought: Iterable[FetchedFile], plans: Mapping[str, str]
    ) -> WheelhouseRecord:
        """Return the record with files that are there now.

        A lock downloaded again is taken off the files that it no longer needs; those stay.

        Raises:
            ToolError: TOL042 where another lock needs other bytes by one of the names.
        """
        files = {
            name: RecordedFile(
                sha256=held.sha256,
                size_bytes=held.size_bytes,
                locks=tuple(lock for lock in held.locks if lock not in plans),
            )
            for name, held in self.files.items()
        }
        sizes = {item.filename: item.size_bytes for item in brought}
        for item in artifacts:
            if item.filename in sizes:
                others = files[item.filename].locks if item.filename in files else ()
                locks = tuple(sorted({*others, *item.locks}))
                size = sizes[item.filename]
                files[item.filename] = RecordedFile(sha256=item.sha256, size_bytes=size, locks=locks)
        return WheelhouseRecord(files=files, locks={**self.locks, **plans})

    def check(self, artifacts: Iterable[Artifact], plans: Mapping[str, str]) -> None:
        """Refuse to put other bytes under a name that a lock not asked for now needs.

        Raises:
            ToolError: TOL042 where that would happen.
        """
        for item in artifacts:
            held = self.files.get(item.filename)
            others = [lock for lock in held.locks if lock not in plans] if held else []
            if held and others and held.sha256 != item.sha256:
                raise ambiguous(item, others[0], f"{item.filename} sha256:{held.sha256}")

    def to_toml(self) -> str:
        """Write the record: equal holdings give equal bytes."""
        import tomlkit

        document = tomlkit.document()
        document.add(
            tomlkit.comment("Written by `envsmith download`; what this folder holds, and for which locks.")
        )
        document.add("form", FORM)
        document.add("locks", dict(sorted(self.locks.items())))
        files = tomlkit.table()
        for name, held in sorted(self.files.items()):
            table = tomlkit.inline_table()
            table.update({"sha256": held.sha256, "size": held.size_bytes, "locks": list(held.locks)})
            files.add(name, table)
        document.add("files", files)
        return tomlkit.dumps(document)

    @classmethod
    def from_toml(cls, text: str, place: str) -> WheelhouseRecord:
        """Read a record.

        Raises:
            ToolError: TOL049 when the text is none.
        """
        try:
            return _parse(tomllib.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ToolError(
                "TOL049",
                f"no record of a wheelhouse: {error}",
                where=place,
                hint="delete it: the next download writes it anew, and proves every file it names",
            ) from error


def _parse(data: Mapping[str, object]) -> WheelhouseRecord:
    if data["form"] != FORM:
        raise ValueError(f"form is {data['form']!r}, expected {FORM}")
    files: dict[str, RecordedFile] = {}
    for name, item in data["files"].items():  # type: ignore[attr-defined]
        if not is_filename(name) or not SHA256.fullmatch(item["sha256"]):
            raise ValueError(f"files.{name!r} is no file of a lock")
        locks = tuple(sorted(str(lock) for lock in item["locks"]))
        files[name] = RecordedFile(sha256=item["sha256"], size_bytes=int(item["size"]), locks=locks)
    plans = {str(lock): str(plan) for lock, plan in data["locks"].items()}  # type: ignore[attr-defined]
    return WheelhouseRecord(files=files, locks=plans)
