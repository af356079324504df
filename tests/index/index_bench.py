"""A replayed index with a cache and a fake clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from envsmith.errors import EnvsmithError
from envsmith.index.cache import ListingCache, server_name
from envsmith.index.reader import PYTORCH_BASE, PyTorchIndex, ReadListing, ReadRequest
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing, Metadata, default_url, group_releases
from envsmith.model.wheel import Wheel
from envsmith.net.client import RetryPolicy
from tests.replay import ReplayIndex
from tests.replay_files import ReplayFile

CU199 = Backend.parse("cu199")
NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
LINUX = "cp312-cp312-manylinux_2_28_x86_64"
WINDOWS = "cp312-cp312-win_amd64"
TORCH = "/whl/cu199/torch/"
QUICK = RetryPolicy(connect_s=5, read_s=5, pause_s=0.001)


def torch_wheel(tags: str = LINUX, version: str = "2.20.0+cu199", *requires: str) -> ReplayFile:
    return ReplayFile.made("torch", version, tags, requires or ("sympy>=1.13",), index="cu199")


class Bench:
    """A replayed index, a cache and a clock."""

    def __init__(self, replay: ReplayIndex, root: Path) -> None:
        self.replay = replay
        self.cache = ListingCache(root, server_name(replay.base, PYTORCH_BASE))
        self.now = NOW
        self.channel = "stable"
        self.accepted: tuple[str, ...] = ()
        self.wants: Callable[[Wheel], bool] = lambda wheel: wheel.label == "cu199"

    def read(
        self,
        *projects: str,
        known: IndexListing | None = None,
        deadline_s: float = 20,
        max_age: timedelta = timedelta(0),
    ) -> ReadListing:
        index = PyTorchIndex(
            self.replay.base,
            self.cache,
            wants_metadata=self.wants,
            accepted=self.accepted,
            now=lambda: self.now,
            policy=QUICK,
        )
        return index.read(
            ReadRequest(
                channel=self.channel,
                backend=CU199,
                projects=projects or ("torch",),
                deadline_s=deadline_s,
                known=known,
                max_age=max_age,
            )
        )

    def wheels(self, listing: IndexListing, project: str = "torch") -> dict[str, Wheel]:
        return {wheel.filename: wheel for release in listing.releases(project) for wheel in release.wheels()}


def failure(bench: Bench, *projects: str, deadline_s: float = 20) -> EnvsmithError:
    with pytest.raises(EnvsmithError) as caught:
        bench.read(*projects, deadline_s=deadline_s)
    return caught.value


def listing_of(*files: ReplayFile, channel: str = "stable", metadata: Metadata | None = None) -> IndexListing:
    index = "cu199" if channel == "stable" else f"{channel}/cu199"
    wheels = [
        Wheel.from_entry(
            index=index,
            filename=file.filename,
            url=default_url(index, file.filename),
            sha256=file.sha256,
            upload_time=file.upload_time,
        )
        for file in files
    ]
    known = {(wheel.name, str(wheel.version)): metadata for wheel in wheels} if metadata else {}
    return IndexListing(
        channel=channel,
        backend=CU199,
        retrieved="2026-11-01",
        source="snapshot",
        projects=group_releases(wheels, {key: value for key, value in known.items() if value}),
    )
