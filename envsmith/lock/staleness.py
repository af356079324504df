"""Staleness of locks (`lock --check`): changed inputs, files and models.

Compares the plans with the files on disk, without network and resolver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from envsmith.activate.scripts import scripts_of
from envsmith.catalog import Catalog
from envsmith.index.direct_references.provide import Provider
from envsmith.lock.inputs import recorded_models
from envsmith.lock.inputs.changed_inputs import changes
from envsmith.lock.inputs.request import with_provided, with_shared_versions
from envsmith.lock.kept_pins import pinned_lines
from envsmith.lock.lock import changed_files
from envsmith.lock.nightly_age import aging
from envsmith.lockfile.manifest import FILENAME, Manifest, TargetRecord
from envsmith.lockfile.pins import RequirementsLine
from envsmith.lockfile.store import is_recorded, is_same, read_manifest
from envsmith.lockfile.whole import NO_RULES, LockRules, LockTexts, check_profile_name, problems
from envsmith.model.finding import Finding, Report
from envsmith.plan import routes
from envsmith.plan.model import Cutoffs, LockRequest, ResolutionPlan
from envsmith.plan.pairings import broken_pairings
from envsmith.plan.planner import NO_CUTOFF, plan_profile
from envsmith.plan.ports import Files, Hasher, Listings
from envsmith.wiring import CatalogOptions, listing_sources, lock_rules


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckTools:
    """Readers and facts for a check; none may use the network."""

    catalog: Catalog
    listings: Listings
    hasher: Hasher
    files: Files
    templates: Callable[[str], str] | None = None
    """Filename → text of a template; None to skip activation scripts."""
    rules: LockRules = NO_RULES
    provider: Provider = field(default_factory=lambda: Provider(project=Path()))


def check_profile(request: LockRequest, folder: Path, tools: CheckTools) -> Report:
    """Compare a request with its locks.

    Args:
        request: profile and requirements.
        folder: the profile's lock folder.
        tools: facts, listings and files.

    Returns:
        One finding of severity error per reason why a lock is stale, and notes on nightlies that their index will
        remove.

    Raises:
        LockError: LCK002 when the manifest is malformed.
        ResolveError: when the profile can no longer be planned.
    """
    found = tools.files.read_files(folder)
    manifest = read_manifest(found, str(folder / FILENAME))
    name = request.profile.name
    if manifest is None:
        return Report(findings=(_finding("LCK030", name, "not locked yet", name),))
    check_profile_name(manifest, name, str(folder / FILENAME))
    if stale := tuple(_route_findings(request, manifest)):
        return Report(findings=stale)
    if other := request.profile.versions_of:
        place = folder.with_name(other)
        request = with_shared_versions(request, place, tools.files.read_files(place))
    request = with_provided(request, tools.provider, folder, manifest.provided)
    request = replace(request, pages=manifest.routes, kept=manifest)
    planned = plan_profile(
        request,
        _cutoffs(request, manifest),
        catalog=tools.catalog,
        listings=tools.listings,
        hasher=tools.hasher,
    )
    findings = list(_cutoff_findings(request, manifest))
    findings += [
        finding
        for plan in planned.plans
        for finding in _target_findings(plan, manifest, found, folder, tools)
    ]
    if tools.templates:
        findings += _script_findings(manifest, scripts_of(planned.plans, tools.templates), found)
    findings += [
        _finding("LCK050", name, why, name)
        for _, why in recorded_models.changed_models(request.profile, manifest, request.hash_model)
    ]
    slugs = {plan.target.slug for plan in planned.plans}
    findings += [
        _finding("LCK031", f"{name}/{slug}", "locked, but not a target of the profile", name)
        for slug in sorted(set(manifest.targets) - slugs)
        if not request.only
    ]
    findings += _notes(manifest, tools)
    return Report(findings=tuple(findings))


def _notes(manifest: Manifest, tools: CheckTools) -> Iterator[Finding]:
    for slug, entry in sorted(manifest.targets.items()):
        if entry.channel == "nightly" and (listing := tools.listings.known("nightly", entry.backend)):
            yield from aging(entry.family, listing, f"{manifest.profile}/{slug}")


def _cutoffs(request: LockRequest, manifest: Manifest) -> Cutoffs:
    """Return the cutoff asked for; without one, no file is too new."""
    if request.as_of:
        return Cutoffs(cutoff_utc=request.as_of, moved=manifest.moved, is_asked=True)
    return NO_CUTOFF


def _cutoff_findings(request: LockRequest, manifest: Manifest) -> Iterator[Finding]:
    if request.as_of and request.as_of < manifest.cutoff_utc:
        text = f"as-of  {manifest.cutoff_utc} → {request.as_of}"
        yield _finding("LCK033", manifest.profile, text, manifest.profile)


def _script_findings(
    manifest: Manifest, scripts: Mapping[str, bytes], found: Mapping[str, bytes]
) -> Iterator[Finding]:
    """Yield warnings for the activation scripts that are missing, changed or outdated: no pin depends on them."""
    name = manifest.profile
    written = {file: content for file, content in found.items() if file in manifest.scripts}
    missing = sorted(manifest.scripts.keys() - written.keys())
    changed = sorted(file for file in written if not is_recorded(written[file], manifest.scripts[file]))
    for file in missing:
        yield _warning("LCK037", name, f"{file} is missing", name)
    for file in changed:
        yield _warning("LCK036", name, f"{file} was changed after it was written", name)
    if missing or changed:
        return
    if scripts.keys() != written.keys() or not all(is_same(written[file], scripts[file]) for file in scripts):
        text = "the activation scripts are from another envsmith version or have other variables"
        yield _warning("LCK038", name, text, name)


def _route_findings(request: LockRequest, manifest: Manifest) -> Iterator[Finding]:
    """Yield the changes of routes; without their recorded pages there is no plan to compare."""
    name = request.profile.name
    for slug, why in routes.changes(request.profile, manifest):
        yield _finding("LCK033", f"{name}/{slug}" if slug else name, why, name)


def _target_findings(
    plan: ResolutionPlan, manifest: Manifest, found: Mapping[str, bytes], folder: Path, tools: CheckTools
) -> Iterator[Finding]:
    subject = f"{plan.profile}/{plan.target.slug}"
    entry = manifest.targets.get(plan.target.slug)
    if entry is None:
        yield _finding("LCK032", subject, "not locked yet", plan.profile)
        return
    missing = changed_files(entry, found, plan.target.slug)
    for code, text in missing:
        yield _finding(code, subject, text, plan.profile)
    if missing:
        return
    errors = problems(plan.target.slug, manifest, found, folder, tools.rules)
    for error in errors:
        text = f"{error.where}: {error.message}" + "".join(f"; {key} {value}" for key, value in error.details)
        yield _finding(error.code, subject, text, plan.profile)
    pylock = f"pylock.{plan.target.slug}.toml"
    if pylock in found and LockTexts.of(plan.target.slug, entry, found, folder).pylock is None:
        yield _warning("LCK036", subject, f"{pylock} was made for other pins, and is not used", plan.profile)
    pins = pinned_lines(plan.target.slug, found)
    stale = list(_change_findings(plan, entry, pins, subject))
    yield from stale
    if not errors and not stale:
        yield from _admission_findings(plan, pins, subject)
        yield from _fact_findings(plan, pins, tools.catalog, subject)


def _change_findings(
    plan: ResolutionPlan, entry: TargetRecord, pins: Mapping[str, RequirementsLine], subject: str
) -> Iterator[Finding]:
    """Yield the changes of the inputs that the pins do not satisfy, and a note on other variables."""
    origins = {str(item.requirement): item.origin for item in (*plan.requirements, *plan.constraints)}
    origins |= dict(plan.given_hashes())
    for word, text in changes(plan, entry, pins):
        origin = next((place for item, place in origins.items() if text.endswith(f"→ {item}")), "")
        yield _finding("LCK033", subject, f"{word}  {text}" + (f"  {origin}" if origin else ""), plan.profile)
    if entry.env != dict(plan.env):
        text = "the profile has other variables than the lock, which keeps its own until it is written again"
        yield _warning("LCK038", subject, text, plan.profile)


def _fact_findings(
    plan: ResolutionPlan, pins: Mapping[str, RequirementsLine], catalog: Catalog, subject: str
) -> Iterator[Finding]:
    """Yield warnings for pins of which something bad is known by now; they are installed nevertheless."""
    versions = {name: line.version for name, line in pins.items()}
    for pairing, needed in broken_pairings(plan, versions, catalog):
        name = canonicalize_name(needed.name)
        text = f"{name} {versions[name]} does not go with {pairing.when} ({needed} does): {pairing.reason}"
        yield _warning("LCK035", subject, text, plan.profile)
    for wheels in plan.slice.projects.values():
        for wheel in wheels:
            if wheel.yanked is not None and versions.get(wheel.name) == str(wheel.version):
                text = f"{wheel.filename} was withdrawn by its index: {wheel.yanked or 'no reason given'}"
                yield _warning("LCK034", subject, text, plan.profile)


def _admission_findings(
    plan: ResolutionPlan, pins: Mapping[str, RequirementsLine], subject: str
) -> Iterator[Finding]:
    """Yield the pins that the requirements of the plan do not admit, though no input has changed."""
    for name, line in sorted(pins.items()):
        if (line.version or not line.source) and not _is_admitted(plan, name, line.version):
            given = ", ".join(str(item.requirement) for item in plan.constraints_on(name) if not item.is_fact)
            text = f"{name}=={line.version} (required: {given or 'a valid version'})"
            yield _finding("LCK060", subject, f"requirements.{plan.target.slug}.txt: {text}", plan.profile)


def _is_admitted(plan: ResolutionPlan, name: str, version: str) -> bool:
    try:
        parsed = Version(version)
    except InvalidVersion:
        return False
    return all(
        item.requirement.specifier.contains(parsed, prereleases=True)
        for item in plan.constraints_on(name)
        if not item.is_fact
    )


def _finding(code: str, subject: str, message: str, profile: str) -> Finding:
    return Finding(
        code=code, severity="error", subject=subject, message=message, hint=f"envsmith lock {profile}"
    )


def _warning(code: str, subject: str, message: str, profile: str) -> Finding:
    return replace(_finding(code, subject, message, profile), severity="warning")


def check_tools(
    catalog: Catalog, choice: CatalogOptions | None = None, templates: Callable[[str], str] | None = None
) -> CheckTools:
    """Return the tools of a check, without network.

    Args:
        catalog: facts.
        choice: catalog options of the command line.
        templates: filename → text of a template; None to skip activation scripts.
    """
    from envsmith.files import atomic
    from envsmith.index.hashing import NoDownloads

    choice = choice or CatalogOptions()
    listings = listing_sources(catalog, choice, is_online=False)
    return CheckTools(
        catalog=catalog,
        listings=listings,
        hasher=NoDownloads(),
        files=atomic,
        templates=templates,
        rules=lock_rules(choice.insecure_hosts, choice.index_base),
    )
