"""Profile, requirements and slice → Plan; refuses what no wheel can answer, before the resolver is started."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from packaging.requirements import Requirement
from packaging.specifiers import Specifier, SpecifierSet
from packaging.version import Version

from envsmith.catalog import Catalog, TorchRelease
from envsmith.errors import ProfileError, ResolveError
from envsmith.model.asked import Asked, labels
from envsmith.model.decision import Decision
from envsmith.model.plan import Plan, Slice, digest_of
from envsmith.model.profile import Profile
from envsmith.model.target import Target
from envsmith.model.wheel import Wheel

RULE = "envsmith"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """All that is asked for one target."""

    profile: Profile
    target: Target
    channel: str
    cutoff_utc: str
    moved: Mapping[str, str] = field(default_factory=dict)
    requirements: tuple[Asked, ...] = ()
    constraints: tuple[Asked, ...] = ()
    decisions: tuple[Decision, ...] = ()


def plan(order: Order, slice_: Slice, catalog: Catalog) -> Plan:
    """Put what is wanted and what exists together.

    Raises:
        ProfileError: PRF030 when a label contradicts the backend.
        ResolveError: RES021 when no wheel answers a requirement on the torch family, RES033 when none of them
            has kernels for a declared GPU, RES022 when PyPI has no build of this backend.
    """
    applying = [item for item in order.requirements if _applies(item, order.target)]
    limiting = [item for item in order.constraints if _applies(item, order.target)]
    _check_labels([*applying, *limiting], order.target)
    family = frozenset(project.name for project in catalog.projects() if project.origin == "slice")
    requirements = [_without_label(item, family) for item in applying]
    excludes, dropped = _dropped(order.profile, requirements)
    requirements = [item for item in requirements if item.name not in excludes]
    slice_, capped = _with_kernels(slice_, requirements, order, catalog)
    slice_ = _from_index(slice_, requirements, order, catalog)
    pypi, from_pypi = _from_pypi(slice_, requirements, order, catalog)
    slice_ = _without(slice_, pypi)
    for item in requirements:
        if item.name in slice_.projects and item.name not in pypi:
            _require_wheel(item, slice_, order.target)
    return Plan(
        profile=order.profile.name,
        target=order.target,
        channel=order.channel,
        slice=slice_,
        requirements=tuple(requirements),
        constraints=(
            *(_without_label(item, family) for item in limiting),
            *(
                Asked(requirement=Requirement(f"{name}=={version}"), origin=RULE)
                for name, version in pypi.items()
            ),
        ),
        overrides=order.profile.asked("overrides"),
        excludes=tuple(sorted(excludes)),
        cutoff_utc=order.cutoff_utc,
        moved=order.moved,
        allow_sdist=order.profile.allow_sdist,
        env=order.profile.env,
        pypi_builds=pypi,
        facts=_facts(catalog),
        decisions=(*order.decisions, *dropped, *capped, *from_pypi),
    )


def _facts(catalog: Catalog) -> str:
    """Return the digest of the facts that can amend a plan later: a change of them makes a lock stale."""
    pairings = [[str(item.when), *map(str, item.needs)] for item in catalog.pairings()]
    families = [
        [item.folder, {kind: list(names) for kind, names in item.order.items()}]
        for item in catalog.families()
    ]
    return digest_of([pairings, families])


def _applies(item: Asked, target: Target) -> bool:
    marker = item.requirement.marker
    return marker is None or marker.evaluate(cast("dict[str, str]", target.marker_environment()))


def _check_labels(asked: Iterable[Asked], target: Target) -> None:
    for name, (label, origin) in labels(asked).items():
        if name in ("torch", "torchvision", "torchaudio", "torchcodec") and label != target.backend.label:
            raise ProfileError(
                "PRF030",
                f"{name} is asked for as +{label}, but the backend is {target.backend}",
                where=origin,
                hint=f"drop the label, or lock with --backend {label}",
            )


def _without_label(item: Asked, family: frozenset[str]) -> Asked:
    """Take the label off a pin: the slice holds no other build, and macOS wheels carry none."""
    if item.name not in family or "+" not in str(item.requirement.specifier):
        return item
    requirement = Requirement(str(item.requirement))
    requirement.specifier = SpecifierSet(
        ",".join(_public(specifier) for specifier in item.requirement.specifier)
    )
    return replace(item, requirement=requirement)


def _public(specifier: Specifier) -> str:
    return f"{specifier.operator}{specifier.version.split('+')[0]}"


def _dropped(profile: Profile, requirements: Iterable[Asked]) -> tuple[frozenset[str], list[Decision]]:
    names = frozenset(name for name, policy in profile.family.items() if policy == "drop")
    asked = {item.name: item.origin for item in requirements}
    return names, [
        Decision(
            subject=name,
            kind="dropped",
            code="RES101",
            message=f'{name} dropped: the profile says family.{name} = "drop"',
            evidence=(f"asked for at {asked[name]}",) if name in asked else (),
        )
        for name in sorted(names)
    ]


def _with_kernels(
    slice_: Slice, requirements: list[Asked], order: Order, catalog: Catalog
) -> tuple[Slice, list[Decision]]:
    """Leave out torch wheels that are known to have no kernels for a declared GPU."""
    decisions: list[Decision] = []
    for declared in order.profile.gpu:
        gpu = catalog.gpu(declared)
        torches = slice_.projects.get("torch", ())
        kernels = {
            wheel: catalog.kernels(Version(wheel.version.public), order.target.backend, order.target.platform)
            for wheel in torches
        }
        fit = tuple(
            wheel for wheel, found in kernels.items() if found is None or found.supports(gpu.capability)
        )
        wanted = _answering(requirements, "torch", torches)
        if wanted and not set(wanted) & set(fit):
            newest = max(wanted, key=lambda wheel: wheel.version)
            raise ResolveError(
                "RES033",
                f"torch {newest.version} has no kernels for {gpu.name}",
                where=f"profile {order.profile.name}: gpu",
                details=(("built for", str(kernels[newest])),),
                hint="`envsmith catalog show` lists the kernels of each backend",
            )
        slice_ = replace(slice_, projects={**slice_.projects, "torch": fit})
        if len(fit) < len(torches):
            oldest = min((wheel.version for wheel in fit), default=None)
            decisions.append(
                Decision(
                    subject="torch",
                    kind="capped",
                    code="RES107",
                    message=f"only torch builds with kernels for {gpu.name}: {oldest} and later are considered",
                )
            )
    return slice_, decisions


def _from_index(slice_: Slice, requirements: list[Asked], order: Order, catalog: Catalog) -> Slice:
    """Leave to PyPI what the catalog says PyPI serves better for the torch that may come: triton, mostly."""
    torches = _answering(requirements, "torch", slice_.projects.get("torch", ()))
    newest = max((wheel.version for wheel in torches), default=Version("0"))
    if order.channel != "stable":
        return slice_
    return _without(
        slice_,
        [
            project.name
            for project in catalog.projects()
            if not project.is_in_slice(newest, order.target.platform)
        ],
    )


def _from_pypi(
    slice_: Slice, requirements: list[Asked], order: Order, catalog: Catalog
) -> tuple[dict[str, str], list[Decision]]:
    """Choose the torch-family projects to take from PyPI, where its own wheel is known to be this backend's build."""
    found: dict[str, str] = {}
    decisions: list[Decision] = []
    whole = order.profile.index == "pypi"
    asked = {item.name for item in requirements}
    # Whatever drags in a torch must get PyPI's, too, where the profile says so.
    implied = [
        Asked(requirement=Requirement(name), origin=RULE) for name in _ON_PYPI if whole and name not in asked
    ]
    for item in (*requirements, *implied):
        wheels = slice_.projects.get(item.name)
        if wheels is None or (not whole and _answering([item], item.name, wheels)):
            continue
        version = _pypi_version(item, found.get("torch") or _pinned(requirements, "torch"), order, catalog)
        if version is not None:
            found[item.name] = version
            decisions += [_taken_from_pypi(item.name, version, order)] if item.name in asked else []
        elif whole and item.name in asked:
            raise _no_pypi_build(item, order, catalog)
    return found, decisions


_ON_PYPI = ("torch", "torchvision", "torchaudio")


def _taken_from_pypi(name: str, version: str, order: Order) -> Decision:
    return Decision(
        subject=name,
        kind="substituted",
        code="RES102",
        message=f"{name} {version} from PyPI: its wheel for {order.target.platform} is the "
        f"{order.target.backend} build",
    )


def _pypi_version(item: Asked, torch: str, order: Order, catalog: Catalog) -> str | None:
    """Return the newest version on PyPI that is this backend's build, answers the requirement and fits torch."""
    for release in sorted(catalog.releases(), key=lambda release: release.torch, reverse=True):
        if release.date > order.cutoff_utc[:10] or (torch and str(release.torch) != torch):
            continue
        for version in _paired(release, item.name):
            build = catalog.pypi_build(item.name, version, order.target.platform)
            if build == order.target.backend and item.requirement.specifier.contains(version):
                return str(version)
    return None


def _paired(release: TorchRelease, name: str) -> tuple[Version, ...]:
    """Return the versions of a project that go with a torch release, newest first."""
    audio = (release.torchaudio,) if release.torchaudio else ()
    found = {"torch": (release.torch,), "torchvision": release.torchvision, "torchaudio": audio}.get(name, ())
    return tuple(sorted(found, reverse=True))


def _pinned(requirements: list[Asked], name: str) -> str:
    for item in requirements:
        for specifier in item.requirement.specifier:
            if item.name == name and specifier.operator == "==" and "*" not in specifier.version:
                return specifier.version
    return ""


def _no_pypi_build(item: Asked, order: Order, catalog: Catalog) -> ResolveError:
    builds = [
        (
            str(release.torch),
            f"{version} is {catalog.pypi_build(item.name, version, order.target.platform) or 'unknown'}",
        )
        for release in catalog.releases()
        for version in _paired(release, item.name)
    ]
    return ResolveError(
        "RES022",
        f"PyPI's {item.name} is no {order.target.backend} build on {order.target.platform}",
        where=item.origin,
        details=tuple((f"with torch {torch}", text) for torch, text in builds[-3:]),
        hint=f'take {item.name} out, or use index = "pytorch"',
    )


def _without(slice_: Slice, names: Iterable[str]) -> Slice:
    gone = set(names)
    return replace(
        slice_,
        projects={name: wheels for name, wheels in slice_.projects.items() if name not in gone},
        metadata=tuple(item for item in slice_.metadata if item.name not in gone),
    )


def _answering(requirements: Iterable[Asked], name: str, wheels: Iterable[Wheel]) -> list[Wheel]:
    """Return the wheels that every requirement on a project admits."""
    specifiers = [item.requirement.specifier for item in requirements if item.name == name]
    return [
        wheel
        for wheel in wheels
        if all(specifier.contains(wheel.version, prereleases=True) for specifier in specifiers)
    ]


def _require_wheel(item: Asked, slice_: Slice, target: Target) -> None:
    if _answering([item], item.name, slice_.projects[item.name]):
        return
    versions = sorted({wheel.version for wheel in slice_.projects[item.name]})
    offered = " ".join(str(version) for version in versions[-6:]) or "no build at all"
    raise ResolveError(
        "RES021",
        f"no {item.requirement} for {target.python.tag} on {target.platform} with {target.backend}",
        where=item.origin,
        details=(("exists", f"{slice_.index} · {target.slug}: {offered}"),),
        hint="ask for a version that exists, or for another backend, Python or platform",
    )
