import sys

import pytest

from envsmith.console import terminal


@pytest.fixture
def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_pipe_has_no_limit_and_no_colour() -> None:
    assert terminal.width() == 10_000
    assert not terminal.has_colour()


@pytest.mark.usefixtures("on_a_terminal")
def test_terminal_has_its_width_and_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "61")
    assert terminal.width() == 61
    assert terminal.has_colour()


@pytest.mark.usefixtures("on_a_terminal")
@pytest.mark.parametrize(("value", "colour"), [("1", False), ("", True)])
def test_no_color_counts_when_not_empty(value: str, colour: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", value)
    assert terminal.has_colour() == colour


def test_nobody_can_be_asked_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not terminal.is_interactive()
    monkeypatch.setattr(sys, "stdin", None)
    assert not terminal.is_interactive()


@pytest.mark.usefixtures("on_a_terminal")
def test_somebody_can_be_asked_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    assert terminal.is_interactive()
