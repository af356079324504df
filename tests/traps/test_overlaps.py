"""Traps: two distributions with the same file. The resolver does not see it, and the last one installed wins."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import replace

import pytest

from tests.commands import Project, Ran
from tests.replay import ReplayIndex
from tests.replay_faults import Fault
from tests.replay_files import ReplayFile

TAGS = "cp312-cp312-manylinux_2_28_x86_64"


def _made(project: str, version: str, **files: str) -> ReplayFile:
    """Make a wheel with further files; two underscores in a name stand for a slash."""
    plain = ReplayFile.made(project, f"{version}+cu134", TAGS, index="cu134")
    buffer = io.BytesIO(plain.body or b"")
    with zipfile.ZipFile(buffer, "a") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(f"{name.replace('__', '/')}.py", (2026, 1, 1, 0, 0, 0)), text)
    body = buffer.getvalue()
    return replace(plain, body=body, sha256=hashlib.sha256(body).hexdigest())


TORCH = _made("torch", "2.20.0", shared__ops="of torch", namespace__init="")
VISION = _made("torchvision", "0.35.0", shared__ops="of torchvision", namespace__init="")
PEACEFUL = _made("torchvision", "0.35.0", namespace__init="")


def _lock(case: Project, *words: str) -> Ran:
    values = {"backend": "cu134", "python": ["3.12"], "platforms": ["linux"]}
    case.profile("two", **values, requirements=["torch", "torchvision"])
    return case.run("lock", "two", "--catalog", "live", "--as-of", "2026-11-20", *words)


def test_two_small_wheels_that_own_one_file_are_refused(case: Project, replay: ReplayIndex) -> None:
    """The two are in no table; their file lists conflict."""
    replay.add(TORCH, VISION)
    ran = _lock(case)
    assert ran.status == 1, ran.said
    assert "LCK022" in ran.said
    assert "both install shared/ops.py with different contents" in ran.said
    assert "torch 2.20.0+cu134 and torchvision 0.35.0+cu134" in ran.said
    assert not case.locks("two")


def test_equal_files_of_a_shared_folder_are_no_fight(case: Project, replay: ReplayIndex) -> None:
    replay.add(TORCH, PEACEFUL)
    ran = _lock(case)
    assert ran.status == 0, ran.said
    assert "not checked" not in ran.said


@pytest.mark.parametrize("fault", [Fault.status(404), Fault.status(503)])
def test_a_lock_is_the_same_whether_files_could_be_compared(
    case: Project, replay: ReplayIndex, fault: Fault
) -> None:
    replay.add(TORCH, PEACEFUL)
    assert _lock(case).status == 0
    seen = case.locks("two")
    other = Project(root=case.root.parent / "other", index=case.index, env=case.env)
    replay.fail(TORCH.path, fault)
    ran = _lock(other)
    assert ran.status == 0, ran.said
    assert "file conflicts not checked for" in ran.said
    assert other.locks("two") == seen
