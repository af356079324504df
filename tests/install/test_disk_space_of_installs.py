from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.errors import InstallError
from envsmith.install.disk_space import wheel_sizes
from envsmith.install.install import install
from tests.install.fakes import FakeDisks, FakeInstaller
from tests.install.install_values import TORCH, order, tools
from tests.install.made import made


def test_sizes_come_from_the_lock(tmp_path: Path) -> None:
    installer = FakeInstaller(fresh=frozenset({"torch"}))
    need = install(order(), tools(tmp_path, installer=installer)).need
    assert need is not None
    assert (need.fetched, need.fetched_bytes, need.cache_bytes) == (1, len(TORCH.body), len(TORCH.body))


@pytest.fixture
def wheelhouse(tmp_path: Path) -> str:
    folder = tmp_path / "wheels"
    folder.mkdir()
    for wheel in (TORCH, made("beside")):
        (folder / wheel.filename).write_bytes(wheel.body)
    return str(folder)


def test_sizes_of_a_wheelhouse_come_from_its_files(tmp_path: Path, wheelhouse: str) -> None:
    need = install(order(wheelhouse=wheelhouse), tools(tmp_path)).need
    assert need is not None
    sizes = wheel_sizes(Path(wheelhouse)).values()
    assert need.fetched_bytes == sum(packed for packed, _ in sizes)
    assert (need.cache_bytes, need.target_bytes) == (sum(unpacked for _, unpacked in sizes), 0)


def test_an_installer_that_copies_needs_more(tmp_path: Path, wheelhouse: str) -> None:
    need = install(order(wheelhouse=wheelhouse), tools(tmp_path, installer=FakeInstaller(copying=True))).need
    assert need is not None
    unpacked = sum(unpacked for _, unpacked in wheel_sizes(Path(wheelhouse)).values())
    assert unpacked > 0
    assert (need.cache_bytes, need.target_bytes) == (unpacked, unpacked)


def test_too_little_room_is_told_before_anything_is_built(tmp_path: Path) -> None:
    disks = FakeDisks(free={"/cache": (2, 5)})
    at_hand = tools(tmp_path, disk_of=disks.disk_of)
    with pytest.raises(InstallError, match="ENV003: /cache"):
        install(order(), at_hand)
    assert list(at_hand.store.folder.iterdir()) == []


def test_what_nobody_tells_is_not_counted(tmp_path: Path) -> None:
    disks = FakeDisks(free={"/cache": (2, 0)})
    done = install(order(wheelhouse="https://mirror.example/wheels"), tools(tmp_path, disk_of=disks.disk_of))
    assert done.need is not None
    assert done.need.fetched_bytes == 0
