from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing, Metadata, default_url, group_releases
from envsmith.model.wheel import Wheel
from tests.replay import ReplayIndex
from tests.replay_files import ReplayFile, make_wheel
from tests.replay_pages import JSON, NIGHTLY, OF_2024, OF_2026, Style

TAGS = "py3-none-any"


@pytest.fixture
def replay() -> Iterator[ReplayIndex]:
    with ReplayIndex() as server:
        server.add(
            ReplayFile.made("torch", "2.20.0+cu199", TAGS, ["pytorch-triton>=3"], index="cu199"),
            replace(ReplayFile.made("pytorch-triton", "3.9.0", TAGS, index="cu199"), at_root=True),
        )
        yield server


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 - the server of this test
        return bytes(answer.read())


def installed(target: Path) -> set[str]:
    return {path.name for path in target.iterdir() if path.suffix == ".dist-info"}


BOTH = {"torch-2.20.0+cu199.dist-info", "pytorch_triton-3.9.0.dist-info"}


@pytest.mark.parametrize("style", [OF_2024, OF_2026, JSON, NIGHTLY, Style(links="beside")])
def test_uv_installs_from_it(replay: ReplayIndex, tmp_path: Path, style: Style) -> None:
    replay.style = style
    target = tmp_path / "target"
    command = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "install",
        "-q",
        "--no-config",
        "--no-cache",
        "--target",
        str(target),
    ]
    command += ["--python", sys.executable, "--index-url", f"{replay.base}/cu199", "torch==2.20.0+cu199"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    subprocess.run(command, check=True, env=environ)
    assert installed(target) == BOTH
    assert "2.20.0+cu199" in (target / "torch" / "__init__.py").read_text()


@pytest.mark.skipif(find_spec("pip") is None, reason="no pip in this environment")
def test_pip_installs_from_it(replay: ReplayIndex, tmp_path: Path) -> None:
    target = tmp_path / "target"
    command = [sys.executable, "-m", "pip", "install", "-q", "--isolated", "--no-cache-dir"]
    command += ["--disable-pip-version-check", "--target", str(target)]
    command += ["--index-url", f"{replay.base}/cu199", "torch==2.20.0+cu199"]
    subprocess.run(command, check=True)
    assert installed(target) == BOTH


def test_wheels_are_the_same_each_time_and_whole() -> None:
    one, two = (make_wheel("a-b", "1.0", TAGS, ["c>1"], ">=3.11") for _ in range(2))
    assert one == two
    with zipfile.ZipFile(io.BytesIO(one)) as archive:
        assert archive.testzip() is None
        metadata = archive.read("a_b-1.0.dist-info/METADATA").decode()
    assert "Requires-Dist: c>1\n" in metadata
    assert "Requires-Python: >=3.11\n" in metadata


def test_rows_of_a_listing_are_listed_with_their_metadata(replay: ReplayIndex) -> None:
    filename = "torch-2.20.0+cu128-cp312-cp312-win_amd64.whl"
    wheel = Wheel.from_entry(
        index="cu128", filename=filename, url=default_url("cu128", filename), sha256="ab" * 32
    )
    known = Metadata(requires_dist=("sympy",), requires_python=None, confidence="exact", basis="x")
    replay.add_listing(
        IndexListing(
            channel="stable",
            backend=Backend.parse("cu128"),
            retrieved="2026-11-20",
            source="x",
            projects=group_releases([wheel], {("torch", "2.20.0+cu128"): known}),
        )
    )
    page = get(f"{replay.base}/cu128/torch/").decode()
    sidecar = get(f"{replay.base}/cu128/{filename.replace('+', '%2B')}.metadata")
    assert f"#sha256={'ab' * 32}" in page
    assert hashlib.sha256(sidecar).hexdigest() in page
    assert b"Requires-Dist: sympy\n" in sidecar


def test_requests_are_counted(replay: ReplayIndex) -> None:
    assert replay.count() == 0
    index = get(f"{replay.base}/cu199/").decode()
    assert ">torch</a>" in index
    assert ">pytorch-triton</a>" in index
    for _ in range(2):
        get(f"{replay.base}/cu199/torch/")
    assert (replay.count(), replay.count("/whl/cu199/torch/")) == (3, 2)
