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
from tests.truth.judged import Judged, pip_report, without_hashes

pytestmark = [
    pytest.mark.online,
    pytest.mark.skipif(
        sys.platform != "linux" or sys.version_info[:2] != (3, 11) or os.uname().machine != "x86_64",
        reason="pip judges for the machine and the Python it runs on: this is about Linux x86_64, Python 3.11",
    ),
]
SLUG = "cp311-manylinux_2_28_x86_64"
FAMILY = ("torch", "torchaudio", "torchvision")


def test_pip_chooses_the_torch_family_of_the_lock(
    shipped: Project, locks: list[Judged], tmp_path: Path
) -> None:
    """From a replayed page of cu128 and its sidecars: pip asks for no wheel, for it would be gigabytes."""
    lock = next(lock for lock in locks if (lock.profile, lock.target.slug) == ("cu128", SLUG))
    listing = Catalog.embedded().listing("stable", Backend.parse("cu128"))
    assert listing
    with ReplayIndex(files_of(listing)) as replay:
        text = without_hashes(lock.requirements.read_text("utf-8"), FAMILY)
        (tmp_path / "requirements.txt").write_text(f"--index-url {replay.base}/cu128\n{text}", "utf-8")
        done, install = pip_report(tmp_path, "--no-deps", "-r", "requirements.txt")
        assert done.returncode == 0, done.stderr
        assert not [path for path, _ in replay.requests if path.endswith(".whl")]
    pins = shipped.pins("cu128", SLUG)
    found = {canonicalize_name(item["metadata"]["name"]): item for item in install}
    assert sorted(found) == sorted(FAMILY)
    for name, item in found.items():
        assert item["metadata"]["version"] == pins[name].version
        assert item["download_info"]["archive_info"]["hashes"]["sha256"] == pins[name].sha256


def _torch_wheel() -> Path:
    """Return the true wheel of torch for the CPU, where a folder of wheels that pip is told of has it."""
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


def test_pip_refuses_other_bytes(tmp_path: Path) -> None:
    """The same name, version and tags with other bytes: the hash in the requirements does its work."""
    project = Project(root=tmp_path / "project")
    other = ReplayFile.made("torch", "2.13.0+cpu", "cp311-cp311-manylinux_2_28_x86_64", index="cpu")
    with ReplayIndex([replace(other, metadata=None)]) as replay:
        copy = _locked(project, replay)
        done, _ = pip_report(project.root, "--require-hashes", "--no-deps", "-r", copy)
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr
