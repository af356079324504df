"""Targets: one Python × platform × backend, with its marker environment and wheel tags."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from envsmith.errors import ProfileError
from envsmith.model.backend import Backend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from packaging.markers import Environment, Marker
    from packaging.tags import Tag

ALIASES = {
    "linux": "manylinux_2_28_x86_64",
    "linux-x86_64": "manylinux_2_28_x86_64",
    "linux-aarch64": "manylinux_2_28_aarch64",
    "macos": "macosx_14_0_arm64",
    "windows": "win_amd64",
}
# Wheel platform tags: glibc or macOS version in the name, none on Windows.
PLATFORM = re.compile(
    r"manylinux_(?P<glibc>2_\d+)_(?P<linux>x86_64|aarch64)"
    r"|macosx_(?P<macos>\d+_\d+)_(?P<mac>arm64|x86_64)"
    r"|win_(?P<win>amd64|arm64)",
    re.ASCII,
)
"""Pattern of platform tags; use with ``fullmatch``."""
PYTHON = re.compile(r"3\.(?:(?P<minor>\d{1,2})|(?P<free_threaded>(?:1[3-9]|[2-9]\d))t)", re.ASCII)
"""Pattern of Python versions; use with ``fullmatch``."""
# Legacy names of PEP 600, by the minor version of glibc 2.
_LEGACY_MANYLINUX = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Platform:
    """A wheel platform tag with its floor, such as ``manylinux_2_28_x86_64``."""

    os: str
    """``linux``, ``macos`` or ``windows``."""
    machine: str
    """As wheel tags spell it: ``x86_64``, ``aarch64``, ``arm64``, ``amd64``."""
    floor: tuple[int, int]
    """glibc version or macOS version; ``(0, 0)`` on Windows."""
    is_open: bool = field(default=False, compare=False)
    """Whether the floor is the lowest one that works, for it was named by an alias and not by a tag."""

    @classmethod
    def parse(cls, text: str) -> Platform:
        """Parse a platform tag or an alias: ``linux``, ``linux-aarch64``, ``macos``, ``windows``.

        Raises:
            ProfileError: PRF011 for any other text.
        """
        match = PLATFORM.fullmatch(ALIASES.get(text, text))
        if match is None and text.startswith(("musl", "alpine")):
            raise ProfileError(
                "PRF011",
                f"unsupported platform `{text}`: PyTorch publishes builds for glibc, not for musl",
                hint=f"use linux ({ALIASES['linux']}) in an image with glibc, such as Debian's",
            )
        if match is None:
            raise ProfileError(
                "PRF011",
                f"invalid platform `{text}`",
                hint=f"use {', '.join(ALIASES)}, or a wheel platform tag such as manylinux_2_28_x86_64",
            )
        is_open = text in ALIASES
        if glibc := match["glibc"]:
            return cls(os="linux", machine=match["linux"], floor=_pair(glibc), is_open=is_open)
        if release := match["macos"]:
            return cls(os="macos", machine=match["mac"], floor=_pair(release), is_open=is_open)
        return cls(os="windows", machine=match["win"], floor=(0, 0))

    def __str__(self) -> str:
        if self.os == "windows":
            return f"win_{self.machine}"
        prefix = "manylinux" if self.os == "linux" else "macosx"
        return f"{prefix}_{self.floor[0]}_{self.floor[1]}_{self.machine}"

    @property
    def alias(self) -> str:
        """The alias of its system and machine, such as ``linux-aarch64``; empty without one."""
        names = {"linux": "linux", "macos": "macos", "windows": "windows"}
        name = f"{names[self.os]}-aarch64" if self.machine == "aarch64" else names[self.os]
        return name if ALIASES.get(name, "").endswith(f"_{self.machine}") else ""

    @property
    def given_name(self) -> str:
        """The name that stands for it in profiles and options: its alias if the floor is open, else its tag."""
        return self.alias if self.is_open else str(self)

    @property
    def system_version(self) -> str:
        """The floor for people: ``glibc 2.28``, ``macOS 14.0``; empty on Windows."""
        name = {"linux": "glibc", "macos": "macOS"}.get(self.os, "")
        return f"{name} {self.floor[0]}.{self.floor[1]}" if name else ""

    def is_later_than(self, other: Platform) -> bool:
        """Return whether it is the same system and machine with a later floor."""
        return (self.os, self.machine) == (other.os, other.machine) and self.floor > other.floor

    def wheel_platforms(self) -> Iterator[str]:
        """Yield the platform tags of wheels that run here, best first.

        Source: PEP 600 (read 2026-11-21). The list goes down to manylinux1 and ends with plain ``linux_…``, the tag
        of PyTorch's own wheels until torch 2.6.
        """
        if self.os == "windows":
            yield str(self)
        elif self.os == "macos":
            from packaging.tags import mac_platforms

            yield from mac_platforms(self.floor, self.machine)
        else:
            oldest = 5 if self.machine == "x86_64" else 17
            for minor in range(self.floor[1], oldest - 1, -1):
                yield f"manylinux_2_{minor}_{self.machine}"
                if minor in _LEGACY_MANYLINUX:
                    yield f"{_LEGACY_MANYLINUX[minor]}_{self.machine}"
            yield f"linux_{self.machine}"


def _pair(text: str) -> tuple[int, int]:
    major, minor = text.split("_")
    return int(major), int(minor)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Python:
    """A CPython feature version, such as 3.12, or its free-threaded build, 3.13t."""

    major: int
    minor: int
    is_free_threaded: bool = False
    """Whether it is the build without the global interpreter lock, which exists since 3.13."""

    @classmethod
    def parse(cls, text: str) -> Python:
        """Parse ``3.12`` or ``3.13t``.

        Raises:
            ProfileError: PRF012 for any other text.
        """
        match = PYTHON.fullmatch(text)
        if match is None:
            raise ProfileError(
                "PRF012",
                f"invalid Python version `{text}`",
                hint="write major and minor version, such as 3.12, or 3.13t for a free-threaded build (3.13 or later)",
            )
        minor = match["minor"] or match["free_threaded"]
        return cls(major=3, minor=int(minor), is_free_threaded=bool(match["free_threaded"]))

    def __str__(self) -> str:
        return f"{self.version}t" if self.is_free_threaded else self.version

    @property
    def version(self) -> str:
        """Feature version: ``3.13`` for a free-threaded build, too."""
        return f"{self.major}.{self.minor}"

    @property
    def tag(self) -> str:
        """ABI tag: ``cp312``, ``cp313t``. Without free threading it is the interpreter tag as well."""
        return f"cp{str(self).replace('.', '')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One Python × platform × backend; each lock is for one target."""

    python: Python
    platform: Platform
    backend: Backend

    @property
    def slug(self) -> str:
        """Name of the target in file names: ``cp312-manylinux_2_28_x86_64``, without the profile's backend."""
        return f"{self.python.tag}-{self.platform}"

    def __str__(self) -> str:
        return f"{self.slug} ({self.backend})"

    @cache  # noqa: B019 - few targets, and their tags take long to list
    def tags(self) -> tuple[Tag, ...]:
        """Return the wheel tags (PEP 425) that this target accepts, best first."""
        from packaging.tags import compatible_tags, cpython_tags

        version = (self.python.major, self.python.minor)
        platforms = list(self.platform.wheel_platforms())
        return (
            *cpython_tags(version, [self.python.tag], platforms),
            *compatible_tags(version, self.python.tag.removesuffix("t"), platforms),
        )

    @cache  # noqa: B019 - as above
    def tag_set(self) -> frozenset[Tag]:
        """Return the wheel tags that this target accepts, for look-ups."""
        return frozenset(self.tags())

    def satisfies(self, marker: Marker | None, extra: str = "") -> bool:
        """Return whether a marker holds on this target with an extra; no marker holds everywhere."""
        if marker is None:
            return True
        return marker.evaluate(
            {**{key: str(value) for key, value in self.marker_environment().items()}, "extra": extra}
        )

    def marker_environment(self) -> Environment:
        """Return the marker environment (PEP 508).

        Python's patch release is 0, as in uv with ``--python-version 3.12``.
        """
        names = {"linux": ("posix", "linux", "Linux"), "macos": ("posix", "darwin", "Darwin")}
        os_name, sys_platform, system = names.get(self.platform.os, ("nt", "win32", "Windows"))
        machine = "AMD64" if self.platform.machine == "amd64" else self.platform.machine
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.python.version}.0",
            "os_name": os_name,
            "platform_machine": machine,
            "platform_release": "",
            "platform_system": system,
            "platform_version": "",
            "platform_python_implementation": "CPython",
            "python_full_version": f"{self.python.version}.0",
            "python_version": self.python.version,
            "sys_platform": sys_platform,
        }


def parse_slug(slug: str) -> tuple[Python, Platform]:
    """Parse ``cp312-manylinux_2_28_x86_64``.

    Raises:
        ProfileError: PRF011 or PRF012 for any other text.
    """
    tag, _, platform = slug.partition("-")
    return Python.parse(f"{tag[2:3]}.{tag[3:]}"), Platform.parse(platform)
