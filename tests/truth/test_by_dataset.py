"""The hashes of locks are those of the collected index entries, from which the snapshot is built."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest

from tests.commands import Project
from tests.truth.judged import PROFILES, Judged

DATASET = Path(__file__).parents[2].parent / "shared" / "pytorch-index" / "wheels.jsonl"


@pytest.mark.skipif(not DATASET.is_file(), reason="the collected index entries are not in the repository")
def test_every_torch_family_hash_is_that_of_its_row(shipped: Project, locks: list[Judged]) -> None:
    rows: dict[tuple[str, str], set[str]] = defaultdict(set)
    with DATASET.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            rows[row["index"], row["filename"]].add(row["sha256"])
    compared, conflicts = 0, 0
    for lock in locks:
        pins = shipped.pins(lock.profile, lock.target.slug)
        for name, pinned in lock.entry.family.items():
            pin = pins[name]
            assert (pin.version, pin.filename, pin.sha256) == (pinned.version, pinned.filename, pinned.sha256)
            if "download.pytorch.org" not in pin.index:
                assert lock.profile == "cu132", lock.name
                continue
            index = pin.index.removeprefix("https://download.pytorch.org/whl/")
            known = rows[index, pin.filename] or rows["(root)", pin.filename]
            assert pin.sha256 in known, (lock.name, pin.filename)
            compared += 1
            conflicts += len(known) > 1
    assert compared >= 100
    assert conflicts <= 4, "more pins than those known have several hashes on record"


def test_every_pin_carries_the_label_of_its_backend(shipped: Project, locks: list[Judged]) -> None:
    assert {lock.profile for lock in locks} == set(PROFILES)
    for lock in locks:
        target, pins = lock.target, shipped.pins(lock.profile, lock.target.slug)
        for name in ("torch", "torchvision", "torchaudio"):
            if name in pins and lock.profile != "cu132" and target.platform.os != "macos":
                assert pins[name].version.endswith(f"+{target.backend.label}"), (lock.name, name)
