"""Install requests from the options of `envsmith install`, and the check for stale locks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from envsmith.config.profile import Profile
from envsmith.config.profiles import profile_of
from envsmith.console.options import MissingLockError
from envsmith.errors import LockError
from envsmith.files.text import folders_with, is_missing, record_reads
from envsmith.host.current import this_platform, this_python
from envsmith.install.request import InstallRequest
from envsmith.install.smoke_tests import SmokeTests
from envsmith.lockfile.manifest import FILENAME
from envsmith.model.target import parse_slug
from envsmith.shims.environment import shims_of
from envsmith.wiring import lock_rules


def install_request(options: Mapping[str, Any]) -> InstallRequest:
    """Build an install request from command-line options.

    Raises:
        UsageError: when no profile is given and none is locked.
        NoFittingLockError: HST010 when no profile is given and no lock fits this machine.
        LockError: LCK040 when the profile is not locked and its name resembles a locked one.
        ProfileError: when the profile is malformed.
    """
    folder: Path = options["folder"]
    name = _checked_name(options["profile"], folder) if options["profile"] else _choose_profile(options)
    profile = profile_of(name, is_needed=options["is_checked"])
    return InstallRequest(
        profile=name,
        folder=folder / name,
        python=options["python"],
        this_platform=this_platform(),
        this_python=this_python(),
        wheelhouse=wheelhouse_location(options["wheelhouse"]),
        deep=options["deep"],
        guard=not options["no_guard"],
        compile_bytecode=options.get("compile_bytecode", False),
        rules=lock_rules(options.get("insecure_hosts", ())),
        given_python=profile.given_python if profile else "",
        smoke_tests=smoke_tests_of(profile),
        shims=shims_of(profile),
        is_profile_known=profile is not None,
    )


def wheelhouse_location(text: str) -> str:
    """Return the location of a wheelhouse: an absolute path, or a URL unchanged."""
    return str(Path(text).absolute()) if text and "://" not in text else text


def _checked_name(name: str, folder: Path) -> str:
    """Return a profile name; if it is not locked, check that it is not a misspelled one."""
    if is_missing(folder / name / FILENAME):
        from envsmith.lock.inputs.request import profile_names

        profile_names((name,), Path(), folder)
    return name


def _choose_profile(options: Mapping[str, Any]) -> str:
    """Return the locked profile that fits this machine best, or the only one."""
    folder: Path = options["folder"]
    names = folders_with(folder, FILENAME)
    if not names:
        raise MissingLockError(f"no PROFILE given, and no locks in {folder}")
    is_shown = not options.get("as_json") and not options.get("quiet")
    if len(names) == 1 and not is_shown:
        return names[0]
    from envsmith.select.output import show_lock_choice, show_only_lock
    from envsmith.select.select import NoFittingLockError, choose

    try:
        choice = choose(folder, options["python"])
    except NoFittingLockError as error:
        if len(names) > 1:
            raise
        show_only_lock(names[0], error)
        return names[0]
    if is_shown:
        show_lock_choice(choice, explain=bool(options.get("explain")))
    return choice.best.profile


def smoke_tests_of(profile: Profile | None) -> SmokeTests:
    """Return the smoke tests of a profile."""
    if profile is None:
        return SmokeTests()
    return SmokeTests(tests=profile.checks, env=profile.env)


def check_stale(request: InstallRequest, folder: Path) -> tuple[Path, ...]:
    """Check that a lock is up to date; a missing lock is reported by the install.

    Returns:
        The files that the answer depends on; empty if it depends on others as well.

    Raises:
        LockError: LCK003 for a stale lock, with the changes as parts.
    """
    from envsmith.catalog import Catalog
    from envsmith.files import atomic
    from envsmith.lock.inputs.request import LockOptions, lock_requests, reads_places, reads_sources
    from envsmith.lock.staleness import check_profile, check_tools
    from envsmith.lockfile.manifest import RememberedOptions
    from envsmith.lockfile.store import read_manifest
    from envsmith.wiring import watched_paths

    manifest = read_manifest(atomic.read_files(request.folder), str(request.folder / FILENAME))
    if manifest is None:
        return ()
    # Request the targets that are locked, whether from the profile or the command line; no other can be installed.
    targets = [parse_slug(slug) for slug in manifest.targets]
    options = LockOptions(
        profiles=(manifest.profile,),
        remembered=RememberedOptions(
            python=tuple(sorted({str(python) for python, _ in targets})),
            platforms=tuple(sorted({str(platform) for _, platform in targets})),
        ),
        folder=folder,
    )
    with record_reads() as read:
        (lock_request,) = lock_requests(options, Path())
    lock_request = replace(lock_request, only=frozenset(manifest.targets))
    report = check_profile(lock_request, request.folder, check_tools(Catalog.embedded()))
    if errors := report.errors:
        raise LockError(
            "LCK003",
            f"the lock of {request.profile} is out of date",
            where=str(request.folder),
            details=tuple((item.code, item.message) for item in errors if len(errors) == 1),
            parts=tuple(
                LockError(item.code, item.message, where=item.subject, hint=item.hint) for item in errors
            ),
            hint=f"run `envsmith lock {request.profile}`, or skip this check with --frozen",
        )
    if reads_sources(lock_request) or reads_places(lock_request):
        return ()
    return watched_paths(read, request.folder)


def frozen_inputs(request: InstallRequest) -> tuple[Path, ...]:
    """Return the files that an install with --frozen depends on."""
    from envsmith.console.answer_cache import below

    return (Path("pyproject.toml"), *below(Path("profiles")), *below(request.folder))
