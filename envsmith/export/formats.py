"""What is locked, as other tools read it: constraints, the settings of a uv project, a bill of materials.

Bill: what one lock is made of, file by file: what an SBOM says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from envsmith.errors import LockError
from envsmith.lockfile.saved import SavedLock
from envsmith.model.license import Licence
from envsmith.model.listing import HOST
from envsmith.model.target import Target

_Projection = Callable[[Target], tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingredient:
    """One file."""

    name: str
    version: str
    filename: str
    sha256: str
    url: str
    """Where it comes from."""
    index: str = ""
    """Address of the index that served it; empty for PyPI."""
    licence: Licence | None = None
    """None where nobody knows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BillOfMaterials:
    """One lock."""

    name: str
    """``cu128/cp312-win_amd64``."""
    digest: str
    """Of what it installs."""
    made_utc: str
    """The lock's cutoff: equal locks give equal documents."""
    facts: tuple[tuple[str, str], ...] = ()
    """What else there is to say of it: backend, Python, platform."""
    ingredients: tuple[Ingredient, ...] = ()


def to_constraints(locks: Sequence[SavedLock]) -> str:
    """Return a constraints file: every locked package at its version, with markers where targets differ.

    Args:
        locks: of one profile, one at least.
    """
    profile = locks[0].profile
    lines = [
        f"# {profile} · {', '.join(lock.target.slug for lock in locks)}",
        "# pip install -c THIS_FILE ... leaves what is locked as it is",
        *_pins(locks, {pin.name for lock in locks for pin in lock.pins.packages}),
    ]
    return "\n".join(lines) + "\n"


def to_uv(locks: Sequence[SavedLock]) -> str:
    """Return what a uv project's pyproject.toml needs to take the torch family from where the locks have it.

    uv gives a constraint the source of its name: a torch that only others require comes from there, too (seen with
    uv 0.13.8, 2026-11-21).

    Args:
        locks: of one profile, one at least.
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


def to_bill(locks: Sequence[SavedLock], licences: Mapping[str, Licence]) -> BillOfMaterials:
    """Return what a lock is made of.

    Args:
        locks: one.
        licences: sha256 of a file → its licence, as far as they are known.

    Raises:
        LockError: LCK043 where there are several, LCK044 where the files' addresses are not at hand.
    """
    if len(locks) != 1:
        raise LockError(
            "LCK043",
            "a bill of materials is that of one lock",
            where=locks[0].profile,
            details=(("locked", " ".join(lock.target.slug for lock in locks)),),
            hint="name one of these with --target",
        )
    (lock,) = locks
    if not all(pin.url for pin in lock.pins.packages):
        raise LockError(
            "LCK044",
            f"pylock.{lock.target.slug}.toml is not here as it was written: it says where each file comes from",
            where=lock.name,
            hint=f"envsmith lock {lock.profile}: the same cutoff gives the same bytes",
        )
    target = lock.target
    facts = (("backend", target.backend), ("platform", target.platform), ("python", target.python))
    return BillOfMaterials(
        name=lock.name,
        digest=lock.digest(),
        made_utc=lock.cutoff_utc,
        facts=tuple((name, str(value)) for name, value in facts),
        ingredients=tuple(
            Ingredient(
                name=pin.name,
                version=pin.version,
                filename=pin.filename,
                sha256=pin.sha256[0],
                url=pin.url,
                index=f"{HOST}/whl/{lock.index}" if pin.name in lock.from_index else "",
                licence=licences.get(pin.sha256[0]),
            )
            for pin in lock.pins.packages
        ),
    )


def _source(name: str, locks: Sequence[SavedLock]) -> str:
    """Return the line that says where one project comes from; on other targets it comes from PyPI."""
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
    """Return a marker for each group of targets that tells it from the others, the shortest there is; empty for one."""
    if len(groups) < 2:
        return dict.fromkeys(groups, "")
    projection = next(
        kind for kind in (_system, _python, _platform, _whole) if _tells_apart(kind, groups.values())
    )
    return {
        key: " or ".join(
            _marker(values, of_several=True) for values in sorted({projection(item) for item in targets})
        )
        for key, targets in groups.items()
    }


def _tells_apart(projection: _Projection, groups: Iterable[Sequence[Target]]) -> bool:
    seen = [{projection(target) for target in targets} for targets in groups]
    return sum(map(len, seen)) == len(set().union(*seen)) or projection is _whole


def _system(target: Target) -> tuple[str, ...]:
    return (f"sys_platform == '{target.marker_environment()['sys_platform']}'",)


def _python(target: Target) -> tuple[str, ...]:
    return (f"python_version == '{target.python}'",)


def _platform(target: Target) -> tuple[str, ...]:
    return (*_system(target), f"platform_machine == '{target.marker_environment()['platform_machine']}'")


def _whole(target: Target) -> tuple[str, ...]:
    return (*_python(target), *_platform(target))


def _marker(parts: Sequence[str], *, of_several: bool = False) -> str:
    """Join conditions that must all hold."""
    joined = " and ".join(parts)
    return f"({joined})" if of_several and len(parts) > 1 else joined


def _index_name(index: str) -> str:
    return f"pytorch-{index.replace('/', '-').replace('.', '-')}"


def _array(key: str, values: Sequence[str]) -> str:
    return f"{key} = [\n" + "".join(f"    {_text(value)},\n" for value in values) + "]\n"


def _text(value: str) -> str:
    """Write a TOML text: JSON's escapes are TOML's, too."""
    return json.dumps(value)
