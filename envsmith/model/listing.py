"""Listing: the rows of PyTorch's index for one channel and backend, with the metadata of each version."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import quote

from envsmith.errors import CatalogError, EnvsmithError
from envsmith.model.backend import Backend
from envsmith.model.wheel import Wheel

HOST = "https://download.pytorch.org"
CHANNELS = ("stable", "test", "nightly")
FORM = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What the wheels of one version require."""

    requires_dist: tuple[str, ...]
    requires_python: str | None
    confidence: str
    """``exact`` (read or proved by digest), ``composed`` (from several sources) or ``assumed``."""
    basis: str
    """Where it was read, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One version of one project in a listing; its wheels are built from their rows when asked for."""

    index: str
    name: str
    version: str
    rows: tuple[tuple[str, str | None, str | None, str | None, tuple[str, ...]], ...]
    """filename, sha256, upload time, URL (None: the usual place in the index), withdrawn sha256s."""
    metadata: Metadata | None

    def wheels(self, is_wanted: Callable[[str], bool] = bool) -> Iterator[Wheel]:
        """Yield the wheels of this version.

        Args:
            is_wanted: judges filenames, so that the rows of other platforms need not be parsed.

        Raises:
            CatalogError: CAT010 when a row is malformed.
        """
        for filename, sha256, upload_time, url, withdrawn in self.rows:
            if not is_wanted(filename):
                continue
            yield Wheel.from_row(
                index=self.index,
                filename=filename,
                url=url or usual_url(self.index, filename),
                sha256=sha256,
                upload_time=upload_time,
                withdrawn=withdrawn,
            )


def usual_url(index: str, filename: str) -> str:
    """Return the address of a file in the folder of its index on PyTorch's server."""
    return f"{HOST}/whl/{index}/{quote(filename)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexListing:
    """The rows of one channel × backend. Values are as written in the file; wheels are parsed on demand."""

    channel: str
    backend: Backend
    retrieved: str
    """Date of the newest row, ``2026-11-20``."""
    source: str
    projects: Mapping[str, Mapping[str, Release]] = field(default_factory=dict)
    """project → version text → Release."""

    @property
    def index(self) -> str:
        """Name of the index: ``cu128``, ``nightly/cu128``."""
        return index_name(self.channel, self.backend)

    @property
    def url(self) -> str:
        """Address of the index on PyTorch's server."""
        return f"{HOST}/whl/{self.index}"

    def releases(self, project: str) -> tuple[Release, ...]:
        """Return every version of a project, in no particular order; empty where it has none."""
        return tuple(self.projects.get(project, {}).values())

    @classmethod
    def from_json(cls, text: str) -> IndexListing:
        """Read the snapshot form.

        Raises:
            CatalogError: CAT011 when the text has another form.
        """
        try:
            return _parse(json.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, EnvsmithError) as error:
            raise CatalogError(
                "CAT011",
                f"not a listing of wheels: {error!r}",
                hint="delete the file if it lies in the cache; `envsmith catalog refresh` writes it anew",
            ) from error

    def to_json(self) -> str:
        """Write the snapshot form: one line per version, sorted, so that changes read well."""
        head = {
            "form": FORM,
            "channel": self.channel,
            "backend": str(self.backend),
            "retrieved": self.retrieved,
            "source": self.source,
        }
        lines = [json.dumps(head)[:-1] + ', "projects": {']
        for number, (project, releases) in enumerate(sorted(self.projects.items())):
            lines.append(("," if number else "") + f"{json.dumps(project)}: {{")
            items = sorted(releases.items())
            lines += [
                f"{json.dumps(key)}: {_dump(item)}" + "," * (key != items[-1][0]) for key, item in items
            ]
            lines.append("}")
        return "\n".join([*lines, "}}", ""])


def index_name(channel: str, backend: Backend | str) -> str:
    """Return the index of a channel and backend, as it stands in URLs after ``/whl/``."""
    return str(backend) if channel == "stable" else f"{channel}/{backend}"


def group(
    wheels: Iterable[Wheel], metadata: Mapping[tuple[str, str], Metadata]
) -> dict[str, dict[str, Release]]:
    """Group wheels into releases by project and version, in the order of filenames.

    Args:
        wheels: rows of one index.
        metadata: by (project, version text).
    """
    rows: dict[tuple[str, str], list[Wheel]] = {}
    for wheel in wheels:
        rows.setdefault((wheel.name, str(wheel.version)), []).append(wheel)
    projects: dict[str, dict[str, Release]] = {}
    for (name, version), members in sorted(rows.items()):
        projects.setdefault(name, {})[version] = Release(
            index=members[0].index,
            name=name,
            version=version,
            rows=tuple(sorted((_row(wheel) for wheel in members), key=lambda row: row[0])),
            metadata=metadata.get((name, version)),
        )
    return projects


def _row(wheel: Wheel) -> tuple[str, str | None, str | None, str | None, tuple[str, ...]]:
    url = None if wheel.url == usual_url(wheel.index, wheel.filename) else wheel.url
    return wheel.filename, wheel.sha256, wheel.upload_time, url, wheel.withdrawn


def _parse(data: Mapping[str, object]) -> IndexListing:
    if data["form"] != FORM:
        raise ValueError(f"form {data['form']!r}, expected {FORM}")
    channel, backend = str(data["channel"]), Backend.parse(str(data["backend"]))
    if channel not in CHANNELS:
        raise ValueError(f"channel {channel!r}")
    index = index_name(channel, backend)
    projects: dict[str, Mapping[str, Release]] = {}
    for project, versions in data["projects"].items():  # type: ignore[attr-defined]
        projects[project] = MappingProxyType(
            {version: _release(index, project, version, item) for version, item in versions.items()}
        )
    return IndexListing(
        channel=channel,
        backend=backend,
        retrieved=str(data["retrieved"]),
        source=str(data["source"]),
        projects=MappingProxyType(projects),
    )


def _release(index: str, project: str, version: str, item: Mapping[str, object]) -> Release:
    found = item.get("metadata")
    metadata = None
    if isinstance(found, dict):
        metadata = Metadata(
            requires_dist=tuple(found["requires_dist"]),
            requires_python=found["requires_python"],
            confidence=found["confidence"],
            basis=found["basis"],
        )
    rows = tuple(
        (row[0], row[1], row[2], row[3], tuple(row[4]) if len(row) > 4 else ())
        for row in item["wheels"]  # type: ignore[attr-defined]
    )
    return Release(index=index, name=project, version=version, rows=rows, metadata=metadata)


def _dump(release: Release) -> str:
    item: dict[str, object] = {
        "wheels": [[*row[:4], list(row[4])] if row[4] else list(row[:4]) for row in release.rows],
    }
    if release.metadata:
        item["metadata"] = {
            "requires_dist": list(release.metadata.requires_dist),
            "requires_python": release.metadata.requires_python,
            "confidence": release.metadata.confidence,
            "basis": release.metadata.basis,
        }
    return json.dumps(item)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class VersionMetadata:
    """What one version of one project requires, as told to the resolver."""

    name: str
    version: str
    requires_dist: tuple[str, ...]
    requires_python: str | None = None
