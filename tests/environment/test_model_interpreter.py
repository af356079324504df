from __future__ import annotations

from typing import Any

import pytest

from envsmith.environment.model import Interpreter
from envsmith.model.target import Platform, Python

LINUX = {
    "executable": "/opt/python",
    "base": "/opt",
    "version": "3.12.4",
    "implementation": "cpython",
    "is_free_threaded": False,
    "bits": 64,
    "system": "linux",
    "machine": "x86_64",
    "libc": "glibc",
    "libc_version": "2.36",
    "macos_version": "",
}
MAC = {"system": "darwin", "machine": "arm64", "libc": "", "libc_version": "", "macos_version": "15.1.2"}
WINDOWS = {"system": "win32", "machine": "AMD64", "libc": "", "libc_version": ""}


def interpreter(**values: Any) -> Interpreter:
    return Interpreter.from_json({**LINUX, **values})


@pytest.mark.parametrize(
    ("values", "platform", "runs"),
    [
        ({}, "manylinux_2_28_x86_64", True),
        ({}, "manylinux_2_36_x86_64", True),
        ({}, "manylinux_2_37_x86_64", False),
        ({"libc_version": "2.17"}, "manylinux_2_28_x86_64", False),
        ({"libc": "", "libc_version": ""}, "manylinux_2_28_x86_64", False),  # musl
        ({}, "manylinux_2_28_aarch64", False),
        ({"machine": "aarch64"}, "manylinux_2_28_aarch64", True),
        ({}, "win_amd64", False),
        (WINDOWS, "win_amd64", True),
        ({**WINDOWS, "bits": 32}, "win_amd64", False),
        (MAC, "macosx_14_0_arm64", True),
        ({**MAC, "macos_version": "13.6"}, "macosx_14_0_arm64", False),
        ({**MAC, "machine": "x86_64"}, "macosx_14_0_arm64", False),
        ({"is_free_threaded": True}, "manylinux_2_28_x86_64", False),
        ({"implementation": "pypy"}, "manylinux_2_28_x86_64", False),
        ({"system": "freebsd14"}, "manylinux_2_28_x86_64", False),
    ],
)
def test_wheels_of_a_platform_run_or_not(values: dict[str, Any], platform: str, *, runs: bool) -> None:
    assert interpreter(**values).supports(Python.parse("3.12"), Platform.parse(platform)) is runs


def test_wheels_of_another_python_do_not_run() -> None:
    linux = Platform.parse("linux")
    assert interpreter(version="3.13.0rc1").supports(Python.parse("3.13"), linux)
    assert not interpreter().supports(Python.parse("3.11"), linux)


def test_a_free_threaded_python_is_another_python() -> None:
    linux = Platform.parse("linux")
    plain, threaded = interpreter(version="3.13.1"), interpreter(version="3.13.1", is_free_threaded=True)
    assert str(threaded.python) == "3.13t"
    for found, text, runs in (
        (plain, "3.13", True),
        (plain, "3.13t", False),
        (threaded, "3.13", False),
        (threaded, "3.13t", True),
    ):
        assert found.supports(Python.parse(text), linux) is runs


def test_it_calls_itself_by_what_decides() -> None:
    assert str(interpreter()) == "Python 3.12.4 · Linux x86_64 glibc 2.36"
    assert str(interpreter(**WINDOWS)) == "Python 3.12.4 · Windows amd64"
    assert str(interpreter(**MAC, is_free_threaded=True)) == "Python 3.12.4 free-threaded · macOS arm64 15.1"


def test_a_lacking_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        Interpreter.from_json({"system": "linux"})
