"""No two packages of a lock may own the same files: by the families the catalog knows, and file by file.

Sizes: a lock says how large its files of PyPI are, whatever form the index answered in.

Compare: see that no two packages of a lock fight over a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from packaging.pylock import Package, PackageSdist, PackageWheel

from envsmith.catalog import Catalog
from envsmith.catalog.modules import sought_of
from envsmith.errors import LockError
from envsmith.lock.resolve import ResolveTools
from envsmith.lockfile.pylock import Lock
from envsmith.model.wheel import WheelContents

_SHOWN = 3
# What no program loads may differ: seen with mkl and onemkl-license, which bring the same licences twice.
_NEVER_LOADED = ("<data>/share/doc/", "<data>/share/man/", "<data>/share/licenses/")
_TESTS = frozenset({"benchmarks", "doc", "docs", "examples", "test", "tests"})
_LOADED = (".py", ".so", ".pyd", ".pth", ".dll", ".dylib")
File = TypeVar("File", PackageWheel, PackageSdist)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Owned:
    package: Package
    contents: WheelContents


def check_families(lock: Lock, catalog: Catalog) -> None:
    """Let no lock pass with two members of a family, whoever asked for them, and however.

    Raises:
        LockError: LCK021 naming the members and who asked for each.
    """
    packages = {package.name: package for package in lock.pylock.packages}
    for family in catalog.families():
        present = [packages[name] for name in family.members if name in packages]
        if len(present) > 1:
            raise LockError(
                "LCK021",
                f"{_listed(present)} cannot be installed together: {family.reason}",
                where=str(lock.target),
                details=tuple(_asked(package, lock) for package in present),
                hint="take one of them out of what asks for it, or exclude it with another version of its requirer",
            )


def check_files(lock: Lock, contents: Mapping[str, WheelContents]) -> None:
    """Let no lock pass in which two wheels install different files under one path.

    Files of one size and checksum do no harm, whichever is written last; nor does what no program loads.

    Args:
        lock: admitted otherwise.
        contents: sha256 → contents, of those wheels that could be looked into.

    Raises:
        LockError: LCK022 naming the packages, the first paths and who asked for each.
    """
    fights: dict[tuple[str, str], list[str]] = {}
    for path, first, second in _shared(lock, contents):
        fights.setdefault((first.name, second.name), []).append(path)
    if not fights:
        return
    packages = {str(package.name): package for package in lock.pylock.packages}
    pair, paths = next(iter(sorted(fights.items())))
    involved = [packages[name] for name in pair]
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    others = sorted({name for names in fights for name in names} - set(pair))
    raise LockError(
        "LCK022",
        f"{_listed(involved)} install different files under the same {len(paths)} "
        f"{'path' if len(paths) == 1 else 'paths'}: {', '.join(sorted(paths)[:_SHOWN])}{more}",
        where=str(lock.target),
        details=(
            *(_asked(package, lock) for package in involved),
            *((("likewise", ", ".join(others)),) if others else ()),
        ),
        hint="whichever is installed last wins: take one of them out of what asks for it",
    )


def unseen(lock: Lock, contents: Mapping[str, WheelContents]) -> tuple[str, ...]:
    """Return the packages whose files were not compared: their wheels could not be looked into.

    What is told of them is told to people only: what is locked must not depend on which servers answered.
    """
    return tuple(
        str(package.name) for package in lock.pylock.packages if _contents(package, contents) is None
    )


def suspects(lock: Lock, contents: Mapping[str, WheelContents]) -> tuple[str, ...]:
    """Return pairs that seem to share an import folder, where the files of one could not be compared."""
    unknown = frozenset(unseen(lock, contents))
    owners: dict[str, list[str]] = {}
    for package in lock.pylock.packages:
        for folder in _folders(package, contents):
            owners.setdefault(folder, []).append(str(package.name))
    return tuple(
        f"{' and '.join(names)} seem to share the folder {folder}"
        for folder, names in sorted(owners.items())
        if len(names) > 1 and unknown & set(names)
    )


def _folders(package: Package, contents: Mapping[str, WheelContents]) -> Iterable[str]:
    """Return import folders: those of the wheel, else those the catalog knows or the name makes likely."""
    found = _contents(package, contents)
    if found is not None:
        return found.top_level()
    return dict.fromkeys(sought.module for sought in sought_of(package.name) if "." not in sought.module)


def _contents(package: Package, contents: Mapping[str, WheelContents]) -> WheelContents | None:
    return contents.get(package.wheels[0].hashes["sha256"]) if package.wheels else None


def _shared(lock: Lock, contents: Mapping[str, WheelContents]) -> Iterator[tuple[str, Package, Package]]:
    """Yield each path that two packages install with different contents."""
    owners: dict[str, _Owned] = {}
    for package in lock.pylock.packages:
        found = _contents(package, contents)
        if found is None:
            continue
        own = _Owned(package=package, contents=found)
        for path in found.members:
            earlier = owners.setdefault(path, own)
            if earlier is not own and not _are_alike(path, earlier.contents, found) and _is_loaded(path):
                yield path, earlier.package, package


def _are_alike(path: str, one: WheelContents, other: WheelContents) -> bool:
    checksum = one.checksums.get(path)
    return (
        one.members[path] == other.members[path]
        and checksum is not None
        and checksum == other.checksums.get(path)
    )


def _is_loaded(path: str) -> bool:
    top, _, rest = path.partition("/")
    if path.startswith(_NEVER_LOADED) or (rest and top in _TESTS):
        return False
    return bool(rest) or path.endswith(_LOADED)


def _listed(packages: list[Package]) -> str:
    return " and ".join(f"{package.name} {package.version}" for package in packages)


def _asked(package: Package, lock: Lock) -> tuple[str, str]:
    askers = lock.askers.get(package.name, ())
    return (str(package.name), f"asked by {', '.join(askers)}" if askers else "asked by nobody on record")


def complete(lock: Lock, sizes: Mapping[str, int]) -> Lock:
    """Fill in what the index left out: PyPI's JSON pages have sizes, its HTML pages have none.

    Which of both an index, or a cache before it, sends is chance, and the lock's bytes must not depend on it. Files of
    other indexes stay without: PyTorch's says no size in either form, and whether its files can be looked into differs
    from day to day.

    Args:
        lock: as the resolver answered.
        sizes: sha256 → size in bytes, of files that were looked into.
    """
    elsewhere = {*lock.indexes, *lock.pages}
    packages = [
        package if package.index in elsewhere else _completed(package, sizes)
        for package in lock.pylock.packages
    ]
    return replace(lock, pylock=replace(lock.pylock, packages=packages))


def _completed(package: Package, sizes: Mapping[str, int]) -> Package:
    return replace(
        package,
        wheels=[_sized(wheel, sizes) for wheel in package.wheels] if package.wheels else None,
        sdist=_sized(package.sdist, sizes) if package.sdist else None,
    )


def _sized(file: File, sizes: Mapping[str, int]) -> File:
    size = sizes.get(file.hashes["sha256"])
    return file if file.size is not None or size is None else replace(file, size=size)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictCheck:
    """What is told of a comparison that found no fight; no part of the lock, for it depends on the servers."""

    unseen: tuple[str, ...] = ()
    """The packages whose files were not compared with the others', for their wheels could not be looked into."""
    suspects: tuple[str, ...] = ()
    """Which of them seem to share a folder with another."""


def compare(lock: Lock, tools: ResolveTools) -> tuple[Lock, ConflictCheck]:
    """Compare the packages of a lock by families and file by file.

    Returns:
        The lock, with the sizes of files that the index left out and that were looked into; what is told.

    Raises:
        LockError: LCK021 where it holds two of a family, LCK022 where two wheels own one path.
    """
    check_families(lock, tools.catalog)
    contents = tools.contents.contents(
        package.wheels[0] for package in lock.pylock.packages if package.wheels
    )
    check_files(lock, contents)
    sizes = {sha256: found.size_bytes for sha256, found in contents.items()}
    return (
        complete(lock, {**sizes, **tools.sdists.sizes()}),
        ConflictCheck(unseen=unseen(lock, contents), suspects=suspects(lock, contents)),
    )
