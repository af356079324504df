"""``envsmith generations``.

``envsmith install``.

``envsmith rollback``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envsmith.console.options import LOCK_FOLDERS, PREFIX
from envsmith.errors import OK

if TYPE_CHECKING:
    from envsmith.console.answer_cache import Signatures
    from envsmith.environment.model import Generation
    from envsmith.install.request import InstallTools


@click.command(name="generations")
@click.option(
    "--keep", type=click.IntRange(1), metavar="N", help="Keep the N used last, and remove the others."
)
@PREFIX
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def generations_command(keep: int | None, prefix: Path, *, as_json: bool) -> int:
    """List the environments that were built, when they were used, and what they cost.

    Bytes that are shared by hard links with uv's cache or other environments are told apart: removing one of them frees
    only its own.
    """
    from envsmith.install import output, switch
    from envsmith.install.disk_usage import own_and_shared
    from envsmith.install.generation_store import GenerationStore

    environments = GenerationStore(link=prefix.absolute(), waiting=output.waiting)
    gone = () if keep is None else switch.keep(keep, environments)
    output.listed(switch.listed(environments, own_and_shared), gone, as_json=as_json)
    return OK


@click.command(name="install")
@click.argument("profile", required=False)
@click.option("--python", default="", metavar="PYTHON", help="Version, name or path of the interpreter.")
@PREFIX
@click.option("--locked/--frozen", "is_checked", default=True, help="Refuse a stale lock, or do not look.")
@click.option("--wheelhouse", default="", metavar="DIR", help="Folder or address that holds every file.")
@click.option(
    "--rewrite",
    "rewrites",
    multiple=True,
    metavar="URL=URL",
    help="Fetch what lies below one address from another; may be repeated.",
)
@click.option("--offline", is_flag=True, help="No network: only uv's cache, or the wheelhouse.")
@click.option("--explain", is_flag=True, help="Without PROFILE: say of every lock whether it fits, and why.")
@click.option("--deep", is_flag=True, help="Compare the hash of every file, not only its presence and size.")
@click.option("--compile-bytecode", is_flag=True, help="Compile all modules beforehand.")
@click.option("--no-guard", is_flag=True, help="Leave out the constraints that hold the torch family.")
@LOCK_FOLDERS
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def install_command(settings: dict[str, Any], /, **options: Any) -> int:  # noqa: ANN401 - click checks each option
    """Build the environment of a lock beside the current one, prove it, and switch to it.

    Without PROFILE, the lock is taken that fits this machine and interpreter best. Nothing is resolved: what is
    installed is what was locked. A failure of any kind leaves the current environment as it was; `envsmith rollback`
    returns to the one before.
    """
    from envsmith.console import answer_cache
    from envsmith.install import output
    from envsmith.install.disk_usage import own_and_shared
    from envsmith.install.install import install
    from envsmith.install.links import check_place, check_runner
    from envsmith.install.options import order_of, refuse_stale, unasked

    check_place(options["prefix"].absolute())
    check_runner(options["prefix"].absolute())
    order = order_of({**options, "quiet": settings["quiet"]})
    checked = options["is_checked"]
    watched_paths = refuse_stale(order, options["folder"]) if checked else unasked(order)
    seen = answer_cache.sign_paths(
        (options["folder"], *watched_paths)
    )  # now: people may write them while it builds
    is_quiet = settings["quiet"] or options["as_json"]
    with at_work(options, quiet=is_quiet) as tools:
        done = install(order, tools)
    if watched_paths and _can_be_remembered(options):
        _remember(settings["words"], options, done.generation, seen)
    cost = own_and_shared(tools.environments.prefix(done.generation.id)) if done.how == "built" else None
    output.installed(done, options["prefix"], cost, as_json=options["as_json"])
    return OK


def _can_be_remembered(options: dict[str, Any]) -> bool:
    """Say whether the same words lead to the same answer while no file changes: then neither machine nor uv decides."""
    is_one = options["profile"] or len([*options["folder"].glob("*/manifest.toml")]) == 1
    is_plain = not (options["deep"] or options["as_json"] or options["explain"])
    return bool(is_one) and is_plain and set(options["python"]) <= {*"0123456789."}


def _remember(words: Sequence[str], options: dict[str, Any], one: Generation, seen: Signatures) -> None:
    from envsmith.console import answer_cache
    from envsmith.install.generation_store import GenerationStore
    from envsmith.install.output import idle

    environments = GenerationStore(link=options["prefix"].absolute())
    here = answer_cache.sign_paths(environments.tokens(one))
    answer_cache.remember(words, idle(one, options["prefix"]), {**here, **seen})


@contextmanager
def at_work(options: dict[str, Any], *, quiet: bool) -> Iterator[InstallTools]:
    """Lend the tools of an install, and end what still runs when it is over or broken off."""
    from envsmith.console.terminal import LockProgress
    from envsmith.environment.interpreter import VerifyingProbe
    from envsmith.files import atomic
    from envsmith.host.current import utc_text
    from envsmith.install import disk_usage
    from envsmith.install.generation_store import GenerationStore
    from envsmith.install.options import furnish_scripts
    from envsmith.install.output import waiting
    from envsmith.install.prefetch import PrefetchProgress, gathering
    from envsmith.install.request import InstallTools
    from envsmith.process.runner import Processes
    from envsmith.shims import environment
    from envsmith.uv.command import find_uv
    from envsmith.uv.installer import UvInstaller

    processes = Processes()
    try:
        with LockProgress(quiet=quiet) as progress:
            yield InstallTools(
                environments=GenerationStore(
                    link=options["prefix"].absolute(),
                    processes=processes,
                    waiting=_unheard if quiet else waiting,
                ),
                installer=UvInstaller(
                    processes=processes,
                    executable=find_uv(),
                    offline=options["offline"],
                    compile_bytecode=options["compile_bytecode"],
                ),
                probe=VerifyingProbe(processes=processes),
                files=atomic,
                disks=disk_usage,
                progress=progress,
                now_utc=utc_text,
                lay=partial(environment.lay, processes=processes),
                furnish=(furnish_scripts,),
                gather=gathering(options, PrefetchProgress(progress)),
            )
    finally:
        processes.close()


def _unheard(_holder: str) -> None:
    pass


@click.command(name="rollback")
@click.argument("id_", metavar="[ID]", required=False, default="")
@PREFIX
@click.option("--force", is_flag=True, help="Return to it even where files of it are gone or changed.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def rollback_command(id_: str, prefix: Path, *, force: bool, as_json: bool) -> int:
    """Return to the environment that was current before, or to the one named ID.

    What stood in its place before envsmith's first install comes back the same way. Called twice, it returns to where
    it began. Its files are looked for by name and size before: one that is damaged is refused.
    """
    from envsmith.install import output
    from envsmith.install.generation_store import GenerationStore
    from envsmith.install.links import check_runner
    from envsmith.install.switch import rollback

    check_runner(prefix.absolute())
    environments = GenerationStore(link=prefix.absolute(), waiting=output.waiting)
    output.switched(rollback(id_, environments, is_forced=force), prefix, as_json=as_json)
    return OK
