"""``envsmith activate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from envsmith.errors import OK

if TYPE_CHECKING:
    from envsmith.model.shell import Shell

SHELL_NAMES = (
    *("sh", "bash", "zsh", "dash", "ksh", "fish", "csh", "tcsh", "nu", "xonsh", "powershell", "pwsh", "cmd"),
)


@click.command(name="activate")
@click.argument("profile", required=False, default="")
@click.option("--shell", "name", type=click.Choice(SHELL_NAMES), help="The shell; else the one that asks.")
def command(profile: str, name: str | None) -> int:
    """Print the line that a shell reads to enter PROFILE's environment.

    sh, bash, zsh, ksh: eval "$(envsmith activate)"; fish: envsmith activate | source; csh: eval "`envsmith activate`";
    PowerShell: envsmith activate | Invoke-Expression. Nushell, xonsh and cmd take the line as it is. `deactivate` goes
    back.
    """
    from envsmith.activate.fast_run import activation, prefix
    from envsmith.activate.session import calling_shell, place_of
    from envsmith.errors import EnvsmithError
    from envsmith.model.shell import shell_of

    found = name or calling_shell()
    shell = shell_of(found)
    if shell is None:
        raise EnvsmithError(
            "ENV053",
            f"there is no activation script for {found}",
            where="envsmith activate",
            hint=f"--shell names one of {', '.join(SHELL_NAMES)}; `envsmith run` needs no shell",
        )
    root = prefix()
    wanted = activation(profile, root)
    click.echo(_line(shell, Path(place_of(root).bin), wanted.profile))
    return OK


def _line(shell: Shell, programs: Path, profile: str) -> str:
    """Return the line that reads the script: the environment's own, else the one beside the lock."""
    from envsmith.activate.fast_run import LOCKFILES
    from envsmith.errors import EnvsmithError
    from envsmith.model.shell import read_line

    for folder in (programs, Path(LOCKFILES).absolute() / profile):
        script = folder / shell.file
        if script.is_file() and b"envsmith" in script.read_bytes()[:300]:
            return read_line(shell, str(script))
    raise EnvsmithError(
        "ENV054",
        f"there is no {shell.file}",
        where=str(Path(LOCKFILES) / profile),
        hint=f"`envsmith lock {profile}` writes it",
    )
