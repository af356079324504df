"""``envsmith explain``."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from envsmith.console.options import LOCK_FOLDERS
from envsmith.errors import NO, OK

MOST_USES = 3

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envsmith.lock.explain import Explanation


@click.command(name="explain")
@click.argument("package")
@click.option(
    "--profile", "profiles", multiple=True, metavar="NAME", help="Only this profile; may be repeated."
)
@LOCK_FOLDERS
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def explain_command(package: str, profiles: tuple[str, ...], folder: Path, *, as_json: bool) -> int:
    """Say who asked for PACKAGE, which index and wheel were taken, and which decisions touched it."""
    from envsmith.catalog import Catalog
    from envsmith.console import printer
    from envsmith.files import atomic
    from envsmith.lock.explain import explain
    from envsmith.wiring import CatalogOptions, listing_sources

    names = profiles or tuple(sorted(path.parent.name for path in folder.glob("*/manifest.toml")))
    catalog = Catalog.embedded()
    listings = listing_sources(catalog, CatalogOptions(), is_online=False)
    found = [
        item
        for name in names
        for item in explain(package, folder / name, catalog=catalog, listings=listings, files=atomic)
    ]
    uses = _uses(package, found) if found else {}
    if as_json:
        values = [asdict(item) | {"uses": uses} for item in found]
        printer.envelope("explain", "ok" if found else "no", values)
    elif found:
        for alike in _alike(found):
            _show(alike, uses)
    else:
        printer.say(f"{package} is in no lock of {', '.join(names) or f'{folder} (there is none)'}", err=True)
        printer.say("hint: envsmith lock PROFILE first, or look at the name", err=True)
    return OK if found else NO


def _alike(found: Iterable[Explanation]) -> list[list[Explanation]]:
    """Put the targets together for which the same holds, but for the file."""
    groups: dict[Explanation, list[Explanation]] = {}
    for item in found:
        groups.setdefault(replace(item, slug="", wheel="", sha256=""), []).append(item)
    return list(groups.values())


def _uses(package: str, found: Iterable[Explanation]) -> dict[str, list[str]]:
    """Return where the project's files use a package, and those packages that bring it in; the first few places."""
    from envsmith.config.profiles import ProfileStore
    from envsmith.usage import scan as project
    from envsmith.usage.scan import scan
    from envsmith.wiring import known_modules

    names = dict.fromkeys([package, *(root for item in found for root in item.roots)])
    folders = ProfileStore.of_project(Path()).settings.sources
    scanned = scan(
        Path(), names, sources=project, installed=known_modules(), folders=folders, enough=MOST_USES
    )
    return {
        answer.project: [f"{use.place} ({use.kind}: {use.module})" for use in answer.uses[:MOST_USES]]
        for answer in scanned.answers
    }


def _show(alike: list[Explanation], uses: Mapping[str, list[str]]) -> None:
    from envsmith.console import printer

    item = alike[0]
    slugs = ", ".join(one.slug for one in alike)
    head = f"{item.name} {item.version or '(not locked)'} · {item.profile}: {slugs}"
    for number, line in enumerate(printer.wrapped(head, 2)):
        printer.say(f"  {line}" if number else line)
    lines = [("asked by", asker) for asker in item.askers]
    lines += [("through", way) for way in item.ways]
    lines += [("used in", place) for place in uses.get(item.name) or ["no file of this project"]]
    lines += [
        ("used in", f"{place}, which brings in {root}") for root in item.roots for place in uses.get(root, [])
    ]
    if item.index:
        lines.append(("index", item.index))
    for one in alike:
        lines += _file(one)
    lines += [("bound", bound) for bound in item.bounds]
    for decision in item.decisions:
        lines.append(("decision", f"{decision.message}  {decision.code}"))
        lines += [("because", fact) for fact in decision.evidence]
    lines += [("change", way) for way in item.changes]
    label = ""
    for name, text in lines:
        printer.labelled(f"  {name}" if name != label else "", f"  {text}")
        label = name


def _file(item: Explanation) -> list[tuple[str, str]]:
    if not item.wheel:
        return [("sha256", item.sha256)] if item.sha256 else []
    kind = "wheel" if item.wheel.endswith(".whl") else "source"
    return [(kind, f"{item.wheel} sha256:{item.sha256}")]
