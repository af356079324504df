"""Commands ``envsmith activate``, ``envsmith env`` and ``envsmith run``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from envsmith.errors import OK

if TYPE_CHECKING:
    from envsmith.activate.model import Activation, Session
    from envsmith.model.shell import Shell


SHELL_NAMES = (
    *("sh", "bash", "zsh", "dash", "ksh", "fish", "csh", "tcsh", "nu", "xonsh", "powershell", "pwsh", "cmd"),
)
FORMATS = ("dotenv", "github", "systemd", "envrc")


@click.command(name="activate")
@click.argument("profile", required=False, default="")
@click.option("--shell", "name", type=click.Choice(SHELL_NAMES), help="Shell [default: the calling one].")
def activate_command(profile: str, name: str | None) -> int:
    """Print the command that activates PROFILE's environment in a shell.

    sh, bash, zsh, ksh: eval "$(envsmith activate)"; fish: envsmith activate | source; csh: eval "`envsmith activate`";
    PowerShell: envsmith activate | Invoke-Expression. In Nushell, xonsh and cmd, enter the printed line. `deactivate`
    restores the session.
    """
    from envsmith.activate.fast_run import activation, prefix
    from envsmith.activate.session import calling_shell, environment_paths
    from envsmith.console import printer
    from envsmith.errors import EnvsmithError
    from envsmith.model.shell import shell_of

    found = name or calling_shell()
    shell = shell_of(found)
    if shell is None:
        raise EnvsmithError(
            "ENV053",
            f"no activation script for the shell `{found}`",
            where="envsmith activate",
            hint=f"use --shell with one of {', '.join(SHELL_NAMES)}, or `envsmith run`",
        )
    root = prefix()
    settings = activation(profile, root)
    # cmd reads a pipe in the code page of the console.
    encoding = "oem" if shell.name == "bat" and sys.platform == "win32" else "utf-8"
    printer.document(f"{_line(shell, Path(environment_paths(root).bin), settings)}\n", encoding)
    return OK


def _line(shell: Shell, programs: Path, settings: Activation) -> str:
    """Return the line that reads the script: the one in the environment, else the one beside the lock."""
    from envsmith.model.shell import read_line

    script = programs / shell.file
    if not script.is_file() or b"envsmith" not in script.read_bytes()[:300]:
        script = _committed_script(shell, settings)
    return read_line(shell, str(script))


def _committed_script(shell: Shell, settings: Activation) -> Path:
    """Return the script beside the lock, which anybody may have changed, after comparing it.

    Raises:
        EnvsmithError: ENV054 if it is missing, LCK038 if it is not the one that envsmith writes.
    """
    from envsmith.activate.scripts import render
    from envsmith.errors import EnvsmithError, LockError
    from envsmith.files.atomic import read_files
    from envsmith.lockfile import LOCKFILES
    from envsmith.templates import read_template

    folder = Path(LOCKFILES) / settings.profile
    files = read_files(folder)
    if shell.file not in files:
        raise EnvsmithError(
            "ENV054",
            f"`{shell.file}` not found",
            where=str(folder),
            hint=f"run `envsmith lock {settings.profile}` to write it",
        )
    # Git may have changed the line ends.
    found, written = (
        text.replace(b"\r\n", b"\n")
        for text in (files[shell.file], render(shell, read_template(shell.file), settings))
    )
    if found != written:
        raise LockError(
            "LCK038",
            "this script is not the one that this envsmith writes for this lock, and would be run by your shell",
            where=(folder / shell.file).as_posix(),
            hint=f"restore the committed file, or run `envsmith lock {settings.profile}`",
        )
    return folder.absolute() / shell.file


@click.command(name="env")
@click.argument("profile", required=False, default="")
@click.option("--explain", is_flag=True, help="Show every removed entry with the reason.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="Write a file for other programs.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def env_command(profile: str, form: str | None, *, explain: bool, as_json: bool) -> int:
    """Print the environment variables of a session in PROFILE's environment.

    `--format envrc` is for direnv, `github` for the file $GITHUB_ENV, `systemd` for EnvironmentFile=.
    """
    if sum((explain, as_json, form is not None)) > 1:
        raise click.UsageError("--explain, --format and --json cannot be combined")
    from envsmith.activate.fast_run import session
    from envsmith.console import printer

    settings, _, changes = session(profile)
    if as_json:
        printer.envelope("env", "ok", {"profile": settings.profile, **_plain(changes)})
    elif explain:
        _explain(changes)
    elif form:
        from envsmith.activate.env_files import write
        from envsmith.files.text import is_missing
        from envsmith.lockfile import LOCKFILES
        from envsmith.model.shell import shell_of

        shell = shell_of("bash")
        if form == "envrc" and shell and not is_missing(Path(LOCKFILES) / settings.profile / shell.file):
            _committed_script(shell, settings)
        printer.document(write(form, settings.profile, changes.values, changes.unset))
    else:
        lines = [f"{name}={value}" for name, value in changes.values.items()]
        lines += [f"# {name} is unset" for name in changes.unset]
        printer.document("".join(f"{printer.plain(line)}\n" for line in lines))
    return OK


def _plain(changes: Session) -> Mapping[str, object]:
    removed = [
        {"variable": item.variable, "entry": item.entry, "reason": item.reason} for item in changes.removed
    ]
    return {"set": dict(changes.values), "unset": list(changes.unset), "taken": removed}


def _explain(changes: Session) -> None:
    from envsmith.console import printer

    if not changes.removed:
        printer.say("no entry is removed")
        return
    rows = [
        (item.variable, "(all)" if item.entry is None else item.entry or "(empty)", item.reason)
        for item in changes.removed
    ]
    printer.table(("variable", "removed", "because it"), rows, indent=0)


class AfterDashes(click.Command):
    """Command that passes the words after ``--`` through."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Split the arguments at the first ``--``."""
        if "--" in args:
            place = args.index("--")
            ctx.meta[__name__] = args[place + 1 :]
            args = args[:place]
        elif self.name == "run" and len(args) > 1 and not args[0].startswith("-"):
            profile, *words = map(quote, args)
            raise click.UsageError(
                f"write -- before the command: envsmith run {profile} -- {' '.join(words)}", ctx
            )
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Return the pieces of the usage line."""
        return [*super().collect_usage_pieces(ctx), "--", "COMMAND..."]


def words_after(ctx: click.Context) -> list[str]:
    """Return the words after ``--``; empty without it."""
    words: list[str] = ctx.meta.get(__name__, [])
    return words


@click.command(name="run", cls=AfterDashes)
@click.argument("profile", required=False, default="")
@click.pass_context
def run_command(ctx: click.Context, profile: str) -> int:
    """Run COMMAND in PROFILE's environment, without a shell; signals and exit status are those of COMMAND.

    PROFILE defaults to the one that the environment was built for. The environment is $ENVSMITH_PREFIX, else .venv.
    """
    words = words_after(ctx)
    if not words:
        raise click.UsageError(
            "no command given; write it after --, as in: envsmith run cpu -- python app.py"
        )
    from envsmith.activate.fast_run import outer_variables, session
    from envsmith.host.project_folder import leave
    from envsmith.process.replace import exec_or_spawn

    _, _, changes = session(profile)
    leave()
    return exec_or_spawn(words, changes.over(outer_variables()))
