"""``envsmith select``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from envsmith.errors import NO, OK

if TYPE_CHECKING:
    from envsmith.select.select import Selection


@click.command(name="select", short_help="Say which backends and torch versions work on a machine.")
@click.option(
    "--gpu",
    "gpus",
    multiple=True,
    metavar="NAME",
    help="GPU by name or compute capability, or none; may be repeated.",
)
@click.option("--driver", metavar="VERSION", default="", help="Version of the NVIDIA driver, such as 572.16.")
@click.option("--python", metavar="X.Y", default="", help="Python that torch is wanted for.")
@click.option("--platform", default="", help="linux, linux-aarch64, macos, windows or a platform tag.")
@click.option("--explain", is_flag=True, help="Say it of every backend, with the reason.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    gpus: tuple[str, ...], driver: str, python: str, platform: str, *, explain: bool, as_json: bool
) -> int:
    """Say which backends and torch versions work on this machine, or on the one described, and why others do not."""
    from envsmith.catalog import Catalog
    from envsmith.console import output as render
    from envsmith.host.current import this_python
    from envsmith.model.target import Python
    from envsmith.select.cli import Description, described
    from envsmith.select.select import select
    from envsmith.wiring import CatalogChoice, listing_sources

    catalog = Catalog.embedded()
    host = described(Description(gpus=gpus, driver=driver, platform=platform), catalog)
    wanted = Python.parse(python) if python else this_python()
    listings = listing_sources(catalog, CatalogChoice(), lambda _: None, is_online=False)
    found = select(host, wanted, catalog=catalog, listings=listings)
    if as_json:
        render.envelope("select", "ok" if found.choice else "no", _data(found))
    else:
        _show(found, explain=explain)
    return OK if found.choice else NO


def _data(found: Selection) -> dict[str, object]:
    return {
        "host": found.host.to_json(),
        "python": str(found.python),
        "choice": found.choice.to_json() if found.choice else None,
        "verdicts": [verdict.to_json() for verdict in found.verdicts],
    }


def _show(found: Selection, *, explain: bool) -> None:
    from envsmith.console import output as render
    from envsmith.select.output import all_lines, selection_lines

    for label, text in selection_lines(found):
        render.labelled(label, text)
    if strange := [device for device in found.host.of_family("cuda") if device.capability is None]:
        ask = "say its compute capability with --gpu, or ENVSMITH_OVERRIDE_COMPUTE_CAPABILITY"
        render.say(f"hint: {strange[0]} is not in the table of GPUs; {ask}", err=True)
    if explain:
        render.say("")
        render.table(("backend", "torch", "answer", "why"), all_lines(found.verdicts), indent=0)
