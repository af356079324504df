"""The batch file in cmd.exe, Wine's.

Wine 8's cmd expands percent signs and exclamation marks of values a second time, which Windows' own does not: they are
left out of paths and earlier values here, and stand in the profile's values only.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from envsmith.model.activation import CONSTRAINTS, Activation
from tests.shells.drivers import REQUIRED, wanted
from tests.shells.places import PROFILE, write_scripts
from tests.shells.test_hostile import CANARY, COUNT, values

SYSTEM = r"C:\windows;C:\windows\system32"
AT_ONCE = 250
# Wine now and then fails to start a program of ours when the machine is busy, as its cmd does for every `for /f`.
pytestmark = pytest.mark.flaky(reruns=2)


@pytest.fixture(scope="session")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Wine's own environment, with a fresh C: drive."""
    if shutil.which("wine") is None:
        if wanted():
            pytest.fail(f"wine is not installed, and {REQUIRED}=required asks for it")
        pytest.skip("wine is not installed")
    home = tmp_path_factory.mktemp("wine")
    env = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "WINEPREFIX": str(home / "drive"),
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "mscoree=;mshtml=",
        "LANG": "C.UTF-8",
    }
    subprocess.run(["wine", "cmd", "/c", "exit"], env=env, capture_output=True, timeout=600, check=False)
    yield env
    shutil.rmtree(home, ignore_errors=True)  # a drive has 700 MB


class Cmd:
    """A project, and batch files in it."""

    def __init__(self, folder: Path, wine: dict[str, str], activation: Activation = PROFILE) -> None:
        self.folder, self.wine = folder, wine
        (folder / ".venv" / "Scripts").mkdir(parents=True)
        (folder / ".venv" / "pyvenv.cfg").write_text("")
        (folder / "other" / "Scripts").mkdir(parents=True)
        (folder / "other" / "pyvenv.cfg").write_text("")
        write_scripts(folder, activation, folder="cu128")

    def path(self, name: str) -> str:
        """Return a path in the project as Windows has it."""
        return "Z:" + str(self.folder / name).replace("/", "\\")

    def run(self, *lines: str) -> str:
        """Run lines as a batch file."""
        (self.folder / "steps.bat").write_bytes(("\r\n".join(["@echo off", *lines]) + "\r\n").encode())
        done = subprocess.run(
            ["wine", "cmd", "/c", "steps.bat"],
            cwd=self.folder,
            env=self.wine,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=600,
            check=False,
        )
        return done.stdout.decode("utf-8", "replace") + done.stderr.decode("utf-8", "replace")

    def variables(self, label: str) -> dict[str, str]:
        """Return what `set` wrote under a label."""
        text = (self.folder / f"{label}.txt").read_bytes().decode("utf-8", "replace")
        return dict(re.findall(r"^([^=\r\n]+)=(.*?)\r?$", text, re.MULTILINE))


ACTIVATE = r"call lockfiles\cu128\activate.bat"
LEAVE = r"call lockfiles\cu128\activate.bat deactivate"


@pytest.fixture
def cmd(tmp_path: Path, wine: dict[str, str]) -> Cmd:
    """A project to activate."""
    return Cmd(tmp_path / "a project", wine)


def there_and_back(
    cmd: Cmd, *before: str, path: str = SYSTEM, meanwhile: tuple[str, ...] = ()
) -> dict[str, str]:
    """Activate and leave; return the variables inside, and hold those after against those before."""
    cmd.run(
        f'set "PATH={path}"',
        *before,
        "set > before.txt",
        ACTIVATE,
        "set > inside.txt",
        *meanwhile,
        LEAVE,
        "set > after.txt",
    )
    if not meanwhile:
        assert cmd.variables("after") == cmd.variables("before")
    return cmd.variables("inside")


def test_case_b(cmd: Cmd) -> None:
    """The environment's own torch\\lib on PATH: gone while active, back afterwards."""
    guilty = cmd.path(".venv\\Lib\\site-packages\\torch\\lib")
    inside = there_and_back(cmd, path=f"{guilty};{SYSTEM}")
    assert inside["PATH"] == f"{cmd.path('.venv')}\\Scripts;{SYSTEM}"


@pytest.mark.parametrize(
    ("before", "inside"),
    [
        (SYSTEM, SYSTEM),
        (r"C:\x\LIB\Site-Packages\torch\lib;" + SYSTEM, SYSTEM),
        (r"C:/x/site-packages/nvidia;" + SYSTEM, SYSTEM),
        (r"relative\bin;" + SYSTEM, SYSTEM),
        (SYSTEM + r";c:\WINDOWS", SYSTEM),
        (r"C:\windows;;C:\windows\system32", SYSTEM),
        (r"C:\Program Files (x86)\a, b\it's;" + SYSTEM, r"C:\Program Files (x86)\a, b\it's;" + SYSTEM),
        (r"\\server\share\bin;" + SYSTEM, r"\\server\share\bin;" + SYSTEM),
        (";".join(rf"C:\p{number}" for number in range(200)) + ";" + SYSTEM,) * 2,
    ],
    ids=["plain", "packages", "slashes", "relative", "twice", "empty", "spaces", "share", "200"],
)
def test_path(cmd: Cmd, before: str, inside: str) -> None:
    assert there_and_back(cmd, path=before)["PATH"] == f"{cmd.path('.venv')}\\Scripts;{inside}"


def test_another_environments_programs(cmd: Cmd) -> None:
    inside = there_and_back(cmd, path=f"{cmd.path('other')}\\Scripts;{SYSTEM}")
    assert inside["PATH"] == f"{cmd.path('.venv')}\\Scripts;{SYSTEM}"


def test_variables_are_set_unset_and_put_back(cmd: Cmd) -> None:
    inside = there_and_back(
        cmd, "set GREETING=was", "set PYTHONPATH=x y", "set PYTHONHOME=z", "set CONDA_PREFIX=c"
    )
    assert not {"PYTHONPATH", "PYTHONHOME", "CONDA_PREFIX"} & set(inside)
    assert inside["GREETING"] == PROFILE.env["GREETING"]
    assert (inside["CUDA_VISIBLE_DEVICES"], inside["VIRTUAL_ENV"]) == ("0", cmd.path(".venv"))
    assert inside["PROMPT"].startswith("(cu128) ")


def test_what_the_user_does_meanwhile_stays(cmd: Cmd) -> None:
    other = f"{cmd.path('other')}\\Scripts"
    meanwhile = ('set "PATH=C:\\first;%PATH%;C:\\last"', "set GREETING=mine", "set PYTHONPATH=new")
    there_and_back(cmd, path=f"{other};{SYSTEM}", meanwhile=meanwhile)
    after = cmd.variables("after")
    assert after["PATH"] == rf"C:\first;{other};{SYSTEM};C:\last"
    assert (after["GREETING"], after["PYTHONPATH"]) == ("mine", "new")
    assert not [name for name in after if "ENVSMITH" in name]


def test_twice_and_from_a_batch_file_of_the_environment(cmd: Cmd) -> None:
    there_and_back(cmd, meanwhile=(ACTIVATE,))
    assert cmd.variables("after") == cmd.variables("before")


def test_the_guard(tmp_path: Path, wine: dict[str, str]) -> None:
    cmd = Cmd(tmp_path / "project", wine)
    (cmd.folder / ".venv" / CONSTRAINTS).write_text("")
    inside = there_and_back(cmd, "set PIP_CONSTRAINT=mine.txt")
    assert inside["PIP_CONSTRAINT"] == inside["UV_CONSTRAINT"] == f"{cmd.path('.venv')}\\{CONSTRAINTS}"


def test_no_environment(cmd: Cmd) -> None:
    shutil.rmtree(cmd.folder / ".venv")
    said = cmd.run("set > before.txt", ACTIVATE, "echo status %ERRORLEVEL%", "set > after.txt")
    assert "there is no environment at" in said
    assert "status 1" in said
    assert cmd.variables("after") == cmd.variables("before")


def test_a_quiet_session_says_nothing(cmd: Cmd) -> None:
    said = cmd.run(rf'set "PATH=C:\x\site-packages;{SYSTEM}"', "set ENVSMITH_QUIET=1", ACTIVATE)
    assert "taken out" not in said
    assert "taken out" in cmd.run(rf'set "PATH=C:\x\site-packages;{SYSTEM}"', ACTIVATE)


@pytest.mark.parametrize("start", range(0, COUNT, AT_ONCE))
def test_two_thousand_values_are_data(tmp_path: Path, wine: dict[str, str], start: int) -> None:
    batch = values(plain=True)[start : start + AT_ONCE]
    env = {f"V{place}": text for place, text in enumerate(batch)}
    cmd = Cmd(tmp_path / "p", wine, Activation(profile="".join(batch[5:9]), env=env))
    cmd.run(ACTIVATE, "set > inside.txt")
    inside = cmd.variables("inside")
    # An empty value unsets: cmd has no empty variables.
    wrong = {name: (text, inside.get(name, "")) for name, text in env.items() if inside.get(name, "") != text}
    assert len(env) == AT_ONCE
    assert not wrong
    assert not [path for path in cmd.folder.iterdir() if CANARY in path.name]


def test_what_cmd_cannot_write_is_left_out_and_named(tmp_path: Path, wine: dict[str, str]) -> None:
    cmd = Cmd(tmp_path / "p", wine, Activation(profile="p", env={"A": "two\nlines", "B": "é", "C": "plain"}))
    said = cmd.run(ACTIVATE, "set > inside.txt")
    assert "A is not set: cmd has no way to write a line break" in said
    assert "B is not set: cmd reads other characters than ASCII differently" in said
    assert {"A", "B"} & set(cmd.variables("inside")) == set()
    assert cmd.variables("inside")["C"] == "plain"
