"""``envsmith install``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envsmith.console.options import PREFIX
from envsmith.errors import OK

if TYPE_CHECKING:
    from envsmith.console.answer_cache import Signatures
    from envsmith.environment.model import Generation
    from envsmith.install.request import InstallTools

LOCKFILES = "lockfiles"


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
@click.option(
    "-o", "folder", type=click.Path(path_type=Path), default=LOCKFILES, help="Folder of the lock folders."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def command(settings: dict[str, Any], /, **options: Any) -> int:  # noqa: ANN401 - click checks each option
    """Build the environment of a lock beside the current one, prove it, and switch to it.

    Without PROFILE, the lock is taken that fits this machine and interpreter best. Nothing is resolved: what is
    installed is what was locked. A failure of any kind leaves the current environment as it was; `envsmith rollback`
    returns to the one before.
    """
    from envsmith.console import answer_cache as unchanged
    from envsmith.install import output as install_render
    from envsmith.install.disk_usage import own_and_shared
    from envsmith.install.install import install
    from envsmith.install.links import check_place, check_runner
    from envsmith.install.options import order_of, refuse_stale, unasked

    check_place(options["prefix"].absolute())
    check_runner(options["prefix"].absolute())
    order = order_of({**options, "quiet": settings["quiet"]})
    checked = options["is_checked"]
    looked_at = refuse_stale(order, options["folder"]) if checked else unasked(order)
    seen = unchanged.signed((options["folder"], *looked_at))  # now: people may write them while it builds
    is_quiet = settings["quiet"] or options["as_json"]
    with at_work(options, quiet=is_quiet) as tools:
        done = install(order, tools)
    if looked_at and _can_be_remembered(options):
        _remember(settings["words"], options, done.generation, seen)
    cost = own_and_shared(tools.environments.prefix(done.generation.id)) if done.how == "built" else None
    install_render.installed(done, options["prefix"], cost, as_json=options["as_json"])
    return OK


def _can_be_remembered(options: dict[str, Any]) -> bool:
    """Say whether the same words lead to the same answer while no file changes: then neither machine nor uv decides."""
    is_one = options["profile"] or len([*options["folder"].glob("*/manifest.toml")]) == 1
    is_plain = not (options["deep"] or options["as_json"] or options["explain"])
    return bool(is_one) and is_plain and set(options["python"]) <= {*"0123456789."}


def _remember(words: Sequence[str], options: dict[str, Any], one: Generation, seen: Signatures) -> None:
    from envsmith.console import answer_cache as unchanged
    from envsmith.install.generation_store import Environments
    from envsmith.install.output import idle

    environments = Environments(link=options["prefix"].absolute())
    here = unchanged.signed(environments.tokens(one))
    unchanged.remember(words, idle(one, options["prefix"]), {**here, **seen})


@contextmanager
def at_work(options: dict[str, Any], *, quiet: bool) -> Iterator[InstallTools]:
    """Lend the tools of an install, and end what still runs when it is over or broken off."""
    from envsmith.console.live_progress import LockProgress
    from envsmith.environment.interpreter import VerifyingProbe
    from envsmith.files import atomic as files
    from envsmith.install import disks
    from envsmith.install.furnishing import furnish_scripts
    from envsmith.install.gathering import TransfersTold, gathering
    from envsmith.install.generation_store import Environments
    from envsmith.install.request import InstallTools
    from envsmith.install.switch_render import waiting
    from envsmith.process.runner import Processes
    from envsmith.shims import environment as shim_files
    from envsmith.uv.installer import UvInstaller
    from envsmith.uv.resolver import find_uv
    from envsmith.wiring import utc_now

    processes = Processes()
    try:
        with LockProgress(quiet=quiet) as progress:
            yield InstallTools(
                environments=Environments(
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
                files=files,
                disks=disks,
                progress=progress,
                now_utc=utc_now,
                lay=partial(shim_files.lay, processes=processes),
                furnish=(furnish_scripts,),
                gather=gathering(options, TransfersTold(progress)),
            )
    finally:
        processes.close()


def _unheard(_holder: str) -> None:
    pass
