from __future__ import annotations

import pytest

from envsmith.config.readers import Problems
from envsmith.errors import ProfileError, ToolError
from envsmith.model.naming import suggestion


def test_no_problem_raises_nothing() -> None:
    Problems().raise_if_any()


def test_a_single_problem_speaks_for_itself() -> None:
    problems = Problems()
    with problems.collecting("x.toml:1: a"):
        raise ProfileError("PRF010", "no", hint="do")
    with pytest.raises(ProfileError) as caught:
        problems.raise_if_any()
    error = caught.value
    assert (error.code, error.where, error.message, error.hint) == ("PRF010", "x.toml:1: a", "no", "do")
    assert [part.code for part in error.parts] == ["PRF010"]


def test_several_problems_come_in_order_and_flat() -> None:
    inner = Problems()
    inner.add(ProfileError("PRF003", "b", where="y.toml:1: b"))
    inner.add(ProfileError("PRF004", "c", where="y.toml:2: c"))
    problems = Problems()
    problems.add(ProfileError("PRF003", "a", where="x.toml:9: a"))
    with problems.collecting("not put before parts that have places"):
        inner.raise_if_any()
    with pytest.raises(ProfileError) as caught:
        problems.raise_if_any()
    assert (caught.value.code, caught.value.message) == ("PRF002", "3 problems")
    assert caught.value.where == "x.toml, y.toml"
    assert [part.where for part in caught.value.parts] == ["x.toml:9: a", "y.toml:1: b", "y.toml:2: c"]


def test_what_is_no_problem_of_the_text_climbs() -> None:
    with pytest.raises(ToolError), Problems().collecting():
        raise ToolError("TOL012", "disk")


def test_suggestions_name_the_nearest_and_all() -> None:
    assert suggestion("bakend", ["python", "backend"]) == "did you mean backend? known: backend, python"
    assert suggestion("zzz", ["python"]) == "known: python"
    assert suggestion("zzz", []) == "known: none"
