"""Values of system checks: disk space, connectivity, GPU access, shared libraries, Windows's PATH.

`system_probes` and `linux` make them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

USER, MACHINE = "user", "machine"
PATH_SEPARATOR = ";"


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskSpace:
    """Free disk space at an existing or future folder."""

    folder: str
    free_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Connectivity:
    """Result of a request to a URL."""

    url: str
    """Without user name and password."""
    bypasses_proxy: bool = False
    """Whether the URL is requested without a proxy, although variables may name one."""
    proxies: tuple[tuple[str, str], ...] = ()
    """Proxy variables and their values, without user names and passwords."""
    error: str = ""
    """Empty if the server answered."""
    clock_ahead_s: float | None = None
    """How far this machine's clock is ahead of the server's; None if unknown."""
    has_date_error: bool = False
    """Whether its certificate is expired or not yet valid by this machine's clock."""
    date: str = ""
    """Date of the request by this machine's clock: ``2026-11-21``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """A shared library."""

    path: str
    version: tuple[int, ...] | None = None
    """From the file's resources; None if it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VisualCpp:
    """Microsoft's C++ library, used by torch's libraries."""

    registered: tuple[int, ...] | None = None
    """Installed version according to Windows's registry."""
    system: Library | None = None
    """The library in Windows's System32."""
    copies: tuple[Library, ...] = ()
    """Copies in the folders of the interpreter and of packages."""

    @property
    def version(self) -> tuple[int, ...] | None:
        """Windows's version; None if unknown or not installed."""
        return (self.system and self.system.version) or self.registered


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuAccess:
    """Access of a Linux system to GPUs; limited in containers and WSL."""

    container: str = ""
    """Container engine, ``docker``; empty outside of containers."""
    is_wsl1: bool = False
    """WSL 1, which has no kernel of its own."""
    device_files: tuple[str, ...] = ()
    """GPU device files below ``/dev``: ``nvidia0``, ``nvidiactl``, ``dxg``, ``kfd``."""
    unusable_files: tuple[str, ...] = ()
    """Device files that this user may not use."""
    wsl_library: str = ""
    """WSL's libcuda, which forwards to Windows's driver; empty if missing."""
    libraries: tuple[str, ...] = ()
    """Other libcudas in the linker's folders."""
    kernel_module: str = ""
    """Version of NVIDIA's loaded kernel module."""
    has_amd_module: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)
    """Variables that limit the visible GPUs."""

    @property
    def library_version(self) -> str:
        """Version of NVIDIA's libraries from their file names; empty if unknown."""
        names = (name.rpartition("libcuda.so.")[2] for name in self.libraries)
        return next((name for name in names if name.count(".") >= 1), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemLibraries:
    """System libraries used by torchcodec, OpenCV and extension builds."""

    ffmpeg: tuple[str, ...] = ()
    """FFmpeg versions with installed libraries (torchcodec)."""
    has_libgl: bool = False
    """Whether OpenGL's library is installed (opencv-python)."""
    toolkits: tuple[str, ...] = ()
    """Versions of installed CUDA toolkits (extension builds)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPath:
    """PATH in one scope of Windows's registry."""

    scope: str
    """USER or MACHINE."""
    text: str
    """Raw value; variables such as ``%SystemRoot%`` are not expanded."""
    kind: int
    """Type of the value, REG_SZ or REG_EXPAND_SZ; written back unchanged."""

    @property
    def entries(self) -> tuple[str, ...]:
        """The raw entries; two consecutive separators give an empty one."""
        return tuple(self.text.split(PATH_SEPARATOR))


@dataclass(frozen=True, slots=True, kw_only=True)
class PathRemoval:
    """Removal of entries from PATH in one scope."""

    before: SearchPath
    removed: tuple[str, ...]
    """Raw entries."""
    may_write: bool = True
    """Whether this user may change the scope."""

    @property
    def after(self) -> str:
        """The value without the entries; everything else is kept."""
        return PATH_SEPARATOR.join(entry for entry in self.before.entries if entry not in self.removed)

    def to_json(self) -> dict[str, object]:
        """Return the removal as JSON values."""
        return {"scope": self.before.scope, "entries": list(self.removed), "may_write": self.may_write}
