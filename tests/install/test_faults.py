"""A few rounds of each fault; `python -m bench.faults` runs them all, and beside them uv alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.install import campaign
from tests.install.made import Shop
from tests.install.serving import served
from tests.install.sides import Ours

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals process groups, mounts file systems")


@pytest.fixture
def ours(tmp_path: Path) -> Iterator[Ours]:
    """A project whose first state is installed."""
    with served() as server:
        yield begun(Ours(shop=Shop.opened(tmp_path), server=server, payload=400_000))


def begun(side: Ours) -> Ours:
    side.ask_for(1)
    status, said = side.run()
    assert status == 0, said
    return side


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Ours]:
    """The same on a small file system of its own, uv's cache included."""
    place = tmp_path / "project"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=30m", "tmpfs", str(place)]
    mounted = subprocess.run(words, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        with served() as server:
            shop = Shop.opened(tmp_path, UV_CACHE_DIR=str(place / "uv-cache"))
            yield begun(Ours(shop=shop, server=server, payload=2_000_000))
    finally:
        subprocess.run(["umount", place], check=True)


def test_killed_at_random_moments(ours: Ours) -> None:
    tally = campaign.killed(ours, 3)
    assert tally.is_clean, str(tally)
    assert tally.seen["killed"]


def test_rollback_killed_at_random_moments(ours: Ours) -> None:
    tally = campaign.killed_going_back(ours, 4)
    assert tally.is_clean, str(tally)


def test_killed_while_setting_aside_what_others_made(ours: Ours) -> None:
    tally = campaign.killed_setting_aside(ours, 4)
    assert tally.is_clean, str(tally)


def test_interrupted_it_says_so_and_leaves_nothing(ours: Ours) -> None:
    ours.ask_for(2)
    ours.forget()
    ours.server.stalled = next(name for name in ours.server.files if name.startswith("torch-2.2.0"))
    process = subprocess.Popen(
        ours.command(),
        cwd=ours.shop.project.root,
        env=ours.shop.project.environ(),
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert ours.server.asked.wait(60), "the wheel was never asked for"
    process.terminate()  # SIGINT is ignored where tests run in the background
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "interrupted" in said
    assert "Traceback" not in said
    assert ours.is_whole(1)
    assert campaign.half_built(ours) == []


def test_wrong_bytes(ours: Ours) -> None:
    tally = campaign.wrong_bytes(ours, 1)
    assert tally.is_clean, str(tally)
    assert tally.seen["said so"] == tally.seen["old"] == 1


def test_two_at_once(ours: Ours) -> None:
    tally = campaign.twice_at_once(ours, 1)
    assert tally.is_clean, str(tally)
    assert tally.seen["both succeeded"] == tally.seen["new"] == 1


def test_disk_full(small: Ours) -> None:
    tally = campaign.full(small, 2)
    assert tally.is_clean, str(tally)
    assert tally.seen["said so"]


def test_read_only_target(small: Ours) -> None:
    tally = campaign.read_only(small, 1)
    assert tally.is_clean, str(tally)
    assert tally.seen["said so"] == tally.seen["old"] == 1
