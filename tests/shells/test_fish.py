"""What is fish's own: variables that all its sessions have, in the user's configuration."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.shells.drivers import DRIVERS, Driver, Session, plain_environment
from tests.shells.places import ENVSMITH, made_project

FISH = pytest.mark.parametrize(
    "driver", [one for one in DRIVERS if one.name == "fish"], ids=["fish"], indirect=True
)
UNIVERSAL = {
    "PYTHONPATH": "/was",
    "CONDA_PREFIX": "/opt/conda",
    "LD_LIBRARY_PATH": "/x/site-packages/nvidia/lib",
    "CUDA_VISIBLE_DEVICES": "3",
}


@pytest.fixture
def steps(driver: Driver, tmp_path: Path) -> Session:
    """A session with variables of `set -Ux`; they need a configuration, which `--no-config` shuts out."""
    run = tmp_path / "run"
    run.mkdir()
    env = plain_environment(PATH="/usr/bin:/bin", HOME=str(run), XDG_CONFIG_HOME=str(run / "config"))
    made = Session(driver=replace(driver, words=("fish",)), folder=run, env=env)
    made.lines += [f"set -Ux {name} {value}" for name, value in UNIVERSAL.items()]
    return made


@FISH
def test_they_are_empty_inside_and_there_again_after(steps: Session, around: Path, tmp_path: Path) -> None:
    place = made_project(tmp_path / "project", around)
    steps.look("before")
    steps.do("activate", str(ENVSMITH.script(place, steps.driver)))
    steps.look("inside")
    steps.do("deactivate")
    steps.look("after")
    steps.run()
    assert UNIVERSAL.items() <= steps.variables("before").items()
    inside = steps.variables("inside")
    assert {name: inside.get(name) for name in UNIVERSAL} == {
        "PYTHONPATH": "",
        "CONDA_PREFIX": "",
        "LD_LIBRARY_PATH": "",
        "CUDA_VISIBLE_DEVICES": "0",
    }
    assert steps.variables("after") == steps.variables("before")
    assert steps.state("after") == steps.state("before")


@FISH
def test_one_that_is_set_meanwhile_stays(steps: Session, around: Path, tmp_path: Path) -> None:
    place = made_project(tmp_path / "project", around)
    steps.do("activate", str(ENVSMITH.script(place, steps.driver)))
    steps.do("set", "PYTHONPATH", "/new")
    steps.do("deactivate")
    steps.look("after")
    steps.run()
    assert steps.variables("after")["PYTHONPATH"] == "/new"
