"""What is the batch file's own, in cmd.exe, Wine's; the situations of every shell are in `test_situations`.

Wine 8's cmd expands percent signs and exclamation marks of values a second time, which Windows' own does not: they are
left out of paths and of values that are put back here. So is a `=` at the beginning of an
earlier value, which the batch file loses, as the guide says.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from envsmith.activate.model import Activation
from tests.shells.places import PROFILE, made_project, write_scripts
from tests.shells.test_hostile import CANARY, COUNT, values
from tests.shells.wine import CMD, CmdSession, windows

SYSTEM = r"C:\windows;C:\windows\system32"
SCRIPT = r"lockfiles\cu128\activate.bat"
AT_ONCE = 100
RESTORED = int(os.environ.get("ENVSMITH_TEST_CMD_RESTORED", "50"))
"""How many values are put back, too: cmd starts two programs for each. 2000 is the whole."""


@pytest.fixture
def steps(tmp_path: Path, around: Path, wine: dict[str, str]) -> CmdSession:
    """A session in a project."""
    return session_in(tmp_path / "a project", around, wine)


def session_in(root: Path, around: Path, wine: dict[str, str]) -> CmdSession:
    place = made_project(root, around)
    run = root.parent / "run"
    run.mkdir(exist_ok=True)
    return CmdSession(driver=replace(CMD, base=wine), folder=run, env={"PATH": SYSTEM}, at=place.root)


def there_and_back(steps: CmdSession) -> dict[str, str]:
    """Activate and leave; return the variables inside, and hold those after against those before."""
    steps.look("before")
    steps.do("activate", SCRIPT)
    steps.look("inside")
    steps.do("deactivate", SCRIPT)
    steps.look("after")
    steps.run()
    assert steps.variables("after") == steps.variables("before")
    return steps.variables("inside")


def programs(steps: CmdSession) -> str:
    return windows(f"{steps.at}/.venv/Scripts")


def test_variables_of_others_that_are_named_alike_stay(steps: CmdSession) -> None:
    """Elasticsearch's begin with ES, and cmd knows no capitals."""
    steps.env |= {"ES_PATH": "mine", "ES_BIN": "mine", "ES_PREFIX": "mine"}
    inside = there_and_back(steps)
    assert [inside[name] for name in ("ES_PATH", "ES_BIN", "ES_PREFIX")] == ["mine"] * 3


def test_case_b(steps: CmdSession) -> None:
    """The environment's own torch\\lib on PATH: gone while active, back afterwards."""
    guilty = windows(f"{steps.at}/.venv/Lib/site-packages/torch/lib")
    steps.env["PATH"] = f"{guilty};{SYSTEM}"
    assert there_and_back(steps)["PATH"] == f"{programs(steps)};{SYSTEM}"


@pytest.mark.parametrize(
    ("before", "inside"),
    [
        (r"C:\x\LIB\Site-Packages\torch\lib;" + SYSTEM, SYSTEM),
        (r"C:/x/site-packages/nvidia;" + SYSTEM, SYSTEM),
        (SYSTEM + r";c:\WINDOWS", SYSTEM),
        (r"C:\Program Files (x86)\a, b\it's;" + SYSTEM, r"C:\Program Files (x86)\a, b\it's;" + SYSTEM),
        (r"\\server\share\bin;" + SYSTEM, r"\\server\share\bin;" + SYSTEM),
    ],
    ids=["packages", "slashes", "twice", "spaces", "share"],
)
def test_path(steps: CmdSession, before: str, inside: str) -> None:
    steps.env["PATH"] = before
    assert there_and_back(steps)["PATH"] == f"{programs(steps)};{inside}"


@pytest.mark.parametrize("meanwhile", ["", "{programs}"])
def test_a_path_that_is_emptied_meanwhile_stays_so(steps: CmdSession, meanwhile: str) -> None:
    steps.do("activate", SCRIPT)
    steps.do("set", "PATH", meanwhile.format(programs=programs(steps)))
    steps.do("deactivate", SCRIPT)
    steps.look("after")
    steps.run()
    assert "PATH" not in {name.upper() for name in steps.variables("after")}


def test_its_own_programs_on_the_path_before_are_back_after_a_change(steps: CmdSession) -> None:
    first, second = SYSTEM.split(";")
    own = programs(steps)
    steps.env["PATH"] = rf"{first};{own};{second};Z:\x\site-packages"
    steps.do("activate", SCRIPT)
    steps.do("set", "PATH", rf"Z:\new;{own};{SYSTEM}")
    steps.do("deactivate", SCRIPT)
    steps.look("after")
    steps.run()
    assert steps.variables("after")["PATH"] == rf"Z:\new;{first};{own};{second};Z:\x\site-packages"


def test_the_prompt(steps: CmdSession) -> None:
    assert there_and_back(steps)["PROMPT"].startswith("(cu128) ")
    steps.lines.clear()
    steps.env["VIRTUAL_ENV_DISABLE_PROMPT"] = "1"
    assert "cu128" not in there_and_back(steps).get("PROMPT", "")


def test_no_environment(steps: CmdSession) -> None:
    assert steps.at is not None
    (steps.at / ".venv").rename(steps.at / "elsewhere")
    steps.look("before")
    steps.do("activate", SCRIPT)
    steps.lines.append("echo status %ERRORLEVEL%")
    steps.look("after")
    said = steps.run(status=None)
    assert "no environment at" in said
    assert "status 1" in said
    assert steps.variables("after") == steps.variables("before")


def test_a_folder_that_cannot_be_on_path(tmp_path: Path, around: Path, wine: dict[str, str]) -> None:
    steps = session_in(tmp_path / "a;b", around, wine)
    steps.do("activate", SCRIPT)
    assert "cannot be on PATH: it contains a semicolon" in steps.run(status=1)


def test_letters_of_other_scripts(tmp_path: Path, around: Path, wine: dict[str, str]) -> None:
    """Wine's `set` writes them as question marks, so the programs are asked."""
    steps = session_in(tmp_path / "проект-项目-é", around, wine)
    assert steps.at is not None
    (steps.at / ".venv" / "Scripts" / "hello.bat").write_text("@echo it is found\r\n")
    steps.do("activate", SCRIPT)
    steps.lines.append("call hello")
    assert "it is found" in steps.run()


def test_one_line_names_what_is_taken_out(steps: CmdSession) -> None:
    steps.env["PATH"] = rf"C:\x\site-packages;{SYSTEM}"
    steps.do("activate", SCRIPT)
    said = steps.run()
    assert [line for line in said.splitlines() if "removed until" in line and r"C:\x\site-packages" in line]
    steps.lines.clear()
    steps.env["ENVSMITH_QUIET"] = "1"
    steps.do("activate", SCRIPT)
    assert "removed until" not in steps.run()


def profile_of(batch: list[str]) -> Activation:
    return Activation(
        profile="".join(batch[5:9]), env={f"V{place}": text for place, text in enumerate(batch)}
    )


def changed(found: dict[str, str], expected: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Return what differs. An empty value unsets: cmd has no empty variables."""
    return {
        name: (text, found.get(name, "")) for name, text in expected.items() if found.get(name, "") != text
    }


@pytest.mark.parametrize("start", range(0, COUNT, AT_ONCE))
def test_two_thousand_values_are_data(steps: CmdSession, start: int) -> None:
    assert steps.at is not None
    activation = profile_of(list(values(plain=True)[start : start + AT_ONCE]))
    write_scripts(steps.at, activation, folder=PROFILE.profile)
    steps.do("activate", SCRIPT)
    steps.look("inside")
    steps.run()
    assert len(activation.env) == AT_ONCE
    assert changed(steps.variables("inside"), dict(activation.env)) == {}
    assert not [path for path in (*steps.at.iterdir(), *steps.folder.iterdir()) if CANARY in path.name]


@pytest.mark.parametrize("start", range(0, RESTORED, 50))
def test_values_are_put_back(steps: CmdSession, start: int) -> None:
    assert steps.at is not None
    every = [text.replace("%", "").replace("!", "") for text in values(plain=True)]
    batch = every[start : start + 50]
    write_scripts(steps.at, profile_of(batch), folder=PROFILE.profile)
    earlier = [every[(start + 1000 + place) % len(every)] for place in range(len(batch))]
    before = {f"V{place}": text.lstrip("=") for place, text in enumerate(earlier)}
    steps.env |= {name: text for name, text in before.items() if text}
    inside = there_and_back(steps)
    assert changed(steps.variables("before"), before) == {}
    assert changed(inside, {f"V{place}": text for place, text in enumerate(batch)}) == {}
    assert not [path for path in (*steps.at.iterdir(), *steps.folder.iterdir()) if CANARY in path.name]


def test_what_cmd_cannot_write_is_left_out_and_named(steps: CmdSession) -> None:
    assert steps.at is not None
    write_scripts(
        steps.at, Activation(profile="p", env={"A": "two\nlines", "B": "é", "C": "plain"}), folder="cu128"
    )
    steps.do("activate", SCRIPT)
    steps.look("inside")
    said = steps.run()
    inside = steps.variables("inside")
    assert "A is not set: cmd cannot set a value with a line break" in said
    assert "B is not set: cmd reads characters beyond ASCII" in said
    assert {"A", "B"} & set(inside) == set()
    assert inside["C"] == "plain"
