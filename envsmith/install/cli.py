"""``envsmith generations``."""

from __future__ import annotations

from pathlib import Path

import click

from envsmith.console.options import PREFIX
from envsmith.errors import OK


@click.command(name="generations")
@click.option(
    "--keep", type=click.IntRange(1), metavar="N", help="Keep the N used last, and remove the others."
)
@PREFIX
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(keep: int | None, prefix: Path, *, as_json: bool) -> int:
    """List the environments that were built, when they were used, and what they cost.

    Bytes that are shared by hard links with uv's cache or other environments are told apart: removing one of them frees
    only its own.
    """
    from envsmith.install import switch as switching
    from envsmith.install import switch_render
    from envsmith.install.disk_usage import own_and_shared
    from envsmith.install.generation_store import Environments

    environments = Environments(link=prefix.absolute(), waiting=switch_render.waiting)
    gone = () if keep is None else switching.keep(keep, environments)
    switch_render.listed(switching.listed(environments, own_and_shared), gone, as_json=as_json)
    return OK
