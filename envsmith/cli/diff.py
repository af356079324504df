"""``envsmith diff``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from envsmith.cli import OK

if TYPE_CHECKING:
    from envsmith.model.difference import Difference

LOCKFILES = "lockfiles"


@click.command(name="diff")
@click.argument("before", metavar="[A", required=False, default="")
@click.argument("after", metavar="[B]]", required=False, default="")
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "md", "json")),
    default="text",
    help="For people (the default), for a pull request, or for programs.",
)
@click.option(
    "-o", "folder", type=click.Path(path_type=Path), default=LOCKFILES, help="Folder of the lock folders."
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def command(before: str, after: str, form: str, folder: Path, *, as_json: bool) -> int:
    """Say what changes between locks: torch, drivers, kernels, packages, decisions, targets.

    A and B are each a profile, a git revision (all profiles), REV:PROFILE, a lock folder or one of its files. One
    revision is compared with the locks as they are now, one profile with itself at HEAD; without any, all profiles are.
    """
    from envsmith.cli import diff_render, render

    found = _found(tuple(word for word in (before, after) if word), folder)
    if as_json or form == "json":
        render.envelope("diff", "ok", {"profiles": [item.to_json() for item in found]})
    elif form == "md":
        click.echo(diff_render.markdown(found), nl=False)
    else:
        diff_render.text(found)
    return OK


def _found(words: tuple[str, ...], folder: Path) -> tuple[Difference, ...]:
    from envsmith.adapters import files
    from envsmith.adapters.revisions import Revisions
    from envsmith.catalog import Catalog
    from envsmith.cli.matrix import inside
    from envsmith.workflows.contrasting import ContrastTools, contrast

    tools = ContrastTools(
        project=Path(),
        folder=inside(folder),
        files=files,
        revisions=Revisions(project=Path()),
        catalog=Catalog.embedded(),
    )
    return contrast(words, tools)
