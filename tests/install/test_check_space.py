from __future__ import annotations

import pytest

from envsmith.errors import InstallError
from envsmith.install.disk_space import Disk, PackageSize, SpaceNeeded, check_space

LOADS = (
    PackageSize(name="torch", packed_bytes=200, unpacked_bytes=700, is_cached=False),
    PackageSize(name="sympy", packed_bytes=6, unpacked_bytes=30, is_cached=True),
)


def disk(device: int, free: int, place: str = "/env") -> Disk:
    return Disk(place=place, device=device, free_bytes=free)


def test_files_shared_with_the_cache_are_counted_once() -> None:
    assert check_space(LOADS, disk(1, 1000, "/cache"), disk(1, 1000)) == SpaceNeeded(
        fetched=1, fetched_bytes=200, cache_bytes=700, target_bytes=0, free_after_bytes=300
    )


def test_on_another_file_system_everything_is_copied() -> None:
    assert check_space(LOADS, disk(1, 1000, "/cache"), disk(2, 750)) == SpaceNeeded(
        fetched=1, fetched_bytes=200, cache_bytes=700, target_bytes=730, free_after_bytes=20
    )


def test_what_is_copied_on_one_file_system_is_counted_twice() -> None:
    assert check_space(LOADS, disk(1, 1500, "/cache"), disk(1, 1500), is_copying=True) == SpaceNeeded(
        fetched=1, fetched_bytes=200, cache_bytes=700, target_bytes=730, free_after_bytes=70
    )
    with pytest.raises(InstallError, match="ENV003: /env"):
        check_space(LOADS, disk(1, 1429, "/cache"), disk(1, 1429), is_copying=True)


@pytest.mark.parametrize(
    ("cache", "target", "where"), [((1, 699), (1, 699), "/cache"), ((1, 700), (2, 729), "/env")]
)
def test_too_little_room_is_refused_where_it_lacks(
    cache: tuple[int, int], target: tuple[int, int], where: str
) -> None:
    with pytest.raises(InstallError) as caught:
        check_space(LOADS, disk(*cache, "/cache"), disk(*target))
    assert (caught.value.code, caught.value.where) == ("ENV003", where)


def test_what_is_cached_needs_no_room_in_the_cache() -> None:
    assert check_space(LOADS[1:], disk(1, 0, "/cache"), disk(1, 0)).free_after_bytes == 0
