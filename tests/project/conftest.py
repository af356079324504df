from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.commands import Project
from tests.replay import ReplayIndex
from tests.replay_files import ReplayFile

VERSIONS = {
    "torch": ("2.19.0", "2.20.0"),
    "torchvision": ("0.34.0", "0.35.0"),
    "torchaudio": ("2.19.0", "2.20.0"),
}


@pytest.fixture(scope="session")
def offline_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project whose profile is not locked yet; its index has a torch family, and needs no server any more."""
    project = Project(root=tmp_path_factory.mktemp("offline") / "project")
    project.profile("mine", backend="cu134", python=["3.12"], platforms=["linux"], requirements=["torch"])
    tags = "cp312-cp312-manylinux_2_28_x86_64"
    files = [
        ReplayFile.made(
            name,
            f"{version}+cu134",
            tags,
            [] if name == "torch" else [f"torch=={torch}"],
            index="cu134",
        )
        for name, versions in VERSIONS.items()
        for version, torch in zip(versions, VERSIONS["torch"], strict=True)
    ]
    with ReplayIndex(files) as replay:
        project.index = replay.base
        assert project.run("catalog", "refresh", "cu134").status == 0
    return project


@pytest.fixture
def project(offline_project: Project, tmp_path: Path) -> Project:
    shutil.copytree(offline_project.root, tmp_path / "project")
    return Project(root=tmp_path / "project", index=offline_project.index)
