from __future__ import annotations

import pytest

from envsmith.environment import model
from envsmith.errors import LockError
from envsmith.model.target import Platform, Python
from tests.environment.test_model_interpreter import interpreter

SLUGS = (
    "cp311-manylinux_2_28_x86_64",
    "cp312-manylinux_2_28_x86_64",
    "cp312-manylinux_2_34_x86_64",
    "cp312-win_amd64",
    "cp313-manylinux_2_28_x86_64",
)


def test_the_lock_for_the_interpreter_is_taken_with_the_latest_floor_that_runs() -> None:
    assert model.choose_target(SLUGS, interpreter(), profile="any") == "cp312-manylinux_2_34_x86_64"
    older = interpreter(libc_version="2.31")
    assert model.choose_target(SLUGS, older, profile="any") == "cp312-manylinux_2_28_x86_64"


def test_a_python_that_is_not_locked_is_refused_with_those_that_are() -> None:
    with pytest.raises(LockError) as caught:
        model.choose_target(SLUGS, interpreter(version="3.10.13"), profile="any")
    assert caught.value.code == "LCK004"
    assert [text for _, text in caught.value.details] == sorted(SLUGS)
    assert caught.value.hint == "choose a locked Python version with --python 3.13"


@pytest.mark.parametrize(("is_free_threaded", "other"), [(True, "3.13"), (False, "3.13t")])
def test_a_lock_for_one_build_of_python_does_not_go_into_the_other(
    is_free_threaded: bool, other: str
) -> None:
    found = interpreter(version="3.13.1", is_free_threaded=is_free_threaded)
    both = ["cp313-manylinux_2_28_x86_64", "cp313t-manylinux_2_28_x86_64"]
    assert model.choose_target(both, found, profile="any") == both[is_free_threaded]
    with pytest.raises(LockError) as caught:
        model.choose_target([both[not is_free_threaded]], found, profile="any")
    assert caught.value.code == "LCK004"
    assert ("free-threaded" in caught.value.message) == is_free_threaded
    assert caught.value.hint == f"choose a locked Python version with --python {other}"


def test_a_platform_that_is_not_locked_is_refused_otherwise() -> None:
    with pytest.raises(LockError) as caught:
        model.choose_target(SLUGS, interpreter(machine="aarch64"), profile="any")
    assert "add the platform of this machine" in caught.value.hint


def test_a_system_that_is_too_old_for_the_locked_wheels_is_told_so() -> None:
    with pytest.raises(LockError) as caught:
        model.choose_target(SLUGS[2:3], interpreter(libc_version="2.31"), profile="any")
    assert caught.value.code == "LCK004"
    assert caught.value.hint == "the locked wheels need glibc 2.34 or later: install on a newer system"


def test_pythons_worth_looking_for() -> None:
    here = Platform.parse("linux")
    assert [str(item) for item in model.locked_pythons(SLUGS, here, Python.parse("3.12"))] == [
        "3.12",
        "3.13",
        "3.11",
    ]
    both = ("cp313t-manylinux_2_28_x86_64", *SLUGS)
    assert [str(item) for item in model.locked_pythons(both, here, Python.parse("3.13t"))][:2] == [
        "3.13t",
        "3.13",
    ]
    assert [str(item) for item in model.locked_pythons(both, here, Python.parse("3.9"))][:2] == [
        "3.13",
        "3.13t",
    ]
    assert model.locked_pythons(SLUGS, Platform.parse("macos"), Python.parse("3.12")) == ()
