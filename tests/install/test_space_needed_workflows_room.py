from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.errors import InstallError
from envsmith.install.install import install
from tests.install.fakes import FakeDisks, FakeInstaller
from tests.install.install_values import TORCH, order, tools


def test_sizes_come_from_the_lock(tmp_path: Path) -> None:
    installer = FakeInstaller(fresh=frozenset({"torch"}))
    need = install(order(), tools(tmp_path, installer=installer)).need
    assert need is not None
    assert (need.fetched, need.fetched_bytes, need.cache_bytes) == (1, len(TORCH.body), len(TORCH.body))


def test_sizes_of_a_wheelhouse_come_from_its_files(tmp_path: Path) -> None:
    disks = FakeDisks(wheels={("torch", "2.19.0+cpu"): (10, 70), ("beside", "1.0"): (1, 3)})
    need = install(order(wheelhouse="/wheels"), tools(tmp_path, disks=disks)).need
    assert need is not None
    assert (need.fetched_bytes, need.cache_bytes, need.target_bytes) == (11, 73, 0)


def test_an_installer_that_copies_needs_more(tmp_path: Path) -> None:
    disks = FakeDisks(wheels={("torch", "2.19.0+cpu"): (10, 70), ("beside", "1.0"): (1, 3)})
    at_hand = tools(tmp_path, disks=disks, installer=FakeInstaller(copying=True))
    need = install(order(wheelhouse="/wheels"), at_hand).need
    assert need is not None
    assert (need.cache_bytes, need.target_bytes) == (73, 73)


def test_too_little_room_is_told_before_anything_is_built(tmp_path: Path) -> None:
    disks = FakeDisks(free={"/cache": (2, 5)})
    at_hand = tools(tmp_path, disks=disks)
    with pytest.raises(InstallError, match="ENV003: /cache"):
        install(order(), at_hand)
    assert list(at_hand.environments.folder.iterdir()) == []


def test_what_nobody_tells_is_not_counted(tmp_path: Path) -> None:
    disks = FakeDisks(free={"/cache": (2, 0)})
    done = install(order(wheelhouse="https://mirror.example/wheels"), tools(tmp_path, disks=disks))
    assert done.need is not None
    assert done.need.fetched_bytes == 0
