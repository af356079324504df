"""``envsmith shims``: list, add, remove and check compatibility shims."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from envsmith.console.options import INSPECTED_PREFIX, TypedPath
from envsmith.errors import NO, OK

if TYPE_CHECKING:
    from envsmith.config.profile import Profile
    from envsmith.config.profiles import ProfileStore
    from envsmith.files.edits import Edit
    from envsmith.shims.status import ShimState

_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
_PROFILE = click.option(
    "--profile", default="", metavar="PROFILE", help="Profile to edit [default: the only profile]."
)
_NAMES = click.option(
    "--allow", "names", multiple=True, metavar="NAME", help="Dotted name for safe-globals (repeatable)."
)
_YES = click.option("--yes", "is_agreed", is_flag=True, help="Write without asking.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShimEdit:
    """Changes to a profile's shims and safe globals."""

    profile: str = ""
    """Empty for the project's only profile."""
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    disallow: tuple[str, ...] = ()
    is_agreed: bool = False
    """Whether to write without asking."""


def edit_profile(edit: ShimEdit, *, as_json: bool) -> int:
    """Show a profile's changes, ask, and write them.

    Raises:
        ProfileError: when a name is invalid, or the profile would become invalid or cannot be edited.
        EnvsmithError: USE002 when there is no terminal to ask on.
        ToolError: when the file has changed meanwhile or cannot be written.
    """
    from envsmith.console import printer
    from envsmith.files.edits import write_edits
    from envsmith.model.shim import check_shim

    for shim in (*edit.add, *edit.remove):
        check_shim(shim)
    name = edit.profile or _only_profile()
    file_edit = _profile_edit(edit, name)
    if as_json:
        written = write_edits(Path(), (file_edit,)) if edit.is_agreed else ()
        data = {"profile": name, "file": file_edit.file, "diff": file_edit.diff(), "written": list(written)}
        is_done = bool(written) or not file_edit.has_changes
        printer.envelope("shims", "ok" if is_done else "no", data)
        return OK if is_done else NO
    if not file_edit.has_changes:
        printer.say(f"nothing to change in {name}")
        return OK
    for line in file_edit.diff().splitlines():
        printer.say(line)
    if not edit.is_agreed and not _confirms(file_edit):
        printer.say("no file was changed", err=True)
        return NO
    write_edits(Path(), (file_edit,))
    printer.labelled("wrote", file_edit.file)
    printer.say(f"hint: envsmith lock {name}; envsmith install {name}", err=True)
    return OK


def _only_profile() -> str:
    """Return the name of the project's only profile.

    Raises:
        UsageError: when it has none or several.
    """
    from envsmith.config.profiles import own_profiles

    names = own_profiles(Path())
    if len(names) != 1:
        raise click.UsageError(
            f"choose one with --profile: {', '.join(names) or 'the project has no profile yet'}"
        )
    return names[0]


def _profile_edit(edit: ShimEdit, name: str) -> Edit:
    from envsmith.config.profile_reader import ProfileSource, resolve
    from envsmith.config.profiles import ProfileStore, set_lists
    from envsmith.model.shim import SAFE_GLOBALS, check_global

    profiles = ProfileStore.of_project(Path())
    profile = profiles.resolve(name)
    shims = _edited_list(profile, "shims", edit.add, edit.remove)
    names = _edited_list(profile, "safe-globals", tuple(map(check_global, edit.allow)), edit.disallow)
    if SAFE_GLOBALS not in shims and not edit.allow:
        names = ()
    wanted = {"shims": shims, "safe-globals": names}
    inherited = _inherited_keys(profiles, profile)
    lists = {key: items or (() if key in inherited else None) for key, items in wanted.items()}
    lists = {key: items for key, items in lists.items() if (items or ()) != profile.texts(key)}
    changed = set_lists(profiles, name, lists)
    written = profiles.load(name)

    def load(wanted: str) -> ProfileSource:
        if wanted != name:
            return profiles.load(wanted)
        return ProfileSource(text=changed.after.decode(), place=written.place, table=written.table)

    resolve(name, load)  # refuses a profile that would become invalid
    return changed


def _edited_list(
    profile: Profile, key: str, added: tuple[str, ...], removed: tuple[str, ...]
) -> tuple[str, ...]:
    return tuple(sorted({*profile.texts(key), *added} - set(removed)))


def _inherited_keys(profiles: ProfileStore, profile: Profile) -> set[str]:
    """Return the keys set by the extended profile; only an empty list overrides them."""
    if not profile.extends:
        return set()
    base = profiles.resolve(profile.extends[0])
    return {key for key in ("shims", "safe-globals") if base.texts(key)}


def _confirms(edit: Edit) -> bool:
    from envsmith.console.terminal import confirm

    otherwise = "no file was changed: a confirmation is needed"
    return confirm(f"write {edit.file}", where="envsmith shims", otherwise=otherwise)


@click.group(name="shims")
def shims_command() -> int:
    """List, add, remove or check compatibility shims."""
    return OK


@shims_command.command(name="list")
@_JSON
def list_(*, as_json: bool) -> int:
    """List the available shims, and the project's profiles that use them."""
    from envsmith.catalog.shims import read_shims
    from envsmith.config.profiles import ProfileStore, own_profiles
    from envsmith.console import printer

    known = ProfileStore.of_project(Path())
    profiles = [known.resolve(name) for name in own_profiles(Path())]
    found = [
        (shim, [profile.name for profile in profiles if shim.name in profile.texts("shims")])
        for shim in read_shims()
    ]
    if as_json:
        data = [
            {
                "name": shim.name,
                "for": shim.range,
                "adds": shim.adds,
                "source": shim.source,
                "profiles": names,
            }
            for shim, names in found
        ]
        printer.envelope("shims list", "ok", data)
        return OK
    for shim, names in found:
        printer.say(shim.name)
        printer.labelled("for", shim.range)
        printer.labelled("adds", shim.adds)
        printer.labelled("used by", ", ".join(names) or "no profile of this project")
    return OK


@shims_command.command()
@click.argument("profile", required=False, default="")
@INSPECTED_PREFIX
@click.option(
    "--checkpoint",
    "files",
    multiple=True,
    type=TypedPath(exists=True, dir_okay=False, path_type=Path),
    help="Checkpoint that decides which safe-globals are needed (repeatable).",
)
@_JSON
def status(profile: str, prefix: Path, files: tuple[Path, ...], *, as_json: bool) -> int:
    """Check whether each shim of an environment is still needed.

    Runs with the shims and without: torchaudio reads a WAV file, and torch loads a checkpoint with each of the
    safe-globals. PROFILE defaults to the environment's profile. Checkpoints of --checkpoint are not loaded: their
    pickles are scanned for names that torch refuses.
    """
    from envsmith.activate import session
    from envsmith.config.profiles import profile_of
    from envsmith.console import printer

    place = session.environment_paths(prefix)
    name = profile or session.installed_profile(prefix)
    found = _shim_states(Path(place.prefix), profile_of(name, is_needed=True) if name else None, files)
    if as_json:
        printer.envelope("shims status", "ok", [state.to_json() for state in found])
        return OK
    if not found:
        printer.say(f"{prefix} has no shims, and its profile lists none")
    for state in found:
        _show(state)
    return OK


def _shim_states(prefix: Path, profile: Profile | None, files: tuple[Path, ...]) -> tuple[ShimState, ...]:
    from envsmith.catalog.shims import read_shims, read_users
    from envsmith.process.runner import Processes
    from envsmith.shims.environment import ShimProbe, shim_states

    requested = profile.texts("shims") if profile else ()
    names = profile.texts("safe-globals") if profile else ()
    paths = tuple(str(path.absolute()) for path in files)
    processes = Processes()
    try:
        probe = ShimProbe(processes=processes)
        return shim_states(prefix, requested, names, (read_shims(), read_users()), probe, paths)
    finally:
        processes.close()


def _show(state: ShimState) -> None:
    from envsmith.console import printer

    text = "active" if state.is_active else "not installed; run `envsmith install` to add it"
    if state.is_active and not state.is_requested:
        text = "active, but not in the profile; run `envsmith install` to remove it"
    printer.say(f"{state.name}: {text}")
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
    """Add SHIMS or safe-globals to a profile: show the change, ask, write.

    The profile is in profiles/PROFILE.toml or pyproject.toml; shipped ones are not edited.
    """
    edit = ShimEdit(add=shims, allow=names, profile=profile, is_agreed=is_agreed)
    return edit_profile(edit, as_json=as_json)


@shims_command.command()
@click.argument("shims", nargs=-1)
@_NAMES
@_PROFILE
@_YES
@_JSON
def remove(
    shims: tuple[str, ...], names: tuple[str, ...], profile: str, *, is_agreed: bool, as_json: bool
) -> int:
    """Remove SHIMS or safe-globals from a profile: show the change, ask, write.

    The profile is in profiles/PROFILE.toml or pyproject.toml; shipped ones are not edited.
    """
    edit = ShimEdit(remove=shims, disallow=names, profile=profile, is_agreed=is_agreed)
    return edit_profile(edit, as_json=as_json)
