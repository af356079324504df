from __future__ import annotations

import pytest

from envsmith.model.naming import unique_name


@pytest.mark.parametrize(
    ("taken", "expected"), [((), "a.reg"), (("a.reg",), "a-2.reg"), (("a.reg", "a-2.reg"), "a-3.reg")]
)
def test_a_taken_name_is_numbered(taken: tuple[str, ...], expected: str) -> None:
    assert unique_name("a", taken.__contains__, end=".reg") == expected


def test_the_number_may_stand_behind_something_else() -> None:
    assert unique_name("a", {"a", "a-2"}.__contains__, joint="_") == "a_2"
