"""A recorded resolution gives the files of this folder, byte for byte.

When a change of these bytes is meant: ``ENVSMITH_WRITE_GOLDEN=1 pytest tests/golden`` writes them anew, to be read in
the diff. Locks of others then change, too, at their next lock: say so in the CHANGELOG.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.pylock import Pylock

from envsmith.errors import LockError
from envsmith.lock import admission
from envsmith.lock.lock import entry_of
from envsmith.lockfile.manifest import FILENAME, Manifest, RememberedOptions
from envsmith.lockfile.store import lock_files
from envsmith.plan.model import Resolution, parse_packages
from tests.golden.plans import TORCH, plan

HERE = Path(__file__).parent
DATA = HERE.parent / "data" / "uv"
SLUG = "cp312-win_amd64"


def recorded() -> Resolution:
    return Resolution.of(
        parse_packages((DATA / "torch-cpu-windows.pylock.toml").read_text("utf-8")),
        (DATA / "torch-cpu-windows.annotated.txt").read_text("utf-8"),
    )


def made() -> dict[str, bytes]:
    lock = admission.admit(plan(), recorded(), "golden 2026-11-21")
    manifest = Manifest(
        profile="golden",
        cutoff_utc=plan().cutoff_utc,
        remembered=RememberedOptions(requirements_files=("requirements.txt",)),
        targets={SLUG: entry_of(lock, plan())},
    )
    return {**lock_files(lock), FILENAME: manifest.to_toml().encode()}


def kept_as(name: str) -> Path:
    """Name the file here: pylock files of that form are kept out of version control everywhere."""
    return HERE / name.replace("pylock.", "golden-pylock.")


@pytest.mark.parametrize("name", [FILENAME, f"pylock.{SLUG}.toml", f"requirements.{SLUG}.txt"])
def test_the_bytes_are_those_kept(name: str) -> None:
    if os.environ.get("ENVSMITH_WRITE_GOLDEN") == "1":
        kept_as(name).write_bytes(made()[name])
    assert made()[name] == kept_as(name).read_bytes()


def test_all_files_are_kept() -> None:
    assert sorted(made()) == [FILENAME, f"pylock.{SLUG}.toml", f"requirements.{SLUG}.txt"]


def test_the_kept_lock_selects_one_file_of_each_package_on_its_target() -> None:
    lock = Pylock.from_dict(tomllib.loads(kept_as(f"pylock.{SLUG}.toml").read_text("utf-8")))
    target = plan().target
    chosen = list(lock.select(environment=target.marker_environment(), tags=target.tags()))
    assert len(chosen) == len(lock.packages) == 10


def test_another_hash_on_record_refuses_the_recorded_answer() -> None:
    wrong = plan()
    row = replace(TORCH, sha256="0" * 64)
    wrong = replace(wrong, slice=replace(wrong.slice, projects={"torch": (row,), "torchvision": ()}))
    with pytest.raises(LockError) as caught:
        admission.admit(wrong, recorded(), "golden 2026-11-21")
    assert caught.value.code == "LCK016"
