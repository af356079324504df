"""``envsmith export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envsmith.console.options import LOCK_FOLDERS, TypedPath
from envsmith.errors import OK

if TYPE_CHECKING:
    from envsmith.lockfile.manifest import Manifest
    from envsmith.lockfile.saved import SavedLock


@click.command(name="export")
@click.argument("profile", required=False, default="")
@click.option(
    "--format",
    "form",
    type=click.Choice(("constraints", "uv", "dockerfile", "cyclonedx")),
    required=True,
    help="Output format.",
)
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="SLUG",
    help="Target or a part of it: cp312, win_amd64, windows; may be repeated [default: all].",
)
@click.option(
    "--prefix",
    type=TypedPath(path_type=Path),
    help="Environment built from this lock, as a further source of licences.",
)
@click.option("--offline", is_flag=True, help="Do not use the network; use cached licences only.")
@LOCK_FOLDERS
def export_command(profile: str, folder: Path, **options: Any) -> int:  # noqa: ANN401 - click checks each option
    """Export the locks of PROFILE for another tool, without resolving.

    constraints: all packages with versions, for `pip install -c`; later installs keep torch and the other packages.
    uv: the indexes, sources and constraints for the pyproject.toml of a uv project. Lines have markers where targets
    differ. dockerfile: an image of one Linux lock with the profile's variables and shims; the base has no CUDA.
    cyclonedx: a bill of materials of one lock with hashes, licences and URLs; licences are read from the wheels'
    servers and cached. Without PROFILE: the only locked one, or the project's only default profile.
    """
    from envsmith.console import printer
    from envsmith.export import formats

    locks = _locks(_profile_name(profile, folder), folder, options["targets"], options["form"])
    if options["form"] == "dockerfile":
        text = _dockerfile(locks, folder)
    elif options["form"] == "cyclonedx":
        text = _bill_of_materials(locks, options["prefix"], is_offline=options["offline"])
    else:
        write = {"constraints": formats.to_constraints, "uv": formats.to_uv}[options["form"]]
        text = write(locks)
    printer.document(text)
    return OK


def _dockerfile(locks: tuple[SavedLock, ...], folder: Path) -> str:
    from envsmith.config.profiles import profile_of
    from envsmith.console.options import project_path
    from envsmith.export.dockerfile import ImageOptions, to_dockerfile
    from envsmith.shims.environment import shims_of

    profile = profile_of(locks[0].profile, is_needed=True)
    image_options = ImageOptions(env=profile.env, shims=shims_of(profile)) if profile else None
    return to_dockerfile(locks, project_path(folder).as_posix(), image_options)


def _bill_of_materials(locks: tuple[SavedLock, ...], prefix: Path | None, *, is_offline: bool) -> str:
    from envsmith.console import printer
    from envsmith.export import cyclonedx
    from envsmith.export.formats import to_bill
    from envsmith.index.remote_wheels import installed_licences
    from envsmith.wiring import CatalogOptions, licences

    to_bill(locks, {})  # refuse before any download
    pins = [pin for pin in locks[0].pins.packages if pin.sha256]
    installed = installed_licences(prefix) if prefix else {}
    from_environment = {
        pin.sha256[0]: installed[key] for pin in pins if (key := (pin.name, pin.version)) in installed
    }
    remaining = [pin for pin in pins if pin.sha256[0] not in from_environment]
    found = {**from_environment, **licences(CatalogOptions(is_offline=is_offline)).licences(remaining)}
    bill = to_bill(locks, found)
    if unknown := [item.name for item in bill.components if not (item.licence and item.licence.is_known)]:
        printer.labelled(
            "unknown", f"licence of {', '.join(unknown)}: written as {cyclonedx.UNKNOWN}", err=True
        )
    return cyclonedx.to_json(bill)


def _profile_name(profile: str, folder: Path) -> str:
    from envsmith.lock.inputs.request import profile_names

    names = profile_names((profile,) if profile else (), Path(), folder)
    if len(names) > 1:
        raise click.UsageError(f"choose one profile of {', '.join(names)}")
    return names[0]


def _locks(profile: str, folder: Path, targets: tuple[str, ...], form: str) -> tuple[SavedLock, ...]:
    from envsmith.files import atomic
    from envsmith.lockfile.manifest import FILENAME
    from envsmith.lockfile.store import read_locks, read_manifest, select_locks
    from envsmith.lockfile.whole import check_profile_name
    from envsmith.wiring import lock_rules

    found = atomic.read_files(folder / profile)
    if manifest := read_manifest(found, str(folder / profile / FILENAME)):
        check_profile_name(manifest, profile, str(folder / profile / FILENAME))
        _refuse_given(manifest, form)
    return select_locks(read_locks(profile, found, folder / profile, lock_rules()), targets)


def _refuse_given(manifest: Manifest, form: str) -> None:
    """Refuse formats that are incomplete without the packages that an image brings; constraints are not.

    Raises:
        LockError: LCK047 when the lock has such packages.
    """
    from envsmith.errors import LockError

    if manifest.given and form != "constraints":
        names = ", ".join(f"{item.name} {item.version}" for item in manifest.given)
        raise LockError(
            "LCK047",
            f"the lock takes {names} from an image, and the {form} export would lack it",
            where=manifest.profile,
            hint=f"use --format constraints, or `envsmith install {manifest.profile}` in the image",
        )
