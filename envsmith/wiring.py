"""Puts adapters, facts and settings together for the commands."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from envsmith.errors import EnvsmithError
from envsmith.host.current import variables
from envsmith.model.listing import HOST
from envsmith.model.url import to_mirror
from envsmith.model.wheel import Wheel

if TYPE_CHECKING:
    from envsmith.catalog import Catalog
    from envsmith.config.mirrors import MirrorRules
    from envsmith.index.remote_wheels import LicenceReader, RequiresReader, WheelReader
    from envsmith.index.routed_pages import RoutedPages
    from envsmith.index.sources import ListingSources, LivePyTorch
    from envsmith.usage.module_names import KnownModules

PYTORCH_BASE = f"{HOST}/whl"
INDEX_VARIABLE = "ENVSMITH_PYTORCH_INDEX"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogOptions:
    """What the command line says of the catalog."""

    mode: str = "auto"
    index_base: str = ""
    is_offline: bool = False


def cache_folder() -> Path:
    """Return the folder for what can be made again."""
    from envsmith.files.cache_dir import cache_root

    return Path(cache_root(variables()))


def watched_paths(read: Iterable[Path], *folders: Path) -> tuple[Path, ...]:
    """Return what a check of locks looks at: as long as none of it changes, its answer holds.

    Args:
        read: the texts that were read to know what is asked for.
        folders: of the profiles' locks.
    """
    from envsmith.console.answer_cache import below

    listings = cache_folder() / "listings"
    locks = (path for folder in folders for path in below(folder))
    return (Path("pyproject.toml"), Path("profiles"), *read, *locks, *below(listings))


def fetched_wheels_folder() -> Path:
    """Return the folder for files that were fetched to hash them, and that their index may forget."""
    return cache_folder() / "kept"


def mirror_rules(project: Path, texts: tuple[str, ...]) -> MirrorRules:
    """Return where files are fetched instead: as the command says, else the variable, else the project's settings.

    Raises:
        ProfileError: PRF044 when one is malformed.
    """
    from envsmith.config.mirrors import VARIABLE, MirrorRules
    from envsmith.config.profiles import ProfileStore

    settings = ProfileStore.of_project(project).settings
    return MirrorRules.parse((*settings.rewrite, *variables().get(VARIABLE, "").split(), *texts))


def index_base(choice: CatalogOptions) -> str:
    """Return the address of PyTorch's server, or of the mirror that stands for it."""
    return choice.index_base or variables().get(INDEX_VARIABLE, "") or PYTORCH_BASE


def wheel_contents(choice: CatalogOptions) -> WheelReader:
    """Return the reader of wheels' contents, which remembers what it has read."""
    from envsmith.index.remote_wheels import WheelReader

    return WheelReader(cache_folder() / "wheels", served=_mirror_url(choice), is_offline=choice.is_offline)


def known_modules() -> KnownModules:
    """Return what knows under which names projects are imported, as far as that is at hand."""
    from envsmith.usage.module_names import KnownModules

    # Few commands come to look into a wheel: what reads them is imported when one does.
    return KnownModules(lambda sha256: wheel_contents(CatalogOptions(is_offline=True)).cached(sha256))


def wheel_requires(choice: CatalogOptions) -> RequiresReader:
    """Return the reader of what wheels require, which remembers what it has read."""
    from envsmith.index.remote_wheels import RequiresReader

    return RequiresReader(cache_folder() / "wheels", served=_mirror_url(choice), is_offline=choice.is_offline)


def licences(choice: CatalogOptions) -> LicenceReader:
    """Return the reader of what licences wheels come under, which remembers what it has read."""
    from envsmith.index.remote_wheels import LicenceReader

    return LicenceReader(cache_folder() / "wheels", served=_mirror_url(choice), is_offline=choice.is_offline)


def _mirror_url(choice: CatalogOptions) -> Callable[[str], str]:
    """Return what turns an address on record into the one that is asked: that of a mirror where one is named."""
    return partial(to_mirror, base=PYTORCH_BASE, mirror=index_base(choice).rstrip("/"))


def live_index(
    catalog: Catalog, choice: CatalogOptions, warn: Callable[[EnvsmithError], None]
) -> LivePyTorch:
    """Return the reader of PyTorch's index, or of the mirror that stands for it.

    Args:
        catalog: names the projects.
        choice: what the command line says.
        warn: called with the versions that cannot be used.
    """
    from envsmith.index.cache import ListingCache, server_name
    from envsmith.index.reader import PyTorchIndex
    from envsmith.index.sources import LivePyTorch

    base = index_base(choice)
    cache = ListingCache(cache_folder(), server_name(base, PYTORCH_BASE))
    projects = tuple(project.name for project in catalog.projects())
    index = PyTorchIndex(base, cache, wants_metadata=_wants_metadata)
    return LivePyTorch(index, cache, projects, warn)


def listing_sources(
    catalog: Catalog,
    choice: CatalogOptions,
    warn: Callable[[EnvsmithError], None] = lambda _: None,
    announce: Callable[[str], None] = lambda _: None,
    *,
    is_online: bool = True,
) -> ListingSources:
    """Return the sources of listings.

    Args:
        catalog: has the snapshot.
        choice: options of the command line.
        warn: called with the reasons why the live index could not be used.
        announce: called with the name of each source that is used.
        is_online: whether the network may be used.
    """
    from envsmith.index.sources import ListingSources

    return ListingSources(
        catalog,
        choice.mode,
        lambda: live_index(catalog, choice, warn),
        is_online=is_online and not choice.is_offline,
        warn=warn,
        announce=announce,
    )


def _wants_metadata(wheel: Wheel) -> bool:
    """Read requirements of what a plan could take: not of the old wheels at PyTorch's root that pages list, too."""
    return wheel.folder != "whl" or "triton" in wheel.name


def routed_pages(choice: CatalogOptions) -> RoutedPages | None:
    """Return the reader of pages that profiles route projects to, or None where the network may not be used."""
    from envsmith.index.routed_pages import RoutedPages

    return None if choice.is_offline else RoutedPages(lambda: datetime.now(UTC))
