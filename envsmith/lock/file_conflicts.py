"""File conflicts between the packages of a lock: known conflict groups, and different files at one path."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from packaging.pylock import Package, PackageSdist, PackageWheel

from envsmith.catalog import Catalog
from envsmith.errors import LockError
from envsmith.lock.resolve import ResolveTools
from envsmith.lockfile.pylock import Lock
from envsmith.model.wheel import WheelContents, import_of, is_top_module
from envsmith.plan.ports import WheelContentsReader

_SHOWN_PATHS = 3
# Files no program loads may differ: mkl and onemkl-license, for one, both install the same licence texts.
_NEVER_LOADED = ("<data>/share/doc/", "<data>/share/man/", "<data>/share/licenses/")
# Top-level folders that many projects ship by mistake; nobody imports them.
_TESTS = frozenset({"benchmarks", "doc", "docs", "examples", "test", "tests"})
# At the top level only these are loaded; a README or LICENSE there does no harm.
_LOADED = (".py", ".so", ".pyd", ".pth", ".dll", ".dylib")
_File = TypeVar("_File", PackageWheel, PackageSdist)


def check(lock: Lock, contents: Mapping[str, WheelContents], tools: ResolveTools) -> Lock:
    """Check that no two packages of a lock own the same files, and return it with the file sizes the index left out.

    Args:
        lock: an admitted lock.
        contents: sha256 → contents of the wheels that could be read.
        tools: the catalog's conflict groups, and the sizes of source distributions.

    Raises:
        LockError: LCK021 when it holds two members of a conflict group, LCK022 when two wheels own one path.
    """
    check_groups(lock, tools.catalog)
    check_files(lock, contents, tools.contents)
    sizes = {sha256: found.size_bytes for sha256, found in contents.items()}
    if any(package.sdist for package in lock.pylock.packages):
        sizes |= tools.sdists.sizes()
    return with_sizes(lock, sizes)


def check_groups(lock: Lock, catalog: Catalog) -> None:
    """Refuse a lock with two members of a conflict group.

    Raises:
        LockError: LCK021 naming the members and their requirers.
    """
    packages = {package.name: package for package in lock.pylock.packages}
    for group in catalog.families():
        present = [packages[name] for name in group.members if name in packages]
        if len(present) > 1:
            raise LockError(
                "LCK021",
                f"{_listed(present)} cannot be installed together: {group.reason}",
                where=str(lock.target),
                details=tuple(_requirers(package, lock) for package in present),
                hint="remove the requirement on one of them, or exclude it and pin another version of its requirer",
            )


def check_files(lock: Lock, contents: Mapping[str, WheelContents], reader: WheelContentsReader) -> None:
    """Refuse a lock in which two wheels install different files at one path.

    Files of equal size and checksum are no conflict, nor are files that no program loads.

    Args:
        lock: an admitted lock.
        contents: sha256 → contents of the wheels that could be read.
        reader: reads sources of wheels with a conflict.

    Raises:
        LockError: LCK022 naming the packages, the first paths and the requirers.
        ToolError: when such sources cannot be read.
    """
    conflicts: dict[tuple[str, str], list[str]] = {}
    for path, first, second in _conflicts(lock, contents):
        if not all(_is_stray(path, package, contents, reader) for package in (first, second)):
            conflicts.setdefault((first.name, second.name), []).append(path)
    if not conflicts:
        return
    packages = {str(package.name): package for package in lock.pylock.packages}
    pair, paths = next(iter(sorted(conflicts.items())))
    involved = [packages[name] for name in pair]
    more = f" and {len(paths) - _SHOWN_PATHS} more" if len(paths) > _SHOWN_PATHS else ""
    others = sorted({name for names in conflicts for name in names} - set(pair))
    raise LockError(
        "LCK022",
        f"{_listed(involved)} both install {', '.join(sorted(paths)[:_SHOWN_PATHS])}{more} with different contents",
        where=str(lock.target),
        details=(
            *(_requirers(package, lock) for package in involved),
            *((("likewise", ", ".join(others)),) if others else ()),
        ),
        hint="the last one installed would overwrite the other: remove the requirement on one of them",
    )


def unchecked(lock: Lock, contents: Mapping[str, WheelContents]) -> tuple[str, ...]:
    """Return the packages whose files were not compared because their wheels could not be read.

    For display only: a lock must not depend on the answers of servers.
    """
    return tuple(
        str(package.name)
        for package in lock.pylock.packages
        if package.name not in lock.provided and _contents(package, contents) is None
    )


def possible_conflicts(lock: Lock, contents: Mapping[str, WheelContents]) -> tuple[str, ...]:
    """Return the pairs with the same import folder where the files of one could not be compared."""
    unknown = frozenset(unchecked(lock, contents))
    owners: dict[str, list[str]] = {}
    for package in lock.pylock.packages if unknown else ():
        for folder in _folders(package, contents):
            owners.setdefault(folder, []).append(str(package.name))
    return tuple(
        f"{' and '.join(names)} may share the folder {folder}"
        for folder, names in sorted(owners.items())
        if len(names) > 1 and unknown & set(names)
    )


def with_sizes(lock: Lock, sizes: Mapping[str, int]) -> Lock:
    """Fill in the file sizes that the index left out.

    PyPI's JSON pages have sizes, its HTML pages do not. A proxy may serve either, and the lock's bytes must not depend
    on it. Files of other indexes stay without a size: PyTorch's index publishes none in either form.

    Args:
        lock: as resolved.
        sizes: sha256 → size in bytes, of the files that were read.
    """
    other_indexes = {*lock.indexes, *lock.pages}
    packages = [
        package if package.index in other_indexes else _with_sizes(package, sizes)
        for package in lock.pylock.packages
    ]
    return replace(lock, pylock=replace(lock.pylock, packages=packages))


def _with_sizes(package: Package, sizes: Mapping[str, int]) -> Package:
    return replace(
        package,
        wheels=[_with_size(wheel, sizes) for wheel in package.wheels] if package.wheels else None,
        sdist=_with_size(package.sdist, sizes) if package.sdist else None,
    )


def _with_size(file: _File, sizes: Mapping[str, int]) -> _File:
    size = sizes.get(file.hashes["sha256"])
    return file if file.size is not None or size is None else replace(file, size=size)


def _folders(package: Package, contents: Mapping[str, WheelContents]) -> Iterable[str]:
    """Return the import folders of the wheel, else those known to the catalog or likely by the name."""
    found = _contents(package, contents)
    if found is not None:
        return found.top_level()
    from envsmith.catalog.modules import import_names

    return dict.fromkeys(sought.module for sought in import_names(package.name) if "." not in sought.module)


def _contents(package: Package, contents: Mapping[str, WheelContents]) -> WheelContents | None:
    return contents.get(package.wheels[0].hashes["sha256"]) if package.wheels else None


def _conflicts(lock: Lock, contents: Mapping[str, WheelContents]) -> Iterator[tuple[str, Package, Package]]:
    """Yield each path that two packages install with different contents."""
    seen: set[str] = set()
    known: list[tuple[Package, WheelContents]] = []
    for package in lock.pylock.packages:
        found = _contents(package, contents)
        if found is None:
            continue
        for path in seen.intersection(found.members):
            owner, other = next(item for item in known if path in item[1].members)
            if not _is_equal(path, other, found) and _is_loaded(path):
                yield path, owner, package
        seen.update(found.members)
        known.append((package, found))


def _is_stray(
    path: str, package: Package, contents: Mapping[str, WheelContents], reader: WheelContentsReader
) -> bool:
    """Return whether a file is a leftover of the build; the only module of a wheel is none."""
    found = _contents(package, contents)
    if not is_top_module(path) or found is None or not package.wheels:
        return False
    sources = [
        other
        for other in found.members
        if other.endswith(".py") and other != path and _is_loaded(other) and not other.startswith("<")
    ]
    if not sources:
        return False
    return not any(map(import_of(path).search, reader.read(package.wheels[0], sources).values()))


def _is_equal(path: str, one: WheelContents, other: WheelContents) -> bool:
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


def _requirers(package: Package, lock: Lock) -> tuple[str, str]:
    requirers = lock.requirers.get(package.name, ())
    return (str(package.name), f"required by {', '.join(requirers)}" if requirers else "requirer unknown")
