from __future__ import annotations

import os

import pytest

from envsmith.process.exit_status import cause_of, describe, exit_code, number_of
from envsmith.process.runner import run_attached

KNOWN = {
    0xC0000005: "access violation",
    0xC0000135: "DLL not found",
    0xC0000139: "entry point not found",
    0xC0000142: "a DLL failed to initialize",
    0xC0000409: "fail fast",
    0xC000007B: "invalid image",
}


@pytest.mark.parametrize("code", KNOWN)
def test_crashes_of_windows_are_explained_signed_and_unsigned(code: int) -> None:
    signed = code - (1 << 32)
    assert describe(code) == describe(signed)
    assert describe(code).startswith(f"status 0x{code:08X} ({KNOWN[code]}")
    assert exit_code(code) == exit_code(signed) == signed
    assert -(1 << 31) <= signed < 0  # `sys.exit` takes no other


@pytest.mark.parametrize(
    ("status", "number", "code"),
    [
        (0, "status 0", 0),
        (3, "status 3", 3),
        (0xFFFFFFFF, "status -1", -1),
        (0xC000013A, "status 0xC000013A", 0xC000013A - (1 << 32)),
        (-9, "signal 9", 137),
    ],
)
def test_other_ends(status: int, number: str, code: int) -> None:
    assert (number_of(status), exit_code(status)) == (number, code)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_signals_are_explained_also_if_a_shell_passed_them_on() -> None:
    assert cause_of(-9) == cause_of(137)
    assert cause_of(137).startswith("SIGKILL: usually out of memory; check `dmesg`")
    assert (describe(-15), describe(-99), describe(127)) == ("signal 15 (SIGTERM)", "signal 99", "status 127")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
def test_the_cause_of_a_crash_is_named_beside_its_status(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_attached(["sh", "-c", "kill -11 $$"], os.environ) == 139
    assert capfd.readouterr().err.startswith("sh ended with signal 11 (SIGSEGV: a compiled library crashed;")
    assert run_attached(["sh", "-c", "exit 7"], os.environ) == 7
    assert capfd.readouterr().err == ""
