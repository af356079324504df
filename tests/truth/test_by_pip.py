"""pip chooses the same files, and installs none whose bytes are others than the lock's."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from envsmith.catalog import Catalog
from envsmith.model.backend import Backend
from tests.commands import Project
from tests.replay import ReplayIndex
from tests.replay_files import ReplayFile, files_of
from tests.truth.judged import Judged, pip_report

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or sys.version_info[:2] != (3, 11) or os.uname().machine != "x86_64",
    reason="pip judges for the machine and the Python it runs on: this is about Linux x86_64, Python 3.11",
)
SLUG = "cp311-manylinux_2_28_x86_64"


@pytest.mark.parametrize(
    "profile",
    ["cpu-minimal", "ai-no-vision", "cu126", "cu128", "cu128-nightly-rtx50", "cu132", "rocm", "xpu"],
)
def test_pip_resolves_to_the_pins_of_the_lock(
    profile: str, shipped: Project, locks: list[Judged], index_environ: dict[str, str], tmp_path: Path
) -> None:
    """Every lock for this machine: pip follows all dependencies and ends at the same versions and hashes.

    In hash mode pip would fetch every file, gigabytes of them, to hash it. So the hashes are taken off the
    copy that it reads, metadata comes from ranged reads and from the sidecars of a replayed PyTorch index,
    and what pip chose is compared with the lock afterwards.
    """
    lock = next(item for item in locks if (item.profile, item.target.slug) == (profile, SLUG))
    pins = shipped.pins(profile, SLUG)
    listing = Catalog.embedded().listing("stable", lock.target.backend)
    assert listing
    with ReplayIndex(files_of(listing)) as replay:
        lines = [f"--extra-index-url {replay.base}/{lock.target.backend}"]
        lines += [f"{name}=={pin.version}" for name, pin in pins.items()]
        (tmp_path / "requirements.txt").write_text("\n".join([*lines, ""]), "utf-8")
        done, install = pip_report(
            tmp_path, "--use-feature=fast-deps", "-r", "requirements.txt", env=index_environ
        )
        assert done.returncode == 0, done.stderr
        assert not [path for path, _ in replay.requests if path.endswith(".whl")]
    found = {canonicalize_name(item["metadata"]["name"]): item for item in install}
    assert {name: item["metadata"]["version"] for name, item in found.items()} == {
        name: pin.version for name, pin in pins.items()
    }
    # PyTorch's index has a triton of its own under PyPI's filename. Without hashes pip may take either; with
    # them, only the one the lock names (the test below).
    twins = {row[1] for release in listing.releases("triton") for row in release.entries}
    for name, item in found.items():
        sha256 = item["download_info"]["archive_info"]["hashes"]["sha256"]
        assert sha256 == pins[name].sha256 or (name == "triton" and sha256 in twins), name


def test_of_two_files_of_one_name_pip_takes_the_one_the_lock_hashes(tmp_path: Path) -> None:
    ours = ReplayFile.made("triton", "3.6.0", "py3-none-any", index="cu128")
    other = ReplayFile.made("triton", "3.6.0", "py3-none-any", ["left-out"], index="cu128")
    assert ours.sha256 != other.sha256
    with ReplayIndex([ours]) as pypi, ReplayIndex([other]) as pytorch:
        lines = [
            f"--index-url {pypi.base}/cu128",
            f"--extra-index-url {pytorch.base}/cu128",
            f"triton==3.6.0 --hash=sha256:{ours.sha256}",
        ]
        (tmp_path / "requirements.txt").write_text("\n".join([*lines, ""]), "utf-8")
        done, install = pip_report(tmp_path, "--require-hashes", "-r", "requirements.txt")
    assert done.returncode == 0, done.stderr
    (item,) = install
    assert item["download_info"]["archive_info"]["hashes"]["sha256"] == ours.sha256


def _torch_wheel() -> Path:
    """Return the real CPU wheel of torch, if one of pip's folders of wheels has it."""
    for folder in os.environ.get("PIP_FIND_LINKS", "").split():
        for path in Path(folder).glob("torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl"):
            return path
    pytest.skip(
        "the true wheel of torch 2.13.0+cpu is not at hand (PIP_FIND_LINKS names no folder that has it)"
    )


def _locked(project: Project, replay: ReplayIndex) -> Path:
    """Lock torch 2.13.0 for the CPU and return a copy of the requirements that asks the replayed index."""
    project.profile("cpu-minimal", backend="cpu", python=["3.11"], platforms=["linux"],
                    requirements=["torch==2.13.0"])  # fmt: skip
    ran = project.run_online("lock", "cpu-minimal", "--catalog", "embedded", "--as-of", "2026-11-20")
    assert ran.status == 0, ran.said
    text = (project.root / "lockfiles" / "cpu-minimal" / f"requirements.{SLUG}.txt").read_text("utf-8")
    copy = project.root / "requirements.txt"
    copy.write_text(text.replace("https://download.pytorch.org/whl", replay.base), "utf-8")
    assert "torch==2.13.0+cpu" in text
    return copy


@pytest.mark.online
def test_pip_takes_the_true_wheel_in_hash_mode(tmp_path: Path) -> None:
    """Every file is fetched and hashed by pip, the wheel of torch itself among them."""
    wheel = _torch_wheel()
    listing = Catalog.embedded().listing("stable", Backend.parse("cpu"))
    assert listing
    project = Project(root=tmp_path / "project")
    with ReplayIndex(files_of(listing)) as replay:
        row = next(file for file in files_of(listing) if file.filename == wheel.name)
        replay.add(replace(row, body=wheel.read_bytes(), metadata=None))
        copy = _locked(project, replay)
        done, install = pip_report(project.root, "--require-hashes", "-r", copy)
        assert done.returncode == 0, done.stderr
        assert replay.count(row.path)
    found = {canonicalize_name(item["metadata"]["name"]): item for item in install}
    pins = project.pins("cpu-minimal", SLUG)
    assert found.keys() == pins.keys()
    for name, item in found.items():
        assert item["metadata"]["version"] == pins[name].version
        assert item["download_info"]["archive_info"]["hashes"]["sha256"] == pins[name].sha256


@pytest.mark.online
def test_pip_refuses_other_bytes(tmp_path: Path) -> None:
    """A wheel with the same name, version and tags but another hash is refused."""
    project = Project(root=tmp_path / "project")
    other = ReplayFile.made("torch", "2.13.0+cpu", "cp311-cp311-manylinux_2_28_x86_64", index="cpu")
    with ReplayIndex([replace(other, metadata=None)]) as replay:
        copy = _locked(project, replay)
        done, _ = pip_report(project.root, "--require-hashes", "--no-deps", "-r", copy)
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr
