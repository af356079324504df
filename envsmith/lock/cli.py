"""``envsmith lock``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envsmith.console.options import (
    ACCEPT_CHANGED,
    INSECURE_HOSTS,
    LOCK_FOLDERS,
    TRUST,
    interpreter,
    recorded_file,
)
from envsmith.errors import NO, OK

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from envsmith.catalog import Catalog
    from envsmith.errors import EnvsmithError
    from envsmith.index.sources import ListingSources
    from envsmith.lock.inputs.request import LockOptions
    from envsmith.lock.lock import LockedProfile
    from envsmith.lock.resolve import ResolveTools
    from envsmith.model.finding import Report
    from envsmith.model.usage import Use
    from envsmith.plan.model import LockRequest
    from envsmith.process.runner import Processes
    from envsmith.uv.resolver import UvResolver


_REMEMBERED = (
    "requirements_files",
    "extras",
    "groups",
    "no_default_groups",
    "python",
    "platforms",
    "allow_sdist",
    "allow_build",
    "no_project",
    "indexes",
)
"""Options that the manifest records as they are given."""


@click.command(name="lock")
@click.argument("profiles", nargs=-1)
@click.option(
    "-r",
    "requirements_files",
    type=recorded_file,
    multiple=True,
    metavar="FILE",
    help="Requirements file (.in, .txt); may be repeated.",
)
@click.option("--extra", "extras", multiple=True, help="Extra of the project's pyproject.toml.")
@click.option("--all-extras", is_flag=True, help="All extras.")
@click.option("--group", "groups", multiple=True, help="Dependency group of the project's pyproject.toml.")
@click.option("--all-groups", is_flag=True, help="All dependency groups.")
@click.option("--no-default-groups", is_flag=True, help="Without the `groups` of the profile or project.")
@click.option(
    "--python",
    multiple=True,
    metavar="X.Y",
    help="Python instead of the profile's, such as 3.12 or 3.13t; may be repeated.",
)
@click.option(
    "--platform", "platforms", multiple=True, help="linux, linux-aarch64, macos, windows or a platform tag."
)
@click.option("--backend", metavar="NAME", help="cpu, cu130, rocm7.2, xpu instead of the profile's.")
@click.option(
    "--as-of",
    metavar="TIME",
    default="",
    help="Cutoff: ignore later releases; a date (its end, UTC) or an RFC 3339 time.",
)
@click.option(
    "--catalog",
    "mode",
    type=click.Choice(("auto", "embedded", "live")),
    default="auto",
    help="Source of PyTorch index data [default: auto].",
)
@click.option("--index-base", metavar="URL", default="", help="Mirror of https://download.pytorch.org/whl.")
@ACCEPT_CHANGED
@INSECURE_HOSTS
@click.option("--offline", is_flag=True, help="Use only uv's cache, no network.")
@click.option("-U", "--upgrade", is_flag=True, help="Ignore the pins and resolve again.")
@click.option(
    "-P",
    "upgrade_packages",
    multiple=True,
    metavar="NAME",
    help="Upgrade one package, and others as far as it needs; may be repeated.",
)
@click.option(
    "--allow-sdist",
    multiple=True,
    metavar="NAME",
    help="Lock this package, or :all:, as source if it has no wheel.",
)
@click.option(
    "--allow-build",
    multiple=True,
    metavar="NAME",
    help="Build this package if only that tells what it requires; asks first.",
)
@TRUST
@click.option("--no-project", is_flag=True, help="Without the project itself.")
@click.option(
    "--index",
    "indexes",
    multiple=True,
    metavar="NAME=URL",
    help="Index to ask before PyPI; may be repeated.",
)
@click.option("--default-index", metavar="URL", default="", help="Index in place of PyPI.")
@click.option(
    "--given-python",
    type=interpreter,
    default="",
    metavar="PATH",
    help="Interpreter of an image: read the profile's `given` packages there again.",
)
@click.option("--check", is_flag=True, help="Check that the locks are current; uses no network.")
@click.option("--savings", is_flag=True, help="Show download size saved compared with PyPI's torch.")
@click.option("--dry-run", is_flag=True, help="Resolve but do not write files.")
@LOCK_FOLDERS
@click.option("-j", "jobs", type=click.IntRange(1, 64), default=2, help="Parallel resolutions [default: 2].")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def lock_command(settings: dict[str, Any], /, **values: Any) -> int:  # noqa: ANN401 - click checks each option
    """Lock PROFILES for all their targets, into lockfiles/PROFILE/.

    Requirements come from -r FILE, else from the project's pyproject.toml, else from the profile. A pin moves only if
    it no longer satisfies them, or with -U or -P. The options for what to lock are remembered.
    """
    is_check = values.pop("check")
    options = lock_options(values, quiet=settings["quiet"])
    requests, read = requested(options)
    keep = _keeper(requests, options, settings["words"], read)
    if is_check:
        return _check(requests, options, keep)
    return run_lock(requests, options, keep=keep, words=settings["words"])


def requested(options: LockOptions) -> tuple[tuple[LockRequest, ...], Sequence[Path]]:
    """Return the lock requests of a command line, and the files read for them."""
    from envsmith.files.text import hash_model, record_reads
    from envsmith.lock.inputs.request import lock_requests

    with record_reads() as read:
        return tuple(replace(item, hash_model=hash_model) for item in lock_requests(options, Path())), read


def lock_options(values: Mapping[str, Any], *, quiet: bool) -> LockOptions:
    """Return the options out of click's values; those that a command lacks have the defaults of `envsmith lock`."""
    from envsmith.config.requirements.project_dependencies import ALL
    from envsmith.host.current import utc_text
    from envsmith.lock.inputs.request import LockOptions, parse_cutoff
    from envsmith.lockfile.manifest import RememberedOptions
    from envsmith.wiring import CatalogOptions

    rest = dict(values)
    mode, is_offline, as_of = rest.pop("mode"), rest.pop("offline"), rest.pop("as_of", "")
    for name in ("extras", "groups"):
        if rest.pop(f"all_{name}", False):
            rest[name] = (ALL,)
    rest["indexes"] = _indexes(rest.get("indexes", ()), rest.pop("default_index", ""))
    if mode == "live" and is_offline:
        raise click.UsageError("--catalog live needs the network; remove --offline")
    now_utc = utc_text()
    given = {
        "as_of": parse_cutoff(as_of, now_utc) if as_of else "",
        "backend": rest.pop("backend", "") or "",
        **{name: rest.pop(name) for name in _REMEMBERED if name in rest},
    }
    return LockOptions(
        now_utc=now_utc,
        catalog=CatalogOptions(
            mode=mode,
            index_base=rest.pop("index_base"),
            is_offline=is_offline,
            accepted=rest.pop("accepted"),
            insecure_hosts=rest.pop("insecure_hosts"),
        ),
        quiet=quiet,
        remembered=RememberedOptions(**given),
        **rest,
    )


def _indexes(typed: Sequence[str], default: str) -> tuple[str, ...]:
    if not typed and not default:
        return ()
    from envsmith.model.package_index import PackageIndex

    found = [str(PackageIndex.typed(text)) for text in typed]
    return (*found, str(PackageIndex.checked(default, is_default=True))) if default else tuple(found)


def _keeper(
    requests: Sequence[LockRequest], options: LockOptions, words: Sequence[str], read: Sequence[Path]
) -> Callable[[str], None] | None:
    """Return the function that caches the answer to a command line until an input changes.

    None if there are inputs that are not watched: the network, the time, the project's sources.

    Args:
        requests: profiles and requirements.
        options: the command line.
        words: the command line as typed, the key of the answer cache.
        read: files read to build the requests.
    """
    from envsmith.console import answer_cache
    from envsmith.lock.inputs.recorded_models import models_of
    from envsmith.lock.inputs.request import reads_places, reads_sources
    from envsmith.wiring import watched_paths

    is_moving = (
        options.upgrade or options.upgrade_packages or options.given_python or options.catalog.mode == "live"
    )
    if (
        is_moving
        or options.savings
        or options.dry_run
        or options.as_json
        or any(map(reads_sources, requests))
        or any(map(reads_places, requests))
    ):
        return None
    profiles = [item.profile for item in requests]
    names = {name for item in profiles for name in (item.name, item.versions_of) if name}
    models = [Path(model.path) for item in profiles for model in models_of(item)]
    paths = watched_paths(read, *(options.folder / name for name in sorted(names)))
    seen = answer_cache.sign_paths((options.folder, *models, *paths))
    return partial(answer_cache.remember, words, signatures=seen)


def _check(requests: Sequence[LockRequest], options: LockOptions, keep: Callable[[str], None] | None) -> int:
    """Report stale locks; cache the answer if all are current."""
    from envsmith.console import printer

    report = check_locks(requests, options)
    current = _current(requests)
    if options.as_json:
        data = {"findings": [finding.to_json() for finding in report.findings]}
        printer.envelope("lock", "no" if report.has_errors else "ok", data)
        return NO if report.has_errors else OK
    if report.has_errors:
        printer.stale_targets(report.errors)
    else:
        printer.say(current)
    printer.notes(report.findings)
    if keep and not report.findings:
        keep(current)
    return NO if report.has_errors else OK


def _current(requests: Sequence[LockRequest]) -> str:
    return f"current: {' '.join(item.profile.name for item in requests)}"


def check_locks(requests: Sequence[LockRequest], options: LockOptions) -> Report:
    """Return the findings on the locks of some requests, without network."""
    from envsmith.catalog import Catalog
    from envsmith.lock.staleness import check_profile, check_tools
    from envsmith.model.finding import Report
    from envsmith.templates import read_template

    tools = check_tools(Catalog.embedded(), options.catalog, read_template)
    return Report(
        findings=tuple(
            finding
            for item in requests
            for finding in check_profile(item, options.folder / item.profile.name, tools).findings
        )
    )


def run_lock(
    requests: Sequence[LockRequest],
    options: LockOptions,
    *,
    is_last: bool = True,
    keep: Callable[[str], None] | None = None,
    words: Sequence[str] = (),
) -> int:
    """Lock, print the outcome, and return the exit code.

    Args:
        requests: profiles and requirements.
        options: the command line.
        is_last: whether to print the JSON document even after a success; else the caller prints one.
        keep: caches the answer if there was nothing to do.
        words: the command line as typed, for hints; empty for another command than `envsmith lock`.
    """
    from envsmith.errors import EnvsmithError
    from envsmith.files.git import keep_line_ends
    from envsmith.lock import output
    from envsmith.lock.inputs.given_packages import read_all
    from envsmith.lock.lock import lock_profiles

    requests = read_all(requests, options.given_python)
    done: list[LockedProfile] = []
    failed: list[EnvsmithError] = []
    with lock_tools(requests, options) as (tools, pool):
        # Wait for all profiles before printing, so that results do not mix with the progress.
        results = list(lock_profiles(requests, options, tools, pool=pool))
    for request, result in results:
        if isinstance(result, EnvsmithError) and words:
            output.add_command(result, words)
        if not options.as_json:
            output.outcome(request, result)
        if isinstance(result, EnvsmithError):
            failed.append(result)
        else:
            done.append(result)
    if any(item.written for item in done):
        keep_line_ends(options.folder)
    status = output.status(done, failed)
    if options.as_json and (status or is_last):
        output.envelope(done, failed)
    elif not options.as_json and not failed:
        output.written(done, dry_run=options.dry_run)
    if keep and not status and output.is_idle(done):
        keep(_current(requests))
    return status


@contextmanager
def lock_tools(
    requests: Sequence[LockRequest], options: LockOptions
) -> Iterator[tuple[ResolveTools, ThreadPoolExecutor]]:
    """Build the tools and the thread pool of a lock; on exit, stop the processes that still run."""
    from envsmith.catalog import Catalog
    from envsmith.console.terminal import LockProgress
    from envsmith.files import atomic
    from envsmith.lock.resolve import ResolveTools
    from envsmith.process.runner import Processes
    from envsmith.templates import read_template
    from envsmith.wiring import (
        lock_rules,
        on_first_use,
        package_provider,
        routed_pages,
        sdist_reader,
        wheel_contents,
        wheel_hasher,
        wheel_requires,
    )

    catalog = Catalog.embedded()
    own = dict.fromkeys(index for item in requests for index in item.indexes)
    processes = Processes()
    pool = ThreadPoolExecutor(options.jobs)
    choice = replace(options.catalog, package_indexes=tuple(own))
    try:
        with LockProgress(quiet=options.quiet or options.as_json) as progress:
            tools = ResolveTools(
                catalog=catalog,
                listings=_listings(catalog, options),
                resolver=_resolver(options, processes),
                sdists=on_first_use(partial(sdist_reader, processes, choice, is_trusted=options.is_trusted)),
                hasher=wheel_hasher(choice, progress),
                contents=wheel_contents(choice),
                requires=wheel_requires(choice),
                imports=_import_time_uses,
                compares_builds=options.savings,
                files=atomic,
                templates=read_template,
                progress=progress,
                routes=None if choice.is_offline else on_first_use(routed_pages),
                rules=lock_rules(choice.insecure_hosts, choice.index_base),
                provider=package_provider(processes, choice, is_trusted=options.is_trusted),
            )
            yield tools, pool
    finally:
        processes.close()
        pool.shutdown(wait=True, cancel_futures=True)


def _listings(catalog: Catalog, options: LockOptions) -> ListingSources:
    from envsmith.lock.output import CatalogLine
    from envsmith.wiring import listing_sources

    line = CatalogLine(quiet=options.quiet or options.as_json)
    return listing_sources(catalog, options.catalog, line.warn, line.announce)


def _import_time_uses(sources: Mapping[str, bytes], modules: Collection[str]) -> tuple[Use, ...]:
    from envsmith.usage.python import at_import_time

    return at_import_time(sources, modules)


def _resolver(options: LockOptions, processes: Processes) -> UvResolver:
    from envsmith.uv.command import find_uv
    from envsmith.uv.resolver import UvResolver
    from envsmith.wiring import cache_folder

    return UvResolver(
        processes,
        executable=find_uv(),
        slices=cache_folder() / "slices",
        offline=options.catalog.is_offline,
        runs=options.jobs,
    )
