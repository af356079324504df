"""What a lock is asked for follows what the project's files use."""

from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.lock.inputs.request import LockOptions, lock_requests
from envsmith.lockfile.manifest import RememberedOptions
from envsmith.plan.model import LockRequest

PROFILE = """\
backend = "cpu"
python = ["3.12"]
platforms = ["linux"]
prune = ["XFormers"]
family = { torchvision = "auto" }
"""


@pytest.fixture
def app(project: Path) -> Path:
    (project / "profiles").mkdir()
    (project / "profiles/mine.toml").write_text(PROFILE)
    (project / "requirements.txt").write_text("torch\ntorchvision==0.26.0\ntorchaudio\nxformers\n")
    (project / "app.py").write_text("import torch\n")
    return project


def wanted(project: Path) -> LockRequest:
    remembered = RememberedOptions(requirements_files=("requirements.txt",))
    (found,) = lock_requests(
        LockOptions(profiles=("mine",), remembered=remembered, folder=project / "lockfiles"), project
    )
    return found


def names(found: LockRequest) -> list[str]:
    return [item.name for item in found.requirements]


def test_what_may_go_and_is_not_used_goes(app: Path) -> None:
    found = wanted(app)
    assert names(found) == ["torch", "torchaudio"]
    assert [str(item.requirement) for item in found.constraints] == ["torchvision==0.26.0"]
    assert [(item.subject, item.code) for item in found.decisions] == [
        ("torchvision", "RES114"),
        ("xformers", "RES114"),
    ]


@pytest.mark.parametrize(
    "text", ["import torchvision, xformers\n", "from xformers import ops\nimport torchvision.io\n"]
)
def test_what_is_used_stays(text: str, app: Path) -> None:
    (app / "app.py").write_text(text)
    found = wanted(app)
    assert names(found) == ["torch", "torchvision", "torchaudio", "xformers"]
    assert {item.code for item in found.decisions} == {"RES115"}


def test_keeping_is_the_default(app: Path) -> None:
    (app / "profiles/mine.toml").write_text(PROFILE.partition("prune")[0])
    found = wanted(app)
    assert names(found) == ["torch", "torchvision", "torchaudio", "xformers"]
    assert found.decisions == ()


def test_sources_that_the_project_names_are_the_ones_that_count(app: Path) -> None:
    (app / "old").mkdir()
    (app / "old/x.py").write_text("import torchvision\n")
    assert "torchvision" in names(wanted(app))
    (app / "pyproject.toml").write_text("[tool.envsmith]\nsources = ['app.py']\n")
    assert "torchvision" not in names(wanted(app))
