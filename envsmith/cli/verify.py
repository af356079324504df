"""``envsmith verify``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from envsmith.cli import NO, OK

if TYPE_CHECKING:
    from envsmith.workflows.verifying import Verified

LOCKFILES = "lockfiles"


@click.command(name="verify")
@click.argument("profile", required=False, default="")
@click.option(
    "--prefix", type=click.Path(path_type=Path), default=".venv", help="The environment, by default .venv."
)
@click.option("--deep", is_flag=True, help="Compare the hash of every file, not only its presence and size.")
@click.option(
    "-o", "folder", type=click.Path(path_type=Path), default=LOCKFILES, help="Folder of the lock folders."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(profile: str, prefix: Path, folder: Path, *, deep: bool, as_json: bool) -> int:
    """Compare an environment, whoever made it, with the lock of PROFILE.

    Versions, labels, files, what else is installed, builds of the torch family that do not go together, packages that
    overwrite each other. What the profile's `checks` name is imported and run. Ends with 1 where something differs.
    """
    found = _verified(profile, prefix, folder, deep=deep)
    if as_json:
        from envsmith.cli import render

        render.envelope("verify", "no" if found.report.has_errors else "ok", _data(found))
    else:
        _show(found, prefix)
    return NO if found.report.has_errors else OK


def _verified(profile: str, prefix: Path, folder: Path, *, deep: bool) -> Verified:
    from envsmith.adapters import files, sessions
    from envsmith.adapters.environment_runs import VerifyingProbe
    from envsmith.adapters.process import Processes
    from envsmith.cli.check_words import before_packages
    from envsmith.cli.install_order import order_of
    from envsmith.workflows.verifying import VerifyTools, verify

    place = sessions.place_of(prefix)
    options = {"profile": profile or sessions.installed_profile(prefix), "folder": folder, "deep": deep}
    order = order_of({**options, "python": "", "wheelhouse": "", "no_guard": False, "is_checked": False})
    processes = Processes()
    try:
        return verify(
            order,
            Path(place.prefix),
            VerifyTools(probe=VerifyingProbe(processes=processes), files=files),
            before=before_packages(),
        )
    finally:
        processes.close()


def _data(found: Verified) -> dict[str, object]:
    return {
        "profile": found.profile,
        "target": found.target,
        "prefix": found.environment.prefix,
        "packages": len(found.environment.distributions),
        "files": found.environment.files,
        "deep": found.is_deep,
        "imports": [asdict(item) for item in found.imports],
        "runs": [asdict(item) for item in found.runs],
        "findings": [item.to_json() for item in found.report.findings],
    }


def _show(found: Verified, prefix: Path) -> None:
    from envsmith.cli import finding_lines, render

    what = f"{found.profile}/{found.target}"
    count = sum(item.severity == "error" for item in found.report.findings)
    if count:
        render.say(f"{prefix} is not what {what} says: {finding_lines.counted(count, 'difference')}")
    else:
        render.labelled("verified", f"{prefix} is what {what} says")
        packages = finding_lines.counted(len(found.environment.distributions), "package")
        how = "every hash compared" if found.is_deep else "presence and size compared"
        render.labelled("", f"{packages} · {found.environment.files:,} files, {how}")
        for item in found.imports:
            version = f" {item.version}" if item.version else ""
            render.labelled("", f"{item.name}{version} imports ({item.seconds:.1f} s)")
        for item in found.runs:
            render.labelled("", f"`{item.name}` runs ({item.seconds:.1f} s)")
    if found.report.findings:
        render.say("")
        finding_lines.show(found.report.findings)
    if count:
        render.say(f"\nhint: `envsmith install {found.profile}` builds it as locked, beside this one")
