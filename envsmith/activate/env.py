"""``envsmith env``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from envsmith.errors import OK

if TYPE_CHECKING:
    from envsmith.activate.model import Session

FORMATS = ("dotenv", "github", "systemd", "envrc")


@click.command(name="env")
@click.argument("profile", required=False, default="")
@click.option("--explain", is_flag=True, help="Say of everything that is taken out why.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="As a file that others read.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(profile: str, form: str | None, *, explain: bool, as_json: bool) -> int:
    """Print the variables that a session in PROFILE's environment has.

    `--format envrc` is for direnv, `github` for what $GITHUB_ENV names, `systemd` for EnvironmentFile=.
    """
    if sum((explain, as_json, form is not None)) > 1:
        raise click.UsageError("--explain, --format and --json exclude each other")
    from envsmith.activate.fast_run import session
    from envsmith.console import output as render

    wanted, _, changes = session(profile)
    if as_json:
        render.envelope("env", "ok", {"profile": wanted.profile, **_plain(changes)})
    elif explain:
        _explain(changes)
    elif form:
        from envsmith.activate.env_files import write

        click.echo(write(form, wanted.profile, changes.values, changes.unset), nl=False)
    else:
        for name, value in changes.values.items():
            render.say(f"{name}={value}")
        for name in changes.unset:
            render.say(f"# {name} is unset")
    return OK


def _plain(changes: Session) -> Mapping[str, object]:
    taken = [
        {"variable": item.variable, "entry": item.entry, "reason": item.reason} for item in changes.taken
    ]
    return {"set": dict(changes.values), "unset": list(changes.unset), "taken": taken}


def _explain(changes: Session) -> None:
    from envsmith.console import output as render

    if not changes.taken:
        render.say("nothing is taken out")
        return
    rows = [
        (item.variable, "all of it" if item.entry is None else item.entry or "(empty)", item.reason)
        for item in changes.taken
    ]
    render.table(("variable", "out", "because it"), rows, indent=0)
