"""Interpreter: a Python that an environment is made with, and where it runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from envsmith.model.target import Platform, Python

_SYSTEMS = {"linux": "linux", "darwin": "macos", "win32": "windows"}
_MACHINES = {"linux": {"arm64": "aarch64", "amd64": "x86_64"}, "macos": {}, "windows": {"x86_64": "amd64"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A Python as it describes itself."""

    executable: str
    base: str
    """Where its standard library lies."""
    version: str
    """``3.11.7``."""
    implementation: str
    """``cpython``."""
    is_free_threaded: bool
    bits: int
    os: str
    """``linux``, ``macos`` or ``windows``; as the system calls itself where it is none of these."""
    machine: str
    """As wheel tags spell it."""
    libc: str
    """``glibc``; empty where there is another one, or none."""
    release: tuple[int, int]
    """Version of glibc or of macOS; ``(0, 0)`` where neither is there."""

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Interpreter:
        """Read what `runtime/probe.py` says of an interpreter.

        Raises:
            KeyError: when something is missing.
            TypeError: when it is of another kind.
        """
        os = _SYSTEMS.get(values["system"], values["system"])
        machine = values["machine"].lower()
        return cls(
            executable=values["executable"],
            base=values["base"],
            version=values["version"],
            implementation=values["implementation"],
            is_free_threaded=values["is_free_threaded"],
            bits=values["bits"],
            os=os,
            machine=_MACHINES.get(os, {}).get(machine, machine),
            libc=values["libc"],
            release=_pair(values["macos_version"] if os == "macos" else values["libc_version"]),
        )

    @property
    def python(self) -> Python:
        """Its feature version."""
        major, minor = _pair(self.version)
        return Python(major=major, minor=minor)

    def __str__(self) -> str:
        system = {"linux": "Linux", "macos": "macOS", "windows": "Windows"}.get(self.os, self.os)
        library = f" {self.libc}" if self.libc else ""
        release = ".".join(map(str, self.release)) if any(self.release) else ""
        threads = " free-threaded" if self.is_free_threaded else ""
        return f"Python {self.version}{threads} · {system} {self.machine}{library} {release}".rstrip()

    def runs(self, python: Python, platform: Platform) -> bool:
        """Say whether wheels for a Python and platform run here."""
        if (self.implementation, self.is_free_threaded, self.bits) != ("cpython", False, 64):
            return False
        if (self.python, self.os, self.machine) != (python, platform.os, platform.machine):
            return False
        return platform.os == "windows" or (
            (platform.os != "linux" or self.libc == "glibc") and self.release >= platform.floor
        )


def _pair(text: str) -> tuple[int, int]:
    match = re.match(r"(\d+)(?:\.(\d+))?", text)
    return (int(match[1]), int(match[2] or 0)) if match else (0, 0)
