"""Ports: what the workflows need of the world, as protocols that adapters fill."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Protocol

from packaging.pylock import PackageWheel

from envsmith.environment.environment import Environment, Import
from envsmith.environment.model_interpreter import Interpreter
from envsmith.install.space_needed import Disk
from envsmith.lockfile.supply import Supply
from envsmith.model.contents import Contents
from envsmith.model.route import RoutePage
from envsmith.model.usage import Use
from envsmith.model.wheel import Wheel
from envsmith.plan.model import Plan, VersionMetadata
from envsmith.plan.resolution import Resolution


class Resolver(Protocol):
    """Turns a plan into a resolution."""

    def resolve(self, plan: Plan) -> Resolution:
        """Resolve one plan.

        Raises:
            ResolveError: RES050 when the requirements have no solution.
            ToolError: when the resolver or the network fails.
        """
        ...


class Sdists(Protocol):
    """Reads source distributions without building them."""

    def metadata(self, *, name: str, version: str, url: str, sha256: str) -> VersionMetadata:
        """Read what a source distribution requires, out of its files.

        Raises:
            ResolveError: RES060 when its files do not say it.
            ToolError: when it cannot be fetched, or has another hash.
        """
        ...

    def sizes(self) -> Mapping[str, int]:
        """Return sha256 → size in bytes, of those that were read."""
        ...


class Hasher(Protocol):
    """Finds the hash of a wheel that its index publishes none for."""

    def sha256(self, wheel: Wheel) -> str | None:
        """Return the hash, or None where nothing may be downloaded.

        Raises:
            ToolError: when the file cannot be fetched.
        """
        ...


class Routes(Protocol):
    """Reads the wheels of projects that a profile routes to another index than PyPI."""

    def read(self, project: str, url: str, is_wanted: Callable[[Wheel], bool]) -> RoutePage:
        """Return the wheels at an address, with what those that are wanted require.

        Raises:
            CatalogError: when a page or wheel cannot be trusted.
            ToolError: when one cannot be fetched.
        """
        ...


class WheelContents(Protocol):
    """Looks into wheels that lie on servers."""

    def contents(self, wheels: Iterable[PackageWheel]) -> Mapping[str, Contents]:
        """Return sha256 → contents; a wheel that cannot be looked into, or not without the network, is absent."""
        ...

    def read(self, wheel: PackageWheel, paths: Collection[str]) -> Mapping[str, bytes]:
        """Return path → content of some files of a wheel; a path that it has not is absent.

        Raises:
            ToolError: when it cannot be fetched or read.
        """
        ...


class WheelRequires(Protocol):
    """Reads what wheels on servers require."""

    def requires(self, wheels: Iterable[PackageWheel]) -> Mapping[str, tuple[str, ...]]:
        """Return sha256 → ``Requires-Dist``, extras' requirements included, for every one of the wheels.

        Raises:
            ToolError: when one of them cannot be read.
        """
        ...


class ImportTime(Protocol):
    """Reads out of source files what they import at the moment when they are imported."""

    def at_import_time(self, sources: Mapping[str, bytes], modules: Collection[str]) -> tuple[Use, ...]:
        """Return the places where one of the modules is imported."""
        ...


class Files(Protocol):
    """Reads and writes the files of a lock folder as one set."""

    def read_files(self, folder: Path) -> dict[str, bytes]:
        """Return name → content, never in the middle of a change; empty where there is no folder.

        Raises:
            ToolError: when the folder cannot be read.
        """
        ...

    def write_files(
        self, folder: Path, files: Mapping[str, bytes], *, remove: Collection[str] = ()
    ) -> tuple[str, ...]:
        """Replace and remove files, all or none, and return the names whose content changed.

        Raises:
            ToolError: when the disk refuses; then every file is as before.
        """
        ...


class Installer(Protocol):
    """Makes environments and puts packages into them."""

    def find_python(self, request: str) -> Path | None:
        """Return an installed interpreter for a version, a name or a path, or None where there is none."""
        ...

    def cache(self) -> Path:
        """Return where unpacked packages are kept."""
        ...

    def is_copying(self) -> bool:
        """Say whether files are copied out of the cache, even where they could be shared with it."""
        ...

    def outstanding(self, supply: Supply, python: Path) -> frozenset[str] | None:
        """Return the names of packages that are not in the cache; None where that cannot be said."""
        ...

    def make(self, prefix: Path, python: Path, prompt: str) -> None:
        """Make an environment without packages.

        Raises:
            InstallError: when that fails.
        """
        ...

    def fill(self, prefix: Path, supply: Supply) -> None:
        """Put the packages of a lock into an environment.

        Raises:
            InstallError: when that fails.
            ToolError: when files cannot be reached.
        """
        ...


class Disks(Protocol):
    """Knows what is free, and what files hold."""

    def disk_of(self, place: Path) -> Disk:
        """Return the file system of a place."""
        ...

    def weights(self, folder: Path) -> Mapping[tuple[str, str], tuple[int, int]]:
        """Return `key_of` → bytes packed and unpacked, of the wheels in a folder."""
        ...

    def key_of(self, name: str, version: str) -> tuple[str, str]:
        """Return what a name and version are found by."""
        ...


class EnvironmentProbe(Protocol):
    """Asks interpreters about themselves and their environments."""

    def interpreter(self, executable: Path) -> Interpreter:
        """Ask a Python what it is.

        Raises:
            InstallError: when it gives no answer.
        """
        ...

    def environment(self, prefix: Path, *, deep: bool) -> Environment:
        """Look what is installed in an environment, and what is not as its RECORD says; deep: by hashes.

        Raises:
            InstallError: when its interpreter gives no answer.
        """
        ...

    def imports(self, prefix: Path, name: str, env: Mapping[str, str], timeout_s: float) -> Import:
        """Import a module in a process of its own."""
        ...

    def runs(self, prefix: Path, order: str, env: Mapping[str, str], timeout_s: float) -> Import:
        """Run a command in an environment, without a shell, and say how that went."""
        ...


class Progress(Protocol):
    """Hears what is being done; silent by default."""

    def started(self, subject: str, doing: str) -> None:
        """Hear that work on a subject has begun, or goes on with something else."""

    def ended(self, subject: str, seconds: float, summary: str) -> None:
        """Hear that the work on a subject is done."""


class Silence:
    """Progress that nobody watches."""

    def started(self, subject: str, doing: str) -> None:
        """Say nothing."""

    def ended(self, subject: str, seconds: float, summary: str) -> None:
        """Say nothing."""
