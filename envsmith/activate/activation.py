"""Activate: from a profile, locked or only written, to what a session in its environment has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from envsmith.activate.model import Activation
from envsmith.activate.scripts import render
from envsmith.model.backend import Backend

if TYPE_CHECKING:  # `envsmith run` must start fast
    from envsmith.config.profile import Profile
    from envsmith.lockfile.manifest import Manifest
    from envsmith.plan.model import Plan


def activation_of(profile: str, manifest: Manifest | None, resolve: Callable[[str], Profile]) -> Activation:
    """Return what a profile says of a session: as its lock has it, else as it is written.

    Args:
        profile: its name.
        manifest: of its locks; None where it was never locked.
        resolve: reads a profile by name.

    Raises:
        ProfileError: where it was never locked, and cannot be read.
    """
    if manifest is None or not manifest.targets:
        written = resolve(profile)
        return Activation.of(profile, backend=written.backend, env=written.env)
    inputs = next(iter(manifest.targets.values())).inputs
    env = dict(str(item).partition("=")[::2] for item in inputs.get("env", ()))
    return Activation.of(profile, backend=Backend.parse(str(inputs.get("backend", "cpu"))), env=env)


def scripts_of(plans: Sequence[Plan], read_template: Callable[[str], str]) -> Mapping[str, bytes]:
    """Return the scripts that lie beside the locks of a profile's plans, which all say the same of a session."""
    plan = plans[0]
    activation = Activation.of(plan.profile, backend=plan.target.backend, env=plan.env)
    return activation_files(activation, read_template)


def environment_files(activation: Activation, read_template: Callable[[str], str]) -> Mapping[str, bytes]:
    """Return what lies among an environment's programs: the activation scripts, and `deactivate` for cmd.

    The script for sh has a second name there, ``activate``, for that is what people and editors read.

    Args:
        activation: what the profile says of a session.
        read_template: returns the text of a template by its file's name.
    """
    leave = read_template("deactivate.bat").replace("\n", "\r\n").encode()
    scripts = activation_files(activation, read_template)
    return {**scripts, "activate": scripts["activate.sh"], "deactivate.bat": leave}


def activation_files(activation: Activation, read_template: Callable[[str], str]) -> Mapping[str, bytes]:
    """Return the activation script of every shell, by file name.

    Args:
        activation: what the profile says of a session.
        read_template: returns the text of a template by its file's name.
    """
    from envsmith.model.shell import SHELLS

    return {shell.file: render(shell, read_template(shell.file), activation) for shell in SHELLS}
