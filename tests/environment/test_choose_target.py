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


def test_a_platform_that_is_not_locked_is_refused_otherwise() -> None:
    with pytest.raises(LockError) as caught:
        model.choose_target(SLUGS, interpreter(machine="aarch64"), profile="any")
    assert "add the platform of this machine" in caught.value.hint


def test_pythons_worth_looking_for() -> None:
    here = Platform.parse("linux")
    assert [str(item) for item in model.locked_pythons(SLUGS, here, Python.parse("3.12"))] == [
        "3.12",
        "3.13",
        "3.11",
    ]
    assert model.locked_pythons(SLUGS, Platform.parse("macos"), Python.parse("3.12")) == ()
