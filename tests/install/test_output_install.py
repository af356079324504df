from __future__ import annotations

import json
from pathlib import Path

import pytest

from envsmith.environment.model import Import
from envsmith.install.install import InstallResult
from envsmith.install.output import show_install
from tests.environment.test_model_generation import generation

LINK = Path(".venv")


def test_what_was_built_is_told_with_what_was_proved(capfd: pytest.CaptureFixture[str]) -> None:
    imports = (Import(name="torch", version="2.11.0+cu128", seconds=1.94), Import(name="a", seconds=0.1))
    show_install(
        InstallResult(
            generation=generation(files=14212), how="built", before="cu128-55ab01", imports=imports
        ),
        LINK,
        (1_600_000, 3_200_000_000),
    )
    assert capfd.readouterr().out.splitlines() == [
        "verified  1 package · 14,212 files · torch 2.11.0+cu128 imports (1.9 s) · a imports (0.1 s)",
        "size      1.6 MB, and 3.2 GB shared with uv's cache or other environments",
        "current   .venv → cu128-7c1e2a  (before: cu128-55ab01; `envsmith rollback` returns to it)",
    ]


def test_what_others_made_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    show_install(InstallResult(generation=generation(), how="switched", aside=".venv-x"), LINK, as_json=False)
    first, second = capfd.readouterr().out.splitlines()
    assert first == "moved     .venv was not managed by envsmith: moved to .envsmith/aside/.venv-x"
    assert second == "current   .venv → cu128-7c1e2a  (before: .venv-x; `envsmith rollback` returns to it)"


def test_nothing_to_do(capfd: pytest.CaptureFixture[str]) -> None:
    show_install(InstallResult(generation=generation(), how="unchanged"), LINK, as_json=False)
    assert capfd.readouterr().out == "current   .venv → cu128-7c1e2a: nothing to do  (1 package · 3 files)\n"


def test_programs_get_one_document(capfd: pytest.CaptureFixture[str]) -> None:
    show_install(InstallResult(generation=generation(), how="built"), LINK, as_json=True)
    found = json.loads(capfd.readouterr().out)
    assert (found["command"], found["status"], found["data"]["how"]) == ("install", "ok", "built")
    assert found["data"]["generation"]["id"] == "cu128-7c1e2a"
