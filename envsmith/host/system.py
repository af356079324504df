"""Surroundings: what an environment depends on beside the machine: room on the disk, the way to an index.

Search path: PATH as Windows's registry keeps it, and what is taken out of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

USER, MACHINE = "user", "machine"
PATH_SEPARATOR = ";"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskSpace:
    """Free bytes where a folder lies, or will lie."""

    folder: str
    free_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Connectivity:
    """How an address answered."""

    url: str
    """Without a login."""
    bypasses_proxy: bool = False
    """Whether it is asked without a proxy, whatever variables name."""
    proxies: tuple[tuple[str, str], ...] = ()
    """Variables that name one, and what they say, logins left out."""
    error: str = ""
    """Empty where it answered."""
    clock_ahead_s: float | None = None
    """How far this machine's clock is ahead of the server's; None where it did not say."""
    has_date_error: bool = False
    """Whether its certificate is one of another time, by this machine's clock."""
    date: str = ""
    """When it was asked, by this machine's clock: ``2026-11-21``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """A file that programs load."""

    path: str
    version: tuple[int, ...] | None = None
    """As the file says itself; None where it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisualCpp:
    """Microsoft's C++ library, which torch's own are linked with."""

    registered: tuple[int, ...] | None = None
    """What Windows's registry says is installed."""
    system: Library | None = None
    """The one in Windows's own folder."""
    copies: tuple[Library, ...] = ()
    """Others, that the interpreter or packages brought."""

    @property
    def version(self) -> tuple[int, ...] | None:
        """That of Windows; None where it has none, or does not tell."""
        return (self.system and self.system.version) or self.registered


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuAccess:
    """What a Linux was given of its machine's GPUs, as one inside Windows or in a container is given them."""

    container: str = ""
    """What runs it, ``docker``; empty outside of containers."""
    is_wsl1: bool = False
    """Inside Windows, and without a kernel of its own."""
    device_files: tuple[str, ...] = ()
    """Device files of GPUs below ``/dev``: ``nvidia0``, ``nvidiactl``, ``dxg``, ``kfd``."""
    unusable_files: tuple[str, ...] = ()
    """Those of them that this user may not use."""
    wsl_library: str = ""
    """WSL's libcuda, which hands on to Windows's driver; empty where it is not there."""
    libraries: tuple[str, ...] = ()
    """Other libcudas, where the linker looks."""
    kernel_module: str = ""
    """Version of NVIDIA's loaded kernel module."""
    has_amd_module: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)
    """Those that say which GPUs are given or seen."""

    @property
    def library_version(self) -> str:
        """Version of NVIDIA's libraries, by the name of the first; empty where none tells it."""
        names = (name.rpartition("libcuda.so.")[2] for name in self.libraries)
        return next((name for name in names if name.count(".") >= 1), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemLibraries:
    """What torch's companions need of the system."""

    ffmpeg: tuple[str, ...] = ()
    """Versions of FFmpeg whose libraries are there, which torchcodec loads."""
    has_libgl: bool = False
    """Whether OpenGL's library is there, which opencv-python loads."""
    toolkits: tuple[str, ...] = ()
    """CUDA toolkits that compile extensions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPath:
    """PATH in one scope of the registry."""

    scope: str
    """USER or MACHINE."""
    text: str
    """As it is kept: variables in it, ``%SystemRoot%``, are not put in."""
    kind: int
    """The number of the value's type, REG_SZ or REG_EXPAND_SZ, which is kept as it is."""

    @property
    def entries(self) -> tuple[str, ...]:
        """The entries, as they are written; an empty one stands where two separators follow each other."""
        return tuple(self.text.split(PATH_SEPARATOR))


@dataclass(frozen=True, slots=True, kw_only=True)
class PathRemoval:
    """Entries to be taken out of one scope."""

    before: SearchPath
    removed: tuple[str, ...]
    """As they are written."""
    may_write: bool = True
    """Whether this user may change the scope."""

    @property
    def after(self) -> str:
        """The text without them, else as it was."""
        return PATH_SEPARATOR.join(entry for entry in self.before.entries if entry not in self.removed)

    def to_json(self) -> dict[str, object]:
        """Return it as plain values."""
        return {"scope": self.before.scope, "entries": list(self.removed), "may_write": self.may_write}
