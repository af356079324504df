from __future__ import annotations

import sys
from pathlib import Path

import pytest

from envsmith.environment.interpreter import VerifyingProbe
from envsmith.environment.prefix import interpreter_path
from envsmith.process.runner import Processes
from tests.systems import posix_only


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    return tmp_path


def ran(prefix: Path, order: str, timeout_s: float = 60.0, **env: str) -> str:
    return VerifyingProbe(processes=Processes()).runs(prefix, order, env, timeout_s).error


def test_a_command_that_ends_well(prefix: Path) -> None:
    assert ran(prefix, "python -c 'import sys; sys.exit(0)'") == ""


def test_the_environment_comes_first_and_pythonpath_is_out(
    prefix: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    script = "import os; raise SystemExit(os.environ['PATH'].split(os.pathsep)[0] + str('PYTHONPATH' in os.environ))"
    assert ran(prefix, f'python -c "{script}"') == f"status 1: {interpreter_path(prefix).parent}False"


def test_the_profiles_variables_are_set(prefix: Path) -> None:
    assert (
        ran(prefix, "python -c 'import os; raise SystemExit(os.environ[\"A\"])'", A="b c") == "status 1: b c"
    )


@pytest.mark.parametrize(
    ("order", "told"),
    [
        ("python -c 'raise ValueError(5)'", "status 1: ValueError: 5"),
        ("python -c 'import sys; sys.exit(3)'", "status 3"),
        pytest.param(
            "python -c 'import os; os.abort()'",
            "signal 6 (SIGABRT: a compiled library aborted; see its message)",
            marks=posix_only("signals"),
        ),
        ("", "malformed command"),
        ("python 'unclosed", "malformed command: No closing quotation"),
        ("no-such-program-anywhere", "cannot start: "),
    ],
)
def test_a_command_that_fails(prefix: Path, order: str, told: str) -> None:
    assert ran(prefix, order).startswith(told)


@pytest.mark.skipif(sys.platform == "win32", reason="a program's children are its own there")
def test_what_a_command_leaves_behind_holds_nothing_up(prefix: Path) -> None:
    assert ran(prefix, "sh -c 'sleep 600 & exit 0'") == ""
    assert ran(prefix, "sh -c 'sleep 600 & sleep 600'", 0.5).startswith("timeout after")


@pytest.mark.skipif(sys.platform == "win32", reason="no lock is lent there")
def test_a_command_does_not_get_the_lock_that_keeps_others_out(prefix: Path, tmp_path: Path) -> None:
    processes = Processes()
    with (tmp_path / "lock").open("w", encoding="utf-8") as lock, processes.passing_on(lock.fileno()):
        order = f"python -c 'import os; os.fstat({lock.fileno()})'"
        assert (
            "Bad file descriptor" in VerifyingProbe(processes=processes).runs(prefix, order, {}, 60.0).error
        )


def test_a_command_that_hangs(prefix: Path) -> None:
    assert ran(prefix, "python -c 'import time; time.sleep(600)'", 0.5).startswith("timeout after")
