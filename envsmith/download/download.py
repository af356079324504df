"""Download: bring the files of locks into a wheelhouse.

What filling a wheelhouse asks of its caller: where files lie, and somebody who hears how they come.

Files of locks on a server of one's own: a plain folder, or a package index.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from envsmith.config.mirrors import MirrorRules
from envsmith.download.artifact import Artifact, artifacts_of, joined
from envsmith.download.record import DownloadResult, FetchedFile, WheelhouseRecord
from envsmith.errors import EnvsmithError, ToolError
from envsmith.index.simple_api import ACCEPT, MAX_PAGE_BYTES, PageAddress, parse_page
from envsmith.lockfile.manifest import FILENAME, Manifest
from envsmith.lockfile.pylock import read_pylock
from envsmith.lockfile.store import read_manifest, sha256_of
from envsmith.model.target import ALIASES
from envsmith.net.client import open_client
from envsmith.net.deadline import Deadline
from envsmith.plan.ports import Files

_PAGE_S = 60.0


class Wheelhouse(Protocol):
    """A folder with the files of locks."""

    def fill(self, house: Path, artifacts: Sequence[Artifact], locations: Locations) -> DownloadResult:
        """Bring files into a folder, each proved by its sha256 before it has its name.

        Raises:
            ToolError: TOL044 when there is not room enough, TOL043 and TOL046 when the disk refuses.
        """
        ...


class Records(Protocol):
    """Reads and changes the record of what a wheelhouse holds."""

    def holdings(self, house: Path) -> WheelhouseRecord:
        """Return what it holds; nothing where there is no record.

        Raises:
            ToolError: TOL049 when the record is damaged.
        """
        ...

    def change(self, house: Path, change: Callable[[WheelhouseRecord], WheelhouseRecord]) -> WheelhouseRecord:
        """Change the record while no other process does, and return it as it is then.

        Raises:
            ToolError: TOL049 when the record is damaged, TOL011 and TOL013 when the disk refuses.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadTools:
    """What a download needs of the world."""

    files: Files
    wheelhouse: Wheelhouse
    records: Records


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededFile:
    """The files of some locks."""

    artifacts: tuple[Artifact, ...]
    plans: Mapping[str, str]
    """lock → digest of its plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MirroredFiles:
    """Locations as the locks say, but for what is rewritten."""

    rewrites: MirrorRules

    def urls(self, artifact: Artifact) -> Iterator[str]:
        """Yield the one address."""
        yield self.rewrites.apply(artifact.url)


def needed(folder: Path, profiles: Sequence[str], targets: Sequence[str], files: Files) -> NeededFile:
    """Read which files locks need.

    Args:
        folder: where the profiles' lock folders lie.
        profiles: their names.
        targets: slugs, or one half of a slug (``cp312``, ``win_amd64``, ``windows``); empty: all.
        files: reads.

    Raises:
        LockError: LCK001 and LCK002 when a file of the lock is malformed.
        ToolError: TOL040 where nothing is locked of what is asked for, or the addresses are not at hand; TOL041 and
            TOL042 where a file of the lock cannot be used.
    """
    found: list[Artifact] = []
    plans: dict[str, str] = {}
    for profile in profiles:
        texts = files.read_files(folder / profile)
        manifest = read_manifest(texts, str(folder / profile / FILENAME))
        if manifest is None:
            raise _not_locked(profile, f"{profile} has never been locked", ())
        for slug in _chosen(manifest, targets, profile):
            lock = f"{profile}/{slug}"
            found += artifacts_of(read_pylock(pylock_of(texts, manifest, slug, profile), lock), lock)
            plans[lock] = manifest.targets[slug].plan
    return NeededFile(artifacts=joined(found), plans=plans)


def download(wanted: NeededFile, house: Path, rewrites: MirrorRules, tools: DownloadTools) -> DownloadResult:
    """Bring the files of locks into a wheelhouse, and write down what it holds then.

    Raises:
        EnvsmithError: that of the one file that cannot be had, or TOL050 with one part each; the others are there.
    """
    tools.records.holdings(house).check(wanted.artifacts, wanted.plans)
    filling = tools.wheelhouse.fill(house, wanted.artifacts, MirroredFiles(rewrites=rewrites))
    is_whole = {lock for lock in wanted.plans if not _lacking(lock, wanted, filling)}

    def recorded(holdings: WheelhouseRecord) -> WheelhouseRecord:
        plans = {lock: plan for lock, plan in wanted.plans.items() if lock in is_whole}
        return holdings.with_files(wanted.artifacts, filling.brought, plans)

    tools.records.change(house, recorded)
    if filling.failed:
        raise failure(filling.failed, "envsmith download")
    return filling


def _lacking(lock: str, wanted: NeededFile, filling: DownloadResult) -> list[str]:
    there = {item.filename for item in filling.brought}
    return [item.filename for item in wanted.artifacts if lock in item.locks and item.filename not in there]


def _chosen(manifest: Manifest, targets: Sequence[str], profile: str) -> list[str]:
    """Return the slugs that are meant, each word meaning at least one."""
    chosen = dict[str, None]()
    for word in targets or manifest.targets:
        meant = [
            slug for slug in manifest.targets if word == slug or ALIASES.get(word, word) in slug.split("-", 1)
        ]
        if not meant:
            raise _not_locked(profile, f"{profile} has no lock for {word}", tuple(manifest.targets))
        chosen |= dict.fromkeys(meant)
    return sorted(chosen)


def pylock_of(texts: Mapping[str, bytes], manifest: Manifest, slug: str, profile: str) -> str:
    """Return the text of a lock's pylock, which names files and addresses.

    Raises:
        ToolError: TOL040 when it is not at hand, or was changed.
    """
    name = f"pylock.{slug}.toml"
    if sha256_of(texts.get(name, b"")) == manifest.targets[slug].files.get(name):
        return texts[name].decode("utf-8", "replace")
    is_there = name in texts
    raise ToolError(
        "TOL040",
        f"{name} {'was changed since it was written' if is_there else 'is not here'}: it holds the files' addresses",
        where=f"{profile}/{slug}",
        hint=f"envsmith lock {profile}: the same cutoff gives the same bytes",
    )


def _not_locked(profile: str, why: str, slugs: Sequence[str]) -> ToolError:
    return ToolError(
        "TOL040",
        why,
        where="envsmith download",
        details=(("locked", " ".join(slugs)),) if slugs else (),
        hint=f"--target names one of these, --all means all; `envsmith lock {profile}` locks others"
        if slugs
        else f"envsmith lock {profile}",
    )


def failure(failed: Sequence[EnvsmithError], where: str) -> EnvsmithError:
    """Return the error for files that cannot be had: that of the one, or one with all as its parts.

    Args:
        failed: one for each file.
        where: the command that wanted them.
    """
    if len(failed) == 1:
        return failed[0]
    return ToolError(
        "TOL050",
        f"{len(failed)} files could not be had; the others are there",
        where=where,
        parts=tuple(failed),
    )


class Transfers(Protocol):
    """Hears how files come; called from several threads."""

    def planned(self, files: int, size_bytes: int, *, is_exact: bool) -> None:
        """Hear how many files and bytes are to come; not exact where some server does not say."""

    def moved(self, filename: str, count: int) -> None:
        """Hear that bytes of a file came, or, below zero, that some are thrown away."""

    def waiting(self, filename: str) -> None:
        """Hear that another process is fetching the file, and is waited for."""

    def ended(self, brought: FetchedFile) -> None:
        """Hear that a file is there, proved."""

    def failed(self, filename: str, error: EnvsmithError) -> None:
        """Hear that a file cannot be had."""


class Locations(Protocol):
    """Knows where a file may be fetched."""

    def urls(self, artifact: Artifact) -> Iterator[str]:
        """Yield addresses; the next one is asked for where a server does not have the file.

        Raises:
            EnvsmithError: when looking for the next address fails.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedFiles:
    """Locations below one address; the lock names the files, so the server need list nothing."""

    base: str
    """May carry user and password."""

    def urls(self, artifact: Artifact) -> Iterator[str]:
        """Yield ``BASE/FILE``, and, where that is not there, what the page ``BASE/PROJECT/`` of an index links to.

        Wheels only are looked for on pages: no source distribution is.

        Raises:
            CatalogError: CAT030 to CAT033 when the page is none that can be trusted.
            ToolError: TOL030 to TOL033, TOL057 when it cannot be fetched.
        """
        base = self.base.rstrip("/")
        yield f"{base}/{quote(artifact.filename)}"
        page = PageAddress(url=f"{base}/{artifact.project}/", root=base, index="", project=artifact.project)
        with open_client(Deadline(_PAGE_S)) as client:
            answer = client.get(page.url, {"Accept": ACCEPT}, limit_bytes=MAX_PAGE_BYTES)
        if answer.status == 200:
            for row in parse_page(answer.body, answer.headers.get("content-type", ""), page):
                if row.wheel.filename == artifact.filename:
                    yield row.served_url
