"""``envsmith shims add`` and ``remove``: show what would change in a profile, ask, write.

``envsmith shims``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from envsmith.console.options import INSPECTED_PREFIX
from envsmith.errors import NO, OK

if TYPE_CHECKING:
    from envsmith.config.profile import Profile
    from envsmith.config.profiles import ProfileStore
    from envsmith.files.edits import Edit
    from envsmith.shims.status import ShimState

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
_PROFILE = click.option("--profile", default="", metavar="PROFILE", help="The profile to edit.")
_NAMES = click.option(
    "--allow", "names", multiple=True, metavar="NAME", help="Dotted name under safe-globals; may be repeated."
)
_YES = click.option("--yes", "is_agreed", is_flag=True, help="Write without asking.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShimEdit:
    """What is to be changed in a profile."""

    profile: str = ""
    """Empty: the only one of the project."""
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    disallow: tuple[str, ...] = ()
    is_agreed: bool = False
    """Whether to write without asking."""


def change(wish: ShimEdit, *, as_json: bool) -> int:
    """Edit a profile, and say what is to be done then.

    Raises:
        ProfileError: when a name cannot be, or the profile would not hold together or cannot be edited.
        EnvsmithError: USE002 where nobody can be asked.
        ToolError: where the file has changed since, or cannot be written.
    """
    from envsmith.console import printer
    from envsmith.files.edits import write_edits
    from envsmith.model.shim import check_shim

    for shim in (*wish.add, *wish.remove):
        check_shim(shim)
    name = wish.profile or _only()
    edit = _edit(wish, name)
    if as_json:
        written = write_edits(Path(), (edit,)) if wish.is_agreed else ()
        data = {"profile": name, "file": edit.file, "diff": edit.diff(), "written": list(written)}
        is_done = bool(written) or not edit.has_changes
        printer.envelope("shims", "ok" if is_done else "no", data)
        return OK if is_done else NO
    if not edit.has_changes:
        printer.say(f"{name} is so already")
        return OK
    for line in edit.diff().splitlines():
        printer.say(line)
    if not wish.is_agreed and not _agrees(edit):
        printer.say("nothing is written", err=True)
        return NO
    write_edits(Path(), (edit,))
    printer.labelled("wrote", edit.file)
    printer.say(f"hint: envsmith lock {name}; envsmith install {name}", err=True)
    return OK


def _only() -> str:
    """Return the name of the project's only profile.

    Raises:
        UsageError: where it has none or several.
    """
    from envsmith.config.profiles import own_profiles

    names = own_profiles(Path())
    if len(names) != 1:
        raise click.UsageError(
            f"name one with --profile: {', '.join(names) or 'the project has no profile yet'}"
        )
    return names[0]


def _edit(wish: ShimEdit, name: str) -> Edit:
    from envsmith.config.profile_file import ProfileSource, resolve
    from envsmith.config.profiles import ProfileStore, set_lists
    from envsmith.model.shim import SAFE_GLOBALS, check_global

    profiles = ProfileStore.of_project(Path())
    profile = profiles.resolve(name)
    shims = _listed(profile, "shims", wish.add, wish.remove)
    names = _listed(profile, "safe-globals", tuple(map(check_global, wish.allow)), wish.disallow)
    if SAFE_GLOBALS not in shims and not wish.allow:
        names = ()
    wanted = {"shims": shims, "safe-globals": names}
    inherited = _inherited(profiles, profile)
    lists = {key: items or (() if key in inherited else None) for key, items in wanted.items()}
    lists = {key: items for key, items in lists.items() if (items or ()) != profile.texts(key)}
    edit = set_lists(profiles, name, lists)
    written = profiles.load(name)

    def load(one: str) -> ProfileSource:
        if one != name:
            return profiles.load(one)
        return ProfileSource(text=edit.after.decode(), place=written.place, table=written.table)

    resolve(name, load)
    return edit


def _listed(profile: Profile, key: str, more: tuple[str, ...], fewer: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({*profile.texts(key), *more} - set(fewer)))


def _inherited(profiles: ProfileStore, profile: Profile) -> set[str]:
    """Return the keys that an extended profile sets: an empty list takes back what it says."""
    if not profile.extends:
        return set()
    base = profiles.resolve(profile.extends[0])
    return {key for key in ("shims", "safe-globals") if base.texts(key)}


def _agrees(edit: Edit) -> bool:
    from envsmith.console.terminal import confirm

    otherwise = "nothing is written: it is asked first"
    return confirm(f"write {edit.file}", where="envsmith shims", otherwise=otherwise)


@click.group(name="shims")
def shims_command() -> int:
    """Say what adds to packages what they lack, and whether it is still needed; edit what a profile asks for."""
    return OK


@shims_command.command(name="list")
@_JSON
def list_(*, as_json: bool) -> int:
    """List the shims there are, and the profiles of the project that ask for them."""
    from envsmith.catalog.shims import read_shims
    from envsmith.config.profiles import ProfileStore, own_profiles
    from envsmith.console import printer

    known = ProfileStore.of_project(Path())
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
        printer.envelope("shims list", "ok", data)
        return OK
    for row, names in found:
        printer.say(row.name)
        printer.labelled("for", row.range)
        printer.labelled("adds", row.adds)
        printer.labelled("asked by", ", ".join(names) or "no profile of this project")
    return OK


@shims_command.command()
@click.argument("profile", required=False, default="")
@INSPECTED_PREFIX
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
    from envsmith.activate import session
    from envsmith.config.profiles import profile_of
    from envsmith.console import printer

    place = session.environment_paths(prefix)
    name = profile or session.installed_profile(prefix)
    found = _states(Path(place.prefix), profile_of(name, is_needed=True) if name else None, files)
    if as_json:
        printer.envelope("shims status", "ok", [state.to_json() for state in found])
        return OK
    if not found:
        printer.say(f"{prefix} has no shims, and none are asked for")
    for state in found:
        _show(state)
    return OK


def _states(prefix: Path, profile: Profile | None, files: tuple[Path, ...]) -> tuple[ShimState, ...]:
    from envsmith.catalog.shims import read_shims, read_users
    from envsmith.process.runner import Processes
    from envsmith.shims.environment import ShimProbe
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
    from envsmith.console import printer

    there = "active" if state.is_there else "not in this environment: `envsmith install` puts it there"
    if state.is_there and not state.is_asked:
        there = "active, though the profile does not ask for it: `envsmith install` leaves it out"
    printer.say(f"{state.name}: {there}")
    printer.labelled("adds", ", ".join(state.added) or "nothing")
    for number, reason in enumerate(state.reasons):
        printer.labelled(state.need if number == 0 else "", reason)
    for number, text in enumerate(state.until):
        printer.labelled("known" if number == 0 else "", text)


@shims_command.command()
@click.argument("shims", nargs=-1)
@_NAMES
@_PROFILE
@_YES
@_JSON
def add(
    shims: tuple[str, ...], names: tuple[str, ...], profile: str, *, is_agreed: bool, as_json: bool
) -> int:
    """Let a profile ask for SHIMS, or allow more names; shows what changes, asks, and writes."""
    # MERGED

    wish = ShimEdit(add=shims, allow=names, profile=profile, is_agreed=is_agreed)
    return change(wish, as_json=as_json)


@shims_command.command()
@click.argument("shims", nargs=-1)
@_NAMES
@_PROFILE
@_YES
@_JSON
def remove(
    shims: tuple[str, ...], names: tuple[str, ...], profile: str, *, is_agreed: bool, as_json: bool
) -> int:
    """Let a profile no longer ask for SHIMS, or allow fewer names; shows what changes, asks, and writes."""
    # MERGED

    wish = ShimEdit(remove=shims, disallow=names, profile=profile, is_agreed=is_agreed)
    return change(wish, as_json=as_json)
