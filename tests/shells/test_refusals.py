"""What the scripts say where they cannot do what they are for, what they keep to themselves, and what they show."""

from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.activate.model import Activation
from tests.shells.drivers import DRIVERS, Driver, Session, plain_environment
from tests.shells.places import ENVSMITH, made_project, write_scripts
from tests.shells.situations import executed

EVERY = pytest.mark.parametrize("driver", DRIVERS, ids=lambda item: item.name, indirect=True)
PROMPTS = {
    "bash": ("PS1='> '", 'printf "%s\\n" "<$PS1>"'),
    "zsh": ("PS1='> '", 'print -r "<$PS1>"'),
    "dash": ("PS1='> '", 'echo "<$PS1>"'),
    "ksh": ("PS1='> '", 'echo "<$PS1>"'),
    "tcsh": ("set prompt = '> '", 'echo "<${prompt:q}>"'),
    "nu": ("$env.PROMPT_COMMAND = {|| '> '}", "print $'<(do $env.PROMPT_COMMAND)>'"),
}
"""How a prompt is set and shown; fish and xonsh show theirs to terminals alone."""


def steps_in(driver: Driver, run: Path, **variables: str) -> Session:
    run.mkdir(exist_ok=True)
    return Session(driver=driver, folder=run, env=plain_environment(PATH="/usr/bin:/bin", **variables))


@EVERY
def test_executed_it_says_how_to_use_it(driver: Driver, around: Path, tmp_path: Path) -> None:
    place = made_project(tmp_path / "a project", around)
    assert executed(driver, ENVSMITH, place) == []


@EVERY
def test_without_an_environment_it_says_who_makes_one(driver: Driver, around: Path, tmp_path: Path) -> None:
    place = made_project(tmp_path / "project", around)
    (place.root / ".venv").rename(place.root / "elsewhere")
    steps = steps_in(driver, tmp_path / "run")
    steps.look("before")
    steps.do("activate", str(ENVSMITH.script(place, driver)))
    if driver.name == "nu":  # reading a module that fails ends a script
        said = steps.run(status=1)
    else:
        steps.look("after")
        said = steps.run()
        assert steps.variables("after") == steps.variables("before")
        assert steps.state("after") == steps.state("before")
    assert "no environment at" in said
    assert "envsmith install cu128" in said


@EVERY
def test_another_place_can_be_named(driver: Driver, around: Path, tmp_path: Path) -> None:
    place = made_project(tmp_path / "project", around)
    elsewhere = tmp_path / "else where"
    (place.root / ".venv").rename(elsewhere)
    steps = steps_in(driver, tmp_path / "run", ENVSMITH_PREFIX=str(elsewhere))
    steps.do("activate", str(ENVSMITH.script(place, driver)))
    steps.look("inside")
    steps.run()
    inside = steps.variables("inside")
    assert (inside["VIRTUAL_ENV"], inside["PATH"]) == (str(elsewhere), f"{elsewhere}/bin:/usr/bin:/bin")


@EVERY
def test_the_script_of_an_environment_finds_it(driver: Driver, around: Path, tmp_path: Path) -> None:
    """As `install` puts it there, and after the project was moved."""
    place = made_project(tmp_path / "before", around)
    script = place.root / ".venv" / "bin" / driver.file
    script.write_bytes(ENVSMITH.script(place, driver).read_bytes())
    moved = place.root.rename(tmp_path / "moved")
    steps = steps_in(driver, tmp_path / "run")
    steps.do("activate", str(moved / ".venv" / "bin" / driver.file))
    steps.look("inside")
    steps.run()
    assert steps.variables("inside")["PATH"] == f"{moved}/.venv/bin:/usr/bin:/bin"


@EVERY
def test_one_line_names_what_is_taken_out(driver: Driver, around: Path, tmp_path: Path) -> None:
    place = made_project(tmp_path / "project", around)
    path = f"/x/site-packages/torch/lib:/usr/bin:\x1b[31m/red/site-packages:/bin:{around}/other/bin"
    steps = steps_in(driver, tmp_path / "run", CONDA_PREFIX="/c")
    steps.env["PATH"] = path
    steps.do("activate", str(ENVSMITH.script(place, driver)))
    said = steps.run()
    (line,) = (line for line in said.splitlines() if line.startswith("envsmith: "))
    assert "/x/site-packages/torch/lib" in line
    assert f"{around}/other/bin" in line
    assert "CONDA_PREFIX" in line
    assert "\x1b" not in line
    steps.env["ENVSMITH_QUIET"] = "1"
    assert steps.run() == ""


@pytest.mark.parametrize(
    "driver", [one for one in DRIVERS if one.name in PROMPTS], ids=lambda item: item.name, indirect=True
)
@pytest.mark.parametrize("disabled", ["", "1"])
def test_the_prompt(driver: Driver, disabled: str, around: Path, tmp_path: Path) -> None:
    place = made_project(tmp_path / "project", around)
    write_scripts(place.root, Activation(profile="cu128"), folder="cu128")
    steps = steps_in(driver, tmp_path / "run")
    if disabled:
        steps.env["VIRTUAL_ENV_DISABLE_PROMPT"] = disabled
    prompt, show = PROMPTS[driver.name]
    script = str(ENVSMITH.script(place, driver))
    steps.lines.append(prompt)
    steps.do("activate", script)
    steps.lines.append(show)
    steps.do("deactivate")
    steps.lines.append(show)
    said = [line.strip() for line in steps.run().splitlines() if line.strip().startswith("<")]
    assert said == ["<> >" if disabled else "<(cu128) > >", "<> >"]
