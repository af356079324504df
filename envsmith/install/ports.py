"""Interfaces to uv, interpreters and disks, and the tools of an install."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from envsmith.environment.distributions import Wheels
from envsmith.environment.interpreter import EnvironmentProbe
from envsmith.host.windows import has_long_paths
from envsmith.install.disk_space import Disk, disk_of
from envsmith.install.generation_store import GenerationStore
from envsmith.install.prefetch import Prefetcher
from envsmith.install.request import LockedInstall
from envsmith.lockfile.manifest import LockedBuild
from envsmith.lockfile.pins import InstallSource, Pin
from envsmith.model.progress import Progress
from envsmith.plan.ports import Files
from envsmith.process.runner import Processes


class Installer(Protocol):
    """Creates environments and installs packages into them."""

    def find_python(self, request: str) -> Path | None:
        """Return an installed interpreter for a version, name or path; None without one."""
        ...

    def cache(self) -> Path:
        """Return the folder of unpacked packages."""
        ...

    def is_copying(self) -> bool:
        """Return whether files are copied from the cache even if they could be linked."""
        ...

    def outstanding(self, supply: InstallSource, python: Path) -> frozenset[str] | None:
        """Return the names of the packages missing from the cache; None if unknown."""
        ...

    def make(self, prefix: Path, python: Path, prompt: str, *, has_base_packages: bool = False) -> None:
        """Create an environment without packages of its own.

        Raises:
            InstallError: when that fails.
        """
        ...

    def fill(self, prefix: Path, supply: InstallSource) -> None:
        """Install the packages of a lock into an environment.

        Raises:
            InstallError: when that fails.
            ToolError: when files cannot be downloaded.
        """
        ...

    def add_wheels(self, prefix: Path, wheels: Mapping[str, Path]) -> None:
        """Install built wheels: requirement on the version → file.

        Raises:
            InstallError: when that fails.
        """
        ...


class Builder(Protocol):
    """Builds wheels from source distributions."""

    def check(
        self, builds: Mapping[str, LockedBuild], slug: str, cuda_major: int | None, wheelhouse: str
    ) -> None:
        """Check that the programs are there that builds need.

        Raises:
            InstallError: when one is missing or of another generation.
        """
        ...

    def build(self, pin: Pin, build: LockedBuild, slug: str, python: Path, supply: InstallSource) -> Path:
        """Return the wheel of a source distribution.

        Raises:
            InstallError: when the build fails.
            ToolError: when a file cannot be downloaded.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallTools:
    """The tools of an install."""

    store: GenerationStore
    installer: Installer
    builder: Builder
    probe: EnvironmentProbe
    processes: Processes
    files: Files
    progress: Progress
    now_utc: Callable[[], str]
    check_builds: Callable[[Mapping[str, str]], None] = lambda _: None
    """Refuses the builds of packages, given by name and place, that the user does not trust."""
    prefetcher: Prefetcher | None = None
    """Downloads the files into a wheelhouse first; None if uv downloads them."""
    disk_of: Callable[[Path], Disk] = disk_of
    has_long_paths: Callable[[], bool] = has_long_paths
    wheels: Callable[[LockedInstall, Collection[str] | None], Wheels] = lambda _, __: {}
    """Returns lists of files in wheels: those that are cached, and of the projects given (None: all) from the
    wheelhouse or servers."""
