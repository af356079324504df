"""``envsmith profiles``."""

from __future__ import annotations

from pathlib import Path

import click

from envsmith.cli import OK


@click.group(name="profiles", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def command(ctx: click.Context, *, as_json: bool) -> int:
    """List the profiles: a project's own first, then those shipped with envsmith."""
    if ctx.invoked_subcommand:
        return OK
    from envsmith.adapters.profiles import Profiles
    from envsmith.cli import render

    found = Profiles.of_project(Path())
    resolved = [(found.resolve(name), place) for name, place in found.names()]
    if as_json:
        render.envelope(
            "profiles", "ok", [{**profile.to_json(), "place": place} for profile, place in resolved]
        )
        return OK
    rows = [
        (item.name, str(item.backend), item.channel, str(len(item.targets())), item.summary)
        for item, _ in resolved
    ]
    render.table(("profile", "backend", "channel", "targets", "for"), rows, indent=0)
    return OK


@command.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def show(name: str, *, as_json: bool) -> int:
    """Print a profile as it is after `extends` is resolved."""
    from envsmith.adapters.profiles import Profiles
    from envsmith.cli import render

    profile = Profiles.of_project(Path()).resolve(name)
    if as_json:
        render.envelope("profiles show", "ok", profile.to_json())
    else:
        click.echo(profile.to_toml(), nl=False)
    return OK
