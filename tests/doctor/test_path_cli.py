"""By a fake of Python's ``winreg`` and the PATHs of case B: none of this was run on Windows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from envsmith.activate.model import Activation, EnvironmentPaths, RemovedVariable
from envsmith.activate.scripts import plan_session
from envsmith.doctor.fix_cli import FixOptions
from envsmith.doctor.path_cli import Registry, fix_path, fix_registry
from envsmith.doctor.windows_path import RegistryPaths
from envsmith.errors import EnvsmithError
from envsmith.host.system_probes import expand_variables, path_scopes
from envsmith.model.backend import Backend
from tests.host.fake_winreg import FakeWinreg, text_of, with_paths

VARIABLES = {
    "SystemRoot": r"C:\Windows",
    "USERPROFILE": r"C:\Users\me",
    "APP": r"D:\app",
    "PATH": r"C:\Windows",
}
USER = r"%USERPROFILE%\AppData\Local\Microsoft\WindowsApps;%APP%\.venv\Lib\site-packages\torch\lib"
MACHINE = r"%SystemRoot%\system32;%SystemRoot%;D:\other\.venv\Lib\site-packages\torch\lib"


WAY = FixOptions(prefix=Path(".venv"), folder=Path("lockfiles"), checks=("path",))


def way(**flags: bool) -> FixOptions:
    return replace(WAY, **flags)  # type: ignore[arg-type]


def registry(winreg: FakeWinreg, kept: Path) -> Registry:
    def taken() -> dict[str, tuple[RemovedVariable, ...]]:
        wanted = Activation.of("app", Backend.parse("cu128"), env={})
        place = EnvironmentPaths(prefix=r"D:\e", bin=r"D:\e\Scripts", is_windows=True)
        return {
            scope: plan_session(wanted, place, {"PATH": value}, has_file=lambda _: False).removed
            for scope, value in path_scopes(VARIABLES, winreg.ask).items()
        }

    return Registry(
        paths=RegistryPaths(winreg, kept, lambda: None),
        unwanted=taken,
        expanded=lambda text: expand_variables(text, VARIABLES),
    )


def test_it_is_shown_done_kept_and_looked_at_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    winreg = with_paths(USER, MACHINE)
    assert fix_path(way(is_confirmed=True), registry(winreg, tmp_path)) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith("2 environment folders in the registry's Path user %APP%")
    assert r"machine D:\other\.venv\Lib\site-packages\torch\lib backup `reg import" in said
    assert said.endswith("open a new shell, since open ones keep the old value")
    assert text_of(winreg, "user") == (r"%USERPROFILE%\AppData\Local\Microsoft\WindowsApps", 2)
    assert text_of(winreg, "machine") == (r"%SystemRoot%\system32;%SystemRoot%", 2)
    assert len(list(tmp_path.iterdir())) == 2
    assert fix_path(way(is_confirmed=True), registry(winreg, tmp_path)) == 0
    assert capsys.readouterr().out.startswith("0 environment folders")
    assert len(list(tmp_path.iterdir())) == 2


def test_without_a_yes_nothing_is_changed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    winreg = with_paths(USER, MACHINE)
    assert fix_path(way(is_dry_run=True), registry(winreg, tmp_path)) == 1
    assert capsys.readouterr().err == "no changes were made\n"
    with pytest.raises(EnvsmithError, match="USE002"):
        fix_path(way(), registry(winreg, tmp_path))
    assert (text_of(winreg, "user"), text_of(winreg, "machine")) == ((USER, 2), (MACHINE, 2))
    assert list(tmp_path.iterdir()) == []


def test_the_machines_is_left_to_an_administrator(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    winreg = with_paths(USER, MACHINE, protected=frozenset({"HKLM"}))
    assert fix_path(way(is_confirmed=True), registry(winreg, tmp_path)) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "manual the machine's Path can only be changed by an administrator" in said
    assert text_of(winreg, "machine") == (MACHINE, 2)
    assert text_of(winreg, "user") != (USER, 2)
    capsys.readouterr()
    assert fix_path(way(is_confirmed=True), registry(winreg, tmp_path)) == 1
    assert capsys.readouterr().err == "no changes were made\n"


def test_as_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    winreg = with_paths(USER, MACHINE)
    assert fix_path(way(as_json=True), registry(winreg, tmp_path)) == 1
    shown = json.loads(capsys.readouterr().out)
    assert (shown["status"], shown["data"]["carried_out"], len(shown["data"]["left"])) == ("no", False, 2)
    assert fix_path(way(as_json=True, is_confirmed=True), registry(winreg, tmp_path)) == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["status"], done["data"]["carried_out"], done["data"]["left"]) == ("ok", True, [])
    assert [Path(cut["kept"]).is_file() for cut in done["data"]["cuts"]] == [True, True]


def test_other_systems_have_no_registry() -> None:
    import sys

    if sys.platform != "win32":
        assert fix_registry(way()) is None
