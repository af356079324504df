"""Listings: the entries of PyTorch's index for one channel and backend, with the metadata of each version."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from urllib.parse import quote

from envsmith.errors import CatalogError, EnvsmithError
from envsmith.model.backend import Backend
from envsmith.model.wheel import Wheel

HOST = "https://download.pytorch.org"
PYTORCH_HOSTS = frozenset({"download.pytorch.org", "download-r2.pytorch.org"})
"""Hosts of PyTorch's files: its index links to either."""
CHANNELS = ("stable", "test", "nightly")
FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """Requirements of the wheels of one version."""

    requires_dist: tuple[str, ...]
    requires_python: str | None
    confidence: str
    """``exact`` (read, or verified by digest), ``composed`` (from several sources) or ``assumed``."""
    basis: str
    """Description of its source."""


Entry = tuple[str, str | None, str | None, str | None, tuple[str, ...], str | None]
"""Filename, sha256, upload time, URL (None: the default one), withdrawn sha256s, reason if yanked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One version of one project in a listing. Wheels are built from their entries on demand."""

    index: str
    name: str
    version: str
    entries: tuple[Entry, ...]
    metadata: Metadata | None

    def wheels(self, is_wanted: Callable[[str], bool] = bool, *, yanked: bool = False) -> Iterator[Wheel]:
        """Yield the wheels of this version.

        Args:
            is_wanted: selects filenames, so that entries of other platforms need not be parsed.
            yanked: include those that the index withdrew.

        Raises:
            CatalogError: CAT010 for a malformed entry.
        """
        for filename, sha256, upload_time, url, withdrawn, reason in self.entries:
            if not is_wanted(filename) or (reason is not None and not yanked):
                continue
            wheel = Wheel.from_entry(
                index=self.index,
                filename=filename,
                url=url or default_url(self.index, filename),
                sha256=sha256,
                upload_time=upload_time,
                withdrawn=withdrawn,
            )
            yield wheel if reason is None else replace(wheel, yanked=reason)


def default_url(index: str, filename: str) -> str:
    """Return the URL of a file in its index's folder on PyTorch's server."""
    return f"{HOST}/whl/{index}/{quote(filename)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexListing:
    """Index entries of one channel and backend. Values are unparsed; wheels are parsed on demand."""

    channel: str
    backend: Backend
    retrieved: str
    """Date of the newest entry, ``2026-11-20``."""
    source: str
    projects: Mapping[str, Mapping[str, Release]] = field(default_factory=dict)
    """Project → version text → release."""

    @property
    def index(self) -> str:
        """Name of the index: ``cu128``, ``nightly/cu128``."""
        return index_name(self.channel, self.backend)

    @property
    def url(self) -> str:
        """URL of the index on PyTorch's server."""
        return f"{HOST}/whl/{self.index}"

    def releases(self, project: str) -> tuple[Release, ...]:
        """Return all versions of a project, in no particular order."""
        return tuple(self.projects.get(project, {}).values())

    @classmethod
    def from_json(cls, text: str) -> IndexListing:
        """Parse the snapshot format.

        Raises:
            CatalogError: CAT011 for any other text.
        """
        try:
            return _parse(json.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, EnvsmithError) as error:
            raise CatalogError(
                "CAT011",
                f"invalid index listing: {error!r}",
                hint="delete the file if it is in the cache; `envsmith catalog refresh` writes a new one",
            ) from error

    def to_json(self) -> str:
        """Write the snapshot format: one line per version, sorted, for readable diffs."""
        head = {
            "form": FORMAT_VERSION,
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
    """Return the index of a channel and backend, as in URLs after ``/whl/``."""
    return str(backend) if channel == "stable" else f"{channel}/{backend}"


def group_releases(
    wheels: Iterable[Wheel], metadata: Mapping[tuple[str, str], Metadata]
) -> dict[str, dict[str, Release]]:
    """Group wheels into releases by project and version, sorted by filename.

    Args:
        wheels: of one index.
        metadata: by (project, version text).
    """
    entries: dict[tuple[str, str], list[Wheel]] = {}
    for wheel in wheels:
        entries.setdefault((wheel.name, str(wheel.version)), []).append(wheel)
    projects: dict[str, dict[str, Release]] = {}
    for (name, version), members in sorted(entries.items()):
        projects.setdefault(name, {})[version] = Release(
            index=members[0].index,
            name=name,
            version=version,
            entries=tuple(sorted((_entry(wheel) for wheel in members), key=lambda entry: entry[0])),
            metadata=metadata.get((name, version)),
        )
    return projects


def _entry(wheel: Wheel) -> Entry:
    url = None if wheel.url == default_url(wheel.index, wheel.filename) else wheel.url
    return wheel.filename, wheel.sha256, wheel.upload_time, url, wheel.withdrawn, wheel.yanked


def _parse(data: Mapping[str, object]) -> IndexListing:
    if data["form"] != FORMAT_VERSION:
        raise ValueError(f"form {data['form']!r}, expected {FORMAT_VERSION}")
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
    entries = tuple(
        (*entry[:4], tuple(entry[4]) if len(entry) > 4 else (), entry[5] if len(entry) > 5 else None)
        for entry in item["wheels"]  # type: ignore[attr-defined]
    )
    return Release(index=index, name=project, version=version, entries=entries, metadata=metadata)


def _plain(entry: Entry) -> list[object]:
    """Return an entry without the empty values at its end: most have neither withdrawn hashes nor a reason."""
    *first, withdrawn, yanked = entry
    if yanked is not None:
        return [*first, list(withdrawn), yanked]
    return [*first, list(withdrawn)] if withdrawn else [*first]


def _dump(release: Release) -> str:
    item: dict[str, object] = {"wheels": [_plain(entry) for entry in release.entries]}
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
    """Requirements of one version of one project, as passed to the resolver."""

    name: str
    version: str
    requires_dist: tuple[str, ...]
    requires_python: str | None = None
    provides_extra: tuple[str, ...] = ()
