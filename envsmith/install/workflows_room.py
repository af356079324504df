"""Look whether there is room for an install, before anything is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from envsmith.catalog.sizes import size_of
from envsmith.install import room
from envsmith.install.request import InstallTools, Locked
from envsmith.install.space_needed import Load, Need
from envsmith.lockfile.pins import Pin


def room_for(locked: Locked, python: Path, tools: InstallTools) -> Need:
    """Return what a lock's install needs, at least.

    Raises:
        InstallError: ENV003 when there is too little room for it.
    """
    fresh = tools.installer.outstanding(locked.supply, python)
    cache, target = tools.installer.cache(), tools.environments.folder
    disks = tools.disks.disk_of(cache), tools.disks.disk_of(target)
    return room.needed(_loads(locked, fresh, tools), *disks, is_copying=tools.installer.is_copying())


def _loads(locked: Locked, fresh: frozenset[str] | None, tools: InstallTools) -> Iterator[Load]:
    house = locked.supply.wheelhouse
    at_hand = tools.disks.weights(Path(house)) if house and "://" not in house else {}
    for pin in locked.pins.packages:
        packed, unpacked = at_hand.get(tools.disks.key_of(pin.name, pin.version)) or (_size(pin, locked), 0)
        yield Load(
            name=pin.name,
            packed_bytes=packed,
            # What is packed grows when it is unpacked; by how much is not known without its list.
            unpacked_bytes=unpacked or packed,
            is_cached=fresh is not None and pin.name not in fresh,
        )


def _size(pin: Pin, locked: Locked) -> int:
    """Return the bytes of a file as its lock tells them, else as the catalog knows them, else none."""
    if pin.size_bytes is not None:
        return pin.size_bytes
    return size_of(locked.wheels.get(pin.name, pin.filename), "pytorch") or 0
