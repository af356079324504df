"""Finds the environment, and the profile, that a session is to be in; starts a command in it, before click is there.

It puts adapters and decisions together as ``cli`` does, and stands beside it because importing that imports click,
which takes longer than all of this.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from envsmith.activate import session as sessions
from envsmith.activate.model import CHANGED, Activation, EnvironmentPaths, Session
from envsmith.errors import EnvsmithError, ProfileError
from envsmith.host.current import path_separator, variables
from envsmith.lockfile import LOCKFILES

if TYPE_CHECKING:
    from envsmith.config.profile import Profile

PREFIX = "ENVSMITH_PREFIX"
_MANIFEST = "manifest.toml"
# Most names are; the model, which knows the rest of what a name can be, is imported only for others.
_PLAIN = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")


def prefix() -> Path:
    """Return the environment's root: the one named by a variable, else the project's."""
    return Path(variables().get(PREFIX, "") or ".venv")


def activation(name: str, root: Path) -> Activation:
    """Return what a profile says of a session.

    Args:
        name: the profile's; where empty, the one the environment was built for, or the only one that is locked.
        root: of the environment.

    Raises:
        EnvsmithError: ENV056 when the environment was built for another profile.
        ProfileError: PRF045 when nothing says which profile is meant; others when it cannot be read.
    """
    from envsmith.activate.scripts import activation_of

    installed = sessions.installed_profile(root)
    if name and installed not in ("", name):
        raise _of_another(name, installed, root)
    name = name or installed or _only_profile()
    if not _PLAIN.fullmatch(name):
        from envsmith.config.profile import check_name

        check_name(name)
    manifest = Path(LOCKFILES) / name / _MANIFEST
    known = None
    if manifest.is_file():
        from envsmith.files.text import read_text
        from envsmith.lockfile.manifest import Manifest

        known = Manifest.from_toml(read_text(manifest, str(manifest)), str(manifest))
    return activation_of(name, known, _resolve)


def outer_variables() -> Mapping[str, str]:
    """Return the variables as they are outside of whatever session this program was started in."""
    found = variables()
    if CHANGED not in found:
        return found
    from envsmith.activate.session import outer_session

    return outer_session(found, is_windows=path_separator() == ";")


def session(name: str) -> tuple[Activation, EnvironmentPaths, Session]:
    """Return what is to be changed for a session, over what is outside of it, and of what that follows.

    Raises:
        EnvsmithError: as `activation` and `sessions.environment_paths`.
    """
    from envsmith.activate.scripts import plan_session

    root = prefix()
    wanted = activation(name, root)
    place = sessions.environment_paths(root)
    return wanted, place, plan_session(wanted, place, outer_variables(), has_file=sessions.has_file)


def exec_command(words: Sequence[str]) -> int | None:
    """Become the command of a plain ``run [PROFILE] -- COMMAND...``.

    Args:
        words: what follows ``run``.

    Returns:
        The command's status on Windows, where it cannot take this program's place; None where it does not run: the
        whole command line then says why, or understands what this does not.
    """
    from envsmith.process.replace import exec_or_spawn

    parted = words.index("--") if "--" in words else 2
    names, command = words[:parted], words[parted + 1 :]
    if not command or len(names) > 1 or any(name.startswith("-") for name in names):
        return None
    try:
        _, _, changes = session("".join(names))
        return exec_or_spawn(command, changes.over(outer_variables()))
    except EnvsmithError:
        return None


def _resolve(name: str) -> Profile:
    from envsmith.config.profiles import ProfileStore

    return ProfileStore.of_project(Path()).resolve(name)


def _of_another(name: str, installed: str, root: Path) -> EnvsmithError:
    return EnvsmithError(
        "ENV056",
        f"this environment was built for the profile {installed}, not {name}",
        where=str(root),
        hint=f"envsmith install {name}; or leave the name out",
    )


def _only_profile() -> str:
    locked = sorted(path.parent.name for path in Path(LOCKFILES).glob(f"*/{_MANIFEST}"))
    if len(locked) != 1:
        raise ProfileError(
            "PRF045",
            "nothing says which profile's environment is meant",
            where=str(prefix()),
            details=(("locked", " ".join(locked)),) if locked else (),
            hint=f"name the profile: {locked[0]}"
            if locked
            else "envsmith lock PROFILE; then envsmith install PROFILE",
        )
    return locked[0]
