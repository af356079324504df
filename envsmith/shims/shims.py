"""``envsmith shims``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from envsmith.console.options import PREFIX_TO_LOOK_AT
from envsmith.errors import OK

if TYPE_CHECKING:
    from envsmith.config.profile import Profile
    from envsmith.shims.model import ShimState

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
_PROFILE = click.option("--profile", default="", metavar="PROFILE", help="The profile to edit.")
_NAMES = click.option(
    "--allow", "names", multiple=True, metavar="NAME", help="Dotted name under safe-globals; may be repeated."
)
_YES = click.option("--yes", "is_agreed", is_flag=True, help="Write without asking.")


@click.group(name="shims")
def command() -> int:
    """Say what adds to packages what they lack, and whether it is still needed; edit what a profile asks for."""
    return OK


@command.command(name="list")
@_JSON
def list_(*, as_json: bool) -> int:
    """List the shims there are, and the profiles of the project that ask for them."""
    from envsmith.catalog.shims import read_shims
    from envsmith.config.profile_editor import own_profiles
    from envsmith.config.profiles import Profiles
    from envsmith.console import output as render

    known = Profiles.of_project(Path())
    profiles = [known.resolve(name) for name in own_profiles(Path())]
    found = [
        (row, [profile.name for profile in profiles if row.name in profile.texts("shims")])
        for row in read_shims()
    ]
    if as_json:
        data = [
            {"name": row.name, "for": row.range, "adds": row.adds, "source": row.source, "profiles": names}
            for row, names in found
        ]
        render.envelope("shims list", "ok", data)
        return OK
    for row, names in found:
        render.say(row.name)
        render.labelled("for", row.range)
        render.labelled("adds", row.adds)
        render.labelled("asked by", ", ".join(names) or "no profile of this project")
    return OK


@command.command()
@click.argument("profile", required=False, default="")
@PREFIX_TO_LOOK_AT
@click.option(
    "--checkpoint",
    "files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A checkpoint that decides which safe-globals are needed; may be repeated.",
)
@_JSON
def status(profile: str, prefix: Path, files: tuple[Path, ...], *, as_json: bool) -> int:
    """Say which shims an environment has, what they add, and whether each is still needed.

    It is tried: with the shims and without them, torchaudio reads a WAV, and torch loads a checkpoint that holds each
    of the names. Without PROFILE, it is the one the environment was built for. Checkpoints named are not loaded: their
    pickles are read for the names that torch refuses.
    """
    from envsmith.activate import session as sessions
    from envsmith.config.profiles import profile_of
    from envsmith.console import output as render

    place = sessions.place_of(prefix)
    name = profile or sessions.installed_profile(prefix)
    found = _states(Path(place.prefix), profile_of(name, is_needed=True) if name else None, files)
    if as_json:
        render.envelope("shims status", "ok", [state.to_json() for state in found])
        return OK
    if not found:
        render.say(f"{prefix} has no shims, and none are asked for")
    for state in found:
        _show(state)
    return OK


def _states(prefix: Path, profile: Profile | None, files: tuple[Path, ...]) -> tuple[ShimState, ...]:
    from envsmith.catalog.shims import read_shims, read_users
    from envsmith.process.runner import Processes
    from envsmith.shims.shim_probe import ShimProbe
    from envsmith.shims.status import states

    asked = profile.texts("shims") if profile else ()
    names = profile.texts("safe-globals") if profile else ()
    paths = tuple(str(path.absolute()) for path in files)
    processes = Processes()
    try:
        probe = ShimProbe(processes=processes)
        return states(prefix, asked, names, (read_shims(), read_users()), probe, paths)
    finally:
        processes.close()


def _show(state: ShimState) -> None:
    from envsmith.console import output as render

    there = "active" if state.is_there else "not in this environment: `envsmith install` puts it there"
    if state.is_there and not state.is_asked:
        there = "active, though the profile does not ask for it: `envsmith install` leaves it out"
    render.say(f"{state.name}: {there}")
    render.labelled("adds", ", ".join(state.added) or "nothing")
    for number, reason in enumerate(state.reasons):
        render.labelled(state.need if number == 0 else "", reason)
    for number, text in enumerate(state.until):
        render.labelled("known" if number == 0 else "", text)


@command.command()
@click.argument("shims", nargs=-1)
@_NAMES
@_PROFILE
@_YES
@_JSON
def add(
    shims: tuple[str, ...], names: tuple[str, ...], profile: str, *, is_agreed: bool, as_json: bool
) -> int:
    """Let a profile ask for SHIMS, or allow more names; shows what changes, asks, and writes."""
    from envsmith.shims.cli import Change, change

    wish = Change(add=shims, allow=names, profile=profile, is_agreed=is_agreed)
    return change(wish, as_json=as_json)


@command.command()
@click.argument("shims", nargs=-1)
@_NAMES
@_PROFILE
@_YES
@_JSON
def remove(
    shims: tuple[str, ...], names: tuple[str, ...], profile: str, *, is_agreed: bool, as_json: bool
) -> int:
    """Let a profile no longer ask for SHIMS, or allow fewer names; shows what changes, asks, and writes."""
    from envsmith.shims.cli import Change, change

    wish = Change(remove=shims, disallow=names, profile=profile, is_agreed=is_agreed)
    return change(wish, as_json=as_json)
