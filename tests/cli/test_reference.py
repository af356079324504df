"""The command-line reference is what the commands say of themselves."""

import sys
from pathlib import Path

import pytest

from envsmith.cli.main import COMMANDS
from tests.catalog.tool_modules import load


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page of our own, so that the committed one is left alone."""
    monkeypatch.setattr(load("cli_reference"), "PAGE", tmp_path / "cli.md")
    return tmp_path / "cli.md"


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["cli_reference.py", *words])
    status = load("cli_reference").main()
    assert isinstance(status, int)
    return status


def test_committed_page_is_current() -> None:
    tool = load("cli_reference")
    assert tool.PAGE.read_text("utf-8") == tool.page()


def test_every_command_and_its_commands_are_there() -> None:
    text = load("cli_reference").page()
    for name in (*COMMANDS, "catalog show", "catalog refresh", "profiles show"):
        assert f"## envsmith {name}\n" in text


def test_check_tells_a_stale_page_and_touches_nothing(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page.write_text("old", "utf-8")
    assert run(monkeypatch, "--check") == 1
    assert page.read_text("utf-8") == "old"
    assert run(monkeypatch) == 0
    assert run(monkeypatch, "--check") == 0
