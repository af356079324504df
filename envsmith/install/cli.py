"""Commands `envsmith install`, `generations` and `rollback`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envsmith.console.options import INSECURE_HOSTS, LOCK_FOLDERS, PREFIX, STORE, TRUST, interpreter, location
from envsmith.errors import OK

if TYPE_CHECKING:
    from envsmith.console.answer_cache import Signatures
    from envsmith.environment.generation import Generation
    from envsmith.install.ports import InstallTools


@click.command(name="generations")
@click.option("--keep", type=click.IntRange(1), metavar="N", help="Remove all but the N last used.")
@PREFIX
@STORE
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def generations_command(keep: int | None, prefix: Path, store: Path | None, *, as_json: bool) -> int:
    """List the environments that were built, with last use and size.

    Own bytes are freed if the environment is removed; shared ones are hard links to uv's cache or other environments.
    """
    from envsmith.install import output
    from envsmith.install.disk_space import own_and_shared
    from envsmith.install.generation_store import GenerationStore
    from envsmith.install.rollback import list_generations, prune

    found = GenerationStore(link=prefix, store=store, notify=output.show_note)
    removed = () if keep is None else prune(keep, found)
    output.show_generations(list_generations(found, own_and_shared), removed, as_json=as_json)
    return OK


@click.command(name="install")
@click.argument("profile", required=False)
@click.option(
    "--python",
    type=interpreter,
    default="",
    metavar="PYTHON",
    help="Version, name or path of the interpreter [default: chosen by the locks].",
)
@PREFIX
@STORE
@click.option(
    "--locked/--frozen",
    "is_checked",
    default=True,
    help="Check that the lock is up to date, or skip the check [default: --locked].",
)
@click.option(
    "--wheelhouse", type=location, default="", metavar="DIR", help="Folder or URL with all files of the lock."
)
@click.option(
    "--rewrite",
    "rewrites",
    multiple=True,
    metavar="URL=URL",
    help="Download files below the first URL from the second instead; repeatable.",
)
@INSECURE_HOSTS
@click.option("--offline", is_flag=True, help="Use only uv's cache or the wheelhouse, no network.")
@click.option("--explain", is_flag=True, help="Without PROFILE: explain for each lock why it fits or not.")
@click.option("--deep", is_flag=True, help="Compare the hash of every file, not only its size.")
@click.option("--compile-bytecode", is_flag=True, help="Compile all modules during the install.")
@click.option("--dry-run", is_flag=True, help="Show what would be done; change nothing.")
@click.option("--no-guard", is_flag=True, help="Do not write constraints that pin the torch family.")
@TRUST
@LOCK_FOLDERS
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def install_command(settings: dict[str, Any], /, **options: Any) -> int:  # noqa: ANN401 - click checks each option
    """Build the environment of a lock beside the current one, verify it, and switch to it.

    Without PROFILE, the lock that fits this machine and interpreter best is installed. Nothing is resolved: exactly the
    locked files are installed. After any failure the current environment is unchanged; `envsmith rollback` returns to
    the previous one.
    """
    return install_lock(options, settings, "install")


def install_lock(
    options: dict[str, Any], settings: dict[str, Any], command: str, checked: Sequence[Path] | None = None
) -> int:
    """Install a lock.

    Args:
        options: those of `envsmith install`.
        settings: global options and the command line.
        command: its name.
        checked: the files that the locks depend on, if they were found to be up to date; None to check.
    """
    from envsmith.console import answer_cache
    from envsmith.console.build_trust import check_builds
    from envsmith.install import output
    from envsmith.install.disk_space import own_and_shared
    from envsmith.install.install import install, plan_install
    from envsmith.install.links import check_place, check_runner
    from envsmith.install.options import check_stale, frozen_inputs, install_request
    from envsmith.install.trust import check_trust

    check_place(options["prefix"].absolute())
    check_runner(options["prefix"].absolute())
    request = install_request({**options, "quiet": settings["quiet"]})
    if not options["dry_run"]:
        check_trust(
            request.smoke_tests,
            request.profile,
            f"envsmith {command} {request.profile}",
            is_trusted=options["is_trusted"],
        )
    if not options["is_checked"]:
        inputs: Sequence[Path] = frozen_inputs(request)
    else:
        inputs = check_stale(request, options["folder"]) if checked is None else checked
    # Signed before the build: they may be changed during it.
    signatures = answer_cache.sign_paths((options["folder"], *inputs))
    is_quiet = settings["quiet"] or options["as_json"]
    order = f"envsmith {command} {request.profile}"
    checked_builds = partial(check_builds, command=order, is_trusted=options["is_trusted"])
    with install_tools({**options, "words": settings["words"]}, quiet=is_quiet) as tools:
        if options["dry_run"]:
            plan = plan_install(request, tools)
            output.show_plan(plan, options["prefix"], as_json=options["as_json"], command=command)
            return OK
        done = install(request, replace(tools, check_builds=checked_builds))
    if inputs and _is_cacheable(options):
        _cache_answer(settings["words"], options, done.generation, signatures)
    cost = own_and_shared(tools.store.prefix(done.generation.id)) if done.how == "built" else None
    output.show_install(done, options["prefix"], cost, as_json=options["as_json"], command=command)
    return OK


def _is_cacheable(options: dict[str, Any]) -> bool:
    """Return whether the answer depends on files alone, not on the hardware or uv's choice of an interpreter."""
    from envsmith.files.text import folders_with
    from envsmith.lockfile.manifest import FILENAME

    is_one = options["profile"] or len(folders_with(options["folder"], FILENAME)) == 1
    is_plain = not (options["deep"] or options["as_json"] or options["explain"])
    return bool(is_one) and is_plain and set(options["python"]) <= {*"0123456789."}


def _cache_answer(
    words: Sequence[str], options: dict[str, Any], generation: Generation, signatures: Signatures
) -> None:
    from envsmith.console import answer_cache
    from envsmith.install.generation_store import GenerationStore
    from envsmith.install.output import unchanged_line

    store = GenerationStore(link=options["prefix"], store=options["store"])
    current = answer_cache.sign_paths(store.watched_paths(generation))
    line = unchanged_line(generation, options["prefix"])
    answer_cache.remember(words, line, {**current, **signatures}, store.watched_folders(generation))


@contextmanager
def install_tools(options: dict[str, Any], *, quiet: bool) -> Iterator[InstallTools]:
    """Yield the tools of an install, and end its programs afterwards."""
    from envsmith.console.terminal import LockProgress
    from envsmith.environment.interpreter import VerifyingProbe
    from envsmith.files import atomic
    from envsmith.host.current import utc_text
    from envsmith.install.generation_store import GenerationStore
    from envsmith.install.output import show_note
    from envsmith.install.ports import InstallTools
    from envsmith.install.prefetch import PrefetchProgress, prefetcher_of
    from envsmith.process.runner import Processes
    from envsmith.uv.command import find_uv
    from envsmith.uv.installer import UvInstaller
    from envsmith.wiring import locked_wheels, wheel_builder

    processes = Processes()
    try:
        with LockProgress(quiet=quiet) as progress:
            yield InstallTools(
                store=GenerationStore(
                    link=options["prefix"],
                    store=options["store"],
                    words=options.get("words", ("install",)),
                    processes=processes,
                    notify=(lambda _: None) if quiet else show_note,
                ),
                installer=UvInstaller(
                    processes=processes,
                    executable=find_uv(),
                    offline=options["offline"],
                    compile_bytecode=options["compile_bytecode"],
                ),
                builder=wheel_builder(processes, offline=options["offline"]),
                probe=VerifyingProbe(processes=processes),
                processes=processes,
                files=atomic,
                progress=progress,
                now_utc=utc_text,
                prefetcher=prefetcher_of(options, PrefetchProgress(progress)),
                wheels=lambda locked, fetch: locked_wheels(
                    locked.pins.packages,
                    fetch,
                    wheelhouse=locked.source.wheelhouse,
                    is_offline=options["offline"],
                ),
            )
    finally:
        processes.close()


@click.command(name="rollback")
@click.argument("id_", metavar="[ID]", required=False, default="")
@PREFIX
@STORE
@click.option("--force", is_flag=True, help="Switch even if files are missing or changed.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def rollback_command(id_: str, prefix: Path, store: Path | None, *, force: bool, as_json: bool) -> int:
    """Switch to the previous environment, or to the one named ID.

    ID can be that of an environment from before envsmith's first install, too. A second rollback undoes the first.
    An environment with missing files, or files of another size, is refused.
    """
    from envsmith.install import output
    from envsmith.install.generation_store import GenerationStore
    from envsmith.install.links import check_runner
    from envsmith.install.rollback import rollback

    check_runner(prefix.absolute())
    found = GenerationStore(link=prefix, store=store, notify=output.show_note)
    output.show_switch(rollback(id_, found, is_forced=force), prefix, as_json=as_json)
    return OK
