from __future__ import annotations

from envsmith.install.disk_space import Disk, PackageSize, SpaceNeeded


def test_values_compare_by_what_they_say() -> None:
    assert Disk(place="/a", device=1, free_bytes=2) == Disk(place="/a", device=1, free_bytes=2)
    assert PackageSize(name="a", packed_bytes=1, unpacked_bytes=2, is_cached=True).is_cached
    need = SpaceNeeded(fetched=1, fetched_bytes=2, cache_bytes=3, target_bytes=4, free_after_bytes=5)
    assert (need.fetched_bytes, need.cache_bytes, need.target_bytes) == (2, 3, 4)
