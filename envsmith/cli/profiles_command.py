"""Commands ``envsmith profiles``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from envsmith.errors import OK

if TYPE_CHECKING:
    from envsmith.config.profile import Profile


@click.group(name="profiles", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def profiles_command(ctx: click.Context, *, as_json: bool) -> int:
    """List the profiles: a project's own first, then those shipped with envsmith."""
    if ctx.invoked_subcommand:
        return OK
    from envsmith.config.profiles import ProfileStore
    from envsmith.console import printer
    from envsmith.errors import EnvsmithError

    found = ProfileStore.of_project(Path())
    resolved: list[tuple[Profile, str]] = []
    failed: list[EnvsmithError] = []
    for name, place in found.names():
        try:
            resolved.append((found.resolve(name), place))
        except EnvsmithError as error:
            failed.append(error if error.where else error.at(f"profile {name}"))
    if as_json:
        data = [{**profile.to_json(), "place": place} for profile, place in resolved]
        printer.envelope("profiles", "failed" if failed else "ok", data, failed)
    else:
        rows = [
            (
                item.name,
                " ".join(map(str, item.backends)),
                item.channel,
                str(len(item.targets())),
                item.summary,
            )
            for item, _ in resolved
        ]
        printer.table(("profile", "backend", "channel", "targets", "for"), rows, indent=0)
        for problem in failed:
            printer.error(problem, command="profiles", as_json=False)
    return max((problem.exit_code for problem in failed), default=OK)


@profiles_command.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def show(name: str, *, as_json: bool) -> int:
    """Print a profile with `extends` resolved."""
    from envsmith.config.profiles import ProfileStore
    from envsmith.console import printer

    profile = ProfileStore.of_project(Path()).resolve(name)
    if as_json:
        printer.envelope("profiles show", "ok", profile.to_json())
    else:
        printer.document(profile.to_toml())
    return OK


@profiles_command.command()
@click.option(
    "--settings", "of_settings", is_flag=True, help="Print the schema of [tool.envsmith] in pyproject.toml."
)
def schema(*, of_settings: bool) -> int:
    """Print the JSON Schema of a profile, so that editors complete and check its keys."""
    from envsmith.config.profile_reader import profile_schema
    from envsmith.config.pyproject_settings import settings_schema
    from envsmith.config.readers import schema_json
    from envsmith.console import printer

    printer.document(schema_json(settings_schema() if of_settings else profile_schema()))
    return OK
