"""``envsmith lock``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envsmith.errors import NO, OK

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from envsmith.catalog import Catalog
    from envsmith.errors import EnvsmithError
    from envsmith.lock.lock import LockedProfile
    from envsmith.lock.request import LockOptions
    from envsmith.lock.resolve import ResolveTools
    from envsmith.model.finding import Report
    from envsmith.plan.plan import CutoffOptions, Listings, LockRequest
    from envsmith.process.runner import Processes
    from envsmith.uv.resolver import UvResolver
    from envsmith.wiring import CatalogChoice

LOCKFILES = "lockfiles"


@dataclass(frozen=True, slots=True, kw_only=True)
class _LockOptions:
    """How to lock, apart from what."""

    folder: Path
    jobs: int
    dry_run: bool
    as_json: bool
    quiet: bool
    savings: bool
    choice: CatalogChoice
    timing: CutoffOptions


@click.command(name="lock")
@click.argument("profiles", nargs=-1)
@click.option(
    "-r", "files", multiple=True, metavar="FILE", help="Requirements file (.in, .txt); may be repeated."
)
@click.option("--extra", "extras", multiple=True, help="Extra of the project's pyproject.toml.")
@click.option("--group", "groups", multiple=True, help="Dependency group of the project's pyproject.toml.")
@click.option(
    "--python", multiple=True, metavar="X.Y", help="Python instead of the profile's; may be repeated."
)
@click.option(
    "--platform", "platforms", multiple=True, help="linux, linux-aarch64, macos, windows or a platform tag."
)
@click.option("--backend", metavar="NAME", help="cpu, cu130, rocm7.2, xpu instead of the profile's.")
@click.option("--as-of", metavar="TIME", default="", help="Cutoff: a day (its end, UTC) or an RFC 3339 time.")
@click.option(
    "--catalog", "mode", type=click.Choice(("auto", "embedded", "live")), default="auto", help="Whence rows."
)
@click.option("--index-base", metavar="URL", default="", help="Mirror of https://download.pytorch.org/whl.")
@click.option("--offline", is_flag=True, help="No network: only uv's cache.")
@click.option("-U", "--upgrade", is_flag=True, help="Move the cutoff to now.")
@click.option("-P", "move", multiple=True, metavar="NAME", help="Move the cutoff of one package to now.")
@click.option(
    "--allow-sdist", multiple=True, metavar="NAME", help="Lock this package as source where it has no wheel."
)
@click.option("--check", is_flag=True, help="Only say whether the locks are current; uses no network.")
@click.option("--savings", is_flag=True, help="Say also what this build of torch saves against PyPI's.")
@click.option("--dry-run", is_flag=True, help="Do all but write.")
@click.option(
    "-o", "folder", type=click.Path(path_type=Path), default=LOCKFILES, help="Folder of the lock folders."
)
@click.option("-j", "jobs", type=click.IntRange(1, 64), default=4, help="Resolutions at once.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def lock_command(settings: dict[str, Any], /, **options: Any) -> int:  # noqa: ANN401 - click checks each option
    """Lock PROFILES for every target they name, into lockfiles/PROFILE/.

    Requirements come from -r FILE, else from the project's pyproject.toml, else from the profile. Only targets whose
    plan changed are resolved again; the cutoff is kept until --upgrade or --as-of moves it.
    """
    from envsmith.files.text import record_reads
    from envsmith.lock.request import LockOptions
    from envsmith.wiring import CatalogChoice

    if options["mode"] == "live" and options["offline"]:
        raise click.UsageError("--catalog live asks PyTorch's server, which --offline forbids")
    words = LockOptions(
        names=options["profiles"],
        files=options["files"],
        extras=options["extras"],
        groups=options["groups"],
        python=options["python"],
        platforms=options["platforms"],
        backend=options["backend"],
        allow_sdist=options["allow_sdist"],
    )
    choice = CatalogChoice(
        mode=options["mode"], index_base=options["index_base"], is_offline=options["offline"]
    )
    ways = _LockOptions(
        folder=options["folder"],
        jobs=options["jobs"],
        dry_run=options["dry_run"],
        as_json=options["as_json"],
        quiet=settings["quiet"],
        savings=options["savings"],
        choice=choice,
        timing=_timing(options),
    )
    with record_reads() as read:
        wanted = _asked(words, ways)
    return _check(wanted, ways, settings["words"], read) if options["check"] else _lock(wanted, ways)


def _timing(options: Mapping[str, Any]) -> CutoffOptions:
    """Return what the command line says of time."""
    from envsmith.lock.request import parse_cutoff
    from envsmith.plan.plan import CutoffOptions
    from envsmith.wiring import utc_now

    if options["upgrade"] and options["as_of"]:
        raise click.UsageError("--upgrade moves the cutoff to now, --as-of to another time: name one of them")
    now_utc = utc_now()
    return CutoffOptions(
        now_utc=now_utc,
        as_of_utc=parse_cutoff(options["as_of"], now_utc) if options["as_of"] else "",
        upgrade=options["upgrade"],
        move=options["move"],
    )


def _asked(words: LockOptions, ways: _LockOptions) -> tuple[LockRequest, ...]:
    """Return what is asked for, models to be hashed."""
    from envsmith.environment.interpreter import hash_model
    from envsmith.lock.request import orders

    return tuple(replace(one, hash_model=hash_model) for one in orders(words, Path(), ways.folder))


def _current(wanted: tuple[LockRequest, ...]) -> str:
    return f"current: {' '.join(one.profile.name for one in wanted)}"


def _check(
    wanted: tuple[LockRequest, ...], ways: _LockOptions, words: Sequence[str], read: Sequence[Path]
) -> int:
    """Say what is stale; where nothing is, remember that, and of what it was said."""
    from envsmith.console import answer_cache, printer
    from envsmith.lock.request import reads_sources
    from envsmith.lock.staleness import models_of
    from envsmith.wiring import looked_at

    folders = [ways.folder / one.profile.name for one in wanted]
    models = [Path(model.path) for one in wanted for model in models_of(one.profile)]
    seen = answer_cache.signed((ways.folder, *models, *looked_at(read, *folders)))
    found = _checked(wanted, ways)
    if ways.as_json:
        data = {"findings": [finding.to_json() for finding in found.findings]}
        printer.envelope("lock", "no" if found.has_errors else "ok", data)
        return NO if found.has_errors else OK
    if found.has_errors:
        printer.findings(found.errors)
    else:
        printer.say(_current(wanted))
    printer.notes(found.findings)
    if not found.findings and not any(map(reads_sources, wanted)):
        answer_cache.remember(words, _current(wanted), seen)
    return NO if found.has_errors else OK


def _checked(wanted: tuple[LockRequest, ...], ways: _LockOptions) -> Report:
    from envsmith.catalog import Catalog
    from envsmith.lock.check import check_profile, check_tools
    from envsmith.model.finding import Report
    from envsmith.templates import read_template

    tools = check_tools(Catalog.embedded(), ways.choice, read_template)
    return Report(
        findings=tuple(
            finding
            for one in wanted
            for finding in check_profile(one, ways.folder / one.profile.name, tools).findings
        )
    )


def _lock(wanted: tuple[LockRequest, ...], ways: _LockOptions) -> int:
    from envsmith.catalog import Catalog
    from envsmith.errors import EnvsmithError
    from envsmith.lock import output
    from envsmith.lock.lock import lock_profiles
    from envsmith.wiring import listing_sources

    catalog = Catalog.embedded()
    line = output.CatalogLine(quiet=ways.quiet or ways.as_json)
    sources = listing_sources(catalog, ways.choice, line.warn, line.announce)
    done: list[LockedProfile] = []
    failed: list[EnvsmithError] = []
    with _at_work(ways, catalog, sources) as (tools, pool):
        # All are waited for before the first is shown: what is shown must not mix with the progress.
        outcomes = list(
            lock_profiles(wanted, ways.timing, ways.folder, tools, pool=pool, dry_run=ways.dry_run)
        )
    for one, outcome in outcomes:
        if not ways.as_json:
            output.outcome(one, outcome)
        if isinstance(outcome, EnvsmithError):
            failed.append(outcome)
        else:
            done.append(outcome)
    if ways.as_json:
        output.envelope(done, failed)
    elif not failed:
        output.written(done, dry_run=ways.dry_run)
    return output.status(done, failed)


@contextmanager
def _at_work(
    ways: _LockOptions, catalog: Catalog, sources: Listings
) -> Iterator[tuple[ResolveTools, ThreadPoolExecutor]]:
    """Lend the tools and the threads of a lock, and end what still runs when the work is over or broken off."""
    from envsmith.console.terminal import LockProgress
    from envsmith.files import atomic
    from envsmith.index.hashing import Downloads, FileCache, NoDownloads
    from envsmith.index.sdist import SdistReader
    from envsmith.lock.resolve import ResolveTools
    from envsmith.process.runner import Processes
    from envsmith.templates import read_template
    from envsmith.usage import python
    from envsmith.wiring import index_base, kept_folder, routed_pages, wheel_contents, wheel_requires

    processes = Processes()
    pool = ThreadPoolExecutor(ways.jobs)
    try:
        with LockProgress(quiet=ways.quiet or ways.as_json) as progress:
            tools = ResolveTools(
                catalog=catalog,
                listings=sources,
                resolver=_resolver(ways, processes),
                sdists=SdistReader(),
                hasher=NoDownloads()
                if ways.choice.is_offline
                else Downloads(progress, FileCache(kept_folder()), index_base(ways.choice)),
                contents=wheel_contents(ways.choice),
                requires=wheel_requires(ways.choice),
                imports=python,
                weighs_builds=ways.savings,
                files=atomic,
                templates=read_template,
                progress=progress,
                routes=routed_pages(ways.choice),
            )
            yield tools, pool
    finally:
        processes.close()
        pool.shutdown(wait=True, cancel_futures=True)


def _resolver(ways: _LockOptions, processes: Processes) -> UvResolver:
    from envsmith.uv.resolver import UvResolver, find_uv
    from envsmith.wiring import cache_folder

    return UvResolver(
        processes,
        executable=find_uv(),
        slices=cache_folder() / "slices",
        offline=ways.choice.is_offline,
        requests=max(4, 16 // ways.jobs),
    )
