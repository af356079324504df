"""The real torch, installed by pip: adopted, installed elsewhere without network, and equal."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import Project
from tests.install.test_real_torch import VERSION, WHEEL, gather, pip
from tests.install.test_real_torch import pytestmark as _marks
from tests.project.adopt.conftest import versions

pytestmark = [*_marks, pytest.mark.weekly]


def test_of_pip(tmp_path: Path) -> None:
    house, prefix = tmp_path / "house", tmp_path / "env"
    house.mkdir()
    pip(house, f"torch=={VERSION}")
    if [path.name for path in house.iterdir()] != [WHEEL]:
        pytest.skip(f"{WHEEL} cannot be had")
    subprocess.run([sys.executable, "-m", "venv", prefix], check=True)
    words = ("-m", "pip", "install", "--quiet", str(house / WHEEL), "idna==3.10")
    subprocess.run([str(prefix / "bin/python"), *words], check=True)
    project = Project(root=tmp_path / "project")
    ran = project.run_online("adopt", str(prefix), "--catalog", "embedded")
    assert ran.status == 0, ran.said
    assert f'"torch=={VERSION}"' in (project.root / "profiles/cpu.toml").read_text("utf-8")
    ran = project.run("verify", "cpu", "--prefix", str(prefix))
    assert ran.status == 0, ran.said

    gather(project, "cpu", house)
    other = Project(
        root=tmp_path / "other", env={"HOME": str(tmp_path), "UV_CACHE_DIR": str(tmp_path / "uv")}
    )
    for name in ("profiles", "lockfiles"):
        shutil.copytree(project.root / name, other.root / name)
    for command in (("install", "cpu", "--offline", "--wheelhouse", str(house)), ("verify", "cpu", "--deep")):
        ran = other.run(*command)
        assert ran.status == 0, ran.said
    assert versions(other.root / ".venv") == versions(prefix)
