"""The command line as a whole: exit codes, options that hold everywhere, JSON for errors, bugs."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from envsmith import __version__
from envsmith.cli.main import COMMANDS, LazyGroup, cli, main


def test_help_names_every_command(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capfd.readouterr().out
    assert all(f"\n  {name}" in shown for name in COMMANDS)


def test_version(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert __version__ in capfd.readouterr().out


@pytest.mark.parametrize("arguments", [["-q", "profiles"], ["profiles", "-q"], ["profiles", "--quiet"]])
def test_options_that_hold_everywhere(
    arguments: list[str], project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 0
    assert capfd.readouterr().out.startswith("profile")
    assert not list(project.iterdir())


@pytest.mark.parametrize(
    "arguments", [["lock", "nope", "--json"], ["lock", "--nope", "--json"], ["nope", "--json"]], ids=" ".join
)
def test_an_error_is_one_json_document(
    arguments: list[str], project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    shown = capfd.readouterr()
    document = json.loads(shown.out)
    assert list(document) == ["schema_version", "command", "status", "data", "errors"]
    assert (document["schema_version"], document["status"], document["data"]) == (1, "failed", None)
    assert document["errors"][0]["code"]
    assert document["errors"][0]["hint"]
    assert shown.err == ""
    assert not list(project.iterdir())


def _command_that(raises: BaseException) -> click.Command:
    def work() -> None:
        raise raises

    return click.Command("profiles", callback=work)


@pytest.mark.parametrize(
    ("raises", "status", "words"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (click.Abort(), 130, "interrupted"),
        (RuntimeError("a bug"), 2, "please report it"),
        (BrokenPipeError(), 2, ""),
    ],
    ids=repr,
)
def test_how_a_command_can_end(
    raises: BaseException,
    status: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(LazyGroup, "get_command", lambda *_: _command_that(raises))
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    assert main(["profiles"]) == status
    if words:
        assert words in capsys.readouterr().err


def test_python_m_envsmith() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "envsmith", "--version"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, f"envsmith, version {__version__}")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps a folder that somebody works in")
@pytest.mark.parametrize("command", ["doctor", "verify", "report"])
def test_a_folder_that_is_gone_is_no_bug(command: str, tmp_path: Path) -> None:
    script = f"cd {tmp_path} && mkdir gone && cd gone && rmdir ../gone && exec {sys.executable} -m envsmith {command}"
    done = subprocess.run(["sh", "-c", script], capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, "TOL018" in done.stderr) == (2, True), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("number", "told"), [(206, "the path is too long"), (225, "antivirus"), (0, "this is a bug")]
)
def test_errors_of_windows_are_not_reported_as_bugs(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], number: int, told: str
) -> None:
    def refuse(**_: object) -> None:
        error = OSError(errno.EINVAL, "파일 이름이 너무 깁니다", "x")
        error.winerror = number  # type: ignore[attr-defined,unused-ignore]
        raise error

    monkeypatch.setattr(cli, "main", refuse)
    assert main(["lock"]) == 2
    said = capfd.readouterr().err
    assert told in said
    assert ("Traceback" in said) == (number == 0)
