"""``envsmith explain``."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from envsmith.console.options import LOCK_FOLDERS
from envsmith.errors import NO, OK

_SHOWN_USES = 3

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envsmith.lock.explain.explain import Explanation


@click.command(name="explain")
@click.argument("package")
@click.option(
    "--profile", "profiles", multiple=True, metavar="NAME", help="Only this profile; may be repeated."
)
@LOCK_FOLDERS
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def explain_command(package: str, profiles: tuple[str, ...], folder: Path, *, as_json: bool) -> int:
    """Explain why PACKAGE is locked: its requirers, index, wheel, and the decisions on it."""
    from envsmith.catalog import Catalog
    from envsmith.console import printer
    from envsmith.files import atomic
    from envsmith.files.text import folders_with
    from envsmith.lock.explain.explain import explain
    from envsmith.lockfile.manifest import FILENAME
    from envsmith.wiring import CatalogOptions, listing_sources

    names = profiles or folders_with(folder, FILENAME)
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
        for group in _grouped(found):
            _show(group, uses)
    elif brought := _given(package, names, folder):
        printer.say(f"{brought} is given by the image, not locked: `given` in the profile")
        return OK
    else:
        place = (
            f"the {', '.join(names)} {'lock' if len(names) == 1 else 'locks'}"
            if names
            else f"a lock in {folder}"
        )
        printer.say(f"{package} is not in {place}", err=True)
        printer.say("hint: check the spelling, or run envsmith lock", err=True)
    return OK if found else NO


def _given(package: str, names: Iterable[str], folder: Path) -> str:
    """Return name and version of a package that an image brings to one of the locks; empty for any other."""
    from envsmith.files import atomic
    from envsmith.lockfile.manifest import FILENAME
    from envsmith.lockfile.store import read_manifest

    places = ((str(folder / name / FILENAME), atomic.read_files(folder / name)) for name in names)
    manifests = [manifest for place, files in places if (manifest := read_manifest(files, place))]
    found = (item for manifest in manifests for item in manifest.given if item.name == package)
    return next((f"{item.name} {item.version}" for item in found), "")


def _grouped(found: Iterable[Explanation]) -> list[list[Explanation]]:
    """Group the targets with equal explanations, apart from the file."""
    groups: dict[Explanation, list[Explanation]] = {}
    for item in found:
        groups.setdefault(replace(item, slug="", wheel="", sha256=""), []).append(item)
    return list(groups.values())


def _uses(package: str, found: Iterable[Explanation]) -> dict[str, list[str]]:
    """Return the first few places where the project's files use a package or its direct requirements."""
    from envsmith.config.profiles import ProfileStore
    from envsmith.usage.scan import scan
    from envsmith.wiring import known_modules

    names = dict.fromkeys([package, *(root for item in found for root in item.roots)])
    folders = ProfileStore.of_project(Path()).settings.sources
    scanned = scan(Path(), names, installed=known_modules(), folders=folders, enough=_SHOWN_USES)
    return {
        answer.project: [f"{use.place} ({use.kind}: {use.module})" for use in answer.uses[:_SHOWN_USES]]
        for answer in scanned.answers
    }


def _show(group: list[Explanation], uses: Mapping[str, list[str]]) -> None:
    from envsmith.console import printer

    item = group[0]
    slugs = ", ".join(one.slug for one in group)
    head = f"{item.name} {item.version or item.index or '(not locked)'} · {item.profile}: {slugs}"
    for number, line in enumerate(printer.wrapped(head, 2)):
        printer.say(f"  {line}" if number else line)
    lines = [("asked by", requirer) for requirer in item.askers]
    lines += [("through", chain) for chain in item.ways]
    lines += [("used in", place) for place in uses.get(item.name) or ["(no file of this project)"]]
    lines += [
        ("used in", f"{place}: {root}, which requires it")
        for root in item.roots
        for place in uses.get(root, [])
    ]
    if item.index:
        lines.append(("index", item.index))
    for one in group:
        lines += _file(one)
    lines += [("pairing", bound) for bound in item.bounds]
    for decision in item.decisions:
        lines.append(("decision", f"{decision.message}  {decision.code}"))
        lines += [("because", fact) for fact in decision.evidence]
    lines += [("change", text) for text in item.changes]
    label = ""
    for name, text in lines:
        printer.labelled(f"  {name}" if name != label else "", f"  {text}")
        label = name


def _file(item: Explanation) -> list[tuple[str, str]]:
    if not item.wheel:
        return [("sha256", item.sha256)] if item.sha256 else []
    kind = "wheel" if item.wheel.endswith(".whl") else "source"
    return [(kind, f"{item.wheel} sha256:{item.sha256}")]
