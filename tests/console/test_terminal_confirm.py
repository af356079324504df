from __future__ import annotations

import click
import pytest

from envsmith.console import terminal
from envsmith.console.terminal import confirm
from envsmith.errors import EnvsmithError


def answer_of_user() -> bool:
    return confirm("write a", where="envsmith x", otherwise="existing files would be replaced")


def test_without_a_terminal_the_question_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "is_interactive", lambda: False)
    with pytest.raises(EnvsmithError) as caught:
        answer_of_user()
    assert (caught.value.code, caught.value.where) == ("USE002", "envsmith x")
    assert caught.value.message == "existing files would be replaced; confirmation needs a terminal"


@pytest.mark.parametrize("answer", [True, False])
def test_the_answer_is_returned(monkeypatch: pytest.MonkeyPatch, *, answer: bool) -> None:
    questions = []

    def confirm(question: str, *, err: bool) -> bool:
        questions.append((question, err))
        return answer

    monkeypatch.setattr(terminal, "is_interactive", lambda: True)
    monkeypatch.setattr(click, "confirm", confirm)
    assert answer_of_user() is answer
    assert questions == [("write a?", True)]
