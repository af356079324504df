"""Fast path of ``envsmith run``: the environment and profile of a session, and its command, without importing click.

Importing click takes longer than all of a plain `run`, so this module does not belong to ``cli``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from envsmith.activate.model import CHANGED, Activation, EnvironmentPaths, Session
from envsmith.activate.session import environment_paths, has_file, installed_profile, outer_session
from envsmith.errors import EnvsmithError, ProfileError
from envsmith.files.text import folders_with, is_missing, read_text
from envsmith.host.current import path_separator, variables
from envsmith.host.project_folder import leave
from envsmith.lockfile import LOCKFILES

if TYPE_CHECKING:
    from envsmith.config.profile import Profile

PREFIX = "ENVSMITH_PREFIX"
_MANIFEST = "manifest.toml"
# Matches most profile names; the full check, whose import takes time, is for all others.
_PLAIN = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")


def prefix() -> Path:
    """Return the environment's root: $ENVSMITH_PREFIX, else the project's .venv."""
    return Path(variables().get(PREFIX, "") or ".venv")


def activation(name: str, root: Path) -> Activation:
    """Return a profile's settings for a session.

    Args:
        name: the profile; if empty, the one that the environment was built for, else the only locked one.
        root: the environment's root.

    Raises:
        EnvsmithError: ENV056 if the environment was built for another profile.
        ProfileError: PRF045 if no profile can be chosen; others if it cannot be read.
    """
    from envsmith.activate.scripts import activation_of

    installed = installed_profile(root)
    if name and installed not in ("", name):
        raise _other_profile(name, installed, root)
    name = name or installed or _only_profile()
    if not _PLAIN.fullmatch(name):
        from envsmith.config.profile import check_name

        check_name(name)
    manifest = Path(LOCKFILES) / name / _MANIFEST
    known = None
    if not is_missing(manifest):
        from envsmith.lockfile.manifest import Manifest

        known = Manifest.from_toml(read_text(manifest, str(manifest)), str(manifest))
    return activation_of(name, known, _resolve)


def outer_variables() -> Mapping[str, str]:
    """Return the variables of the session around an activated one; all of them if none is active."""
    found = variables()
    if CHANGED not in found:
        return found
    return outer_session(found, is_windows=path_separator() == ";")


def session(name: str) -> tuple[Activation, EnvironmentPaths, Session]:
    """Return the activation, the environment's paths, and the changes to the outer session.

    Raises:
        EnvsmithError: as `activation` and `environment_paths`.
    """
    from envsmith.activate.scripts import plan_session

    root = prefix()
    settings = activation(name, root)
    place = environment_paths(root)
    return settings, place, plan_session(settings, place, outer_variables(), has_file=has_file)


def exec_command(words: Sequence[str]) -> int | None:
    """Replace this process by the command of a plain ``run [PROFILE] -- COMMAND...``.

    Args:
        words: the words after ``run``.

    Returns:
        The command's exit status on Windows, where a process cannot be replaced. None if the words have another form,
        or an error occurred: the full command line then handles or reports it.
    """
    from envsmith.process.replace import exec_or_spawn

    end = words.index("--") if "--" in words else 2
    names, command = words[:end], words[end + 1 :]
    if not command or len(names) > 1 or any(name.startswith("-") for name in names):
        return None
    try:
        _, _, changes = session("".join(names))
        leave()
        return exec_or_spawn(command, changes.over(outer_variables()))
    except (EnvsmithError, OSError):
        return None


def _resolve(name: str) -> Profile:
    from envsmith.config.profiles import ProfileStore

    return ProfileStore.of_project(Path()).resolve(name)


def _other_profile(name: str, installed: str, root: Path) -> EnvsmithError:
    return EnvsmithError(
        "ENV056",
        f"this environment was built for the profile {installed}, not {name}",
        where=str(root),
        hint=f"envsmith install {name}; or omit the profile",
    )


def _only_profile() -> str:
    locked = folders_with(Path(LOCKFILES), _MANIFEST)
    if len(locked) != 1:
        raise ProfileError(
            "PRF045",
            "no profile given, and no environment of envsmith found",
            where=str(prefix()),
            details=(("locked", " ".join(locked)),) if locked else (),
            hint=f"give a profile, such as {locked[0]}"
            if locked
            else "envsmith lock PROFILE; then envsmith install PROFILE",
        )
    return locked[0]
