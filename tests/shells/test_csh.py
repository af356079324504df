"""Peculiarities of csh, which does not expose the file that it reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.activate.model import MARK
from tests.shells.drivers import DRIVERS, Driver, Session, plain_environment
from tests.shells.places import ENVSMITH, made_project

CSH = pytest.mark.parametrize(
    "driver", [one for one in DRIVERS if one.name == "tcsh"], ids=["tcsh"], indirect=True
)


def steps_in(driver: Driver, run: Path, **variables: str) -> Session:
    run.mkdir()
    return Session(driver=driver, folder=run, env=plain_environment(**{"PATH": "/usr/bin:/bin", **variables}))


@CSH
def test_a_find_of_ones_own_is_not_used(driver: Driver, around: Path, tmp_path: Path) -> None:
    """It is asked for where the script lies at no usual place, also where PATH does not have it."""
    place = made_project(tmp_path / "project", around)
    steps = steps_in(driver, tmp_path / "run")
    steps.lines.append("alias find 'echo elsewhere'")
    steps.do("set", "PATH", "/only")
    steps.do("activate", str(ENVSMITH.script(place, driver)))
    steps.look("inside")
    steps.do("deactivate")
    steps.look("after")
    steps.run()
    assert steps.variables("inside")["VIRTUAL_ENV"] == f"{place.root}/.venv"
    assert steps.variables("after")["PATH"] == "/only"


@CSH
@pytest.mark.parametrize("made_by_install", [True, False])
def test_what_could_not_be_left_is_not_entered(
    driver: Driver, made_by_install: bool, around: Path, tmp_path: Path
) -> None:
    """`deactivate` reads the script again: what comes through no file cannot be found, but an environment's own is."""
    place = made_project(tmp_path / "project", around)
    script = ENVSMITH.script(place, driver)
    if made_by_install:
        (place.root / ".venv" / MARK).mkdir()
        (place.root / ".venv" / MARK / "cu128").touch()
        (place.root / ".venv" / "bin" / driver.file).write_bytes(script.read_bytes())
    steps = steps_in(driver, tmp_path / "run", ENVSMITH_PREFIX=str(place.root / ".venv"))
    (tmp_path / "run" / "renamed.csh").write_bytes(script.read_bytes())
    steps.look("before")
    steps.do("activate", "renamed.csh")
    steps.look("inside")
    if made_by_install:
        steps.do("deactivate")
    steps.look("after")
    said = steps.run(status=None)
    assert ("cannot find the location of this file" in said) is not made_by_install
    assert ("VIRTUAL_ENV" in steps.variables("inside")) is made_by_install
    assert steps.variables("after") == steps.variables("before")


@CSH
def test_a_backslash_before_a_line_break_stays_in_path(driver: Driver, around: Path, tmp_path: Path) -> None:
    """`"${name:q}"` would lose it."""
    place = made_project(tmp_path / "project", around)
    path = "/x\\\ny:/site-packages/z:/usr/bin:/bin"
    steps = steps_in(driver, tmp_path / "run", PATH=path)
    steps.look("before")
    steps.do("activate", str(ENVSMITH.script(place, driver)))
    steps.look("inside")
    steps.do("deactivate")
    steps.look("after")
    steps.run()
    assert steps.variables("inside")["PATH"] == f"{place.root}/.venv/bin:/x\\\ny:/usr/bin:/bin"
    assert steps.variables("after") == steps.variables("before")
