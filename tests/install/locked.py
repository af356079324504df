"""A profile that is locked by the real command from a replayed index, its wheel in the wheelhouse."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from envsmith.host.current import this_platform, this_python
from tests.install.made import Made, Shop, made
from tests.replay import ReplayIndex
from tests.replay_files import ReplayFile, make_metadata


@contextmanager
def locked_shop(root: Path) -> Iterator[Shop]:
    """Lend a shop whose profile ``own`` is locked; its index stands while it is lent."""
    shop = Shop.opened(root)
    torch = _here(torch_wheel())
    shop.stock(torch)
    shop.project.profile(
        "own", backend="cu134", python=[str(this_python())], platforms=["linux"], requirements=["torch"]
    )
    with ReplayIndex([index_entry(torch)]) as replay:
        shop.project.index = replay.base
        assert shop.project.run("catalog", "refresh", "cu134").status == 0
        ran = shop.project.run("lock", "own", "--offline", "--as-of", "2026-11-15")
        assert ran.status == 0, ran.said
        shop.index = replay
        yield shop


def add_torch(replay: ReplayIndex, version: str) -> None:
    """Let the index have another torch."""
    replay.add(index_entry(_here(torch_wheel(version)), "2026-11-16T12:00:00Z"))


def torch_wheel(version: str = "2.20.0+cu134") -> Made:
    text = f"__version__ = '{version}'\ncuda = '13.4'\n".encode()
    return made("torch", version, {"torch/__init__.py": b"", "torch/version.py": text})


def _here(wheel: Made) -> Made:
    return with_tags(wheel, f"{this_python().tag}-{this_python().tag}-{this_platform()}")


def with_tags(wheel: Made, tags: str) -> Made:
    """Return a wheel of torch with other tags in its name."""
    return replace(wheel, filename=f"torch-{wheel.version}-{tags}.whl")


def index_entry(wheel: Made, upload_time: str = "2026-11-01T12:00:00Z") -> ReplayFile:
    metadata = make_metadata(wheel.name, wheel.version).encode()
    return ReplayFile(
        index="cu134",
        filename=wheel.filename,
        sha256=wheel.sha256,
        upload_time=upload_time,
        body=wheel.body,
        metadata=metadata,
        metadata_sha256=hashlib.sha256(metadata).hexdigest(),
    )
