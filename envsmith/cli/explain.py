"""``envsmith explain``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from envsmith.cli import NO, OK

if TYPE_CHECKING:
    from envsmith.workflows.explaining import Explanation


@click.command(name="explain")
@click.argument("package")
@click.option(
    "--profile", "profiles", multiple=True, metavar="NAME", help="Only this profile; may be repeated."
)
@click.option(
    "-o", "folder", type=click.Path(path_type=Path), default="lockfiles", help="Folder of the lock folders."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(package: str, profiles: tuple[str, ...], folder: Path, *, as_json: bool) -> int:
    """Say who asked for PACKAGE, which index and wheel were taken, and which decisions touched it."""
    from envsmith.adapters import files
    from envsmith.catalog import Catalog
    from envsmith.cli import render
    from envsmith.workflows.explaining import explain

    names = profiles or tuple(sorted(path.parent.name for path in folder.glob("*/manifest.toml")))
    catalog = Catalog.embedded()
    found = [item for name in names for item in explain(package, folder / name, catalog=catalog, files=files)]
    if as_json:
        render.envelope("explain", "ok" if found else "no", [asdict(item) for item in found])
    elif found:
        for item in found:
            _show(item)
    else:
        render.say(f"{package} is in no lock of {', '.join(names) or f'{folder} (there is none)'}", err=True)
        render.say("hint: envsmith lock PROFILE first, or look at the name", err=True)
    return OK if found else NO


def _show(item: Explanation) -> None:
    from envsmith.cli import render

    render.say(f"{item.name} {item.version or '(not locked)'} · {item.profile}/{item.slug}")
    lines = [("asked by", asker) for asker in item.askers]
    if item.index:
        lines.append(("index", item.index))
    if item.wheel:
        lines.append(("wheel", item.wheel))
    if item.sha256:
        lines.append(("sha256", item.sha256))
    lines += [("bound", bound) for bound in item.bounds]
    lines += [
        ("decision", f"{decision.message} ({decision.kind} {decision.code})") for decision in item.decisions
    ]
    label = ""
    for name, text in lines:
        render.labelled(f"  {name}" if name != label else "", f"  {text}")
        label = name
