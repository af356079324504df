"""Exit statuses in words: signals of POSIX, and NTSTATUS codes of Windows, signed or unsigned."""

from __future__ import annotations

import os
import signal

_SHELL = 128
"""Added by a shell to the number of the signal that ended a command."""
_BITS = 1 << 32
_ERROR = 0xC
"""Highest four bits of an NTSTATUS that programs end with."""
CONTROL_C_EXIT = 0xC000013A
_CRASH = "a compiled library crashed; set PYTHONFAULTHANDLER=1 to see where"
_ABORT = "a compiled library aborted; see its message"
_NO_INSTRUCTION = (
    "unsupported CPU instruction, usually AVX or AVX2 (check with `envsmith verify --probe torch`)"
)
_SIGNALS = {
    "SIGILL": _NO_INSTRUCTION,
    "SIGABRT": _ABORT,
    "SIGBUS": "a memory-mapped file was truncated, or /dev/shm is full",
    "SIGKILL": "usually out of memory; check `dmesg` and the container's memory limit",
    "SIGSEGV": _CRASH,
}
# Source: ntstatus.h, Microsoft (read 2026-11-30).
_NTSTATUS = {
    0xC0000005: f"access violation: {_CRASH}",
    0xC000001D: f"illegal instruction: {_NO_INSTRUCTION}",
    0xC000007B: "invalid image: a DLL is damaged, or for another architecture, such as 32 bits",
    0xC0000135: "DLL not found: usually Microsoft's Visual C++ runtime; check with `envsmith doctor`",
    0xC0000139: "entry point not found: a DLL of another version comes first, on PATH or beside the program",
    0xC0000142: "a DLL failed to initialize: usually too little memory, or antivirus software",
    0xC0000409: f"fail fast: {_ABORT}",
}


def describe(status: int) -> str:
    """Return how a program ended: ``status 3``, ``signal 9 (SIGKILL: usually out of memory…)``.

    Args:
        status: of a program; below 0 minus the signal that ended it, or a signed NTSTATUS.
    """
    cause = cause_of(status)
    return f"{number_of(status)} ({cause})" if cause else number_of(status)


def number_of(status: int) -> str:
    """Return a status without its cause: ``status 3``, ``signal 9``, ``status 0xC0000005``."""
    if -_SHELL < status < 0:
        return f"signal {-status}"
    code = status % _BITS
    return f"status 0x{code:08X}" if code >> 28 == _ERROR else f"status {exit_code(status)}"


def cause_of(status: int) -> str:
    """Return the name and usual cause of a signal, also if a shell passed it on, or of an NTSTATUS; empty otherwise."""
    number = -status if status < 0 else status - _SHELL
    if os.name == "nt" or not 0 < number < _SHELL:
        return _NTSTATUS.get(status % _BITS, "")
    try:
        name = signal.Signals(number).name
    except ValueError:
        return ""
    return f"{name}: {_SIGNALS[name]}" if name in _SIGNALS else name


def exit_code(status: int) -> int:
    """Return the status to exit with: 128 plus the signal, or a signed NTSTATUS, which `sys.exit` requires."""
    if -_SHELL < status < 0:
        return _SHELL - status
    return status - _BITS if status >= _BITS // 2 else status
