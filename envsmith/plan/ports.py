"""Ports: what the workflows need of the world, as protocols that adapters fill."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Protocol

from packaging.pylock import PackageWheel

from envsmith.model.listing import VersionMetadata
from envsmith.model.route import RoutePage
from envsmith.model.usage import Use
from envsmith.model.wheel import Wheel, WheelContents
from envsmith.plan.model import Resolution, ResolutionPlan


class Resolver(Protocol):
    """Turns a plan into a resolution."""

    def resolve(self, plan: ResolutionPlan) -> Resolution:
        """Resolve one plan.

        Raises:
            ResolveError: RES050 when the requirements have no solution.
            ToolError: when the resolver or the network fails.
        """
        ...


class SdistMetadataReader(Protocol):
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


class WheelContentsReader(Protocol):
    """Looks into wheels that lie on servers."""

    def contents(self, wheels: Iterable[PackageWheel]) -> Mapping[str, WheelContents]:
        """Return sha256 → contents; a wheel that cannot be looked into, or not without the network, is absent."""
        ...

    def read(self, wheel: PackageWheel, paths: Collection[str]) -> Mapping[str, bytes]:
        """Return path → content of some files of a wheel; a path that it has not is absent.

        Raises:
            ToolError: when it cannot be fetched or read.
        """
        ...


class WheelRequiresReader(Protocol):
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
