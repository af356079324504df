"""Fakes of the ports: they answer from what they are given, and keep what they were asked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from packaging.pylock import Package, PackageWheel
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from envsmith.config.requirement import SourcedRequirement
from envsmith.errors import EnvsmithError, ToolError
from envsmith.index.sources import ListingWithSource
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing, VersionMetadata
from envsmith.model.wheel import Wheel, WheelContents
from envsmith.plan.model import Resolution, ResolutionPlan
from tests.values import of_row, package


@dataclass
class FakeResolver:
    """Takes the newest row the requirements and constraints admit; other projects are at 1.0 on PyPI."""

    plans: list[ResolutionPlan] = field(default_factory=list)
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """project → what it requires."""
    answers: Mapping[str, Package] = field(default_factory=dict)
    """project → the package to answer with, instead."""
    fails: Callable[[ResolutionPlan], EnvsmithError | None] = lambda _: None
    gone: Collection[str] = ()
    """Projects that are not served any more."""

    def resolve(self, plan: ResolutionPlan) -> Resolution:
        """Answer a plan."""
        self.plans.append(plan)
        if error := self.fails(plan):
            raise error
        names = [item.name for item in plan.all_requirements()]
        requirers: dict[str, tuple[str, ...]] = {}
        for name in names:
            requirers.setdefault(name, ())
            for needed in self.extra.get(name, ()):
                requirers[needed] = (*requirers.get(needed, ()), name)
                names += [needed] if needed not in names else []
        kept = sorted(set(names) - set(plan.all_excludes()))
        return Resolution(
            packages=tuple(self._package(name, plan) for name in kept),
            requirers={name: requirers.get(name, ()) for name in kept},
            indexes={},
        )

    def resolve_together(self, plans: Sequence[ResolutionPlan]) -> tuple[Resolution, ...] | None:
        """Answer each plan by itself; None if one of them fails."""
        if any(self.fails(plan) for plan in plans):
            return None
        return tuple(self.resolve(plan) for plan in plans)

    def find_files(self, plan: ResolutionPlan, versions: Mapping[str, str]) -> Resolution:
        """Return exact versions."""
        asked = tuple(
            SourcedRequirement(requirement=Requirement(f"{name}=={version}"), origin="")
            for name, version in versions.items()
        )
        exact = replace(plan, requirements=asked, constraints=(), amendments=(), excludes=())
        found = [self._package(name, exact) for name in versions if name not in self.gone]
        return Resolution(packages=tuple(sorted(found, key=lambda item: item.name)), requirers={}, indexes={})

    def _package(self, name: str, plan: ResolutionPlan) -> Package:
        if name in self.answers:
            return self.answers[name]
        rows = [row for row in plan.slice.projects.get(name, ()) if _admits(plan, row)]
        if rows:
            kept = plan.preferences.get(name)
            return of_row(max(rows, key=lambda row: (str(row.version) == kept, row.version)))
        return package(f"{name.replace('-', '_')}-1.0-py3-none-any.whl")


def _admits(plan: ResolutionPlan, row: Wheel) -> bool:
    asked = (*plan.all_requirements(), *plan.all_constraints())
    return all(item.requirement.specifier.contains(row.version) for item in asked if item.name == row.name)


@dataclass
class FakeListings:
    """Has the listings it is given."""

    listings: tuple[IndexListing, ...]

    def get(self, channel: str, backend: Backend) -> ListingWithSource | None:
        """Return a listing."""
        found = self.known(channel, backend)
        return ListingWithSource(listing=found, name="made up 2026-11-20") if found else None

    def known(self, channel: str, backend: Backend) -> IndexListing | None:
        """Return a listing."""
        return next(
            (item for item in self.listings if (item.channel, item.backend) == (channel, backend)), None
        )


@dataclass
class FakeFiles:
    """Keeps files in memory."""

    folders: dict[Path, dict[str, bytes]] = field(default_factory=dict)
    writes: int = 0

    def read_files(self, folder: Path) -> dict[str, bytes]:
        """Return a folder's files."""
        return dict(self.folders.get(folder, {}))

    def write_files(
        self, folder: Path, files: Mapping[str, bytes], *, remove: Collection[str] = ()
    ) -> tuple[str, ...]:
        """Replace and remove files."""
        self.writes += 1
        before = self.folders.get(folder, {})
        kept = {name: content for name, content in before.items() if name not in remove}
        self.folders[folder] = {**kept, **files}
        return tuple(sorted(name for name in files if before.get(name) != files[name]))


@dataclass
class FakeSdists:
    """Knows what source distributions require."""

    requires: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def metadata(
        self, *, name: str, version: str, url: str, sha256: str, may_build: bool = False
    ) -> VersionMetadata:
        """Return what one requires."""
        if not url or not sha256 or may_build or name not in self.requires:
            raise ToolError("TOL025", f"{name} cannot be fetched")
        return VersionMetadata(
            name=canonicalize_name(name), version=version, requires_dist=self.requires[name]
        )

    def build_requires(self, **_: str) -> tuple[str, ...]:
        """Say that it needs setuptools alone."""
        return ("setuptools",)

    def sizes(self) -> Mapping[str, int]:
        """Say nothing of sizes."""
        return {}


@dataclass
class FakeHasher:
    """Knows hashes by filename."""

    hashes: Mapping[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def sha256(self, wheel: Wheel) -> str | None:
        """Return a hash."""
        self.asked.append(wheel.filename)
        return self.hashes.get(wheel.filename)


@dataclass
class FakeContents:
    """Has looked into wheels, by filename."""

    members: Mapping[str, Mapping[str, bytes]] = field(default_factory=dict)
    """Filename → path → content; a wheel that is absent cannot be looked into."""
    asked: list[str] = field(default_factory=list)

    def contents(self, wheels: Iterable[PackageWheel]) -> dict[str, WheelContents]:
        """Return what is in those it has."""
        found: dict[str, WheelContents] = {}
        for wheel in wheels:
            self.asked.append(wheel.filename)
            if (members := self.members.get(wheel.filename)) is not None:
                sizes = {path: len(content) for path, content in members.items()}
                found[wheel.hashes["sha256"]] = WheelContents(size_bytes=sum(sizes.values()), members=sizes)
        return found

    def read(self, wheel: PackageWheel, paths: Collection[str]) -> dict[str, bytes]:
        """Return some files of one."""
        if wheel.filename not in self.members:
            raise ToolError("TOL037", f"{wheel.filename} cannot be looked into")
        return {path: body for path, body in self.members[wheel.filename].items() if path in paths}


@dataclass
class FakeRequires:
    """Knows what wheels require, by filename; the others require nothing."""

    requirements: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def requires(self, wheels: Iterable[PackageWheel]) -> dict[str, tuple[str, ...]]:
        """Return what each requires."""
        return {wheel.hashes["sha256"]: self.requirements.get(wheel.filename, ()) for wheel in wheels}


@dataclass
class RecordedProgress:
    """Progress that keeps what it hears."""

    started_with: list[tuple[str, str]] = field(default_factory=list)
    ended_with: list[tuple[str, str]] = field(default_factory=list)

    def started(self, subject: str, doing: str) -> None:
        """Hear a beginning."""
        self.started_with.append((subject, doing))

    def ended(self, subject: str, seconds: float, summary: str) -> None:
        """Hear an end."""
        assert seconds >= 0
        self.ended_with.append((subject, summary))


class SilentProgress:
    """Progress that nobody watches."""

    def started(self, subject: str, doing: str) -> None:
        """Say nothing."""

    def ended(self, subject: str, seconds: float, summary: str) -> None:
        """Say nothing."""
