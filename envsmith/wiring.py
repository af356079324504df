"""Construction of the shared readers and tools from options, variables and settings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import urlsplit

from envsmith.errors import EnvsmithError, ToolError
from envsmith.host.current import variables
from envsmith.model.listing import HOST, PYTORCH_HOSTS
from envsmith.model.url import is_secure, redact_url, to_mirror
from envsmith.model.wheel import Wheel

if TYPE_CHECKING:
    from envsmith.catalog import Catalog
    from envsmith.config.mirrors import MirrorRules
    from envsmith.config.package_source import PackageSource
    from envsmith.index.direct_references.provide import Provider
    from envsmith.index.hashing import Downloads, NoDownloads
    from envsmith.index.remote_wheels import LicenceReader, RequiresReader, WheelReader
    from envsmith.index.routed_pages import RoutedPages
    from envsmith.index.sdist import SdistReader
    from envsmith.index.sources import ListingSources, LivePyTorch
    from envsmith.lockfile.pins import Pin
    from envsmith.lockfile.whole import LockRules
    from envsmith.model.backend import Backend
    from envsmith.model.package_index import PackageIndex
    from envsmith.model.progress import Progress
    from envsmith.model.wheel import WheelContents
    from envsmith.process.runner import Processes
    from envsmith.usage.module_names import KnownModules
    from envsmith.uv.wheel_builder import WheelBuilder

T = TypeVar("T")
PYTORCH_BASE = f"{HOST}/whl"
INDEX_VARIABLE = "ENVSMITH_PYTORCH_INDEX"
INSECURE_VARIABLE = "ENVSMITH_INSECURE_HOST"
_WHEELS_DEADLINE_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogOptions:
    """Options of the command line about PyTorch's index."""

    mode: str = "auto"
    """``auto``, ``live`` or ``embedded``."""
    index_base: str = ""
    """URL of a mirror; empty for the default."""
    is_offline: bool = False
    accepted: tuple[str, ...] = ()
    """Names of published files whose hash may have changed."""
    insecure_hosts: tuple[str, ...] = ()
    """Hosts that may be used over http, besides those of the variable."""
    package_indexes: tuple[PackageIndex, ...] = ()
    """Those of the project."""


def cache_folder() -> Path:
    """Return the user's cache folder."""
    from envsmith.files.cache_dir import cache_root

    return Path(cache_root(variables()))


def watched_paths(read: Iterable[Path], *folders: Path) -> tuple[Path, ...]:
    """Return all paths that decide whether locks are up to date: the answer holds until one of them changes.

    Args:
        read: the profiles and requirements files that were read.
        folders: lock folders of the profiles.
    """
    from envsmith.console.answer_cache import below

    listings = cache_folder() / "listings"
    locks = (path for folder in folders for path in below(folder))
    return (Path("pyproject.toml"), Path("profiles"), *read, *locks, *below(listings))


def fetched_wheels_folder() -> Path:
    """Return the folder of wheels that were downloaded to hash them; their index may remove them."""
    return cache_folder() / "kept"


def wheel_builder(processes: Processes, *, offline: bool = False) -> WheelBuilder:
    """Return the builder of wheels, which keeps them in the cache."""
    from envsmith.index.sdist import fetch_sdist
    from envsmith.uv.command import find_uv
    from envsmith.uv.wheel_builder import WheelBuilder

    folder = cache_folder() / "built"
    return WheelBuilder(
        processes=processes, executable=find_uv(), folder=folder, fetch=fetch_sdist, offline=offline
    )


def check_secure(url: str, insecure_hosts: Collection[str] = ()) -> None:
    """Check that a server's URL is https, or http to this machine or to a host that the user declared insecure.

    Raises:
        ToolError: TOL058 when it is http to another host.
    """
    if urlsplit(url).scheme != "http":
        return
    if not is_secure(url, _insecure(insecure_hosts)):
        host = urlsplit(url).hostname or ""
        raise ToolError(
            "TOL058",
            f"plain http to {host} is refused: anyone on the way can change its answers",
            where=redact_url(url),
            hint=f"use https, or allow this host with {INSECURE_VARIABLE}={host} (not from project settings)",
        )


def mirror_rules(project: Path, texts: tuple[str, ...], insecure_hosts: Collection[str] = ()) -> MirrorRules:
    """Return the mirrors of downloads: of the settings, the variable and the command line; the last one wins.

    Raises:
        ProfileError: PRF044 for a malformed rule.
        ToolError: TOL058 for a mirror that is neither https nor declared insecure.
    """
    from envsmith.config.mirrors import VARIABLE, MirrorRules
    from envsmith.config.profiles import ProfileStore

    settings = ProfileStore.of_project(project).settings
    rules = MirrorRules.parse((*settings.rewrite, *variables().get(VARIABLE, "").split(), *texts))
    for rule in rules.rules:
        check_secure(rule.target, insecure_hosts)
    return rules


def lock_rules(insecure_hosts: Collection[str] = (), base: str = "") -> LockRules:
    """Return the rules for the files of locks: the catalog's hashes, and the user's mirror and insecure hosts.

    Args:
        insecure_hosts: of the command line, besides those of the variable.
        base: URL of a mirror of PyTorch's index; empty for that of the variable.
    """
    from envsmith.catalog import Catalog
    from envsmith.index.cache import ListingCache, server_name
    from envsmith.lockfile.whole import PACKAGE_HOSTS, LockRules

    catalog = Catalog.embedded()
    address = _chosen_base(base)
    mirror = urlsplit(address).hostname
    cache = ListingCache(cache_folder(), server_name(address, PYTORCH_BASE))

    def published(channel: str, backend: Backend, filename: str) -> frozenset[str]:
        """Return the hashes on record: the catalog's, and those that the user accepted later."""
        known = catalog.published_hashes(channel, backend, filename)
        return known | cache.accepted(filename) if known else known

    return LockRules(
        published=published,
        pytorch_hosts=PYTORCH_HOSTS | ({mirror} if mirror else set()),
        package_hosts=(*PACKAGE_HOSTS, *_mirror_hosts()),
        insecure_hosts=_insecure(insecure_hosts),
    )


def _insecure(insecure_hosts: Collection[str]) -> frozenset[str]:
    return frozenset({*insecure_hosts, *variables().get(INSECURE_VARIABLE, "").split()})


def _mirror_hosts() -> Iterator[str]:
    """Yield the SHA-256 of the host of PyPI's mirror that a variable names."""
    from envsmith.model.package_index import MIRROR_VARIABLES

    for name in MIRROR_VARIABLES:
        if host := urlsplit(variables().get(name, "")).hostname:
            yield sha256(host.encode()).hexdigest()


def index_base(choice: CatalogOptions) -> str:
    """Return the URL of PyTorch's index or of its mirror: from the option, else the variable, else the default.

    Raises:
        ToolError: TOL058 when it is neither https nor declared insecure.
    """
    base = _chosen_base(choice.index_base)
    check_secure(base, choice.insecure_hosts)
    return base


def _chosen_base(base: str) -> str:
    return base or variables().get(INDEX_VARIABLE, "") or PYTORCH_BASE


def wheel_contents(choice: CatalogOptions) -> WheelReader:
    """Return the cached reader of the contents of wheels."""
    from envsmith.index.remote_wheels import WheelReader

    return WheelReader(
        cache_folder() / "wheels",
        served=_mirror_url(choice),
        is_offline=choice.is_offline,
        credentials=index_credentials(choice.package_indexes),
    )


def index_credentials(indexes: Iterable[PackageIndex]) -> dict[str, tuple[str, str]]:
    """Return origin → user and password of the indexes for which uv's variables have them."""
    from envsmith.model.url import origin

    found: dict[str, tuple[str, str]] = {}
    for index in indexes:
        user, password = (
            variables().get(f"{index.variable}_{part}", "") for part in ("USERNAME", "PASSWORD")
        )
        if user or password:
            found[origin(index.url)] = (user, password)
    return found


def wheel_hasher(choice: CatalogOptions, progress: Progress) -> Downloads | NoDownloads:
    """Return the hasher of wheels whose index publishes no hash."""
    from envsmith.index.hashing import Downloads, FileCache, NoDownloads

    if choice.is_offline:
        return NoDownloads()
    return Downloads(progress, FileCache(fetched_wheels_folder()), index_base(choice))


def package_builder(
    processes: Processes, choice: CatalogOptions, *, is_trusted: bool = False
) -> Callable[[PackageSource, str], str]:
    """Return what builds a package for its metadata, if the user trusts it: place and name → text of METADATA.

    Args:
        processes: starts uv.
        choice: options of the command line.
        is_trusted: build without asking.
    """

    def build(source: PackageSource, name: str) -> str:
        import sys

        from envsmith.console.build_trust import check_builds
        from envsmith.lockfile.pins import InstallSource, Pin
        from envsmith.uv.command import find_uv
        from envsmith.uv.installer import UvInstaller

        check_builds({name: str(source)}, "envsmith lock", is_trusted=is_trusted)
        bare = replace(source, is_editable=False, is_named=True, sha256="")
        pin = Pin(name=name, version="", sha256=(source.sha256,) if source.sha256 else (), source=str(bare))
        installer = UvInstaller(processes=processes, executable=find_uv(), offline=choice.is_offline)
        supply = InstallSource(text="", is_pylock=False, apart=(pin,), indexes=choice.package_indexes)
        return installer.metadata(supply, Path(sys.executable))

    return build


def package_provider(processes: Processes, choice: CatalogOptions, *, is_trusted: bool = False) -> Provider:
    """Return the reader of packages that are from no index.

    Args:
        processes: starts git and uv.
        choice: options of the command line.
        is_trusted: build packages for their metadata without asking.
    """
    from envsmith.index.direct_references.git_repositories import GitRepositories
    from envsmith.index.direct_references.provide import Provider

    return Provider(
        project=Path(),
        git=GitRepositories(processes=processes, folder=cache_folder() / "git", offline=choice.is_offline),
        check_secure=partial(check_secure, insecure_hosts=choice.insecure_hosts),
        build=package_builder(processes, choice, is_trusted=is_trusted),
    )


def locked_wheels(
    pins: Iterable[Pin], fetch: Collection[str] | None, *, wheelhouse: str = "", is_offline: bool = True
) -> dict[str, WheelContents]:
    """Return project → contents of its locked wheel: from the cache, a wheelhouse, or the wheel's server.

    Args:
        pins: of the lock.
        fetch: projects to read from the wheelhouse or server if they are not cached; None: all.
        wheelhouse: a local folder; empty for servers.
        is_offline: do not use the network.
    """
    from envsmith.index.remote_wheels import WheelReader

    folder = cache_folder() / "wheels"
    served = _mirror_url(CatalogOptions())
    reader = WheelReader(folder, served=served, is_offline=is_offline, deadline_s=_WHEELS_DEADLINE_S)
    single = {pin.sha256[0]: pin for pin in pins if len(pin.sha256) == 1 and not pin.is_source}
    found = {
        sha256: contents for sha256, pin in single.items() if (contents := reader.cached(sha256, pin.url))
    }
    missing = [
        pin for sha256, pin in single.items() if sha256 not in found and (fetch is None or pin.name in fetch)
    ]
    found |= reader.local(Path(wheelhouse), missing) if wheelhouse else reader.contents_of(missing)
    return {single[sha256].name: contents for sha256, contents in found.items()}


def known_modules() -> KnownModules:
    """Return the known import names of projects, without network."""
    from envsmith.usage.module_names import KnownModules

    # Few commands look into a wheel: import the reader on first use.
    return KnownModules(lambda *file: wheel_contents(CatalogOptions(is_offline=True)).cached(*file))


def wheel_requires(choice: CatalogOptions) -> RequiresReader:
    """Return the cached reader of the requirements of wheels."""
    from envsmith.index.remote_wheels import RequiresReader

    return RequiresReader(
        cache_folder() / "wheels",
        served=_mirror_url(choice),
        is_offline=choice.is_offline,
        credentials=index_credentials(choice.package_indexes),
    )


def licences(choice: CatalogOptions) -> LicenceReader:
    """Return the cached reader of the licences of wheels."""
    from envsmith.index.remote_wheels import LicenceReader

    return LicenceReader(cache_folder() / "wheels", served=_mirror_url(choice), is_offline=choice.is_offline)


def _mirror_url(choice: CatalogOptions) -> Callable[[str], str]:
    """Return the function from a URL on PyTorch's server to the same file on the mirror."""
    return partial(to_mirror, base=PYTORCH_BASE, mirror=index_base(choice).rstrip("/"))


def live_index(
    catalog: Catalog, choice: CatalogOptions, warn: Callable[[EnvsmithError], None]
) -> LivePyTorch:
    """Return the reader of PyTorch's index or of its mirror.

    Args:
        catalog: provides the projects' names.
        choice: options of the command line.
        warn: called with an error for each version that cannot be used.
    """
    from envsmith.index.cache import ListingCache, server_name
    from envsmith.index.reader import PyTorchIndex
    from envsmith.index.sources import LivePyTorch

    base = index_base(choice)
    cache = ListingCache(cache_folder(), server_name(base, PYTORCH_BASE))
    projects = tuple(project.name for project in catalog.projects())
    index = PyTorchIndex(base, cache, wants_metadata=_wants_metadata, accepted=choice.accepted)
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
        catalog: provides the snapshot.
        choice: options of the command line.
        warn: called with the reasons for not using the live index.
        announce: called with the name of each source used.
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
    """Return whether a plan may use a wheel. Pages also list old wheels in the root of PyTorch's server."""
    return wheel.folder != "whl" or "triton" in wheel.name


def routed_pages() -> RoutedPages:
    """Return the reader of routed projects' pages."""
    from envsmith.index.routed_pages import RoutedPages

    return RoutedPages(lambda: datetime.now(UTC))


def sdist_reader(processes: Processes, choice: CatalogOptions, *, is_trusted: bool = False) -> SdistReader:
    """Return the reader of source distributions; the parameters are those of `package_builder`."""
    from envsmith.config.package_source import PackageSource
    from envsmith.index.direct_references.source_trees import ArchiveTree
    from envsmith.index.direct_references.static_metadata import declared_requires
    from envsmith.index.sdist import SdistReader, requires_of_metadata

    build = package_builder(processes, choice, is_trusted=is_trusted)
    return SdistReader(
        declared=lambda archive, place: declared_requires(ArchiveTree.of(archive), place),
        build=lambda name, url, sha256: requires_of_metadata(
            build(PackageSource(kind="url", place=url, sha256=sha256), name)
        ),
    )


def on_first_use(make: Callable[[], T]) -> T:
    """Return a stand-in that makes a reader when it is used: few locks need it, and its imports take long."""
    return cast("T", _OnFirstUse(cache(make)))


class _OnFirstUse:
    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the reader has
        return getattr(self._make(), name)
