"""``envsmith shims add`` and ``remove``: show what would change in a profile, ask, write."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from envsmith.errors import NO, OK

if TYPE_CHECKING:
    from envsmith.config.profile import Profile
    from envsmith.config.profiles import Profiles
    from envsmith.files.edit import Edit


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be changed in a profile."""

    profile: str = ""
    """Empty: the only one of the project."""
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    disallow: tuple[str, ...] = ()
    is_agreed: bool = False
    """Whether to write without asking."""


def change(wish: Change, *, as_json: bool) -> int:
    """Edit a profile, and say what is to be done then.

    Raises:
        ProfileError: when a name cannot be, or the profile would not hold together or cannot be edited.
        EnvsmithError: USE002 where nobody can be asked.
        ToolError: where the file has changed since, or cannot be written.
    """
    from envsmith.console import output as render
    from envsmith.files.edit_writer import write_edits
    from envsmith.model.shim import check_shim

    for shim in (*wish.add, *wish.remove):
        check_shim(shim)
    name = wish.profile or _only()
    edit = _edit(wish, name)
    if as_json:
        written = write_edits(Path(), (edit,)) if wish.is_agreed else ()
        data = {"profile": name, "file": edit.file, "diff": edit.diff(), "written": list(written)}
        is_done = bool(written) or not edit.changes
        render.envelope("shims", "ok" if is_done else "no", data)
        return OK if is_done else NO
    if not edit.changes:
        render.say(f"{name} is so already")
        return OK
    for line in edit.diff().splitlines():
        render.say(line)
    if not wish.is_agreed and not _agrees(edit):
        render.say("nothing is written", err=True)
        return NO
    write_edits(Path(), (edit,))
    render.labelled("wrote", edit.file)
    render.say(f"hint: envsmith lock {name}; envsmith install {name}", err=True)
    return OK


def _only() -> str:
    """Return the name of the project's only profile.

    Raises:
        UsageError: where it has none or several.
    """
    from envsmith.config.profile_editor import own_profiles

    names = own_profiles(Path())
    if len(names) != 1:
        raise click.UsageError(
            f"name one with --profile: {', '.join(names) or 'the project has no profile yet'}"
        )
    return names[0]


def _edit(wish: Change, name: str) -> Edit:
    from envsmith.config.profile_editor import set_lists
    from envsmith.config.profile_file import ProfileText, resolve
    from envsmith.config.profiles import Profiles
    from envsmith.model.shim import SAFE_GLOBALS, check_global

    profiles = Profiles.of_project(Path())
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

    def load(one: str) -> ProfileText:
        if one != name:
            return profiles.load(one)
        return ProfileText(text=edit.after.decode(), place=written.place, table=written.table)

    resolve(name, load)
    return edit


def _listed(profile: Profile, key: str, more: tuple[str, ...], fewer: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({*profile.texts(key), *more} - set(fewer)))


def _inherited(profiles: Profiles, profile: Profile) -> set[str]:
    """Return the keys that an extended profile sets: an empty list takes back what it says."""
    if not profile.extends:
        return set()
    base = profiles.resolve(profile.extends[0])
    return {key for key in ("shims", "safe-globals") if base.texts(key)}


def _agrees(edit: Edit) -> bool:
    from envsmith.console.asking import agrees

    otherwise = "nothing is written: it is asked first"
    return agrees(f"write {edit.file}", where="envsmith shims", otherwise=otherwise)
