"""Staleness of locks (`lock --check`): changed inputs, files and models.

Compares the plans with the files on disk, without network and resolver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from packaging.version import InvalidVersion, Version

from envsmith.activate.scripts import scripts_of
from envsmith.catalog import Catalog
from envsmith.lock import recorded_models
from envsmith.lock.nightly_age import aging
from envsmith.lock.request import with_shared_versions
from envsmith.lockfile.manifest import FILENAME, Manifest, TargetRecord
from envsmith.lockfile.pins import requirements_lines
from envsmith.lockfile.store import read_manifest, sha256_of
from envsmith.lockfile.whole import NO_RULES, LockRules, check_profile_name, problems
from envsmith.model.finding import Finding, Report
from envsmith.plan import routes
from envsmith.plan.model import Cutoffs, LockRequest, ResolutionPlan
from envsmith.plan.planner import plan_profile
from envsmith.plan.ports import Files, Hasher, Listings
from envsmith.plan.wheel_hashes import RecordedHasher
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
    request = replace(request, pages=manifest.routes)
    planned = plan_profile(
        request,
        Cutoffs(cutoff_utc=manifest.cutoff_utc, moved=manifest.moved),
        catalog=tools.catalog,
        listings=tools.listings,
        hasher=RecordedHasher(manifest, tools.hasher),
    )
    findings = [
        finding
        for plan in planned.plans
        for finding in _target_findings(plan, manifest, found, folder, tools.rules)
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
    ]
    findings += _notes(manifest, tools)
    return Report(findings=tuple(findings))


def _notes(manifest: Manifest, tools: CheckTools) -> Iterator[Finding]:
    for slug, entry in sorted(manifest.targets.items()):
        if entry.channel == "nightly" and (listing := tools.listings.known("nightly", entry.backend)):
            yield from aging(entry.family, listing, f"{manifest.profile}/{slug}")


def _script_findings(
    manifest: Manifest, scripts: Mapping[str, bytes], found: Mapping[str, bytes]
) -> Iterator[Finding]:
    """Yield the activation scripts that are missing, changed or outdated."""
    name = manifest.profile
    for file, sha256 in sorted(manifest.scripts.items()):
        if file not in found:
            yield _finding("LCK037", name, f"{file} is missing", name)
        elif sha256_of(found[file]) != sha256:
            yield _finding("LCK036", name, f"{file} was changed after it was written", name)
    if {file: sha256_of(content) for file, content in scripts.items()} != manifest.scripts:
        text = "the activation scripts are from another envsmith version or have other variables"
        yield _finding("LCK038", name, text, name)


def _route_findings(request: LockRequest, manifest: Manifest) -> Iterator[Finding]:
    """Yield the changes of routes; without their recorded pages there is no plan to compare."""
    name = request.profile.name
    for slug, why in routes.changes(request.profile, manifest):
        yield _finding("LCK033", f"{name}/{slug}" if slug else name, why, name)


def _target_findings(
    plan: ResolutionPlan, manifest: Manifest, found: Mapping[str, bytes], folder: Path, rules: LockRules
) -> Iterator[Finding]:
    subject = f"{plan.profile}/{plan.target.slug}"
    entry = manifest.targets.get(plan.target.slug)
    if entry is None:
        yield _finding("LCK032", subject, "not locked yet", plan.profile)
        return
    # The digest in the manifest is a word of the manifest as well: compare the inputs and pins themselves.
    if entry.plan != plan.digest() or entry.inputs != plan.inputs():
        yield from _plan_findings(plan, entry, subject)
    else:
        yield from _pin_findings(plan, entry, subject)
    changed_files = list(_file_findings(plan, entry, found, subject))
    yield from changed_files
    if not changed_files:
        for error in problems(plan.target.slug, manifest, found, folder, rules):
            text = f"{error.where}: {error.message}" + "".join(
                f"; {key} {value}" for key, value in error.details
            )
            yield _finding(error.code, subject, text, plan.profile)
        yield from _admission_findings(plan, found, subject)


def _admission_findings(plan: ResolutionPlan, found: Mapping[str, bytes], subject: str) -> Iterator[Finding]:
    """Yield the pins that the requirements and constraints of the plan do not admit."""
    name = f"requirements.{plan.target.slug}.txt"
    for line in requirements_lines(found[name].decode("utf-8", "replace")):
        if line.name and not _is_admitted(plan, line.name, line.version):
            known = ", ".join(str(item.requirement) for item in plan.constraints_on(line.name))
            text = f"{name}: {line.name}=={line.version} (required: {known or 'a valid version'})"
            yield _finding("LCK060", subject, text, plan.profile)


def _is_admitted(plan: ResolutionPlan, name: str, version: str) -> bool:
    try:
        return plan.admits(name, Version(version))
    except InvalidVersion:
        return False


def _file_findings(
    plan: ResolutionPlan, entry: TargetRecord, found: Mapping[str, bytes], subject: str
) -> Iterator[Finding]:
    """Yield the files that are missing, or not those that the manifest records."""
    own = (f"pylock.{plan.target.slug}.toml", f"requirements.{plan.target.slug}.txt")
    for name, sha256 in sorted({**dict.fromkeys(own, ""), **entry.files}.items()):
        if name in found and sha256_of(found[name]) != sha256:
            yield _finding("LCK036", subject, f"{name} was changed after it was written", plan.profile)
        elif name not in found and not name.startswith("pylock."):
            # Projects may leave pylock files out of version control: the requirements files have the same pins.
            yield _finding("LCK037", subject, f"{name} is missing", plan.profile)


def _plan_findings(plan: ResolutionPlan, entry: TargetRecord, subject: str) -> Iterator[Finding]:
    changes = [
        change for change in changed(entry.inputs, plan.inputs()) if change[0] not in ("catalog", "facts")
    ]
    origins = {str(item.requirement): item.origin for item in (*plan.requirements, *plan.constraints)}
    origins |= dict(plan.given_hashes())
    for word, text in changes:
        origin = next((place for item, place in origins.items() if text.endswith(f"→ {item}")), "")
        yield _finding("LCK033", subject, f"{word}  {text}" + (f"  {origin}" if origin else ""), plan.profile)
    moved = list(_pin_findings(plan, entry, subject))
    yield from moved
    if not changes and not moved:
        text = "catalog  PyTorch's index has changed since this lock was made; the locked versions are still available"
        yield _finding("LCK035", subject, text, plan.profile)


def _pin_findings(plan: ResolutionPlan, entry: TargetRecord, subject: str) -> Iterator[Finding]:
    """Yield the pins that the index listing no longer has, or has with another hash."""
    channel = "" if plan.channel == "stable" else f" --channel {plan.channel}"
    listed = {wheel.filename: wheel for wheels in plan.slice.projects.values() for wheel in wheels}
    for name, pin in sorted(entry.family.items()):
        if name not in plan.slice.projects:
            continue
        found = listed.get(pin.filename)
        if found is None:
            yield _finding(
                "LCK034",
                subject,
                f"catalog  {pin.filename} is not in this machine's copy of the {plan.slice.index} index "
                f"(run `envsmith catalog refresh {plan.target.backend}{channel}`)",
                plan.profile,
            )
        elif found.sha256 != pin.sha256:
            text = (
                f"catalog  {name} {pin.version}: sha256:{pin.sha256} → sha256:{found.sha256} ({pin.filename})"
            )
            yield _finding("LCK034", subject, text, plan.profile)


def _finding(code: str, subject: str, message: str, profile: str) -> Finding:
    return Finding(
        code=code, severity="error", subject=subject, message=message, hint=f"envsmith lock {profile}"
    )


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


def changed(
    old: Mapping[str, str | list[str]], new: Mapping[str, str | list[str]]
) -> Iterator[tuple[str, str]]:
    """Yield the changes between the inputs of two plans, as key and ``old → new``."""
    for key in sorted({*old, *new}):
        before, after = old.get(key, ""), new.get(key, "")
        # A missing key equals an empty list.
        before, after = (
            (before or [], after or []) if list in (type(before), type(after)) else (before, after)
        )
        if isinstance(before, list) and isinstance(after, list):
            removed, new_ones = sorted(set(before) - set(after)), sorted(set(after) - set(before))
            for left, right in zip_longest(removed, new_ones, fillvalue="(none)"):
                yield key, f"{left} → {right}"
        elif before != after:
            yield key, f"{before or '(none)'} → {after or '(none)'}"
