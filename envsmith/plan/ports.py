"""Interfaces of the planner and of locking: resolver, readers of remote files, lock folders."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from packaging.pylock import PackageWheel

from envsmith.index.sources import ListingWithSource
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing, VersionMetadata
from envsmith.model.route import RoutePage
from envsmith.model.wheel import Wheel, WheelContents
from envsmith.plan.model import Resolution, ResolutionPlan

if TYPE_CHECKING:
    from envsmith.model.usage import Use

ImportTimeUses = Callable[[Mapping[str, bytes], Collection[str]], "tuple[Use, ...]"]
"""(path → source, modules) → the places that import one of the modules when they are imported themselves."""


class Resolver(Protocol):
    """Resolves plans."""

    def resolve(self, plan: ResolutionPlan) -> Resolution:
        """Resolve one plan.

        Raises:
            NoSolutionError: RES050 when the requirements have no solution.
            ToolError: when the resolver or the network fails.
        """
        ...

    def resolve_together(self, plans: Sequence[ResolutionPlan]) -> tuple[Resolution, ...] | None:
        """Resolve the plans of one group of `envsmith.uv.joint` at once, or return None without a common answer.

        Raises:
            ToolError: when the network fails.
        """
        ...

    def find_files(self, plan: ResolutionPlan, versions: Mapping[str, str]) -> Resolution:
        """Return exact versions with all their files, as they are served today, without what they require.

        Args:
            plan: of the target.
            versions: project → version; one that is not served any more is left out.

        Raises:
            ToolError: when the resolver or the network fails.
        """
        ...


class Listings(Protocol):
    """Finds the index listing of a channel and backend: live, cached, or from the embedded snapshot."""

    def get(self, channel: str, backend: Backend) -> ListingWithSource | None:
        """Return the best listing, or None for an unknown index."""
        ...

    def known(self, channel: str, backend: Backend) -> IndexListing | None:
        """Return the local listing without a request to the server, or None without one."""
        ...


class SdistMetadataReader(Protocol):
    """Reads source distributions without building them."""

    def metadata(
        self, *, name: str, version: str, url: str, sha256: str, may_build: bool = False
    ) -> VersionMetadata:
        """Read the requirements of a source distribution from its files, or build it for them if it may be built.

        Raises:
            ResolveError: RES060 when its files do not declare them statically.
            ToolError: when it cannot be fetched or its hash differs.
        """
        ...

    def build_requires(self, *, name: str, version: str, url: str, sha256: str) -> tuple[str, ...]:
        """Return what the build of a source distribution requires, by its pyproject.toml; setuptools without one.

        Raises:
            ToolError: when it cannot be fetched or its hash differs.
        """
        ...

    def sizes(self) -> Mapping[str, int]:
        """Return sha256 → size in bytes of the files read so far."""
        ...


class Hasher(Protocol):
    """Hashes wheels whose index publishes no hash."""

    def sha256(self, wheel: Wheel) -> str | None:
        """Return the hash, or None when downloads are not allowed.

        Raises:
            ToolError: when the file cannot be fetched.
        """
        ...


class Routes(Protocol):
    """Reads the wheels of projects that a profile routes to their own index."""

    def read(self, project: str, url: str, is_wanted: Callable[[Wheel], bool]) -> RoutePage:
        """Return the wheels at an address, with the requirements of the wanted ones.

        Raises:
            CatalogError: when a page or wheel is malformed.
            ToolError: when one cannot be fetched.
        """
        ...


class WheelContentsReader(Protocol):
    """Reads the contents of remote wheels."""

    def contents(self, wheels: Iterable[PackageWheel]) -> Mapping[str, WheelContents]:
        """Return sha256 → contents; unreadable wheels are absent."""
        ...

    def read(self, wheel: PackageWheel, paths: Collection[str]) -> Mapping[str, bytes]:
        """Return path → content of some files of a wheel; unknown paths are absent.

        Raises:
            ToolError: when it cannot be fetched or read.
        """
        ...


class WheelRequiresReader(Protocol):
    """Reads the requirements of remote wheels."""

    def requires(self, wheels: Iterable[PackageWheel]) -> Mapping[str, tuple[str, ...]]:
        """Return sha256 → ``Requires-Dist`` of every wheel, requirements of extras included.

        Raises:
            ToolError: when one of them cannot be read.
        """
        ...


class Files(Protocol):
    """Reads and writes the files of a lock folder as one set."""

    def read_files(self, folder: Path) -> dict[str, bytes]:
        """Return name → content of a finished write; empty without a folder.

        Raises:
            ToolError: when the folder cannot be read.
        """
        ...

    def write_files(
        self, folder: Path, files: Mapping[str, bytes], *, remove: Collection[str] = ()
    ) -> tuple[str, ...]:
        """Replace and remove files atomically, and return the names of the changed ones.

        Raises:
            ToolError: when the disk refuses; every file is unchanged then.
        """
        ...
