"""Without a profile's name the machine decides, and the interpreter that is asked for."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from envsmith.errors import HostError, LockError
from envsmith.host.current import this_python
from envsmith.select.select import choose

COMMITTED = Path(__file__).parents[2] / "lockfiles"


@pytest.fixture
def locks(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Locks of a project, on a machine with an RTX 5080."""
    monkeypatch.setenv("ENVSMITH_OVERRIDE_CUDA_DRIVER", "580.65.06")
    monkeypatch.setenv("ENVSMITH_OVERRIDE_COMPUTE_CAPABILITY", "12.0")
    folder = project / "lockfiles"
    for name in ("cu130", "cu128", "cpu-minimal"):
        shutil.copytree(COMMITTED / name, folder / name)
    return folder


@pytest.mark.parametrize(
    ("python", "profile"),
    [("3.13", "cu130"), ("3.12.1", "cu130"), ("python3.12", "cu130"), ("cp311", "cu128"), ("3.11", "cu128")],
)
@pytest.mark.skipif(sys.platform == "darwin", reason="no CUDA lock is for a Mac")
def test_the_python_asked_for_decides_with_the_machine(locks: Path, python: str, profile: str) -> None:
    choice = choose(locks, python)
    assert choice.best.profile == profile
    assert str(choice.python) in python.replace("cp311", "3.11")


def test_an_interpreter_is_asked_for_its_version(locks: Path) -> None:
    assert choose(locks, sys.executable).python == this_python()


def test_where_our_own_python_has_no_lock_the_newest_that_has(locks: Path) -> None:
    for place in locks.glob("*/manifest.toml"):
        text = place.read_text("utf-8").replace(f"targets.{this_python().tag}-", "targets.cp399-")
        place.write_text(text, "utf-8")
    assert str(choose(locks, "").python) == "3.99"
    with pytest.raises(HostError) as caught:
        choose(locks, str(this_python()))
    assert caught.value.code == "HST010"
    assert "the lock is for cp" in str(caught.value.details)


def test_a_malformed_manifest_is_named(locks: Path) -> None:
    (locks / "cu128" / "manifest.toml").write_text("x", "utf-8")
    with pytest.raises(LockError, match="cu128"):
        choose(locks, "")
