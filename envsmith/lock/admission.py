"""Admission of a resolution as a lock: origin, build, hash and platform of every package."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import cast
from urllib.parse import unquote, urlsplit

from packaging.markers import Marker
from packaging.pylock import (
    Package,
    PackageSdist,
    PackageWheel,
    Pylock,
    PylockSelectError,
)
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag
from packaging.utils import parse_wheel_filename
from packaging.version import Version

from envsmith.config.requirement import SourcedRequirement
from envsmith.errors import LockError
from envsmith.lockfile.pins import pins_digest
from envsmith.lockfile.provided import ProvidedPackage, by_name
from envsmith.lockfile.pylock import FORMAT_VERSION, Lock, package_hashes
from envsmith.model.finding import Decision
from envsmith.model.listing import PYTORCH_HOSTS
from envsmith.model.target import Target
from envsmith.model.wheel import SHA256, Wheel
from envsmith.plan.candidates import TWO_HASHES
from envsmith.plan.model import Resolution, ResolutionPlan
from envsmith.plan.target_plan import LABELLED, ON_PYPI

_SHOWN = 4
"""Given hashes in an error."""


def admit(plan: ResolutionPlan, resolution: Resolution, catalog_name: str) -> Lock:
    """Verify a resolution and return it as a lock.

    Args:
        plan: the amended plan.
        resolution: of that plan.
        catalog_name: source of the index listing, for the provenance.

    Raises:
        LockError: LCK010 to LCK019 and LCK024, one per condition, naming the package that violates it.
    """
    provided = by_name(plan.provided)
    whole = _without(resolution, {name for name, item in provided.items() if not item.source})
    resolution = _without(whole, provided)
    checked = _checked_packages(plan, resolution, whole)
    family = [package for package in checked if package.name in _family(plan)]
    for package in family:
        _check_build(package, plan)
    packages = _with_provided(checked, whole, provided)
    sources = sorted({url for package in family if (url := plan.index_of(package.name))})
    decisions = _decisions(plan, packages)
    pylock = Pylock(
        lock_version=Version("1.0"),
        environments=[target_marker(plan.target)],
        requires_python=SpecifierSet(f"=={plan.target.python.version}.*"),
        created_by="envsmith",
        packages=packages,
        tool={
            "envsmith": {
                **_provenance(plan, catalog_name, decisions),
                "pins-sha256": _digest(packages, provided),
            }
        },
    )
    _check_selection(pylock, plan.target)
    return Lock(
        profile=plan.profile,
        target=plan.target,
        pylock=pylock,
        plan_digest=plan.digest(),
        requirers=_requirers(plan, whole),
        family=tuple(package.name for package in family),
        indexes=tuple(url for url in sources if url not in plan.flat),
        pages=tuple(url for url in sources if url in plan.flat),
        package_indexes=plan.indexes,
        decisions=decisions,
        unsatisfied=plan.unsatisfied(),
        direct=resolution.direct,
        provided={item.name: provided[item.name] for item in packages if item.name in provided},
    )


def _checked_packages(plan: ResolutionPlan, resolution: Resolution, whole: Resolution) -> list[Package]:
    """Return the packages of an index, each with its one file; refuse those that a lock must not contain."""
    tags = plan.target.tag_set()
    for package in resolution.packages:
        _check_hashes(package)
        _check_wheel_tags(package, tags)
    given = {
        item.name: plan.constraints_on(item.name)
        for item in (*plan.requirements, *plan.constraints, *plan.overrides)
        if item.hashes
    }
    packages = _one_file_each(plan, resolution, whole, given)
    for package in packages:
        _check_files(package, plan)
        _check_given_hashes(package, given.get(package.name, ()))
    _check_origins(packages, plan)
    _check_direct(packages, plan, resolution)
    return packages


def _without(resolution: Resolution, names: Collection[str]) -> Resolution:
    """Return a resolution without some packages."""
    return replace(
        resolution,
        packages=tuple(package for package in resolution.packages if package.name not in names),
        requirers={name: by for name, by in resolution.requirers.items() if name not in names},
    )


def _with_provided(
    packages: Sequence[Package], whole: Resolution, provided: Mapping[str, ProvidedPackage]
) -> list[Package]:
    """Return the packages of a lock with those that are from no index, sorted by name."""
    needs = _needs(whole)
    own = [
        provided[item.name].locked(needs.get(item.name)) for item in whole.packages if item.name in provided
    ]
    return sorted((*packages, *own), key=lambda item: item.name)


def _needs(resolution: Resolution) -> dict[str, list[dict[str, str]]]:
    """Return project → the projects that it requires, as in a pylock."""
    needs: dict[str, list[dict[str, str]]] = {}
    for name, requirers in sorted(resolution.requirers.items()):
        for requirer in requirers:
            needs.setdefault(requirer, []).append({"name": name})
    return needs


def _decisions(plan: ResolutionPlan, packages: Iterable[Package]) -> tuple[Decision, ...]:
    """Return the decisions of a plan, without those on candidates that are not locked."""
    taken = {wheel.filename for package in packages for wheel in package.wheels or ()}
    return tuple(item for item in plan.all_decisions() if item.code != TWO_HASHES or item.subject in taken)


def target_marker(target: Target) -> Marker:
    """Return the marker for the target, as exactly as markers can describe it."""
    environment = cast("Mapping[str, str]", target.marker_environment())
    names = ("implementation_name", "sys_platform", "platform_machine", "python_version")
    return Marker(" and ".join(f'{name} == "{environment[name]}"' for name in names))


def _family(plan: ResolutionPlan) -> frozenset[str]:
    return frozenset(plan.slice.projects) | frozenset(plan.pypi_builds)


def _one_file_each(
    plan: ResolutionPlan,
    resolution: Resolution,
    whole: Resolution,
    given: Mapping[str, Sequence[SourcedRequirement]],
) -> list[Package]:
    """Return the packages with the one file that the target would choose; an index may list several fitting ones.

    Args:
        plan: the amended plan.
        resolution: of that plan.
        whole: with the packages that are from no index, for what these require.
        given: project → its requirements, if hashes are given.
    """
    needs = _needs(whole)
    everything = Pylock(
        lock_version=Version("1.0"),
        created_by="envsmith",
        packages=[
            Package(
                name=package.name,
                version=package.version,
                dependencies=needs.get(package.name),
                index=plan.index_of(package.name) or resolution.indexes.get(package.name),
                sdist=None if wheels else _with_sha256(package.sdist),
                wheels=[_named(wheel) for wheel in wheels] or None,
            )
            for package in resolution.packages
            for wheels in [_allowed_wheels(package, given.get(package.name, ()), plan.target.tag_set())]
        ],
    )
    chosen = _select(everything, plan.target)
    return [
        _with_file(package, chosen[package.name]) if package.name in chosen else package
        for package in everything.packages
    ]


def _with_file(package: Package, file: object) -> Package:
    """Return a package with one file."""
    return Package(
        name=package.name,
        version=package.version,
        dependencies=package.dependencies,
        index=package.index,
        sdist=file if isinstance(file, PackageSdist) else None,
        wheels=[file] if isinstance(file, PackageWheel) else None,
    )


def _select(pylock: Pylock, target: Target) -> dict[str, object]:
    try:
        return {
            package.name: file
            for package, file in pylock.select(environment=target.marker_environment(), tags=target.tags())
        }
    except PylockSelectError as error:
        raise LockError(
            "LCK019",
            f"the lock does not install on its own target: {error}",
            where=str(target),
            hint="this is a bug in envsmith: please report it with the profile and requirements",
        ) from error


def _check_hashes(package: Package) -> None:
    """Refuse files without a well-formed sha256: the hash goes into a requirements line."""
    files: list[PackageWheel | PackageSdist] = [*(package.wheels or ())]
    for file in [*files, package.sdist] if package.sdist else files:
        if not SHA256.fullmatch(file.hashes.get("sha256", "")):
            raise _violation("LCK013", package, f"has a file without a sha256: {file.filename}")


def _check_wheel_tags(package: Package, tags: frozenset[Tag]) -> None:
    if package.is_direct or package.version is None:
        raise _violation("LCK010", package, "is not from an index")
    found = [parse_wheel_filename(wheel.filename) for wheel in package.wheels or ()]
    if found and not any(own & tags for _, _, _, own in found):
        raise _violation("LCK011", package, "has no wheel for the target")
    if any((name, version) != (package.name, package.version) for name, version, _, _ in found):
        raise _violation("LCK019", package, "has the wheel of another package or version")


def _check_files(package: Package, plan: ResolutionPlan) -> None:
    wheels = package.wheels or ()
    if len(wheels) > 1 or (not wheels and not package.sdist):
        raise _violation("LCK011", package, f"has {len(wheels)} wheels for the target, not one")
    if not wheels and not plan.may_be_source(package.name):
        raise _violation(
            "LCK012", package, "has no wheel for the target; its source distribution is not allowed"
        )


def _contradiction(
    file: PackageWheel | PackageSdist, items: Iterable[SourcedRequirement]
) -> SourcedRequirement | None:
    """Return the requirement whose given hashes do not include a file's; None if all do."""
    for item in items:
        allowed = item.allowed_sha256(unquote(file.filename))
        if allowed and file.hashes["sha256"] not in allowed:
            return item
    return None


def _check_given_hashes(package: Package, items: Sequence[SourcedRequirement]) -> None:
    """Refuse a file whose hash is not among those given with the requirement."""
    files = [*(package.wheels or ()), *([package.sdist] if package.sdist else ())]
    for file in files:
        if item := _contradiction(file, items):
            given = item.allowed_sha256(file.filename)
            raise LockError(
                "LCK024",
                f"{package.name} {package.version}: {file.filename} has sha256 {file.hashes['sha256']}, "
                f"not {f'the given {given[0]}' if len(given) == 1 else f'one of the {len(given)} given'}",
                where=item.origin,
                details=tuple(("given", sha256) for sha256 in given[:_SHOWN] if len(given) > 1),
                hint="find out why the file differs; a list of hashes must include that of each target's file",
            )


def _check_build(package: Package, plan: ResolutionPlan) -> None:
    """Refuse a torch-family pin without the backend's label or with a hash unknown to the catalog."""
    if package.name in plan.pypi_builds:
        if str(package.version) != plan.pypi_builds[package.name]:
            raise _violation(
                "LCK014",
                package,
                f"is not PyPI's {plan.target.backend} build, which is {plan.pypi_builds[package.name]}",
            )
        return
    pinned = (package.wheels or ())[0]
    entry = _candidate(pinned, plan)
    if entry is None:
        raise _violation("LCK015", package, f"{pinned.filename} is not in the {plan.slice.index} index")
    if entry.sha256 != pinned.hashes["sha256"]:
        raise _violation(
            "LCK016", package, f"has sha256 {pinned.hashes['sha256']}, but the catalog has {entry.sha256}"
        )
    if entry.label and entry.label != plan.target.backend.label and package.name in ON_PYPI:
        raise _violation(
            "LCK017", package, f"has the label {entry.label}, but the backend is {plan.target.backend}"
        )


def _candidate(pinned: PackageWheel, plan: ResolutionPlan) -> Wheel | None:
    wheels = (wheel for wheels in plan.slice.projects.values() for wheel in wheels)
    return next((item for item in wheels if (item.filename, item.url) == (pinned.filename, pinned.url)), None)


def _check_origins(packages: Iterable[Package], plan: ResolutionPlan) -> None:
    """Refuse packages outside the torch family from PyTorch's hosts, and those of PyTorch's from a project's index."""
    others = {index.url.rstrip("/"): index for index in plan.indexes}
    for package in packages:
        other = others.get((package.index or "").rstrip("/"))
        if other and package.name in LABELLED:
            problem = f"is from the index {other.name}, which is not said to hold PyTorch's builds"
            raise _violation("LCK018", package, problem)
        for wheel in package.wheels or ():
            if (
                package.name not in plan.slice.projects
                and urlsplit(wheel.url or "").hostname in PYTORCH_HOSTS
            ):
                raise _violation("LCK018", package, f"is from {wheel.url}, but not in the torch family")


def _check_direct(packages: Iterable[Package], plan: ResolutionPlan, resolution: Resolution) -> None:
    """Refuse packages from URLs that no requirement names, and required URLs that were not taken."""
    provided = by_name(plan.provided)
    required = {
        item.name: item.requirement.url
        for item in plan.all_requirements()
        if item.requirement.url and item.name not in provided
    }
    for package in packages:
        if resolution.direct.get(package.name) != required.get(package.name):
            raise _violation("LCK010", package, f"is not from {required.get(package.name) or 'an index'}")


def _check_selection(pylock: Pylock, target: Target) -> None:
    missing = {package.name for package in pylock.packages} - set(_select(pylock, target))
    if missing:
        raise LockError(
            "LCK019", f"the target does not select {', '.join(sorted(missing))}", where=str(target)
        )


def _violation(code: str, package: Package, problem: str) -> LockError:
    return LockError(
        code,
        f"{package.name} {package.version} {problem}",
        where=str(package.name),
        hint="no files were changed; `envsmith explain` and `envsmith catalog show` have details",
    )


def _allowed_wheels(
    package: Package, items: Sequence[SourcedRequirement], tags: frozenset[Tag]
) -> Sequence[PackageWheel]:
    """Return the wheels of a package; as in pip, given hashes select among those for the target."""
    wheels: Sequence[PackageWheel] = package.wheels or ()
    allowed = [wheel for wheel in wheels if not _contradiction(wheel, items)]
    if len(allowed) < len(wheels) and any(parse_wheel_filename(item.filename)[3] & tags for item in allowed):
        return allowed
    return wheels


def _named(wheel: PackageWheel) -> PackageWheel:
    """Return the wheel with its plain filename: the URL may quote it."""
    return PackageWheel(
        name=unquote(wheel.filename),
        upload_time=wheel.upload_time,
        url=wheel.url,
        size=wheel.size,
        hashes={"sha256": wheel.hashes["sha256"]},
    )


def _with_sha256(sdist: PackageSdist | None) -> PackageSdist | None:
    """Return the file with its sha256 only, the hash that both pip and uv require."""
    if sdist is None:
        return None
    return PackageSdist(
        name=sdist.name,
        upload_time=sdist.upload_time,
        url=sdist.url,
        size=sdist.size,
        hashes={"sha256": sdist.hashes["sha256"]},
    )


def _provenance(plan: ResolutionPlan, catalog_name: str, decisions: Iterable[Decision]) -> dict[str, object]:
    values: dict[str, object] = {
        "form": FORMAT_VERSION,
        "profile": plan.profile,
        "target": plan.target.slug,
        "backend": str(plan.target.backend),
        "channel": plan.channel,
        "catalog": catalog_name,
    }
    if plan.env:
        values["env"] = dict(plan.env)
    if missing := plan.unsatisfied():
        values["unsatisfied"] = [str(item) for item in missing]
    if items := [decision.to_json() for decision in decisions]:
        values["decisions"] = items
    return values


def _digest(packages: Iterable[Package], provided: Mapping[str, ProvidedPackage]) -> str:
    return pins_digest(
        (
            package.name,
            str(package.version or ""),
            (item.sha256 or (item.bare_source,))
            if (item := provided.get(package.name))
            else [sha256 for _, sha256 in package_hashes(package)],
        )
        for package in packages
    )


def _requirers(plan: ResolutionPlan, resolution: Resolution) -> dict[str, tuple[str, ...]]:
    origins: dict[str, list[str]] = {}
    for item in plan.all_requirements():
        origins.setdefault(item.name, []).append(item.origin)
    return {
        package.name: (
            *sorted(set(origins.get(package.name, []))),
            *resolution.requirers.get(package.name, ()),
        )
        for package in resolution.packages
    }
