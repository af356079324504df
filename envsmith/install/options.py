"""From the words of ``envsmith install`` to what is to be installed.

What an install puts into a new environment besides its packages.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envsmith.activate.model import MARK
from envsmith.activate.scripts import environment_files
from envsmith.config.profile import Profile
from envsmith.config.profiles import profile_of
from envsmith.console.options import MissingLockError
from envsmith.environment.interpreter import interpreter_path
from envsmith.errors import LockError
from envsmith.files.atomic import environment_errors
from envsmith.host.current import this_platform, this_python
from envsmith.install.request import InstallRequest, SmokeTests
from envsmith.lockfile.manifest import FILENAME
from envsmith.shims.environment import shims_of
from envsmith.templates import read_template

if TYPE_CHECKING:
    from envsmith.install.request import ExtraFiles
    from envsmith.lock.request import LockOptions
    from envsmith.lockfile.manifest import Manifest


def order_of(options: Mapping[str, Any]) -> InstallRequest:
    """Return what the command line asks for.

    Raises:
        UsageError: when no profile is named and none is locked.
        HostError: HST010 when no profile is named and no lock fits this machine.
        LockError: LCK040 when the name looks like a slip of the pen.
        ProfileError: when the profile is malformed.
    """
    folder: Path = options["folder"]
    name = _named(options["profile"], folder) if options["profile"] else _chosen(options)
    profile = profile_of(name, is_needed=options["is_checked"])
    return InstallRequest(
        profile=name,
        folder=folder / name,
        python=options["python"],
        here=this_platform(),
        this_python=this_python(),
        wheelhouse=wheelhouse_of(options["wheelhouse"]),
        deep=options["deep"],
        guard=not options["no_guard"],
        compiled=options.get("compile_bytecode", False),
        checks=checks_of(profile),
        shims=shims_of(profile),
        is_profile_known=profile is not None,
    )


def wheelhouse_of(text: str) -> str:
    """Return the place of a wheelhouse: a folder from the root on, or an address as it is."""
    return str(Path(text).absolute()) if text and "://" not in text else text


def _named(name: str, folder: Path) -> str:
    """Return a name as it is; where nothing is locked by it, look whether another may have been meant."""
    if not (folder / name / FILENAME).is_file():
        from envsmith.lock.request import profile_names

        profile_names((name,), Path(), folder)
    return name


def _chosen(options: Mapping[str, Any]) -> str:
    """Return the profile whose lock this machine decides for; where there is a lock of one alone, that one."""
    folder: Path = options["folder"]
    names = sorted(path.parent.name for path in folder.glob("*/manifest.toml"))
    if not names:
        raise MissingLockError(f"no PROFILE given, and no locks in {folder}")
    is_told = not options.get("as_json") and not options.get("quiet")
    if len(names) == 1 and not is_told:
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
    if is_told:
        show_lock_choice(choice, explain=bool(options.get("explain")))
    return choice.best.profile


def checks_of(profile: Profile | None) -> SmokeTests:
    """Return what the profile asks to be tried in a new environment."""
    if profile is None:
        return SmokeTests()
    return SmokeTests(tried=profile.checks, env=profile.env)


def refuse_stale(order: InstallRequest, folder: Path) -> tuple[Path, ...]:
    """Refuse a lock that is not what is asked for today; where there is none, the install says so.

    Returns:
        What was looked at, for as long as that does not change the answer holds; empty where that cannot be said.

    Raises:
        LockError: LCK003, with what changed as parts.
    """
    from envsmith.catalog import Catalog
    from envsmith.files import atomic
    from envsmith.files.text import record_reads
    from envsmith.lock.check import check_profile, check_tools
    from envsmith.lock.request import lock_requests, reads_sources
    from envsmith.lockfile.store import read_manifest
    from envsmith.wiring import watched_paths

    manifest = read_manifest(atomic.read_files(order.folder), str(order.folder / FILENAME))
    if manifest is None:
        return ()
    locked = frozenset(manifest.targets)
    with record_reads() as read:
        (wanted,) = lock_requests(replace(_words(manifest), folder=folder), Path())
    # A target that nobody has locked is not this one: were it, there would be no lock to install from.
    found = check_profile(replace(wanted, only=locked), order.folder, check_tools(Catalog.embedded())).errors
    if found:
        raise LockError(
            "LCK003",
            f"the lock of {order.profile} is stale",
            where=str(order.folder),
            details=tuple((item.code, item.message) for item in found if len(found) == 1),
            parts=tuple(
                LockError(item.code, item.message, where=item.subject, hint=item.hint) for item in found
            ),
            hint=f"envsmith lock {order.profile}; or --frozen, which does not look",
        )
    if reads_sources(wanted):
        return ()
    return watched_paths(read, order.folder)


def _words(manifest: Manifest) -> LockOptions:
    """Return what asks for the targets that are locked, whether the profile names them or somebody's words did."""
    from envsmith.lock.request import LockOptions

    inputs = [item.inputs for item in manifest.targets.values()]
    return LockOptions(
        profiles=(manifest.profile,),
        python=tuple(sorted({str(item["python"]) for item in inputs})),
        platforms=tuple(sorted({str(item["platform"]) for item in inputs})),
    )


def unasked(order: InstallRequest) -> tuple[Path, ...]:
    """Return what an install looks at that does not ask whether the lock is stale."""
    from envsmith.console.answer_cache import below

    return (Path("pyproject.toml"), *below(Path("profiles")), *below(order.folder))


def furnish_scripts(given: ExtraFiles) -> None:
    """Put the activation scripts among the environment's programs, in the place of those that uv writes.

    And the mark that names its profile: scripts of another profile know by it that they are not to enter.

    Raises:
        InstallError: ENV021 when the disk is full, ENV024 when the system refuses.
    """
    folder = interpreter_path(given.prefix).parent
    for name, content in environment_files(given.activation, read_template).items():
        with environment_errors(folder / name):
            (folder / name).write_bytes(
                content
            )  # nobody reads them before the environment is proved and recorded
    mark = given.prefix / MARK
    with environment_errors(mark):
        mark.mkdir(exist_ok=True)
        (mark / given.activation.profile).touch()
