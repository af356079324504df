"""``envsmith export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envsmith.errors import OK

if TYPE_CHECKING:
    from envsmith.lockfile.saved import SavedLock

LOCKFILES = "lockfiles"


@click.command(name="export")
@click.argument("profile", required=False, default="")
@click.option(
    "--format",
    "form",
    type=click.Choice(("constraints", "uv", "dockerfile", "cyclonedx")),
    required=True,
    help="What is to be written.",
)
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="SLUG",
    help="Target, or half of its name: cp312, win_amd64, windows; may be repeated. Else all.",
)
@click.option(
    "--prefix",
    type=click.Path(path_type=Path),
    help="An environment of this lock: its packages say their licences, too.",
)
@click.option("--offline", is_flag=True, help="No network: of licences only what is remembered.")
@click.option(
    "-o", "folder", type=click.Path(path_type=Path), default=LOCKFILES, help="Folder of the lock folders."
)
def export_command(profile: str, folder: Path, **options: Any) -> int:  # noqa: ANN401 - click checks each option
    """Write what is locked for PROFILE as another tool reads it, without resolving.

    constraints: every package at its version, for `pip install -c`: later installs leave torch and the others as they
    are. uv: the indexes, sources and constraints for the pyproject.toml of a uv project. Where targets differ, lines
    have markers. dockerfile: an image of one lock for Linux, without CUDA in its base, with the profile's variables and
    shims. cyclonedx: a bill of materials
    of one lock, with hashes, licences and the origin of each file; what wheels say of their licence is read from
    their servers, and remembered. Without PROFILE: the only one that is locked, or the project's only default profile.
    """
    from envsmith.export import formats

    locks = _locks(_the_one(profile, folder), folder, options["targets"])
    if options["form"] == "dockerfile":
        written = _image(locks, folder)
    elif options["form"] == "cyclonedx":
        written = _bill(locks, options["prefix"], is_offline=options["offline"])
    else:
        write = {"constraints": formats.to_constraints, "uv": formats.to_uv}[options["form"]]
        written = write(locks)
    click.echo(written, nl=False)
    return OK


def _image(locks: tuple[SavedLock, ...], folder: Path) -> str:
    from envsmith.config.profiles import profile_of
    from envsmith.console.options import inside
    from envsmith.export.dockerfile import ImageOptions, to_dockerfile
    from envsmith.shims.environment import shims_of

    profile = profile_of(locks[0].profile, is_needed=True)
    wishes = ImageOptions(env=profile.env, shims=shims_of(profile)) if profile else None
    return to_dockerfile(locks, inside(folder).as_posix(), wishes)


def _bill(locks: tuple[SavedLock, ...], prefix: Path | None, *, is_offline: bool) -> str:
    from envsmith.console import printer
    from envsmith.export import cyclonedx
    from envsmith.export.formats import to_bill
    from envsmith.index.remote_wheels import installed_licences
    from envsmith.wiring import CatalogChoice, licences

    to_bill(locks, {})  # what cannot be written is said before anything is fetched
    pins = locks[0].pins.packages
    installed = installed_licences(prefix) if prefix else {}
    beside = {pin.sha256[0]: installed[key] for pin in pins if (key := (pin.name, pin.version)) in installed}
    asked = [pin for pin in pins if pin.sha256[0] not in beside]
    found = {**beside, **licences(CatalogChoice(is_offline=is_offline)).licences(asked)}
    bill = to_bill(locks, found)
    if unknown := [item.name for item in bill.ingredients if not (item.licence and item.licence.is_known)]:
        printer.labelled("unknown", f"licence of {', '.join(unknown)}: it says {cyclonedx.UNKNOWN}", err=True)
    return cyclonedx.to_json(bill)


def _the_one(profile: str, folder: Path) -> str:
    from envsmith.lock.request import profile_names

    names = profile_names((profile,) if profile else (), Path(), folder)
    if len(names) > 1:
        raise click.UsageError(f"name one profile: {', '.join(names)} are locked")
    return names[0]


def _locks(profile: str, folder: Path, targets: tuple[str, ...]) -> tuple[SavedLock, ...]:
    from envsmith.files import atomic
    from envsmith.lockfile.store import chosen, read_locks

    return chosen(read_locks(profile, atomic.read_files(folder / profile), folder / profile), targets)
