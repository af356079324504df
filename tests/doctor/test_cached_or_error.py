from __future__ import annotations

import pytest

from envsmith.doctor.doctor_facts import cached_or_error, value_or_none
from envsmith.errors import InstallError


class Asked:
    """Counts how often it is asked."""

    def __init__(self, *, fails: bool) -> None:
        self.fails = fails
        self.times = 0

    @cached_or_error
    def answer(self) -> int:
        """The answer."""
        self.times += 1
        if self.fails:
            raise InstallError("ENV023", "no answer")
        return self.times


def test_an_answer_is_found_out_once() -> None:
    asked = Asked(fails=False)
    assert (asked.answer, asked.answer, asked.times) == (1, 1, 1)
    assert Asked(fails=False).answer == 1


def test_so_is_a_failure() -> None:
    asked = Asked(fails=True)
    for _ in range(2):
        with pytest.raises(InstallError, match="no answer"):
            _ = asked.answer
    assert asked.times == 1
    assert value_or_none(lambda: asked.answer) is None
    assert value_or_none(lambda: 3) == 3


def test_the_property_keeps_its_words() -> None:
    assert Asked.answer.__doc__ == "The answer."
