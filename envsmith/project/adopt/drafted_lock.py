"""The lock of a draft: the files on indexes, the lock request, and the comparison with the environment."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from envsmith.config.build_settings import ANY_SOURCE
from envsmith.config.profiles import ProfileStore
from envsmith.config.requirements.requirements_files import read_pyproject
from envsmith.environment import lock_comparison
from envsmith.errors import EnvsmithError, InstallError
from envsmith.files.edits import Edit, edits_of, restore_edits, write_edits
from envsmith.lock.inputs.given_packages import read_all
from envsmith.lock.inputs.request import LockOptions, lock_requests
from envsmith.lock.lock import LockedProfile, lock_profiles
from envsmith.lock.resolve import ResolveTools
from envsmith.lockfile.pins import Pins
from envsmith.model.finding import Finding
from envsmith.plan.model import LockRequest
from envsmith.plan.planner import plan_profile
from envsmith.project.adopt.draft import TOOLS, Draft
from envsmith.project.adopt.installed import LEFT_OUT, InstalledPackages
from envsmith.project.init import profile_text

_SETTINGS = ("pyproject.toml", "uv.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """An environment with its profile, and its lock if it was made."""

    installed: InstalledPackages
    draft: Draft
    edits: tuple[Edit, ...]
    findings: tuple[Finding, ...]
    """What a lock cannot contain, and the differences between lock and environment."""
    is_dry_run: bool
    request: LockRequest | None = None
    locked: LockedProfile | None = None
    error: EnvsmithError | None = None
    """Why locking failed; nothing was written in that case."""


def drafted_files(draft: Draft, store: ProfileStore) -> dict[str, str]:
    """Return the path and text of the files to write: the profile, and a requirements file where it is needed.

    A profile's own requirements are read only in a project that declares none.
    """
    values = draft.values()
    settings = store.settings
    declared = read_pyproject(store.folder, (), ()) if settings.requirements_from == "project" else None
    is_declared = bool(settings.requirements_file or (declared and declared.requirements))
    profile = f"profiles/{draft.name}.toml"
    requirements = values["requirements"]
    if not is_declared:
        return {profile: profile_text(values)}
    del values["requirements"]
    lines = "".join(f"{item}\n" for item in requirements)
    return {profile: profile_text(values), f"requirements-{draft.name}.in": lines}


def drafted_request(files: Mapping[str, str], options: LockOptions, root: Path) -> LockRequest:
    """Return the request to lock a profile before it is written to the project.

    Args:
        files: of the draft.
        options: the command line, with the name of the profile.
        root: the project's folder, whose settings count.

    Raises:
        ProfileError: when the settings are malformed, or a requirement cannot be locked.
        InstallError: ENV084 when a given package cannot be read.
    """
    named = tuple(name for name in files if name.endswith(".in"))
    options = replace(options, remembered=replace(options.remembered, requirements_files=named))
    with tempfile.TemporaryDirectory(prefix="envsmith-") as scratch:
        folder = Path(scratch)
        for name in _SETTINGS:
            with suppress(FileNotFoundError):
                (folder / name).write_bytes((root / name).read_bytes())
        for name, text in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text, "utf-8")
        (request,) = read_all(lock_requests(options, folder), "")
    return request


def without_unserved(
    draft: Draft,
    installed: InstalledPackages,
    request: LockRequest,
    options: LockOptions,
    tools: ResolveTools,
) -> Draft:
    """Return the draft without the packages that no index serves; in an image whose torch is given, so are they.

    A file of this machine is replaced by one of an index only if their hashes are equal.

    Raises:
        InstallError: ENV083 when a package requires one that only this machine has: one of that name on an index may
            be another project.
        ResolveError: when PyTorch has no matching build of torch.
    """
    plan = plan_profile(
        request,
        options.cutoffs(request, None),
        catalog=tools.catalog,
        listings=tools.listings,
        hasher=tools.hasher,
    ).plans[0]
    only_here = {
        item.name
        for item in draft.packages
        if item.name in installed.local and not (item.sha256 or item.name in draft.family)
    }
    asked = {name: version for name, version in draft.versions().items() if name not in only_here}
    # As on this system: the lock raises the floor of its platform where a wheel needs that.
    platform, interpreter = plan.target.platform, installed.environment.interpreter
    if platform.os != "windows":
        platform = replace(platform, floor=max(platform.floor, interpreter.release))
    plan = replace(plan, target=replace(plan.target, platform=platform), allow_sdist=(ANY_SOURCE,))
    found = tools.resolver.find_files(plan, asked)
    served = {
        str(item.name): {wheel.hashes["sha256"] for wheel in item.wheels or ()} for item in found.packages
    }
    unserved: dict[str, str] = {}
    for item in draft.packages:
        if item.name in draft.given:
            continue
        if item.name in installed.local and item.name not in draft.family:
            if item.sha256 not in served.get(item.name, ()):
                only_here.add(item.name)
        elif not item.url and item.name not in served:
            unserved[item.name] = f"{item.version} is on no index"
    if draft.given:
        return draft.with_given({*only_here, *unserved})
    _refuse_required(draft, installed, only_here)
    gone = draft.requirers(unserved)
    reasons = {
        name: f"{text}; the lock {'has another version' if name in gone else 'does not have it'}"
        for name, text in unserved.items()
    }
    reasons |= {
        name: f"was installed {installed.local[name]}; the lock does not have it" for name in only_here
    }
    return draft.without(reasons, installed.state.own)


def _refuse_required(draft: Draft, installed: InstalledPackages, only_here: set[str]) -> None:
    """Refuse to take packages from an index that were not installed from one."""
    required = draft.without(dict.fromkeys(only_here, "")).requirers(only_here)
    if required:
        raise InstallError(
            "ENV083",
            "packages of this machine are required by others, and an index may have other projects of these names",
            where=installed.environment.prefix,
            details=tuple(
                (name, f"installed {installed.local[name]}; required by {', '.join(required[name])}")
                for name in sorted(required)
            ),
            hint="write the profile alone with --no-lock, and add where they come from",
        )


def lock_draft(
    draft: Draft,
    installed: InstalledPackages,
    request: LockRequest,
    options: LockOptions,
    *,
    tools: ResolveTools,
    pool: ThreadPoolExecutor,
) -> Adopted:
    """Write a profile and lock it; without a lock the profile is removed again.

    Args:
        draft: the profile.
        installed: the packages of the environment.
        request: of the draft.
        options: the command line, with the name of the profile.
        tools: of the lock.
        pool: runs the resolutions.

    Raises:
        EnvsmithError: as `without_unserved`.
    """
    root = Path()
    draft = without_unserved(draft, installed, request, options, tools)
    files = drafted_files(draft, ProfileStore.of_project(root))
    request = drafted_request(files, options, root)
    edits = edits_of(root, files)
    found: LockedProfile | EnvsmithError | None = None
    try:
        if not options.dry_run:
            write_edits(root, edits)
        ((_, found),) = lock_profiles((request,), options, tools, pool=pool)
    finally:
        if not isinstance(found, LockedProfile):
            restore_edits(root, edits)
            with suppress(OSError):  # unless other profiles are in it
                (root / "profiles").rmdir()
    locked, error = (None, found) if isinstance(found, EnvsmithError) else (found, None)
    return Adopted(
        installed=installed,
        draft=draft,
        edits=edits,
        findings=(*draft.findings, *(_differences(locked, installed, draft) if locked else ())),
        is_dry_run=options.dry_run,
        request=request,
        locked=locked,
        error=error,
    )


def _differences(found: LockedProfile, installed: InstalledPackages, draft: Draft) -> Iterator[Finding]:
    """Yield the differences between an environment and its lock, as `envsmith verify` finds them.

    Packages that were left out knowingly are not repeated.
    """
    known = {item.subject for item in draft.findings if item.code == LEFT_OUT} | draft.given | {*TOOLS}
    for target in found.targets:
        if target.lock:
            pins = Pins.from_pylock(target.lock.to_toml(), target.slug)
            report = lock_comparison.verify(
                pins, target.entry.backend, installed.environment, own=installed.state.own
            )
            yield from (
                item
                for item in report.findings
                if item.severity != "note" and (item.subject not in known or item.code == "ENV012")
            )
