"""Room: what an install puts on disks, and what is free there.

Whether there is room for an install, before anything is written.

Look whether there is room for an install, before anything is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from envsmith.catalog.sizes import size_of
from envsmith.errors import InstallError
from envsmith.lockfile.pins import Pin

if TYPE_CHECKING:  # `request` imports this module by way of `ports`
    from envsmith.install.request import InstallTools, LockedInstall


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A place on a file system."""

    place: str
    device: int
    """Equal for places on one file system."""
    free_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSize:
    """What one package brings; no figure is above the truth."""

    name: str
    packed_bytes: int
    unpacked_bytes: int
    is_cached: bool
    """Whether uv's cache holds it unpacked already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceNeeded:
    """What an install needs, at least."""

    fetched: int
    """Packages that are not in uv's cache yet."""
    fetched_bytes: int
    cache_bytes: int
    """What uv's cache grows by."""
    target_bytes: int
    """What the environment takes beside it; nothing where files are shared with the cache."""
    free_after_bytes: int
    """Of the file system that is fuller then."""


def needed(
    loads: Iterable[PackageSize], cache: Disk, target: Disk, *, is_copying: bool = False
) -> SpaceNeeded:
    """Return what an install needs, at least: files not in the cache yet are unpacked there, and linked from there.

    Args:
        loads: the packages.
        cache: where uv's cache lies.
        target: where the environment is built; on another file system files are copied, not linked.
        is_copying: they are copied there in any case.

    Raises:
        InstallError: ENV003 when there is too little room for it.
    """
    loads = tuple(loads)
    fresh = [load for load in loads if not load.is_cached]
    into_cache = sum(load.unpacked_bytes for load in fresh)
    is_one_disk = cache.device == target.device
    is_shared = is_one_disk and not is_copying
    into_target = 0 if is_shared else sum(load.unpacked_bytes for load in loads)
    on_target = into_target + (into_cache if is_one_disk else 0)
    for disk, bytes_ in ((cache, into_cache), (target, on_target)):
        if bytes_ > disk.free_bytes:
            raise _refusal(disk, bytes_, "uv's cache" if disk is cache else "the environment")
    return SpaceNeeded(
        fetched=len(fresh),
        fetched_bytes=sum(load.packed_bytes for load in fresh),
        cache_bytes=into_cache,
        target_bytes=into_target,
        free_after_bytes=min(cache.free_bytes - into_cache, target.free_bytes - on_target),
    )


def _refusal(disk: Disk, bytes_: int, what: str) -> InstallError:
    return InstallError(
        "ENV003",
        f"there is too little room for {what}: {bytes_ / 1e6:,.0f} MB at least are needed, "
        f"{disk.free_bytes / 1e6:,.0f} MB are free",
        where=disk.place,
        hint="make room there (`envsmith generations --keep 1`, `uv cache prune`), or name other places with --prefix "
        "and UV_CACHE_DIR; nothing was written",
    )


def room_for(locked: LockedInstall, python: Path, tools: InstallTools) -> SpaceNeeded:
    """Return what a lock's install needs, at least.

    Raises:
        InstallError: ENV003 when there is too little room for it.
    """
    fresh = tools.installer.outstanding(locked.supply, python)
    cache, target = tools.installer.cache(), tools.environments.folder
    disks = tools.disks.disk_of(cache), tools.disks.disk_of(target)
    return needed(_loads(locked, fresh, tools), *disks, is_copying=tools.installer.is_copying())


def _loads(locked: LockedInstall, fresh: frozenset[str] | None, tools: InstallTools) -> Iterator[PackageSize]:
    house = locked.supply.wheelhouse
    at_hand = tools.disks.weights(Path(house)) if house and "://" not in house else {}
    for pin in locked.pins.packages:
        packed, unpacked = at_hand.get(tools.disks.key_of(pin.name, pin.version)) or (_size(pin, locked), 0)
        yield PackageSize(
            name=pin.name,
            packed_bytes=packed,
            # What is packed grows when it is unpacked; by how much is not known without its list.
            unpacked_bytes=unpacked or packed,
            is_cached=fresh is not None and pin.name not in fresh,
        )


def _size(pin: Pin, locked: LockedInstall) -> int:
    """Return the bytes of a file as its lock tells them, else as the catalog knows them, else none."""
    if pin.size_bytes is not None:
        return pin.size_bytes
    return size_of(locked.wheels.get(pin.name, pin.filename), "pytorch") or 0
