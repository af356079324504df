"""Whether there is room for an install, before anything is written."""

from __future__ import annotations

from collections.abc import Iterable

from envsmith.errors import InstallError
from envsmith.install.space_needed import Disk, Load, Need


def needed(loads: Iterable[Load], cache: Disk, target: Disk, *, is_copying: bool = False) -> Need:
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
    return Need(
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
