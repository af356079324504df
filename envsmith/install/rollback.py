"""``envsmith rollback``."""

from __future__ import annotations

from pathlib import Path

import click

from envsmith.console.options import PREFIX
from envsmith.errors import OK


@click.command(name="rollback")
@click.argument("id_", metavar="[ID]", required=False, default="")
@PREFIX
@click.option("--force", is_flag=True, help="Return to it even where files of it are gone or changed.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(id_: str, prefix: Path, *, force: bool, as_json: bool) -> int:
    """Return to the environment that was current before, or to the one named ID.

    What stood in its place before envsmith's first install comes back the same way. Called twice, it returns to where
    it began. Its files are looked for by name and size before: one that is damaged is refused.
    """
    from envsmith.install import switch_render
    from envsmith.install.generation_store import Environments
    from envsmith.install.links import check_runner
    from envsmith.install.switch import rollback

    check_runner(prefix.absolute())
    environments = Environments(link=prefix.absolute(), waiting=switch_render.waiting)
    switch_render.switched(rollback(id_, environments, is_forced=force), prefix, as_json=as_json)
    return OK
