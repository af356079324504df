"""Commands ``envsmith catalog``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from envsmith.console.options import ACCEPT_CHANGED, INSECURE_HOSTS
from envsmith.errors import OK
from envsmith.model.listing import CHANNELS

if TYPE_CHECKING:
    from envsmith.catalog import BackendFacts, Catalog
    from envsmith.catalog.coverage import Coverage, VersionCoverage
    from envsmith.errors import EnvsmithError


@click.group(name="catalog")
def catalog_command() -> None:
    """Show PyTorch's builds, and refresh the cached index."""


@catalog_command.command(short_help="List the backends, or the builds of one.")
@click.argument("backend", required=False)
@click.option(
    "--channel",
    type=click.Choice(CHANNELS),
    default="stable",
    help="Channel of the builds [default: stable].",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def show(backend: str | None, channel: str, *, as_json: bool) -> int:
    """List the backends, or the versions, platforms, Pythons and kernels of BACKEND."""
    from envsmith.catalog import Catalog
    from envsmith.model.backend import Backend

    catalog = Catalog.embedded()
    if backend is None:
        _show_all(catalog, as_json=as_json)
    else:
        _show_one(catalog, catalog.backend(Backend.parse(backend)), channel, as_json=as_json)
    return OK


@catalog_command.command(short_help="Download PyTorch's index into the cache.")
@click.argument("backends", nargs=-1)
@click.option(
    "--channel",
    type=click.Choice(CHANNELS),
    default="stable",
    help="Channel of the builds [default: stable].",
)
@click.option(
    "--index-base", metavar="URL", default="", help="URL of a mirror of https://download.pytorch.org/whl."
)
@ACCEPT_CHANGED
@INSECURE_HOSTS
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(1, 3600),
    default=300.0,
    help="Seconds per backend [default: 300].",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def refresh(
    backends: tuple[str, ...],
    channel: str,
    timeout_s: float,
    *,
    as_json: bool,
    **options: Any,  # noqa: ANN401 - click checks each option
) -> int:
    """Download PyTorch's index of BACKENDS [default: all that are not retired] into the user's cache."""
    from datetime import timedelta

    from envsmith.catalog import Catalog
    from envsmith.console import printer
    from envsmith.model.backend import Backend
    from envsmith.wiring import CatalogOptions, live_index

    catalog = Catalog.embedded()
    chosen = [Backend.parse(text) for text in backends] or [
        facts.backend for facts in catalog.backends() if not facts.is_retired
    ]
    problems: list[EnvsmithError] = []
    live = live_index(catalog, CatalogOptions(**options), problems.append)
    rows = []
    for backend in chosen:
        known = catalog.listing(channel, backend)
        found = live.refresh(channel, backend, known, deadline_s=timeout_s, max_age=timedelta(0))
        versions = {
            (release.name, release.version)
            for project in found.projects
            for release in found.releases(project)
        }
        before = {
            (release.name, release.version)
            for project in (known.projects if known else ())
            for release in (known.releases(project) if known else ())
        }
        rows.append((found.index, found.retrieved, len(versions), len(versions - before)))
    for error in problems:
        printer.labelled("catalog", f"{error.where}: {error.message}", error.code, err=True)
    _show_refreshed(rows, as_json=as_json)
    return OK


def _show_refreshed(rows: list[tuple[str, str, int, int]], *, as_json: bool) -> None:
    from envsmith.console import printer

    if as_json:
        keys = ("index", "retrieved", "versions", "new")
        printer.envelope("catalog refresh", "ok", [dict(zip(keys, row, strict=True)) for row in rows])
    else:
        printer.table(
            ("index", "read", "versions", "new"), [[str(cell) for cell in row] for row in rows], indent=0
        )


def _show_all(catalog: Catalog, *, as_json: bool) -> None:
    from envsmith.console import printer

    if as_json:
        printer.envelope("catalog show", "ok", [_facts(catalog, facts) for facts in catalog.backends()])
        return
    rows = [
        (
            str(facts.backend),
            f"{facts.first_torch or '?'} to {facts.last_torch or 'now'}",
            facts.stable_end or "-",
            facts.nightly_end or "-",
            str(facts.successor or "-"),
            catalog.driver_floor(facts.backend, "linux") or "-",
            catalog.driver_floor(facts.backend, "windows") or "-",
        )
        for facts in catalog.backends()
    ]
    head = (
        "backend",
        "torch",
        "stable ended",
        "nightly ended",
        "successor",
        "driver linux",
        "driver windows",
    )
    printer.table(head, rows, indent=0)
    printer.say(f"\nsnapshot of {catalog.retrieved}; `envsmith catalog show BACKEND` lists its builds")


def _facts(catalog: Catalog, facts: BackendFacts) -> dict[str, object]:
    return {
        "backend": str(facts.backend),
        "first_torch": str(facts.first_torch) if facts.first_torch else None,
        "last_torch": str(facts.last_torch) if facts.last_torch else None,
        "stable_end": facts.stable_end,
        "nightly_end": facts.nightly_end,
        "successor": str(facts.successor) if facts.successor else None,
        "driver": {os: catalog.driver_floor(facts.backend, os) for os in ("linux", "windows")},
        "note": facts.note,
        "source": facts.source,
        "retrieved": facts.retrieved,
    }


def _show_one(catalog: Catalog, facts: BackendFacts, channel: str, *, as_json: bool) -> None:
    from envsmith.catalog.coverage import coverage
    from envsmith.console import printer

    listing = catalog.listing(channel, facts.backend)
    covered = coverage(listing) if listing else None
    builds = _builds(catalog, covered) if covered else []
    if as_json:
        printer.envelope(
            "catalog show", "ok", {**_facts(catalog, facts), "channel": channel, "builds": builds}
        )
        return
    _show_facts(catalog, facts)
    head = ("project", "version", "platform", "pythons", "without hash", "kernels")
    rows = [
        [str(build[key]) for key in ("project", "version", "platform", "pythons", "unhashed", "kernels")]
        for build in builds
    ]
    printer.table(head, rows, indent=0)
    if not builds:
        printer.say(f"no {channel} builds of {facts.backend} in the snapshot of {catalog.retrieved}")


def _show_facts(catalog: Catalog, facts: BackendFacts) -> None:
    from envsmith.console import printer

    printer.labelled(
        str(facts.backend),
        f"{facts.backend.title} · torch {facts.first_torch or '?'} to {facts.last_torch or 'now'}",
    )
    if facts.stable_end:
        printer.labelled(
            "",
            f"stable ended {facts.stable_end}, nightly {facts.nightly_end or '?'}; successor {facts.successor or '-'}",
        )
    floors = [
        f"{os} ≥ {floor}" for os in ("linux", "windows") if (floor := catalog.driver_floor(facts.backend, os))
    ]
    if floors:
        printer.labelled("", f"driver: {', '.join(floors)}")
    printer.labelled("", f"source: {facts.source}, {facts.retrieved}")


def _builds(catalog: Catalog, covered: Coverage) -> list[dict[str, object]]:
    """Return a row per project, version and platform: Pythons with and without hash, and torch's kernels."""
    return [
        {
            "project": item.project,
            "version": str(item.version),
            "platform": platform,
            "pythons": " ".join(item.hashed.get(platform, ())),
            "unhashed": " ".join(item.unhashed.get(platform, ())),
            "kernels": _kernels(catalog, covered, item, platform),
        }
        for item in covered.versions
        for platform in sorted({*item.hashed, *item.unhashed})
    ]


_TAGS = {
    "linux x86_64": "linux",
    "linux aarch64": "linux-aarch64",
    "windows amd64": "windows",
    "macos arm64": "macos",
}


def _kernels(catalog: Catalog, covered: Coverage, item: VersionCoverage, platform: str) -> str:
    from packaging.version import Version

    from envsmith.model.target import Platform

    if item.project != "torch" or platform not in _TAGS:
        return ""
    torch = Version(item.version.public)
    found = catalog.kernels(torch, covered.backend, Platform.parse(_TAGS[platform]))
    return "unknown" if found is None else str(found)
