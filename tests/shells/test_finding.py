"""How the scripts find their environment: through links, by a name given, and which they must not enter."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from envsmith.activate.model import CONSTRAINTS, GUARDS, LIBRARY_PATHS, MARK, UNSET, Activation
from tests.install.made import made
from tests.shells.drivers import DRIVERS, Driver, Session, plain_environment
from tests.shells.places import ENVSMITH, OTHER, PROFILE, made_project, write_scripts
from tests.shells.situations import Place
from tests.shells.wine import CMD, listed, session

EVERY = pytest.mark.parametrize("driver", DRIVERS, ids=lambda item: item.name, indirect=True)
EVERY_AND_CMD = pytest.mark.parametrize("driver", [*DRIVERS, CMD], ids=lambda item: item.name, indirect=True)
POSIX = pytest.mark.parametrize("driver", DRIVERS[:4], ids=lambda item: item.name, indirect=True)
REFUSED = "was built for the profile cpu, not cu128: run envsmith install cu128"
STATUS = {"fish": "echo status=$status", "tcsh": "echo status=$status", "cmd": "echo status=%ERRORLEVEL%"}


def steps_in(driver: Driver, place: Place, run: Path, **variables: str) -> Session:
    run.mkdir(exist_ok=True)
    path = driver.fill("{A}:{B}", {"A": "/usr/bin", "B": "/bin"})
    return session(driver, run, plain_environment(PATH=path, **variables), place.root)


def plain(said: str) -> str:
    """Return what was said as one line, without marks; Nushell breaks those of errors."""
    return " ".join(said.replace("  | ", " ").replace("`", "").split())


def script_of(profile: str, place: Place, driver: Driver) -> str:
    """Name a script as people do: for cmd from the project's folder."""
    script = Path("lockfiles", profile, driver.file)
    return driver.path(str(script if driver.name == CMD.name else place.root / script))


def prefix_by(driver: Driver, place: Place, run: Path, script: Path, **variables: str) -> str:
    """Return the environment that is entered by reading a script."""
    steps = steps_in(driver, place, run, **variables)
    steps.do("activate", str(script))
    steps.look("inside")
    steps.run()
    return steps.variables("inside")["VIRTUAL_ENV"]


def marked(place: Place, profile: str) -> None:
    (place.root / ".venv" / MARK).mkdir()
    (place.root / ".venv" / MARK / profile).touch()


@EVERY_AND_CMD
def test_an_environment_of_another_profile_is_not_entered(
    driver: Driver, around: Path, tmp_path: Path
) -> None:
    odd = {"cmd": "it's (id) & !a `x`", "xonsh": "it's [x]*? !a `x` ; &"}
    place = made_project(tmp_path / odd.get(driver.name, 'it\'s $(id) [x]*? !a `x` "q" ; &'), around)
    marked(place, "cpu")
    steps = steps_in(driver, place, tmp_path / "run")
    steps.look("before")
    steps.do("activate", script_of(PROFILE.profile, place, driver))
    if driver.name == "nu":  # reading a module that fails ends a script
        said = steps.run(status=1)
    else:
        steps.lines.append(STATUS.get(driver.name, "echo status=$?") if driver.name != "xonsh" else "")
        steps.look("after")
        said = steps.run(status=None)
        assert steps.variables("after") == steps.variables("before")
        assert steps.state("after") == steps.state("before")
        assert driver.name == "xonsh" or "status=1" in said
    assert REFUSED in plain(said)


@EVERY_AND_CMD
def test_a_session_stays_when_another_profiles_script_is_refused(
    driver: Driver, around: Path, tmp_path: Path
) -> None:
    place = made_project(tmp_path / "project", around)
    marked(place, PROFILE.profile)
    steps = steps_in(driver, place, tmp_path / "run", PYTHONPATH="/was")
    own, others = (script_of(name, place, driver) for name in (PROFILE.profile, OTHER.profile))
    steps.look("before")
    steps.do("activate", own)
    steps.look("inside")
    if driver.name == "nu":
        steps.lines.append(f"try {{ nu -n -c 'use {others} *' }}")
    else:
        steps.do("activate", others)
    steps.look("still")
    steps.do("deactivate", own)
    steps.look("after")
    steps.run(status=None)
    assert steps.variables("inside")["ENVSMITH_PROFILE"] == PROFILE.profile
    assert steps.variables("still") == steps.variables("inside")
    assert steps.variables("after") == steps.variables("before")


@EVERY_AND_CMD
def test_one_that_is_named_is_not_entered_either(driver: Driver, around: Path, tmp_path: Path) -> None:
    place = made_project(tmp_path / "project", around)
    marked(place, "cpu")
    elsewhere = (place.root / ".venv").rename(tmp_path / "else where")
    named = listed("{x}", {"x": str(elsewhere)}) if driver.name == CMD.name else str(elsewhere)
    steps = steps_in(driver, place, tmp_path / "run", ENVSMITH_PREFIX=named)
    steps.do("activate", script_of(PROFILE.profile, place, driver))
    assert REFUSED in plain(steps.run(status=None))


@EVERY
@pytest.mark.parametrize("kind", ["file", "programs", "folder", "program folder"])
def test_a_link_leads_to_the_project(driver: Driver, kind: str, around: Path, tmp_path: Path) -> None:
    place = made_project(tmp_path / "project", around)
    (tmp_path / ".venv" / "bin").mkdir(
        parents=True
    )  # what a script finds that looks from where the link lies
    script = ENVSMITH.script(place, driver)
    own = place.root / ".venv" / "bin" / driver.file
    own.write_bytes(script.read_bytes())
    links = tmp_path / "links" / "below"
    links.mkdir(parents=True)
    (links / f"enter.{driver.ending}").symlink_to(script if kind == "file" else own)
    (links / "folder").symlink_to(script.parent if kind == "folder" else own.parent)
    read = links / ("folder" if "folder" in kind else "") / driver.file
    if "folder" not in kind:
        read = links / f"enter.{driver.ending}"
    assert prefix_by(driver, place, tmp_path / "run", read) == f"{place.root}/.venv"


@EVERY
def test_a_linked_project_keeps_the_name_it_was_entered_by(
    driver: Driver, around: Path, tmp_path: Path
) -> None:
    place = made_project(tmp_path / "project", around)
    (tmp_path / "linked").symlink_to(place.root)
    found = prefix_by(
        driver, place, tmp_path / "run", tmp_path / "linked" / "lockfiles" / "cu128" / driver.file
    )
    assert Path(found).resolve() == place.root / ".venv"


@EVERY
def test_the_projects_own_link_is_entered_not_the_generation_behind_it(
    driver: Driver, around: Path, tmp_path: Path
) -> None:
    """What is current may change meanwhile; the session is then in what is current."""
    place = made_project(tmp_path / "project", around)
    generations = place.root / ".envsmith" / "g"
    generations.mkdir(parents=True)
    made = (place.root / ".venv").rename(generations / "cu128-0a1b2c")
    (place.root / ".venv").symlink_to(Path(".envsmith", "g", made.name))
    own = made / "bin" / driver.file
    own.write_bytes(ENVSMITH.script(place, driver).read_bytes())
    through = place.root / ".venv" / "bin" / driver.file
    assert prefix_by(driver, place, tmp_path / "run", through) == f"{place.root}/.venv"


@EVERY
@pytest.mark.parametrize(("named", "expected"), [("", "project/.venv"), ("other/env/", "other/env")])
def test_the_named_place_may_be_empty_or_end_in_a_slash(
    driver: Driver, named: str, expected: str, around: Path, tmp_path: Path
) -> None:
    place = made_project(tmp_path / "project", around)
    (tmp_path / "other" / "env" / "bin").mkdir(parents=True)
    value = f"{tmp_path}/{named}" if named else ""
    found = prefix_by(driver, place, tmp_path / "run", ENVSMITH.script(place, driver), ENVSMITH_PREFIX=value)
    assert found == f"{tmp_path}/{expected}"


@EVERY
def test_a_variable_that_is_empty_asks_for_nothing(driver: Driver, around: Path, tmp_path: Path) -> None:
    place = made_project(tmp_path / "project", around)
    steps = steps_in(driver, place, tmp_path / "run", ENVSMITH_QUIET="", PYTHONPATH="/x")
    steps.do("activate", str(ENVSMITH.script(place, driver)))
    assert "removed until" in steps.run()


OTHERS = {
    "fish": "function deactivate; set -gx LEFT yes; end",
    "tcsh": "alias deactivate 'setenv LEFT yes'",
    "xonsh": 'aliases["deactivate"] = lambda args: __xonsh__.env.__setitem__("LEFT", "yes")',
    "cmd": "set _OLD_VIRTUAL_PATH=x",
}
"""How another tool's `deactivate` comes to be there; Nushell's cannot be called by others."""


@pytest.mark.parametrize(
    "driver",
    [one for one in (*DRIVERS, CMD) if one.name != "nu"],
    ids=lambda item: item.name,
    indirect=True,
)
def test_another_tools_environment_is_left_as_it_says(driver: Driver, around: Path, tmp_path: Path) -> None:
    place = made_project(tmp_path / "project", around)
    other = tmp_path / "other" / "Scripts"
    other.mkdir(parents=True)
    (other / "deactivate.bat").write_text("@set LEFT=yes\r\n")
    active = driver.fill("{x}", {"x": str(other.parent), "A": "", "B": ""})
    steps = steps_in(driver, place, tmp_path / "run", VIRTUAL_ENV=active)
    steps.lines.append(OTHERS.get(driver.name, "deactivate () { export LEFT=yes; }"))
    steps.do("activate", script_of(PROFILE.profile, place, driver))
    steps.look("inside")
    steps.run()
    assert steps.variables("inside").get("LEFT") == "yes"


@POSIX
def test_a_cd_of_ones_own_is_not_used(driver: Driver, around: Path, tmp_path: Path) -> None:
    place = made_project(tmp_path / "project", around)
    steps = steps_in(driver, place, tmp_path / "run")
    steps.lines += ["cd () { echo elsewhere; return 1; }"]
    steps.do("activate", str(place.root / "lockfiles" / ".." / "lockfiles" / "cu128" / driver.file))
    steps.look("inside")
    steps.run()
    assert steps.variables("inside")["VIRTUAL_ENV"] == f"{place.root}/.venv"


@EVERY_AND_CMD
def test_what_the_profile_says_itself_goes_before_what_activating_does(
    driver: Driver, around: Path, tmp_path: Path
) -> None:
    own = {"PYTHONPATH": "/src", "LD_LIBRARY_PATH": "/mine", "PIP_CONSTRAINT": "/c", "CONDA_PREFIX": "/d"}
    place = made_project(tmp_path / "project", around, guard=True)
    write_scripts(place.root, Activation(profile="cu128", env=own, cuda_major=12), folder="cu128")
    before = {"PYTHONPATH": "/was", "LD_LIBRARY_PATH": "/x/site-packages/y:/z", "PIP_CONSTRAINT": "/p"}
    steps = steps_in(driver, place, tmp_path / "run", **before, PYTHONHOME="" if driver is CMD else "/home")
    if driver.name == "xonsh":
        del steps.env["PYTHONHOME"]
    script = script_of(PROFILE.profile, place, driver)
    steps.look("before")
    steps.do("activate", script)
    steps.look("inside")
    steps.do("deactivate", script)
    steps.look("after")
    steps.run()
    inside = steps.variables("inside")
    assert {name: inside[name] for name in own} == own
    assert "PYTHONHOME" not in inside
    assert inside["UV_CONSTRAINT"].endswith("envsmith-constraints.txt")
    assert steps.variables("after") == steps.variables("before")
    assert steps.state("after") == steps.state("before")


@EVERY_AND_CMD
def test_the_guard_works_in_a_path_with_a_space(driver: Driver, around: Path, tmp_path: Path) -> None:
    """pip and uv split their variables at white space; a URL has none. cmd leaves the guard out at % and #.

    Wine 8's cmd expands the %2 of %20 again, which Windows' own does not: only the rest of its URL is compared.
    """
    place = made_project(
        tmp_path / ("a  project" if driver.name == CMD.name else "a  pro%20ject #1?가"), around, guard=True
    )
    constraints = place.root / ".venv" / CONSTRAINTS
    constraints.write_text("demo==1.0\n")
    steps = steps_in(driver, place, tmp_path / "run")
    steps.do("activate", script_of(PROFILE.profile, place, driver))
    steps.look("inside")
    steps.run()
    inside = steps.variables("inside")
    guard = {name: inside[name] for name in GUARDS}
    if driver.name == CMD.name:
        assert set(guard.values()) == {f"file:///Z:{constraints}".replace(" ", "0")}
        return
    for version in ("1.0", "2.0"):
        wheel = made("demo", version)
        (tmp_path / wheel.filename).write_bytes(wheel.body)
    index = ["--no-index", "--find-links", str(tmp_path)]

    def said(*words: str) -> str:
        done = subprocess.run(
            words, input="demo", env={**os.environ, **guard}, capture_output=True, text=True, check=True
        )
        return done.stdout

    pip = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", *index, "demo"]
    assert "Would install demo-1.0" in said(*pip)
    uv = [str(Path(sys.executable).parent / "uv"), "--no-config", "pip", "compile", *index, "-"]
    assert "demo==1.0" in said(*uv)


@pytest.mark.parametrize("name", ["a project", "project"])
@pytest.mark.parametrize("given", ["script of MSYS", "script of Windows", "environment of Windows"])
def test_git_bash(around: Path, tmp_path: Path, name: str, given: str) -> None:
    """Simulated by this machine's bash: OSTYPE, a `cygpath` that knows C: alone, a file whose name begins with C:.

    MSYS itself hands paths such as /c/x to programs of Windows as C:/x, but no path within a URL.
    """
    place = made_project(tmp_path / "c" / name, around, guard=True)
    (place.root / ".venv" / "bin").rmdir()
    cygpath = tmp_path / "own" / "cygpath"
    cygpath.parent.mkdir()
    cygpath.write_text(
        f"""#!/bin/sh
case $1 in
    -u) printf '%s\\n' "$3" | sed -e 's:\\\\:/:g' -e 's,^C:,{tmp_path}/c,' ;;
    -m) printf '%s\\n' "$3" | sed 's,^{tmp_path}/c,C:,' ;;
esac
"""
    )
    cygpath.chmod(0o755)
    (bash,) = (one for one in DRIVERS if one.name == "bash")
    steps = steps_in(bash, place, tmp_path / "run", OSTYPE="msys")
    steps.env["PATH"] = f"{cygpath.parent}:/usr/bin:/bin"
    script = str(place.root / "lockfiles" / PROFILE.profile / bash.file)
    if given == "script of Windows":
        named = f"C:\\{name}\\lockfiles\\{PROFILE.profile}\\{bash.file}"
        script = str(Path(script).rename(steps.folder / named).name)
    elif given == "environment of Windows":
        steps.env["ENVSMITH_PREFIX"] = f"C:\\{name}\\.venv"
    steps.do("activate", script)
    steps.look("inside")
    steps.run()
    inside = steps.variables("inside")
    assert inside["VIRTUAL_ENV"] == f"{place.root}/.venv"
    assert inside["PATH"] == f"{place.root}/.venv/Scripts:{cygpath.parent}:/usr/bin:/bin"
    url = f"file:///C:/a%20project/.venv/{CONSTRAINTS}"
    assert inside["PIP_CONSTRAINT"] == (url if " " in name else f"{place.root}/.venv/{CONSTRAINTS}")


@EVERY_AND_CMD
def test_a_profile_may_say_all_itself(driver: Driver, around: Path, tmp_path: Path) -> None:
    """Then a list in its script is empty."""
    own = {
        name: "/own"
        for name in (*LIBRARY_PATHS, *UNSET, *GUARDS)
        if name != "PYTHONHOME" or driver.name != "xonsh"
    }
    place = made_project(tmp_path / "project", around, guard=True)
    write_scripts(place.root, Activation(profile="cu128", env=own, cuda_major=12), folder="cu128")
    steps = steps_in(driver, place, tmp_path / "run")
    script = script_of(PROFILE.profile, place, driver)
    steps.look("before")
    steps.do("activate", script)
    steps.look("inside")
    steps.do("deactivate", script)
    steps.look("after")
    assert "rror" not in steps.run()
    inside = steps.variables("inside")
    assert {name: inside[name] for name in own} == own
    assert steps.variables("after") == steps.variables("before")


@pytest.mark.parametrize(
    "driver", [one for one in DRIVERS if one.name != "dash"], ids=lambda item: item.name, indirect=True
)
def test_a_session_without_a_path_has_one_inside(driver: Driver, around: Path, tmp_path: Path) -> None:
    """In dash, a program says which file is read: that one needs a PATH. In xonsh, its own default is there after."""
    place = made_project(tmp_path / "project", around)
    steps = steps_in(driver, place, tmp_path / "run")
    steps.do("unset", "PATH")
    steps.look("before")
    steps.do("activate", str(ENVSMITH.script(place, driver)))
    steps.look("inside")
    steps.do("deactivate")
    steps.look("after")
    steps.run()
    assert steps.variables("inside")["PATH"].startswith(f"{place.root}/.venv/bin")
    after = steps.variables("after").get("PATH", "")
    assert ":/bin" in after if driver.name == "xonsh" else after == steps.variables("before").get("PATH", "")
