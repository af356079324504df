from __future__ import annotations

from pathlib import Path

import click
import pytest

from envsmith.console.options import INSPECTED_PREFIX, PREFIX


@PREFIX
@click.command()
def changing(prefix: Path) -> None:
    click.echo(prefix)


@INSPECTED_PREFIX
@click.command()
def looking(prefix: Path) -> None:
    click.echo(prefix)


@pytest.mark.parametrize(
    ("command", "words", "expected"),
    [
        (changing, [], ".venv"),
        (changing, ["--prefix", "a"], "a"),
        (looking, [], "named"),
        (looking, ["--prefix", "a"], "a"),
    ],
)
def test_the_variable_names_what_is_looked_at_and_not_what_is_changed(
    command: click.Command, words: list[str], expected: str, *,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("ENVSMITH_PREFIX", "named")
    command.main(words, standalone_mode=False)
    assert capsys.readouterr().out == f"{expected}\n"
