"""Disk space: needed by an install, free, and occupied by an environment."""

from __future__ import annotations

import os
import re
import shutil
import stat
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from envsmith.errors import InstallError
from envsmith.files.own_folder import extended, is_link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from envsmith.install.request import LockedInstall
    from envsmith.lockfile.pins import Pin


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A folder and its file system."""

    place: str
    device: int
    """Equal for folders of one file system."""
    free_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSize:
    """Lower bounds for the size of one package."""

    name: str
    packed_bytes: int
    unpacked_bytes: int
    is_cached: bool
    """Whether uv's cache contains it unpacked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceNeeded:
    """Lower bounds for the disk space of an install."""

    fetched: int
    """Packages missing from uv's cache."""
    fetched_bytes: int
    cache_bytes: int
    """Growth of uv's cache."""
    target_bytes: int
    """Size of the environment without the files linked from the cache."""
    free_after_bytes: int
    """Of the file system with less free space."""


def check_space(
    packages: Iterable[PackageSize], cache: Disk, target: Disk, *, is_copying: bool = False
) -> SpaceNeeded:
    """Return the disk space that an install needs at least, if it is free.

    uv unpacks packages into its cache, and links their files into the environment.

    Args:
        packages: those to install.
        cache: uv's cache.
        target: the folder of the environment; on another file system files are copied, not linked.
        is_copying: files are copied in any case.

    Raises:
        InstallError: ENV003 when disk space is insufficient.
    """
    packages = tuple(packages)
    new = [package for package in packages if not package.is_cached]
    cache_bytes = sum(package.unpacked_bytes for package in new)
    is_one_disk = cache.device == target.device
    is_linked = is_one_disk and not is_copying
    target_bytes = 0 if is_linked else sum(package.unpacked_bytes for package in packages)
    on_target = target_bytes + (cache_bytes if is_one_disk else 0)
    for disk, needed_bytes in ((cache, cache_bytes), (target, on_target)):
        if needed_bytes > disk.free_bytes:
            raise _insufficient(disk, needed_bytes, "uv's cache" if disk is cache else "the environment")
    return SpaceNeeded(
        fetched=len(new),
        fetched_bytes=sum(package.packed_bytes for package in new),
        cache_bytes=cache_bytes,
        target_bytes=target_bytes,
        free_after_bytes=min(cache.free_bytes - cache_bytes, target.free_bytes - on_target),
    )


def _insufficient(disk: Disk, needed_bytes: int, purpose: str) -> InstallError:
    return InstallError(
        "ENV003",
        f"insufficient disk space for {purpose}: at least {needed_bytes / 1e6:,.0f} MB needed, "
        f"{disk.free_bytes / 1e6:,.0f} MB free; nothing was written",
        where=disk.place,
        hint="free disk space there (`envsmith generations --keep 1`, `uv cache prune`), or choose other folders with "
        "--prefix and UV_CACHE_DIR",
    )


def package_sizes(locked: LockedInstall, not_cached: frozenset[str] | None) -> Iterator[PackageSize]:
    """Yield the sizes of the packages of a lock: from the wheelhouse, the lock, or the catalog; 0 if unknown.

    Args:
        locked: the lock.
        not_cached: names of the packages missing from uv's cache; None if unknown.
    """
    wheelhouse = locked.source.wheelhouse
    wheels = wheel_sizes(Path(wheelhouse)) if wheelhouse and "://" not in wheelhouse else {}
    for pin in locked.pins.packages:
        packed, unpacked = wheels.get(wheel_key(pin.name, pin.version)) or (_locked_size(pin, locked), 0)
        yield PackageSize(
            name=pin.name,
            packed_bytes=packed,
            # A lower bound: a wheel grows when it is unpacked.
            unpacked_bytes=unpacked or packed,
            is_cached=not_cached is not None and pin.name not in not_cached,
        )


def _locked_size(pin: Pin, locked: LockedInstall) -> int:
    from envsmith.catalog.sizes import size_of  # imported here: slow, and `generations` does not need it

    if pin.size_bytes is not None:
        return pin.size_bytes
    wheel = locked.entry.family.get(pin.name)
    return size_of(wheel.filename if wheel else pin.filename, "pytorch") or 0


def wheel_sizes(folder: Path) -> Mapping[tuple[str, str], tuple[int, int]]:
    """Return (name, version) → packed and unpacked bytes of the wheels in a folder.

    Files with other names and damaged files are skipped: the install reports them if they are used.
    """
    found = {}
    for path in folder.glob("*.whl"):
        name, _, rest = path.name.partition("-")
        version, is_wheel, _ = rest.partition("-")
        if not is_wheel:
            continue
        try:
            with zipfile.ZipFile(path) as archive:
                unpacked = sum(item.file_size for item in archive.infolist())
        except (OSError, zipfile.BadZipFile):
            continue
        found[wheel_key(name, version)] = (path.stat().st_size, unpacked)
    return found


def wheel_key(name: str, version: str) -> tuple[str, str]:
    """Normalise a name and version from a file name or a lock: file names contain _ in place of - and +."""
    return re.sub(r"[-_.]+", "-", name).lower(), version.replace("_", "+").lower()


def disk_of(folder: Path) -> Disk:
    """Return the file system of a folder that may not exist yet."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    return Disk(place=str(folder), device=existing.stat().st_dev, free_bytes=shutil.disk_usage(existing).free)


def own_and_shared(folder: Path) -> tuple[int, int]:
    """Return the bytes of files that are only in a folder, and of files hard-linked from elsewhere.

    Reflinks cannot be told from copies. Links are not followed: one may lead to the whole disk.
    """
    names: Counter[tuple[int, int]] = Counter()
    found: dict[tuple[int, int], os.stat_result] = {}
    for item in _regular_files(folder):
        key = (item.st_dev, item.st_ino)
        names[key] += 1
        found[key] = item
    shared = sum(item.st_size for key, item in found.items() if item.st_nlink > names[key])
    return sum(item.st_size for item in found.values()) - shared, shared


def _regular_files(folder: Path) -> Iterator[os.stat_result]:
    todo = [] if is_link(folder) else [extended(folder)]
    while todo:
        try:
            entries = list(os.scandir(todo.pop()))
        except OSError:  # removed meanwhile, or not readable
            continue
        for entry in entries:
            try:
                # On Windows the stat of a DirEntry has neither link count nor inode.
                item = os.stat(entry.path, follow_symlinks=False)  # noqa: PTH116
            except OSError:
                continue
            if stat.S_ISDIR(item.st_mode):
                todo.append(entry.path)
            elif stat.S_ISREG(item.st_mode):
                yield item
