"""Plan: everything the resolver needs for one target, cutoff included; its digest.

Resolution: the resolver's answer, not yet judged.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from packaging.pylock import Package, Pylock, PylockValidationError
from packaging.utils import canonicalize_name
from packaging.version import Version

from envsmith.config.requirement import SourcedRequirement
from envsmith.errors import ToolError
from envsmith.lockfile.pins import requirements_lines
from envsmith.model.finding import Decision, UnmetRequirement
from envsmith.model.listing import VersionMetadata
from envsmith.model.target import Target
from envsmith.model.wheel import Wheel

FORM = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchIndexSlice:
    """The torch-family wheels one plan may use: a small index put before PyPI.

    A project with an empty tuple gets an empty page: the resolver then finds nothing of that name anywhere.
    A project that is absent is taken from PyPI.
    """

    index: str
    """Name of PyTorch's index the rows come from: ``cu128``."""
    url: str
    """Address of that index."""
    projects: Mapping[str, tuple[Wheel, ...]]
    metadata: tuple[VersionMetadata, ...]

    def rows(self) -> dict[str, list[str]]:
        """Return, per project, one text per wheel that says all the resolver sees of it."""
        return {
            name: sorted(f"{wheel.filename} {wheel.url} {wheel.sha256}" for wheel in wheels)
            for name, wheels in sorted(self.projects.items())
        }

    def without(self, names: Iterable[str]) -> TorchIndexSlice:
        """Return the slice without some projects: the resolver then takes them from PyPI."""
        gone = set(names)
        return replace(
            self,
            projects={name: wheels for name, wheels in self.projects.items() if name not in gone},
            metadata=tuple(item for item in self.metadata if item.name not in gone),
        )

    def digest(self) -> str:
        """Return the digest (sha256, hex) of the rows and the metadata."""
        metadata = [
            [item.name, item.version, list(item.requires_dist), item.requires_python]
            for item in self.metadata
        ]
        return digest_of([self.index, self.rows(), sorted(metadata)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """What a rule adds to a plan after seeing what the resolver made of it."""

    decisions: tuple[Decision, ...]
    requirements: tuple[SourcedRequirement, ...] = ()
    constraints: tuple[SourcedRequirement, ...] = ()
    excludes: tuple[str, ...] = ()
    sdist_metadata: tuple[VersionMetadata, ...] = ()
    brought: tuple[str, ...] = ()
    """Those of the requirements that nobody had asked for: they can be taken back."""
    unsatisfied: tuple[UnmetRequirement, ...] = ()
    """What stays unanswered, for the lock to say so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolutionPlan:
    """What to resolve for one target. Equal inputs give equal digests, whoever computes them, wherever."""

    profile: str
    target: Target
    channel: str
    slice: TorchIndexSlice
    requirements: tuple[SourcedRequirement, ...]
    constraints: tuple[SourcedRequirement, ...] = ()
    overrides: tuple[SourcedRequirement, ...] = ()
    excludes: tuple[str, ...] = ()
    cutoff_utc: str
    """Newest upload time admitted: RFC 3339 with ``Z``."""
    moved: Mapping[str, str]
    """project → its own later cutoff (``lock -P NAME``)."""
    allow_sdist: tuple[str, ...] = ()
    env: Mapping[str, str]
    """Variables that activation sets; recorded in the lock."""
    pypi_builds: Mapping[str, str]
    """Torch-family projects taken from PyPI: project → the version that is this backend's build there."""
    routes: Mapping[str, str] = field(default_factory=dict)
    """project → the address its wheels are taken from, instead of PyPI; its rows are in the slice."""
    flat: tuple[str, ...] = ()
    """Those of the addresses that are mere pages of links."""
    members: Mapping[str, str] = field(default_factory=dict)
    """Folder of a family → the member that the profile chose."""
    shims: tuple[str, ...] = ()
    """Shims of the profile that undo bonds."""
    facts: str = ""
    """Digest of the catalog's facts that amendments follow from."""
    decisions: tuple[Decision, ...] = ()
    amendments: tuple[Amendment, ...] = ()
    """Not part of the digest: they follow from the plan and from what PyPI held at the cutoff."""

    def inputs(self) -> dict[str, str | list[str]]:
        """Return what the digest is made of, in the words that a drift is told in."""
        routes = {"route": [f"{name} {url}" for name, url in sorted(self.routes.items())]}
        chosen = self.members.items()
        return {
            "form": str(FORM),
            "python": str(self.target.python),
            "platform": str(self.target.platform),
            "backend": str(self.target.backend),
            "channel": self.channel,
            "cutoff": self.cutoff_utc,
            "moved": [f"{name} {cutoff}" for name, cutoff in sorted(self.moved.items())],
            "requirement": sorted(str(item.requirement) for item in self.requirements),
            "constraint": sorted(str(item.requirement) for item in self.constraints),
            "override": sorted(str(item.requirement) for item in self.overrides),
            "exclude": sorted(self.excludes),
            "allow-sdist": sorted(self.allow_sdist),
            "env": [f"{name}={value}" for name, value in sorted(self.env.items())],
            "from-pypi": [f"{name}=={version}" for name, version in sorted(self.pypi_builds.items())],
            "catalog": self.slice.digest(),
            "facts": self.facts,
            **(routes if self.routes else {}),
            **({"shim": sorted(self.shims)} if self.shims else {}),
            **({"family": [f"{folder} {name}" for folder, name in sorted(chosen)]} if chosen else {}),
        }

    def digest(self) -> str:
        """Return the digest (sha256, hex) of the inputs: amendments and places of requirements are no part of it."""
        return digest_of(self.inputs())

    def amended(self, amendment: Amendment) -> ResolutionPlan:
        """Return the plan with one more amendment."""
        return replace(self, amendments=(*self.amendments, amendment))

    def words_on(self, name: str) -> tuple[SourcedRequirement, ...]:
        """Return what is said of a project; an override replaces all the rest."""
        overrides = tuple(item for item in self.overrides if item.name == name)
        said = (item for item in (*self.requirements, *self.constraints) if item.name == name)
        return overrides or tuple(said)

    def admits(self, name: str, version: Version) -> bool:
        """Say whether what is said of a project admits a version of it."""
        return all(
            item.requirement.specifier.contains(version, prereleases=True) for item in self.words_on(name)
        )

    def index_of(self, name: str) -> str:
        """Return the address a project's wheels are taken from; empty where that is PyPI."""
        return self.routes.get(name) or (self.slice.url if name in self.slice.projects else "")

    def torches(self) -> tuple[Version, ...]:
        """Return the versions of torch that can come, sorted: those of the slice, or PyPI's, that are admitted."""
        known = [wheel.version for wheel in self.slice.projects.get("torch", ())]
        if found := self.pypi_builds.get("torch"):
            known = [Version(found)]
        return tuple(sorted({version for version in known if self.admits("torch", version)}))

    def all_requirements(self) -> tuple[SourcedRequirement, ...]:
        """Return the requirements, those of the amendments included."""
        return (*self.requirements, *(item for step in self.amendments for item in step.requirements))

    def all_constraints(self) -> tuple[SourcedRequirement, ...]:
        """Return the constraints, those of the amendments included."""
        return (*self.constraints, *(item for step in self.amendments for item in step.constraints))

    def all_excludes(self) -> tuple[str, ...]:
        """Return the excluded projects, those of the amendments included."""
        return (*self.excludes, *(name for step in self.amendments for name in step.excludes))

    def all_decisions(self) -> tuple[Decision, ...]:
        """Return every decision, in the order it was taken."""
        return (*self.decisions, *(item for step in self.amendments for item in step.decisions))

    def unsatisfied(self) -> tuple[UnmetRequirement, ...]:
        """Return the requirements that stay unanswered on purpose."""
        return tuple(item for step in self.amendments for item in step.unsatisfied)

    def sdist_metadata(self) -> tuple[VersionMetadata, ...]:
        """Return what was read out of source distributions, without building them."""
        return tuple(item for step in self.amendments for item in step.sdist_metadata)


def digest_of(value: object) -> str:
    """Return the sha256 (hex) of a value's canonical JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """Packages with their files, and who asked for each."""

    packages: tuple[Package, ...]
    """Sorted by name."""
    requirers: Mapping[str, tuple[str, ...]]
    """project → the projects that require it; a direct requirement alone gives an empty tuple."""
    indexes: Mapping[str, str]
    """project → address of the index it was found in, as the resolver tells it."""

    @classmethod
    def parse(cls, pylock: str, annotated: str) -> Resolution:
        """Read a pylock text and the same resolution as annotated requirements.

        Args:
            pylock: PEP 751 text.
            annotated: requirements text whose ``# via`` comments follow each pin.

        Raises:
            ToolError: TOL020 when either text has another form.
        """
        try:
            packages = Pylock.from_dict(tomllib.loads(pylock)).packages
        except (tomllib.TOMLDecodeError, PylockValidationError, RecursionError) as error:
            raise ToolError(
                "TOL020",
                f"the resolver's answer is no pylock: {error}",
                hint="uv 0.13.8 or later within 0.13 is what envsmith reads",
            ) from error
        requirers, indexes = parse_annotations(annotated)
        return cls(
            packages=tuple(sorted(packages, key=lambda package: package.name)),
            requirers=requirers,
            indexes=indexes,
        )


def parse_annotations(annotated: str) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """Read who requires what (``# via``), and from which index it is (``# from``); names of files are left out.

    Source: the annotated output of ``uv pip compile`` 0.13.8 (seen 2026-11-21): one comment line per pin,
    ``# via torch``, or a bare ``# via`` followed by ``#   torch`` lines; files appear as ``-r PATH``.
    """
    requirers: dict[str, tuple[str, ...]] = {}
    indexes: dict[str, str] = {}
    for line in filter(lambda line: line.name, requirements_lines(annotated)):
        name = canonicalize_name(line.name)
        projects = (text.removeprefix("via ") for text in line.comments if text != "via")
        requirers[name] = tuple(
            sorted({canonicalize_name(text.split("[")[0]) for text in projects if " " not in text})
        )
        if index := next((text for text in line.comments if text.startswith("from ")), ""):
            indexes[name] = index.removeprefix("from ")
    return requirers, indexes
