"""Route: read what a profile takes from other indexes than PyPI, remember it, and put it into the plans."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from envsmith.catalog import Catalog
from envsmith.config.profile import Profile
from envsmith.errors import ResolveError
from envsmith.lockfile.manifest import Entry, Manifest
from envsmith.model.backend import Backend
from envsmith.model.route import RoutePage
from envsmith.plan import hashes as hashing
from envsmith.plan import routes as routing
from envsmith.plan.model import Plan
from envsmith.plan.ports import Hasher, Routes


def read(
    profile: Profile, manifest: Manifest | None, routes: Routes | None, *, again: frozenset[str] | None
) -> tuple[RoutePage, ...]:
    """Return what is at the addresses of a profile's routes: as remembered, else as read now.

    A page says nothing of when its files came, so what was read once is kept as the cutoff is.

    Args:
        profile: names the routes.
        manifest: remembers what was read.
        routes: reads pages; None where the network may not be used.
        again: projects to read again although they are remembered; None: all.

    Raises:
        ResolveError: RES026 where a page is not remembered, and the network may not be used.
        EnvsmithError: where a page cannot be read.
    """
    known = (
        {page.project: page for page in manifest.routes} if manifest and _covers(manifest, profile) else {}
    )
    found: list[RoutePage] = []
    for project, url in profile.routes.items():
        page = known.get(project)
        is_kept = page is not None and page.url == url
        if page is not None and is_kept and (routes is None or (again is not None and project not in again)):
            found.append(page)
        elif routes is None:
            raise _unread(profile, project, url)
        else:
            targets = profile.targets()
            found.append(routes.read(project, url, partial(routing.is_wanted, targets=targets)))
    return tuple(found)


def changes(profile: Profile, manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Yield what keeps remembered pages from serving a profile: the slug of a target, empty for all, and why."""
    known = {page.project: page.url for page in manifest.routes}
    for name in sorted({*known, *profile.routes}):
        old, new = known.get(name, "(none)"), profile.routes.get(name, "(none)")
        if old != new:
            yield "", f"route  {name}: {old} → {new}"
    for target in profile.targets() if profile.routes else ():
        entry = manifest.targets.get(target.slug)
        if entry is None:
            yield target.slug, "is asked for, but not locked"
        elif _family(entry) != target.backend.family:
            yield target.slug, f"backend  {entry.inputs.get('backend')} → {target.backend}"


def route(plan: Plan, pages: tuple[RoutePage, ...], catalog: Catalog, hasher: Hasher) -> Plan:
    """Put the wheels of routed projects into a plan's slice.

    Raises:
        ResolveError: RES025 when none fits, RES041 when one without a published hash may not be downloaded.
        ToolError: when one cannot be downloaded.
    """
    if not pages:
        return plan
    chosen = {page.project: routing.choose(page, plan, catalog) for page in pages}
    missing = routing.unhashed(row for rows in chosen.values() for row in rows)
    hashes = {row.wheel: row.computed or hasher.sha256(row.wheel) for row in missing}
    found = {wheel: sha256 for wheel, sha256 in hashes.items() if sha256}
    if len(found) < len(missing):
        raise hashing.refusal(wheel for wheel in hashes if wheel not in found)
    routed = routing.add(plan, pages, chosen, found)
    return replace(routed, decisions=(*routed.decisions, *hashing.told(found)))


def _family(entry: Entry) -> str:
    return Backend.parse(str(entry.inputs.get("backend", "cpu"))).family


def _covers(manifest: Manifest, profile: Profile) -> bool:
    """Say whether what is remembered was read for all targets of a profile."""
    return not any(slug for slug, _ in changes(profile, manifest))


def _unread(profile: Profile, project: str, url: str) -> ResolveError:
    return ResolveError(
        "RES026",
        f"{url} has not been read for this profile, and the network may not be used",
        where=profile.where("routes", project),
        hint="lock once without --offline: what was read is remembered in the manifest",
    )
