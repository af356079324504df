"""Constraints, settings of a uv project and bills of materials from locks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from envsmith.errors import LockError
from envsmith.lockfile.saved import SavedLock
from envsmith.model.license import PackageLicense
from envsmith.model.listing import HOST
from envsmith.model.target import Target

# Marker conditions of a target: equal for targets which they do not distinguish.
_Projection = Callable[[Target], tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BillComponent:
    """One file of a bill of materials."""

    name: str
    version: str
    filename: str
    sha256: str
    """Empty for a commit or folder."""
    url: str
    """Its download URL, or the place of a commit or folder."""
    index: str = ""
    """URL of its index; empty for PyPI."""
    is_direct: bool = False
    """Whether it is required by its URL, and so from no index."""
    licence: PackageLicense | None = None
    """None if unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BillOfMaterials:
    """The files of one lock."""

    name: str
    """``cu128/cp312-win_amd64``."""
    digest: str
    """The lock's digest."""
    made_utc: str
    """The lock's cutoff: equal locks give equal documents."""
    facts: tuple[tuple[str, str], ...] = ()
    """Backend, Python and platform."""
    components: tuple[BillComponent, ...] = ()


def to_constraints(locks: Sequence[SavedLock]) -> str:
    """Return a constraints file of all locked packages, with markers where targets differ.

    Args:
        locks: at least one, all of one profile.
    """
    profile = locks[0].profile
    lines = [
        f"# {profile} · {', '.join(lock.target.slug for lock in locks)}",
        "# pip install -c THIS_FILE ... keeps the locked versions",
        *_pins(locks, {pin.name for lock in locks for pin in lock.pins.packages}),
        *(f"# without a version: {name}" for name in _versionless(locks)),
    ]
    return "\n".join(lines) + "\n"


def to_uv(locks: Sequence[SavedLock]) -> str:
    """Return the settings for a uv project's pyproject.toml: the torch family with its indexes and constraints.

    uv applies a source to constraints by name, so an indirectly required torch uses it as well (seen with
    uv 0.13.8, 2026-11-21).

    Args:
        locks: at least one, all of one profile.
    """
    family = {name for lock in locks for name in lock.family}
    served = [lock for lock in locks if lock.from_index]
    parts = [
        f"# {locks[0].profile} · {', '.join(lock.target.slug for lock in locks)}: for pyproject.toml\n"
        "[tool.uv]\n"
        + _array("environments", sorted({_marker(_platform(lock.target)) for lock in locks}))
        + _array("constraint-dependencies", _pins(locks, family))
    ]
    parts += [
        f'[[tool.uv.index]]\nname = "{_index_name(index)}"\nurl = "{HOST}/whl/{index}"\nexplicit = true\n'
        for index in sorted({lock.index for lock in served})
    ]
    names = sorted({name for lock in served for name in lock.from_index})
    if names:
        parts.append("[tool.uv.sources]\n" + "".join(_source(name, locks) for name in names))
    return "\n".join(parts)


def to_bill(locks: Sequence[SavedLock], licences: Mapping[str, PackageLicense]) -> BillOfMaterials:
    """Return the bill of materials of a lock.

    Args:
        locks: one lock.
        licences: sha256 of a file → its licence, if known.

    Raises:
        LockError: LCK043 for several locks, LCK044 when the files' URLs are missing.
    """
    if len(locks) != 1:
        raise LockError(
            "LCK043",
            "a bill of materials needs exactly one lock",
            where=locks[0].profile,
            details=(("locked", " ".join(lock.target.slug for lock in locks)),),
            hint="choose one with --target",
        )
    (lock,) = locks
    if not all(pin.url or pin.is_unhashed for pin in lock.pins.packages):
        raise LockError(
            "LCK044",
            f"pylock.{lock.target.slug}.toml, which contains the URLs of all files, is missing or was changed",
            where=lock.name,
            hint=f"`envsmith lock {lock.profile}` makes it from the locked pins",
        )
    target = lock.target
    facts = (("backend", target.backend), ("platform", target.platform), ("python", target.python))
    return BillOfMaterials(
        name=lock.name,
        digest=lock.digest(),
        made_utc=lock.cutoff_utc,
        facts=tuple((name, str(value)) for name, value in facts),
        components=tuple(
            BillComponent(
                name=pin.name,
                version=pin.version,
                filename=pin.filename,
                sha256=next(iter(pin.sha256), ""),
                url=pin.url or pin.source,
                index=f"{HOST}/whl/{lock.index}" if pin.name in lock.from_index else "",
                is_direct=bool(pin.source),
                licence=licences.get(next(iter(pin.sha256), "")),
            )
            for pin in lock.pins.packages
        ),
    )


def _source(name: str, locks: Sequence[SavedLock]) -> str:
    """Return the line with the source of one project; on other targets it is PyPI."""
    places: dict[str, list[Target]] = {}
    for lock in locks:
        place = lock.index if name in lock.from_index else ""
        if place or lock.pins.version(name):
            places.setdefault(place, []).append(lock.target)
    markers = _markers(places)
    tables = [
        f'{{ index = "{_index_name(index)}"'
        + (f", marker = {_text(markers[index])}" if markers[index] else "")
        + " }"
        for index in sorted(places)
        if index
    ]
    return f"{name} = {tables[0]}\n" if len(tables) == 1 else f"{name} = [{', '.join(tables)}]\n"


def _versionless(locks: Sequence[SavedLock]) -> list[str]:
    """Return the folders and repositories whose version only a build tells, each with its place."""
    pins = (pin for lock in locks for pin in lock.pins.packages)
    return sorted({pin.requirement for pin in pins if not pin.version})


def _pins(locks: Sequence[SavedLock], names: Iterable[str]) -> list[str]:
    lines = []
    for name in sorted(names):
        versions: dict[str, list[Target]] = {}
        for lock in locks:
            if version := lock.pins.version(name):
                versions.setdefault(version, []).append(lock.target)
        markers = _markers(versions)
        lines += [
            f"{name}=={version}" + (f" ; {markers[version]}" if markers[version] else "")
            for version in sorted(versions)
        ]
    return lines


def _markers(groups: Mapping[str, Sequence[Target]]) -> dict[str, str]:
    """Return the shortest markers that distinguish groups of targets; empty for a single group."""
    if len(groups) < 2:
        return dict.fromkeys(groups, "")
    projection = next(
        kind
        for kind in (_system, _python, _platform, _python_and_platform)
        if _distinguishes(kind, groups.values())
    )
    return {
        key: " or ".join(
            _marker(values, of_several=True) for values in sorted({projection(item) for item in targets})
        )
        for key, targets in groups.items()
    }


def _distinguishes(projection: _Projection, groups: Iterable[Sequence[Target]]) -> bool:
    seen = [{projection(target) for target in targets} for targets in groups]
    return sum(map(len, seen)) == len(set().union(*seen)) or projection is _python_and_platform


def _system(target: Target) -> tuple[str, ...]:
    return (f"sys_platform == '{target.marker_environment()['sys_platform']}'",)


def _python(target: Target) -> tuple[str, ...]:
    return (f"python_version == '{target.python.version}'",)


def _platform(target: Target) -> tuple[str, ...]:
    return (*_system(target), f"platform_machine == '{target.marker_environment()['platform_machine']}'")


def _python_and_platform(target: Target) -> tuple[str, ...]:
    return (*_python(target), *_platform(target))


def _marker(parts: Sequence[str], *, of_several: bool = False) -> str:
    """Join conditions with `and`."""
    joined = " and ".join(parts)
    return f"({joined})" if of_several and len(parts) > 1 else joined


def _index_name(index: str) -> str:
    return f"pytorch-{index.replace('/', '-').replace('.', '-')}"


def _array(key: str, values: Sequence[str]) -> str:
    return f"{key} = [\n" + "".join(f"    {_text(value)},\n" for value in values) + "]\n"


def _text(value: str) -> str:
    """Return a TOML string; JSON's escapes are valid in TOML."""
    return json.dumps(value)
