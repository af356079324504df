"""The entries of case B as Windows's registry had them; those of Linux as shells set them."""

from __future__ import annotations

import pytest

from envsmith.activate.model import Activation, EnvironmentPaths, RemovedVariable
from envsmith.activate.scripts import plan_session
from envsmith.doctor.rules import system_checks
from envsmith.model.backend import Backend

MACHINE = r"C:\Windows\system32;C:\Windows;D:\app\.venv\Lib\site-packages\torch\lib;C:\Program Files\Git\cmd"
USER = r"C:\Users\me\AppData\Local\Microsoft\WindowsApps;D:\other\.venv\Scripts"
WELL = r"C:\Windows\system32;C:\Windows;C:\Program Files\Git\cmd"


def taken(
    value: str, *, is_windows: bool, files: tuple[str, ...] = (), name: str = "PATH"
) -> tuple[RemovedVariable, ...]:
    activation = Activation.of("app", Backend.parse("cu128"), env={})
    place = EnvironmentPaths(prefix="/e", bin="/e/bin", is_windows=is_windows)
    return plan_session(activation, place, {name: value}, has_file=files.__contains__).removed


def test_the_entry_of_case_b_is_named_with_its_scope_and_why() -> None:
    scopes = {
        "machine": taken(MACHINE, is_windows=True),
        "process": taken(f"{MACHINE};{USER}", is_windows=True),
    }
    (found,) = system_checks.path(scopes, is_windows=True)
    assert (found.code, found.severity) == ("HST014", "error")
    assert found.message == (
        r"D:\app\.venv\Lib\site-packages\torch\lib is on the machine's Path: Windows loads torch's libraries from there"
        " before torch can prepare them (WinError 1114)"
    )
    assert found.hint.startswith("run `envsmith doctor path --fix` to remove it from the machine's Path")


def test_the_three_scopes_are_told_apart() -> None:
    entry = r"D:\a\Lib\site-packages\torch\lib"
    for scope, words in (("machine", "the machine's"), ("user", "the user's"), ("process", "this session's")):
        (found,) = system_checks.path({scope: taken(entry, is_windows=True)}, is_windows=True)
        assert f"is on {words}" in found.message


def test_another_environment_is_a_warning() -> None:
    files = (r"D:\other\.venv\Scripts/../pyvenv.cfg",)
    (found,) = system_checks.path({"user": taken(USER, is_windows=True, files=files)}, is_windows=True)
    assert (found.severity, "belongs to another environment" in found.message) == ("warning", True)


@pytest.mark.parametrize(
    ("value", "is_windows"),
    [(WELL, True), ("/usr/local/bin:/usr/bin:/bin", False), ("/usr/bin:/usr/bin", False)],
)
def test_a_path_in_order(value: str, *, is_windows: bool) -> None:
    scopes = {"process": taken(value, is_windows=is_windows)}
    assert list(system_checks.path(scopes, is_windows=is_windows)) == []


def test_off_windows_torch_s_folder_on_path_is_a_warning() -> None:
    scopes = {"process": taken("/e/lib/python3.11/site-packages/torch/lib:/usr/bin", is_windows=False)}
    assert [item.severity for item in system_checks.path(scopes, is_windows=False)] == ["warning"]


def test_another_cuda_on_the_linker_s_list() -> None:
    name = "LD_LIBRARY_PATH"
    (found,) = system_checks.libraries(
        taken("/usr/local/cuda-11.8/lib64:/opt/lib", is_windows=False, name=name), "CUDA 12.8"
    )
    assert found.code == "HST015"
    assert found.message == (
        "/usr/local/cuda-11.8/lib64 is on LD_LIBRARY_PATH: contains a CUDA toolkit of another major version than the"
        " lock's builds; torch is built for CUDA 12.8"
    )
    well = taken("/usr/local/cuda-12.8/lib64:/opt/lib", is_windows=False, name=name)
    assert list(system_checks.libraries(well, "CUDA 12.8")) == []


def test_what_the_repair_would_not_take_out_is_not_said_to_be() -> None:
    item = RemovedVariable(variable="PATH", entry="%NOBODY%", reason="is relative to the current folder")
    (found,) = system_checks.path({"user": (item,)}, is_windows=True)
    assert found.hint.startswith("correct it under Environment Variables (user scope)")
