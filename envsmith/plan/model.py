"""Values of planning: lock request, index slice, resolution plan and its digest, resolution."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from packaging.pylock import Package, PackageWheel, Pylock, PylockValidationError
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from envsmith.config.build_settings import ANY, ANY_SOURCE, BuildSettings
from envsmith.config.profile import Profile
from envsmith.config.requirement import RequiresPython, SourcedRequirement
from envsmith.errors import ToolError
from envsmith.lockfile.manifest import Manifest, RememberedOptions
from envsmith.lockfile.pins import requirements_lines
from envsmith.lockfile.provided import ProvidedPackage, by_name
from envsmith.model.finding import Decision, UnmetRequirement
from envsmith.model.listing import VersionMetadata
from envsmith.model.package_index import PackageIndex
from envsmith.model.route import RoutePage
from envsmith.model.target import Target
from envsmith.model.wheel import Wheel

# uv 0.13.8 (seen 2026-11-30); a reason may have several lines.
"""In place of the names of projects: all of them may be locked as source."""
_YANKED = re.compile(
    r'^warning: `(?P<name>[a-z0-9-]+)==(?P<version>[^`\s]+)` is yanked(?: \(reason: "(?P<reason>.*?)"\))?$',
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LockRequest:
    """A profile with its requirements."""

    profile: Profile
    requirements: tuple[SourcedRequirement, ...]
    constraints: tuple[SourcedRequirement, ...] = ()
    overrides: tuple[SourcedRequirement, ...] = ()
    excludes: tuple[str, ...] = ()
    """Projects that are not installed, whatever requires them; normalised."""
    notes: tuple[Decision, ...] = ()
    """Decisions taken while the requirements were read."""
    indexes: tuple[PackageIndex, ...] = ()
    """Besides PyPI and PyTorch's, in the order in which they are asked."""
    provided: tuple[ProvidedPackage, ...] = ()
    """Packages that are not from an index, sorted."""
    requires_python: RequiresPython | None = None
    """The project's ``requires-python``."""
    remembered: RememberedOptions = field(default_factory=RememberedOptions)
    """As given, or as recorded by an earlier lock."""
    ignored_files: tuple[str, ...] = ()
    """Files that seem to list requirements and were not read."""
    decisions: tuple[Decision, ...] = ()
    """Whether prunable packages stay required, by the imports in the project's sources."""
    pages: tuple[RoutePage, ...] = ()
    """Listings at the addresses of the profile's routes."""
    only: frozenset[str] = frozenset()
    """Slugs of the targets to plan; empty for all of the profile's."""
    as_of: str = ""
    """Cutoff asked for: RFC 3339 with ``Z``; empty without one."""
    kept: Manifest | None = None
    """Of the lock whose pins are kept: its files count as known, whatever the index says today."""

    def kept_versions(self, target: Target) -> dict[str, Version]:
        """Return torch-family project → locked version of a target."""
        entry = self.kept.targets.get(target.slug) if self.kept else None
        return {name: Version(pin.version) for name, pin in entry.family.items()} if entry else {}

    hash_model: Callable[[str], str] | None = None
    """Path of a model → its sha256, empty for a missing file; None to hash none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutoffs:
    """Newest upload time admitted, and later ones of single projects."""

    cutoff_utc: str
    """RFC 3339 with ``Z``."""
    moved: Mapping[str, str] = field(default_factory=dict)
    """project → its own later cutoff (``lock -P NAME``)."""
    is_asked: bool = False
    """Whether it was asked for; otherwise it is the present time, and nothing is ignored."""
    lifted_utc: str = ""
    """That of all projects while some are upgraded, which may need later ones; empty without an upgrade."""

    def of(self, project: str) -> str:
        """Return the cutoff of a project."""
        return self.lifted_utc or self.moved.get(project, self.cutoff_utc)

    def hint(self, profile: str, name: str) -> str:
        """Return the way to a later release of a project."""
        return (
            f"this lock ignores releases after {self.of(name)[:10]} (cutoff): run `envsmith lock {profile} -P {name}`, "
            "or move the cutoff with --as-of TIME"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchIndexSlice:
    """The torch-family wheels one plan may use: a small index put before PyPI.

    A project with an empty tuple gets an empty page, so that the resolver finds it nowhere. An absent project is taken
    from PyPI.
    """

    index: str
    """Name of their index at PyTorch: ``cu128``."""
    url: str
    """Address of that index."""
    projects: Mapping[str, tuple[Wheel, ...]]
    metadata: tuple[VersionMetadata, ...]

    def entries(self) -> dict[str, list[str]]:
        """Return project → one line per wheel, with all the resolver sees of it."""
        return {
            name: sorted(f"{wheel.filename} {wheel.url} {wheel.sha256}" for wheel in wheels)
            for name, wheels in sorted(self.projects.items())
        }

    def without(self, names: Iterable[str]) -> TorchIndexSlice:
        """Return the slice without some projects, so that the resolver takes them from PyPI."""
        removed = set(names)
        return replace(
            self,
            projects={name: wheels for name, wheels in self.projects.items() if name not in removed},
            metadata=tuple(item for item in self.metadata if item.name not in removed),
        )

    def digest(self) -> str:
        """Return the digest (sha256, hex) of wheels and metadata."""
        metadata = [
            [item.name, item.version, list(item.requires_dist), item.requires_python]
            for item in self.metadata
        ]
        return digest_of([self.index, self.entries(), sorted(metadata)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """Additions of a rule to a plan, made after a resolution."""

    decisions: tuple[Decision, ...]
    requirements: tuple[SourcedRequirement, ...] = ()
    constraints: tuple[SourcedRequirement, ...] = ()
    excludes: tuple[str, ...] = ()
    sdist_metadata: tuple[VersionMetadata, ...] = ()
    added: tuple[str, ...] = ()
    """Projects that nothing required before; the amendment is undone if they have no solution."""
    unsatisfied: tuple[UnmetRequirement, ...] = ()
    """Requirements that the lock records as unmet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolutionPlan:
    """Everything the resolver needs for one target. Equal inputs give equal digests on every machine."""

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
    has_cutoff: bool = True
    """Whether a cutoff was asked for; otherwise `cutoff_utc` is the present time, and nothing is ignored."""
    moved: Mapping[str, str]
    """project → its own later cutoff (``lock -P NAME``)."""
    asked: str = ""
    """Backend and channel of the profile, before its ``on-retired`` rule."""
    index: str = "pytorch"
    """As in the profile."""
    allow_sdist: tuple[str, ...] = ()
    known_sources: tuple[str, ...] = ()
    """Those of them that are known to have no wheel for the target; not part of the digest."""
    allow_build: tuple[str, ...] = ()
    """Those that may be built for their requirements; not part of the digest."""
    builds: tuple[BuildSettings, ...] = ()
    """How source distributions are built, as the profile and the project say."""
    described: tuple[VersionMetadata, ...] = ()
    """What source distributions require whose files do not say it, of each or every version."""
    architectures: tuple[str, ...] = ()
    """Compute capabilities of the profile's GPUs: ``12.0``."""
    env: Mapping[str, str]
    """Variables set on activation; recorded in the lock."""
    pypi_builds: Mapping[str, str]
    """Torch-family projects taken from PyPI: project → the version built for this backend."""
    routes: Mapping[str, str] = field(default_factory=dict)
    """project → the address of its own index; its wheels are in the slice."""
    flat: tuple[str, ...] = ()
    """Addresses of plain link pages, not of a simple index."""
    indexes: tuple[PackageIndex, ...] = ()
    """As in the request, like the next one."""
    provided: tuple[ProvidedPackage, ...] = ()
    members: Mapping[str, str] = field(default_factory=dict)
    """Folder of a conflict group → the member chosen by the profile."""
    shims: tuple[str, ...] = ()
    """Shims of the profile that make a pairing unnecessary."""
    versions: str = "common"
    """``common`` for one version per package on all targets where possible, ``newest`` for the newest per target."""
    preferences: Mapping[str, str] = field(default_factory=dict)
    """project → the version to keep while it satisfies everything asked. Not in the digest, like the next three."""
    kept_files: Mapping[str, str] = field(default_factory=dict)
    """URL of a direct requirement → the URL with the locked hash, to which no other file may answer."""
    decisions: tuple[Decision, ...] = ()
    amendments: tuple[Amendment, ...] = ()
    """They follow from the plan and PyPI's releases at the cutoff."""

    def inputs(self) -> dict[str, str | list[str]]:
        """Return what is asked of a lock; the keys name it in a report of changes.

        Facts of the catalog and times are not among it: they differ by machine and day.
        """
        routes = {"route": [f"{name} {url}" for name, url in sorted(self.routes.items())]}
        hashes = sorted({text for text, _ in self.given_hashes()})
        chosen = self.members.items()
        return {
            "asked": self.asked,
            "python": str(self.target.python),
            "platform": str(self.target.platform),
            "backend": str(self.target.backend),
            "channel": self.channel,
            "requirement": sorted(str(item.requirement) for item in self.requirements),
            "constraint": sorted(str(item.requirement) for item in self.constraints if not item.is_fact),
            "override": sorted(str(item.requirement) for item in self.overrides),
            "exclude": sorted(self.excludes),
            "allow-sdist": sorted(self.allow_sdist),
            "env": [f"{name}={value}" for name, value in sorted(self.env.items())],
            "from-pypi": [f"{name}=={version}" for name, version in sorted(self.pypi_builds.items())],
            **({"index": self.index} if self.index != "pytorch" else {}),
            **({"versions": self.versions} if self.versions != "common" else {}),
            **(routes if self.routes else {}),
            **({"package-index": [str(index) for index in self.indexes]} if self.indexes else {}),
            **({"provided": [str(item) for item in self.provided]} if self.provided else {}),
            **{key: values for key, values in self._source_inputs().items() if values},
            **({"hash": hashes} if hashes else {}),
            **({"shim": sorted(self.shims)} if self.shims else {}),
            **({"family": [f"{folder} {name}" for folder, name in sorted(chosen)]} if chosen else {}),
        }

    def _source_inputs(self) -> dict[str, list[str]]:
        """Return the inputs that matter for packages locked as source."""
        builds = [item for item in self.builds if item.project == ANY or self.may_be_source(item.project)]
        described = [item for item in self.described if self.may_be_source(item.name)]
        return {
            "build": [str(item) for item in builds] if self.allow_sdist else [],
            "described": [
                f"{item.name} {item.version or '*'} {', '.join(item.requires_dist)}" for item in described
            ],
        }

    def digest(self) -> str:
        """Return the digest (sha256, hex) of the inputs, without amendments and origins of requirements."""
        return digest_of(self.inputs())

    def given_hashes(self) -> Iterator[tuple[str, str]]:
        """Yield each requirement with given hashes, as text, and its origin.

        Several hashes are counted, with a digest: pip-compile lists those of all files of a version.
        """
        for item in (*self.requirements, *self.constraints):
            if len(item.hashes) == 1:
                yield f"{item.name} {item.hashes[0]}", item.origin
            elif item.hashes:
                yield f"{item.name} {len(item.hashes)} hashes {digest_of(item.hashes)[:12]}", item.origin

    def amended(self, amendment: Amendment) -> ResolutionPlan:
        """Return the plan with one more amendment."""
        return replace(self, amendments=(*self.amendments, amendment))

    def constraints_on(self, name: str) -> tuple[SourcedRequirement, ...]:
        """Return all requirements and constraints on a project; overrides replace them."""
        overrides = tuple(item for item in self.overrides if item.name == name)
        return overrides or tuple(
            item for item in (*self.requirements, *self.constraints) if item.name == name
        )

    def admits(self, name: str, version: Version) -> bool:
        """Return whether the requirements and constraints on a project admit a version."""
        return all(
            item.requirement.specifier.contains(version, prereleases=True)
            for item in self.constraints_on(name)
        )

    def may_be_source(self, name: str) -> bool:
        """Return whether a project without a wheel for the target may be locked as source."""
        return ANY_SOURCE in self.allow_sdist or name in self.allow_sdist

    def index_of(self, name: str) -> str:
        """Return the address of a project's index; empty for PyPI."""
        return self.routes.get(name) or (self.slice.url if name in self.slice.projects else "")

    def torch_versions(self) -> tuple[Version, ...]:
        """Return the admitted versions of torch, sorted."""
        known = [wheel.version for wheel in self.slice.projects.get("torch", ())]
        if found := self.pypi_builds.get("torch"):
            known = [Version(found)]
        return tuple(sorted({version for version in known if self.admits("torch", version)}))

    def all_requirements(self) -> tuple[SourcedRequirement, ...]:
        """Return the requirements of plan and amendments."""
        return (*self.requirements, *(item for step in self.amendments for item in step.requirements))

    def all_constraints(self) -> tuple[SourcedRequirement, ...]:
        """Return the constraints of plan and amendments."""
        return (*self.constraints, *(item for step in self.amendments for item in step.constraints))

    def all_overrides(self) -> list[str]:
        """Return the overrides as text, sorted; one without specifier for each package of unknown version."""
        found = {item.name: item.requirement for item in self.overrides}
        for name in (item.name for item in self.provided if not item.version and item.name not in found):
            # An override replaces the extras, too.
            extras = {
                text for item in self.requirements if item.name == name for text in item.requirement.extras
            }
            found[name] = Requirement(f"{name}[{','.join(sorted(extras))}]")
        return sorted(map(str, found.values()))

    def all_excludes(self) -> tuple[str, ...]:
        """Return the excluded projects of plan and amendments."""
        return (*self.excludes, *(name for step in self.amendments for name in step.excludes))

    def all_decisions(self) -> tuple[Decision, ...]:
        """Return every decision in order."""
        return (*self.decisions, *(item for step in self.amendments for item in step.decisions))

    def unsatisfied(self) -> tuple[UnmetRequirement, ...]:
        """Return the requirements left unmet on purpose."""
        return tuple(item for step in self.amendments for item in step.unsatisfied)

    def sdist_metadata(self) -> tuple[VersionMetadata, ...]:
        """Return the metadata read from source distributions."""
        return tuple(item for step in self.amendments for item in step.sdist_metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfilePlan:
    """A request with one plan per target."""

    request: LockRequest
    cutoffs: Cutoffs
    plans: tuple[ResolutionPlan, ...]
    catalog_name: str
    """Source of the index listing, for the provenance: ``embedded 2026-11-20``."""
    decisions: tuple[Decision, ...]
    """Those for the whole profile."""


def digest_of(value: object) -> str:
    """Return the sha256 (hex) of a value's canonical JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """Packages with their files and requirers, as the resolver returned them."""

    packages: tuple[Package, ...]
    """Sorted by name."""
    requirers: Mapping[str, tuple[str, ...]]
    """project → the projects that require it; empty for a direct requirement alone."""
    indexes: Mapping[str, str]
    """project → address of its index, as reported by the resolver."""
    yanked: Mapping[str, str] = field(default_factory=dict)
    """project → the reason why its index withdrew the version (PEP 592), empty without one."""
    direct: Mapping[str, str] = field(default_factory=dict)
    """project → the URL of the wheel that its requirement names."""

    @classmethod
    def of(cls, packages: Iterable[Package], annotated: str, warnings: str = "") -> Resolution:
        """Return packages with what the same resolution says of them as annotated requirements.

        Args:
            packages: of a pylock.
            annotated: requirements text with ``# via`` comments after each pin.
            warnings: uv's standard error.
        """
        requirers, indexes = parse_annotations(annotated)
        packages = sorted(packages, key=lambda package: package.name)
        return cls(
            packages=tuple(map(_with_wheel, packages)),
            requirers=requirers,
            indexes=indexes,
            yanked={name: reason for (name, _), reason in parse_yanked(warnings).items()},
            direct={
                str(item.name): item.archive.url for item in packages if item.archive and item.archive.url
            },
        )

    def with_provided(self, provided: Iterable[ProvidedPackage]) -> Resolution:
        """Return the same without the files of provided packages, which exist in the resolver's index only."""
        found = by_name(provided)
        packages = (found[item.name].package() if item.name in found else item for item in self.packages)
        indexes = {name: url for name, url in self.indexes.items() if name not in found}
        return replace(self, packages=tuple(packages), indexes=indexes)

    def versions(self) -> dict[str, str]:
        """Return project → version, of the packages with a known version."""
        return {str(package.name): str(package.version) for package in self.packages if package.version}


def _with_wheel(package: Package) -> Package:
    """Return a package whose archive is a wheel as one with a wheel."""
    archive = package.archive
    if archive is None or not (archive.url or "").endswith(".whl"):
        return package
    return Package(
        name=package.name,
        version=package.version,
        wheels=[PackageWheel(url=archive.url, size=archive.size, hashes=archive.hashes)],
    )


def parse_yanked(warnings: str) -> dict[tuple[str, str], str]:
    """Return (project, version) → the reason why its index withdrew it, from uv's standard error."""
    return {(match["name"], match["version"]): match["reason"] or "" for match in _YANKED.finditer(warnings)}


def parse_packages(pylock: str) -> Sequence[Package]:
    """Return the packages of a PEP 751 text.

    Raises:
        ToolError: TOL020 when it is malformed.
    """
    try:
        return Pylock.from_dict(tomllib.loads(pylock)).packages
    except (tomllib.TOMLDecodeError, PylockValidationError, RecursionError) as error:
        raise ToolError(
            "TOL020",
            f"uv's output is not a valid pylock: {error}",
            hint="envsmith needs uv 0.13, 0.13.8 or later",
        ) from error


def parse_annotations(annotated: str) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """Parse requirers (``# via``) and index (``# from``) of each pin; filenames are left out.

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
