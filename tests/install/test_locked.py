"""Whether the lock is what is asked for today is looked at first, and not again before something changes."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from envsmith.adapters.host import this_platform, this_python
from tests.commands import Ran
from tests.install.made import Made, Shop, made
from tests.replay import ReplayIndex
from tests.replay_files import ReplayFile, make_metadata

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at bin/")


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Shop]:
    """A profile locked from a replayed index, and its wheel in the wheelhouse."""
    shop = Shop.opened(tmp_path)
    torch = here(made_torch_like())
    shop.stock(torch)
    shop.project.profile(
        "own", backend="cu134", python=[str(this_python())], platforms=["linux"], requirements=["torch"]
    )
    with ReplayIndex([row(torch)]) as replay:
        shop.project.index = replay.base
        assert shop.project.run("catalog", "refresh", "cu134").status == 0
        ran = shop.project.run("lock", "own", "--offline", "--as-of", "2026-11-15")
        assert ran.status == 0, ran.said
        yield shop


def made_torch_like() -> Made:
    text = b"__version__ = '2.20.0+cu134'\ncuda = '13.4'\n"
    return made("torch", "2.20.0+cu134", {"torch/__init__.py": b"", "torch/version.py": text})


def here(wheel: Made) -> Made:
    tags = f"{this_python().tag}-{this_python().tag}-{this_platform()}"
    return Made(
        name=wheel.name, version=wheel.version, filename=f"torch-{wheel.version}-{tags}.whl", body=wheel.body
    )


def row(wheel: Made) -> ReplayFile:
    metadata = make_metadata(wheel.name, wheel.version).encode()
    return ReplayFile(
        index="cu134",
        filename=wheel.filename,
        sha256=wheel.sha256,
        upload_time="2026-11-01T12:00:00Z",
        body=wheel.body,
        metadata=metadata,
        metadata_sha256=hashlib.sha256(metadata).hexdigest(),
    )


def install(shop: Shop, *words: str) -> Ran:
    return shop.project.run("install", "own", "--offline", "--wheelhouse", str(shop.wheelhouse), *words)


def test_a_current_lock_is_installed_and_a_stale_one_refused(locked: Shop) -> None:
    ran = install(locked)
    assert ran.status == 0, ran.said
    again = install(locked, "--json")
    assert json.loads(again.out)["data"]["how"] == "unchanged"
    profile = locked.project.root / "profiles" / "own.toml"
    text = profile.read_text("utf-8")
    profile.write_text(text.replace('["torch"]', '["torch<2.21"]'), "utf-8")
    ran = install(locked)
    assert ran.status == 1, ran.said
    assert "LCK003" in ran.err
    assert install(locked, "--frozen").status == 0
    profile.write_text(text, "utf-8")
    assert install(locked).status == 0


def test_what_was_looked_at_is_not_looked_at_again(locked: Shop) -> None:
    install(locked)
    stamp = locked.project.root / ".envsmith" / "checked-own.json"
    assert stamp.exists()
    ran = locked.project.run("-vv", "install", "own")
    assert "nothing to do" in ran.out, ran.said
    assert "envsmith.adapters.process" not in ran.err, "no program was started"
    pyproject = locked.project.root / "pyproject.toml"
    pyproject.write_text('[project]\nname = "p"\nversion = "1"\ndependencies = ["torch<2.21"]\n', "utf-8")
    assert install(locked).status == 1, "a file that was not there counts"
