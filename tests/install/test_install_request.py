from __future__ import annotations

import shutil
from pathlib import Path

import click
import pytest

from envsmith.config.profile import IMPORT_TIMEOUT_S, SmokeTest
from envsmith.config.profiles import profile_of
from envsmith.errors import LockError, ProfileError
from envsmith.install.options import install_request, smoke_tests_of
from envsmith.install.smoke_tests import SmokeTests
from envsmith.shims.environment import shims_of

OPTIONS = {
    "profile": "cpu-minimal",
    "folder": Path("lockfiles"),
    "python": "",
    "wheelhouse": "",
    "deep": False,
    "no_guard": False,
    "is_checked": True,
}


def test_a_slip_of_the_pen_is_told_with_what_is_locked(project: Path) -> None:
    (project / "lockfiles" / "cpu-minimal").mkdir(parents=True)
    (project / "lockfiles" / "cpu-minimal" / "manifest.toml").touch()
    with pytest.raises(LockError, match="LCK040"):
        install_request({**OPTIONS, "profile": "cpu-minmal"})
    assert install_request({**OPTIONS, "profile": "quite-another"}).profile == "quite-another"


@pytest.mark.usefixtures("project")
def test_the_profile_names_folder_and_variables() -> None:
    order = install_request(OPTIONS)
    assert order.folder == Path("lockfiles/cpu-minimal")
    assert order.smoke_tests == SmokeTests(env={"CUDA_VISIBLE_DEVICES": ""})
    assert order.guard


def test_a_wheelhouse_is_a_folder_or_an_address(project: Path) -> None:
    assert install_request({**OPTIONS, "wheelhouse": "wheels"}).wheelhouse == str(project / "wheels")
    address = "https://mirror.example/wheels"
    assert install_request({**OPTIONS, "wheelhouse": address}).wheelhouse == address


def test_without_a_name_the_only_lock_there_is(project: Path) -> None:
    with pytest.raises(click.UsageError, match="no locks in lockfiles"):
        install_request({**OPTIONS, "profile": None})
    (project / "lockfiles" / "one").mkdir(parents=True)
    (project / "lockfiles" / "one" / "manifest.toml").touch()
    assert install_request({**OPTIONS, "profile": None, "quiet": True}).profile == "one"


@pytest.mark.parametrize(
    ("capability", "told"),
    [("12.0", "choice cu128 · torch "), ("none", "profile cu128 (the only locked profile; ")],
)
def test_the_only_lock_is_taken_and_explained(
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    capability: str,
    told: str,
) -> None:
    committed = Path(__file__).parents[2] / "lockfiles"
    shutil.copytree(committed / "cu128", project / "lockfiles" / "cu128")
    monkeypatch.setenv("ENVSMITH_OVERRIDE_CUDA_DRIVER", "580.65" if capability != "none" else "none")
    monkeypatch.setenv("ENVSMITH_OVERRIDE_COMPUTE_CAPABILITY", capability)
    assert install_request({**OPTIONS, "profile": None, "python": "3.12"}).profile == "cu128"
    assert told in " ".join(capfd.readouterr().out.split())


def test_of_several_locks_the_machine_decides(
    project: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    committed = Path(__file__).parents[2] / "lockfiles"
    for name in ("cu126", "cu128", "cpu-minimal"):
        shutil.copytree(committed / name, project / "lockfiles" / name)
    options = {**OPTIONS, "profile": None, "python": "3.12"}
    for driver, capability, expected in (
        ("572.16", "12.0", "cu128"),
        ("550.54", "6.1", "cu126"),
        ("none", "none", "cpu-minimal"),
    ):
        monkeypatch.setenv("ENVSMITH_OVERRIDE_CUDA_DRIVER", driver)
        monkeypatch.setenv("ENVSMITH_OVERRIDE_COMPUTE_CAPABILITY", capability)
        assert install_request(options).profile == expected
        assert [line.split()[0] for line in capfd.readouterr().out.splitlines()[:2]] == ["host", "choice"]
    for silent in ("as_json", "quiet"):
        install_request({**options, silent: True})
        assert capfd.readouterr().out == ""


def test_checks_are_those_of_the_profile(project: Path) -> None:
    (project / "profiles").mkdir()
    text = (
        'backend = "cpu"\npython = ["3.11"]\nplatforms = ["linux"]\nchecks = [{import = "b"}, {run = "a"}]\n'
    )
    (project / "profiles" / "own.toml").write_text(text, "utf-8")
    profile = profile_of("own", is_needed=True)
    assert smoke_tests_of(profile) == SmokeTests(
        tests=(SmokeTest("import", "b", IMPORT_TIMEOUT_S), SmokeTest("run", "a"))
    )
    assert shims_of(profile) is None
    (project / "profiles" / "own.toml").write_text("backend = 3\n", "utf-8")
    assert profile_of("own", is_needed=False) is None
    with pytest.raises(ProfileError):
        profile_of("own", is_needed=True)


def test_shims_are_those_of_the_profile_and_their_version_tells_them_apart(project: Path) -> None:
    (project / "profiles").mkdir()
    text = 'backend = "cpu"\npython = ["3.11"]\nplatforms = ["linux"]\nshims = ["torchaudio-legacy-api"'
    (project / "profiles" / "own.toml").write_text(f"{text}]\n", "utf-8")
    one = shims_of(profile_of("own", is_needed=True))
    more = 'shims = ["torch-safe-globals", "torchaudio-legacy-api"]\nsafe-globals = ["pkg.Shape"]\n'
    (project / "profiles" / "own.toml").write_text(text.rpartition("\n")[0] + f"\n{more}", "utf-8")
    order = install_request({**OPTIONS, "profile": "own"})
    assert one
    assert order.shims
    assert order.shims.files["envsmith_shims/active.txt"].decode().split("\n") == [
        "shim torch-safe-globals torch.serialization pkg",
        "shim torchaudio-legacy-api torchaudio",
        "global pkg.Shape",
        "",
    ]
    assert one.version != order.shims.version


@pytest.mark.usefixtures("project")
def test_a_lock_without_its_profile_is_tried_with_torch_alone() -> None:
    assert profile_of("nowhere", is_needed=True) is None
    assert smoke_tests_of(None) == SmokeTests()
    assert shims_of(None) is None
