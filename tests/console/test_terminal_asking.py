from __future__ import annotations

import click
import pytest

from envsmith.console import terminal
from envsmith.console.terminal import confirm
from envsmith.errors import EnvsmithError


def asked() -> bool:
    return confirm("write a", where="envsmith x", otherwise="nothing is written: it is asked first")


def test_where_nobody_can_be_asked_it_is_said_what_is_not_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "is_interactive", lambda: False)
    with pytest.raises(EnvsmithError) as caught:
        asked()
    assert (caught.value.code, caught.value.where) == ("USE002", "envsmith x")
    assert caught.value.message == "nothing is written: it is asked first, and there is no terminal to ask at"


@pytest.mark.parametrize("answer", [True, False])
def test_the_answer_is_returned(monkeypatch: pytest.MonkeyPatch, *, answer: bool) -> None:
    heard = []

    def confirm(question: str, *, err: bool) -> bool:
        heard.append((question, err))
        return answer

    monkeypatch.setattr(terminal, "is_interactive", lambda: True)
    monkeypatch.setattr(click, "confirm", confirm)
    assert asked() is answer
    assert heard == [("write a?", True)]
