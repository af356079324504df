"""Build: torch of one version for one backend, and where a wheel of it runs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from packaging.version import Version

from envsmith.model.backend import Backend
from envsmith.model.target import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """The wheels of one torch for one backend that carry the same platform tag."""

    backend: Backend
    torch: Version
    """Without local version label."""
    platforms: tuple[str, ...]
    """The platform tags in their filenames, ``manylinux_2_28_x86_64``."""
    pythons: frozenset[str]
    """Interpreter tags: ``cp312``."""
    index: str = "pytorch"
    """Who serves it: ``pytorch`` or ``pypi``."""

    def is_for(self, os: str, machine: str) -> bool:
        """Say whether the wheels are for an operating system and machine, whatever its version."""
        marks = {"linux": "linux", "macos": "macosx", "windows": "win"}
        return any(
            tag.startswith(("many" + marks[os], marks[os])) and tag.endswith(f"_{machine}")
            for tag in self.platforms
        )

    def accepts(self, accepted: Collection[str]) -> bool:
        """Say whether one of the platform tags is accepted."""
        return any(tag in accepted for tag in self.platforms)

    def has(self, tag: str) -> bool:
        """Say whether there is a wheel for an interpreter, ``cp312``."""
        return tag in self.pythons

    def floor(self) -> str:
        """Return the oldest system version its wheels run on, in words; empty where they name none."""
        for tag in self.platforms:
            parts = tag.split("_")
            if tag.startswith("manylinux_"):
                return f"glibc {parts[1]}.{parts[2]}"
            if tag.startswith("macosx_"):
                return f"macOS {parts[1]}.{parts[2]}"
        return ""


def runs_on(build: Build, platform: Platform) -> bool:
    """Say whether a build's wheels run on a platform, its version included."""
    return build.accepts(frozenset(platform.wheel_platforms()))
