from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.doctor.doctor_facts import DoctorFacts, backend_of, is_project
from envsmith.environment.interpreter import Probe
from envsmith.environment.model import Environment, TorchBuild
from envsmith.host.linux import GpuAccess
from envsmith.process.runner import Processes
from tests.environment.test_lock_comparison import distribution, environment


@pytest.mark.parametrize(
    ("torch", "backend"),
    [
        (TorchBuild(version="2.11.0+cu128", cuda="12.8"), "cu128"),
        (TorchBuild(version="2.11.0", cuda="13.0"), "cu130"),
        (TorchBuild(version="2.9.0+rocm6.4", hip="6.4.43482"), "rocm6.4"),
        (TorchBuild(version="2.9.0", hip="6.4.43482"), "rocm6.4"),
        (TorchBuild(version="2.11.0"), "cpu"),
        (TorchBuild(version="2.11.0+git1234567", cuda="12.8"), "cu128"),
    ],
)
def test_what_a_torch_was_built_for(torch: TorchBuild, backend: str) -> None:
    assert str(backend_of(torch)) == backend


def test_where_there_is_nothing_nothing_is_said(project: Path) -> None:
    facts = DoctorFacts(project / ".venv", project / "lockfiles", Probe(processes=Processes()))
    assert (facts.environment, facts.torch, facts.locked_backend) == (None, None, None)
    assert (facts.drift, facts.unused_packages) == ((), {})
    assert facts.disk_space.free_bytes > 0


def test_the_active_environment_may_be_on_path(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("active", "other"):
        (project / name / "bin").mkdir(parents=True)
        (project / name / "pyvenv.cfg").write_text("", "utf-8")
    monkeypatch.setenv("VIRTUAL_ENV", str(project / "active"))
    monkeypatch.setenv("PATH", f"{project}/active/bin:{project}/other/bin:/usr/bin")
    facts = DoctorFacts(project / ".venv", project / "lockfiles", Probe(processes=Processes()))
    assert [item.entry for item in facts.path_entries["process"]] == [f"{project}/other/bin"]


def test_of_a_machine_that_variables_describe_this_one_tells_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setenv("ENVSMITH_OVERRIDE_COMPUTE_CAPABILITY", "8.9")
    described = DoctorFacts(project / ".venv", project / "lockfiles", Probe(processes=Processes()))
    assert described.gpu_access == GpuAccess()
    monkeypatch.delenv("ENVSMITH_OVERRIDE_COMPUTE_CAPABILITY")
    here = DoctorFacts(project / ".venv", project / "lockfiles", Probe(processes=Processes()))
    if here.host.os == "linux":
        assert dict(here.gpu_access.variables)["CUDA_VISIBLE_DEVICES"] == "0"
    assert (here.visual_cpp is None) == (here.host.os != "windows")


def test_the_environment_itself_may_be_on_path_by_whatever_name(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = project / "kept" / "bin"
    inner.mkdir(parents=True)
    (project / "kept" / "pyvenv.cfg").touch()
    (project / ".venv").symlink_to("kept")
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.setenv("PATH", f"{inner}:{project}/.venv/bin:{project}/../{project.name}/kept/bin/:/usr/bin")
    facts = DoctorFacts(project / ".venv", project / "lockfiles", Probe(processes=Processes()))
    assert facts.path_entries["process"] == ()


@pytest.mark.parametrize("name", ["main.py", "pyproject.toml", "requirements-ai.txt", ".git", ""])
def test_use_is_looked_for_in_a_project_alone(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    (folder / "music").mkdir(parents=True)
    (folder / "music" / "deep.py").touch()
    if name:
        (folder / name).touch()
    assert is_project(folder) is bool(name)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    assert not is_project(folder)
    assert not is_project(Path(folder.anchor))


class WithVision(DoctorFacts):
    """Facts of an environment with torchvision."""

    @property
    def environment(self) -> Environment:
        """What is installed."""
        return environment(distribution("torchvision", "0.28.0"))


def test_elsewhere_an_environment_is_not_said_to_be_unused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "main.py").write_text("import os\n", "utf-8")
    (tmp_path / "empty" / "deep").mkdir(parents=True)
    (tmp_path / "empty" / "deep" / "main.py").write_text("import os\n", "utf-8")
    for folder, names in ((tmp_path, {"torchvision"}), (tmp_path / "empty", set())):
        monkeypatch.chdir(folder)
        facts = WithVision(tmp_path / ".venv", folder / "lockfiles", Probe(processes=Processes()))
        assert set(facts.unused_packages) == names
