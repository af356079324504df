import json
from pathlib import Path

import pytest

from envsmith.cli.main import main

SHIPPED = {
    "cpu-minimal", "cu126", "cu128", "cu130", "cu132", "cu128-nightly-rtx50", "ai-no-vision", "rocm", "xpu", "macos",
}  # fmt: skip


def test_shipped_profiles_are_listed(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert project.is_dir()
    assert main(["profiles", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert {item["name"] for item in found["data"]} >= SHIPPED
    assert (found["command"], found["status"], found["errors"]) == ("profiles", "ok", [])


def test_own_profile_comes_first(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project / "profiles").mkdir()
    (project / "profiles" / "cu128.toml").write_text(
        'summary = "ours"\nbackend = "cu130"\npython = ["3.12"]\nplatforms = ["linux"]\nrequirements = ["torch"]\n',
        "utf-8",
    )
    assert main(["profiles"]) == 0
    line = next(text for text in capfd.readouterr().out.splitlines() if text.startswith("cu128 "))
    assert line.split() == ["cu128", "cu130", "stable", "1", "ours"]


def test_show_prints_what_extends_makes_of_it(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project / "profiles").mkdir()
    (project / "profiles" / "mine.toml").write_text('extends = "cu128"\npython = ["3.12"]\n', "utf-8")
    assert main(["profiles", "show", "mine"]) == 0
    shown = capfd.readouterr().out
    assert 'backend = "cu128"' in shown
    assert "extends" not in shown
    assert main(["profiles", "show", "mine", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["data"]["python"] == ["3.12"]


def test_broken_profile_does_not_hide_the_others(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project / "profiles").mkdir()
    (project / "profiles" / "bad.toml").write_text("backend = 3\n", "utf-8")
    assert main(["profiles"]) == 2
    shown = capfd.readouterr()
    assert "cu130 " in shown.out
    assert "profiles/bad.toml:1" in shown.err


def test_unknown_profile(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert project.is_dir()
    assert main(["profiles", "show", "nope"]) == 2
    assert "PRF013" in capfd.readouterr().err
