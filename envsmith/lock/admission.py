"""Plan and resolution → Lock, only if it is true."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast
from urllib.parse import unquote, urlsplit

from packaging.markers import Marker
from packaging.pylock import (
    Package,
    PackageSdist,
    PackageWheel,
    Pylock,
    PylockSelectError,
    PylockValidationError,
)
from packaging.specifiers import SpecifierSet
from packaging.tags import Tag
from packaging.utils import parse_wheel_filename
from packaging.version import Version

from envsmith.errors import LockError
from envsmith.lockfile.pylock import FORMAT_VERSION, Lock
from envsmith.model.finding import Decision
from envsmith.model.target import Target
from envsmith.model.wheel import SHA256, Wheel
from envsmith.plan.model import Resolution, ResolutionPlan

_HOSTS = ("download.pytorch.org", "download-r2.pytorch.org")


def admit(plan: ResolutionPlan, resolution: Resolution, catalog_name: str) -> Lock:
    """Make a lock of a resolution, if every condition of a true lock holds.

    Args:
        plan: what was asked.
        resolution: what the resolver answered.
        catalog_name: which catalog the plan's rows came from, for the provenance.

    Raises:
        LockError: LCK010 to LCK019, one per condition, naming the package that breaks it.
    """
    tags = frozenset(plan.target.tags())
    for package in resolution.packages:
        _check_hashes(package)
        _check_fit(package, tags)
    packages = _narrowed(plan, resolution)
    family = [package for package in packages if package.name in _family(plan)]
    for package in packages:
        _check_files(package, plan)
    for package in family:
        _check_build(package, plan)
    _check_origins(packages, plan)
    sources = sorted({url for package in family if (url := plan.index_of(package.name))})
    pylock = Pylock(
        lock_version=Version("1.0"),
        environments=[target_marker(plan.target)],
        requires_python=SpecifierSet(f"=={plan.target.python}.*"),
        created_by="envsmith",
        packages=packages,
        tool={"envsmith": _provenance(plan, catalog_name, _lasting(plan, packages))},
    )
    _check_selection(pylock, plan.target)
    return Lock(
        profile=plan.profile,
        target=plan.target,
        pylock=pylock,
        plan_digest=plan.digest(),
        requirers=_requirers(plan, resolution),
        family=tuple(package.name for package in family),
        indexes=tuple(url for url in sources if url not in plan.flat),
        pages=tuple(url for url in sources if url in plan.flat),
        decisions=_lasting(plan, packages),
        unsatisfied=plan.unsatisfied(),
    )


def _lasting(plan: ResolutionPlan, packages: Iterable[Package]) -> tuple[Decision, ...]:
    """Leave out what was decided about wheels that were not taken in the end."""
    taken = {wheel.filename for package in packages for wheel in package.wheels or ()}
    return tuple(item for item in plan.all_decisions() if item.code != "RES106" or item.subject in taken)


def target_marker(target: Target) -> Marker:
    """Return the marker that holds on the target alone, as far as markers can tell."""
    environment = cast("Mapping[str, str]", target.marker_environment())
    names = ("implementation_name", "sys_platform", "platform_machine", "python_version")
    return Marker(" and ".join(f'{name} == "{environment[name]}"' for name in names))


def _family(plan: ResolutionPlan) -> frozenset[str]:
    return frozenset(plan.slice.projects) | frozenset(plan.pypi_builds)


def _narrowed(plan: ResolutionPlan, resolution: Resolution) -> list[Package]:
    """Leave each package the one file that the target would choose: an index may list several that run there."""
    everything = Pylock(
        lock_version=Version("1.0"),
        created_by="envsmith",
        packages=[_package(package, plan, resolution) for package in resolution.packages],
    )
    chosen = _select(everything, plan.target)
    return [
        _with_file(package, chosen[package.name]) if package.name in chosen else package
        for package in everything.packages
    ]


def _with_file(package: Package, file: object) -> Package:
    """Return a package with one file left."""
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
        pylock.validate()
        return {
            package.name: file
            for package, file in pylock.select(environment=target.marker_environment(), tags=target.tags())
        }
    except (PylockValidationError, PylockSelectError) as error:
        raise LockError(
            "LCK019",
            f"the lock does not install on its own target: {error}",
            where=str(target),
            hint="this is a bug in envsmith: please report it with the profile and requirements",
        ) from error


def _check_hashes(package: Package) -> None:
    """Let no file pass without a sha256, nor with anything else in its place: it goes into a requirements line."""
    files: list[PackageWheel | PackageSdist] = [*(package.wheels or ())]
    for file in [*files, package.sdist] if package.sdist else files:
        if not SHA256.fullmatch(file.hashes.get("sha256", "")):
            raise _broken("LCK013", package, f"has a file without a sha256: {file.filename}")


def _check_fit(package: Package, tags: frozenset[Tag]) -> None:
    if package.is_direct or package.version is None:
        raise _broken("LCK010", package, "comes from no index")
    wheels = package.wheels or ()
    if wheels and not any(parse_wheel_filename(wheel.filename)[3] & tags for wheel in wheels):
        raise _broken("LCK011", package, "has no wheel that runs on the target")


def _check_files(package: Package, plan: ResolutionPlan) -> None:
    wheels = package.wheels or ()
    if len(wheels) > 1 or (not wheels and not package.sdist):
        raise _broken("LCK011", package, f"has {len(wheels)} wheels for the target; exactly one is wanted")
    if not wheels and package.name not in plan.allow_sdist:
        raise _broken("LCK012", package, "has no wheel for the target; a source distribution was not allowed")


def _check_build(package: Package, plan: ResolutionPlan) -> None:
    """Let a torch-family pin pass only with its backend's label and a hash the catalog knows."""
    if package.name in plan.pypi_builds:
        if str(package.version) != plan.pypi_builds[package.name]:
            raise _broken(
                "LCK014",
                package,
                f"is not PyPI's {plan.target.backend} build: {plan.pypi_builds[package.name]} is",
            )
        return
    pinned = (package.wheels or ())[0]
    row = _row(pinned, plan)
    if row is None:
        raise _broken("LCK015", package, f"{pinned.filename} is no row of {plan.slice.index}")
    if row.sha256 != pinned.hashes["sha256"]:
        raise _broken(
            "LCK016", package, f"sha256 is {pinned.hashes['sha256']}, the catalog says {row.sha256}"
        )
    if (
        row.label
        and row.label != plan.target.backend.label
        and package.name in ("torch", "torchvision", "torchaudio")
    ):
        raise _broken(
            "LCK017", package, f"carries the label {row.label}, the backend is {plan.target.backend}"
        )


def _row(pinned: PackageWheel, plan: ResolutionPlan) -> Wheel | None:
    rows = (wheel for wheels in plan.slice.projects.values() for wheel in wheels)
    return next((row for row in rows if row.filename == pinned.filename and row.url == pinned.url), None)


def _check_origins(packages: Iterable[Package], plan: ResolutionPlan) -> None:
    """Let nothing but the torch family come from PyTorch's hosts."""
    for package in packages:
        for wheel in package.wheels or ():
            if package.name not in plan.slice.projects and urlsplit(wheel.url or "").hostname in _HOSTS:
                raise _broken("LCK018", package, f"comes from {wheel.url}, and is not of the torch family")


def _check_selection(pylock: Pylock, target: Target) -> None:
    missing = {package.name for package in pylock.packages} - set(_select(pylock, target))
    if missing:
        raise LockError(
            "LCK019", f"not selected on the target: {', '.join(sorted(missing))}", where=str(target)
        )


def _broken(code: str, package: Package, what: str) -> LockError:
    return LockError(
        code,
        f"{package.name} {package.version} {what}",
        where=str(package.name),
        hint="nothing was written; `envsmith explain` and `envsmith catalog show` tell more",
    )


def _package(package: Package, plan: ResolutionPlan, resolution: Resolution) -> Package:
    wheels = package.wheels or ()
    dependencies = [name for name, requirers in resolution.requirers.items() if package.name in requirers]
    return Package(
        name=package.name,
        version=package.version,
        dependencies=[{"name": name} for name in sorted(dependencies)] or None,
        index=plan.index_of(package.name) or resolution.indexes.get(package.name),
        sdist=None if wheels else _with_sha256(package.sdist),
        wheels=[_named(wheel) for wheel in wheels] or None,
    )


def _named(wheel: PackageWheel) -> PackageWheel:
    """Write the file's name beside its address, which may quote it."""
    return PackageWheel(
        name=unquote(wheel.filename),
        upload_time=wheel.upload_time,
        url=wheel.url,
        size=wheel.size,
        hashes={"sha256": wheel.hashes["sha256"]},
    )


def _with_sha256(sdist: PackageSdist | None) -> PackageSdist | None:
    """Leave the one hash that pip and uv both require."""
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
        "plan": plan.digest(),
        "cutoff-utc": plan.cutoff_utc,
        "catalog": catalog_name,
    }
    if plan.env:
        values["env"] = dict(plan.env)
    if missing := plan.unsatisfied():
        values["unsatisfied"] = [str(item) for item in missing]
    if told := [decision.to_json() for decision in decisions]:
        values["decisions"] = told
    return values


def _requirers(plan: ResolutionPlan, resolution: Resolution) -> dict[str, tuple[str, ...]]:
    places: dict[str, list[str]] = {}
    for item in plan.all_requirements():
        places.setdefault(item.name, []).append(item.origin)
    return {
        package.name: (
            *sorted(set(places.get(package.name, []))),
            *resolution.requirers.get(package.name, ()),
        )
        for package in resolution.packages
    }
