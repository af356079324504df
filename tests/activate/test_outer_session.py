"""What a session's variables are outside of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envsmith.activate.session import outer_session

NOTES = {
    "_ENVSMITH_CHANGED": "VIRTUAL_ENV PATH CUDA_VISIBLE_DEVICES PYTHONPATH LD_LIBRARY_PATH ",
    "_ENVSMITH_NOW_VIRTUAL_ENV": "/p/.venv",
    "_ENVSMITH_WAS_PATH": "/a:/o/bin:/b",
    "_ENVSMITH_NOW_PATH": "/p/.venv/bin:/a:/b",
    "_ENVSMITH_NOW_CUDA_VISIBLE_DEVICES": "",
    "_ENVSMITH_WAS_PYTHONPATH": "/was",
    "_ENVSMITH_WAS_LD_LIBRARY_PATH": "/cuda-11/lib:/x",
    "_ENVSMITH_NOW_LD_LIBRARY_PATH": "/x",
    "_ENVSMITH_PROMPT": "(cpu) ",
}
INSIDE = {
    **NOTES,
    "VIRTUAL_ENV": "/p/.venv",
    "PATH": "/p/.venv/bin:/a:/b",
    "CUDA_VISIBLE_DEVICES": "",
    "LD_LIBRARY_PATH": "/x",
    "HOME": "/h",
}
OUTSIDE = {"PATH": "/a:/o/bin:/b", "PYTHONPATH": "/was", "LD_LIBRARY_PATH": "/cuda-11/lib:/x", "HOME": "/h"}


def test_what_was_taken_is_back_and_what_was_set_is_gone() -> None:
    assert outer_session(INSIDE) == OUTSIDE


@pytest.mark.parametrize(
    ("changed", "after"),
    [
        ({"CUDA_VISIBLE_DEVICES": "3"}, {"CUDA_VISIBLE_DEVICES": "3"}),
        ({"PYTHONPATH": "/new"}, {"PYTHONPATH": "/new"}),
        ({"PATH": "/mine:/p/.venv/bin:/a:/b:/last"}, {"PATH": "/mine:/a:/o/bin:/b:/last"}),
        ({"PATH": "/p/.venv/bin:/b"}, {"PATH": "/o/bin:/b"}),
        ({"LD_LIBRARY_PATH": "/new:/x"}, {"LD_LIBRARY_PATH": "/new:/cuda-11/lib:/x"}),
        ({"LD_LIBRARY_PATH": ""}, {"LD_LIBRARY_PATH": "/cuda-11/lib"}),
    ],
)
def test_what_the_user_changed_meanwhile_stays(changed: dict[str, str], after: dict[str, str]) -> None:
    assert outer_session({**INSIDE, **changed}) == {**OUTSIDE, **after}


def test_lists_of_windows() -> None:
    notes = {
        "_ENVSMITH_CHANGED": " PATH",
        "_ENVSMITH_WAS_PATH": r"C:\a;D:\x\site-packages",
        "_ENVSMITH_NOW_PATH": r"D:\p\.venv\Scripts;C:\a",
    }
    inside = {**notes, "PATH": r"C:\new;D:\p\.venv\Scripts;C:\a"}
    assert outer_session(inside, is_windows=True) == {"PATH": r"C:\new;C:\a;D:\x\site-packages"}


@given(st.dictionaries(st.sampled_from(["PATH", "HOME", "LD_LIBRARY_PATH", "X"]), st.text()))
def test_outside_of_any_session_nothing_changes(variables: dict[str, str]) -> None:
    assert outer_session(variables) == variables


@given(st.text(), st.text())
def test_notes_that_somebody_garbled_do_no_harm(names: str, path: str) -> None:
    assert outer_session({"_ENVSMITH_CHANGED": names, "HOME": "/h", "PATH": path})["HOME"] == "/h"
