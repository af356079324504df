"""From the words of a command line to what is asked for: profiles, requirements, overrides.

Prune: stop asking for what may go, where the project's own files prove that they do not use it.


Parse the cutoff given on the command line.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from envsmith.config.profile import Profile, check_name
from envsmith.config.profiles import ProfileStore
from envsmith.config.requirement import labels
from envsmith.config.requirement_files import passed_over, read_pyproject, read_requirements
from envsmith.config.requirements_txt import RequirementsFile
from envsmith.errors import EnvsmithError, LockError, ProfileError
from envsmith.files.text import read_text
from envsmith.host.current import this_platform, this_python
from envsmith.lockfile.manifest import FILENAME, Manifest
from envsmith.model.backend import Backend
from envsmith.model.naming import suggestion
from envsmith.model.shell import quote_path
from envsmith.plan import pruning
from envsmith.plan.plan import LockRequest
from envsmith.usage.scan import InstalledModules, SourceReader, scan

if TYPE_CHECKING:
    from envsmith.plan.plan import LockRequest


_ENOUGH = 3
"""Uses that are told as evidence; whether there are more changes nothing."""


def prune(
    wanted: LockRequest,
    root: Path,
    *,
    sources: SourceReader,
    installed: InstalledModules,
    folders: Sequence[str] = (),
) -> LockRequest:
    """Return what is wanted without what the profile lets go and no file uses.

    Where a package requires it, the resolver brings it in all the same, bound as it was asked for.

    Args:
        wanted: profile and requirements.
        root: the project's folder.
        sources: reads its files; they are read only where there is something to decide.
        installed: knows the modules of what is installed.
        folders: where the project's code lies; by default as its build backend is told.
    """
    names = pruning.candidates(wanted.profile, wanted.requirements)
    if not names:
        return wanted
    found = scan(root, names, sources=sources, installed=installed, folders=folders, enough=_ENOUGH)
    verdicts = [answer.verdict for answer in found.answers]
    unneeded = {verdict.project for verdict in verdicts if verdict.is_unneeded}
    kept, limiting = pruning.withdraw(wanted.requirements, unneeded)
    return replace(
        wanted,
        requirements=kept,
        constraints=(*wanted.constraints, *limiting),
        decisions=tuple(pruning.propose(verdict) for verdict in verdicts),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LockOptions:
    """What the command line says of what to lock."""

    names: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    python: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    backend: str | None = None
    allow_sdist: tuple[str, ...] = ()


def orders(words: LockOptions, project: Path, folder: Path) -> tuple[LockRequest, ...]:
    """Return what is asked for, one per profile.

    Args:
        words: the command line.
        project: the project's root.
        folder: where locks lie: without names, the profiles locked there before are taken.

    Raises:
        ProfileError: when a profile or a requirements file is malformed, or nothing says which profile is meant.
    """
    profiles = ProfileStore.of_project(project)
    # Read once, whoever asks: profiles share the files that the command names.
    read = cache(lambda files: _read(replace(words, files=files), project, profiles))
    named = read(words.files)
    names = words.names or profiles.settings.default_profiles
    if names:
        chosen = [_named(name, profiles) for name in dict.fromkeys(names)]
    elif named and (backend := words.backend or _meant_backend(named)):
        chosen = [_profile_for(Backend.parse(backend))]
    else:
        chosen = [_named(name, profiles) for name in locked_before(folder)]
    if not chosen:
        raise _nothing_named(profiles)
    wanted = []
    for profile in chosen:
        known = _with_remembered(words, profile, folder)
        asked = read(known.files)
        is_meant = asked is not None or profiles.settings.requirements_from == "profile"
        unread = () if is_meant else passed_over(project)
        wanted.append(replace(_wanted(profile, known, asked), passed_over=unread))
    return tuple(_pruned(item, project, profiles.settings.sources) for item in wanted)


def reads_sources(wanted: LockRequest) -> bool:
    """Say whether what is asked for depends on what the project's sources use."""
    return "auto" in wanted.profile.family.values() or bool(wanted.profile.later.get("prune"))


def _pruned(wanted: LockRequest, project: Path, folders: tuple[str, ...]) -> LockRequest:
    if not reads_sources(wanted):
        return wanted  # the readers of sources are not even imported
    # MERGED
    from envsmith.usage import scan as sources
    from envsmith.wiring import known_modules

    return prune(wanted, project, sources=sources, installed=known_modules(), folders=folders)


def _with_remembered(words: LockOptions, profile: Profile, folder: Path) -> LockOptions:
    """Take the requirements files of the lock there is, where the command names none."""
    place = folder / profile.name / FILENAME
    if words.files or not place.is_file():
        return words
    return replace(
        words, files=Manifest.from_toml(read_text(place, str(place)), str(place)).requirements_files
    )


def _read(words: LockOptions, project: Path, profiles: ProfileStore) -> RequirementsFile | None:
    if words.files:
        return read_requirements(project, words.files)
    if profiles.settings.requirements_from == "profile" and not words.extras and not words.groups:
        return None
    return read_pyproject(project, words.extras, words.groups)


def _wanted(profile: Profile, words: LockOptions, asked: RequirementsFile | None) -> LockRequest:
    from envsmith.plan.plan import LockRequest

    profile = profile.with_overrides(backend=words.backend, python=words.python, platforms=words.platforms)
    if words.allow_sdist:
        names = {str(canonicalize_name(name)) for name in words.allow_sdist}
        profile = replace(profile, allow_sdist=tuple(sorted({*profile.allow_sdist, *names})))
    if asked is None:
        return LockRequest(
            profile=profile, requirements=profile.asked(), constraints=profile.asked("constraints")
        )
    is_asking = asked.asked or words.files or words.extras or words.groups
    return LockRequest(
        profile=profile,
        requirements=asked.asked if is_asking else profile.asked(),
        constraints=(*asked.constraints, *profile.asked("constraints")),
        notes=asked.notes,
        requires_python=asked.requires_python,
        files=tuple(Path(name).as_posix() for name in words.files if not Path(name).is_absolute()),
    )


def _meant_backend(asked: RequirementsFile) -> str:
    """Return the backend that pins with a label or PyTorch's index lines mean; empty where nothing does."""
    plain = [item for item in asked.asked if item.requirement.marker is None]
    found = [label for label, _ in labels(plain).values()]
    found += [line.backend for line in asked.pytorch_lines if line.backend]
    return next((text for text in found if _is_backend(text)), "")


def _is_backend(text: str) -> bool:
    try:
        Backend.parse(text)
    except EnvsmithError:
        return False
    return True


def _named(name: str, profiles: ProfileStore) -> Profile:
    """Return a profile by name; a backend without a profile of its name stands for itself."""
    if name.endswith((".txt", ".in")):
        raise ProfileError(
            "PRF013",
            f"{name!r} is a requirements file, and no profile",
            hint=f"envsmith lock PROFILE -r {quote_path(name)}",
        )
    is_known = name in {known for known, _ in profiles.names()}
    return _profile_for(Backend.parse(name)) if not is_known and _is_backend(name) else profiles.resolve(name)


def _profile_for(backend: Backend) -> Profile:
    """Return the profile that a backend alone means: this machine's Python and platform, torch."""
    return Profile(
        name=str(backend),
        summary=f"{backend} on this machine",
        requirements=("torch",),
        backend=backend,
        on_retired="stable",
        python=(this_python(),),
        platforms=(this_platform(),),
    )


def profile_names(names: tuple[str, ...], project: Path, folder: Path) -> tuple[str, ...]:
    """Return whose locks are meant: as named, else the project's default profiles, else all that are locked.

    Raises:
        ProfileError: PRF006 for a name that can be none, PRF042 where nothing says which is meant.
        LockError: LCK040 where there is neither a lock nor a profile of a name.
    """
    profiles = ProfileStore.of_project(project)
    chosen = names or profiles.settings.default_profiles or tuple(locked_before(folder))
    if not chosen:
        raise _nothing_named(profiles)
    for name in map(check_name, names):
        _check_known(name, profiles, tuple(locked_before(folder)), folder)
    return tuple(dict.fromkeys(check_name(name) for name in chosen))


def _check_known(name: str, profiles: ProfileStore, locked: tuple[str, ...], folder: Path) -> None:
    """Refuse a name that is neither locked nor could be, where it looks like a slip of the pen."""
    is_known = name in locked or _is_backend(name) or name in dict(profiles.names())
    if is_known or not get_close_matches(name, locked, n=1):
        return
    raise LockError(
        "LCK040",
        f"{name} has never been locked, and there is no such profile",
        where=(folder / name).as_posix(),
        hint=suggestion(name, locked),
    )


def locked_before(folder: Path) -> Iterator[str]:
    """Yield the names of the profiles that have a lock folder, sorted."""
    if folder.is_dir():
        yield from sorted(path.parent.name for path in folder.glob("*/manifest.toml"))


def _nothing_named(profiles: ProfileStore) -> ProfileError:
    names: Sequence[str] = [name for name, _ in profiles.names()]
    return ProfileError(
        "PRF042",
        "no profile is named",
        details=(("profiles", " ".join(names)),),
        hint="envsmith lock NAME, or default-profiles = [...] under [tool.envsmith] in pyproject.toml",
    )


def parse_cutoff(text: str, now_utc: str) -> str:
    """Read ``--as-of``; today ends now.

    Args:
        text: a day or an RFC 3339 time.
        now_utc: RFC 3339 with ``Z``; what comes later cannot be known.

    Raises:
        ProfileError: PRF040 when it is no time, or lies ahead.
    """
    found = parse_time(text)
    if found <= now_utc:
        return found
    if text == now_utc[:10]:
        return now_utc
    raise ProfileError(
        "PRF040",
        f"{text} lies ahead: nobody knows yet what there will be",
        where="--as-of",
        hint=f"name a time until now ({now_utc}), or use --upgrade",
    )


def parse_time(text: str) -> str:
    """Read a day (its end) or an RFC 3339 time, and return it in UTC with ``Z``.

    Raises:
        ProfileError: PRF040 when it is neither, or a time without zone.
    """
    hint = "write 2026-11-01 (the end of that day, UTC) or 2026-11-01T09:00:00Z"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ProfileError("PRF040", f"{text!r} is no time", where="--as-of", hint=hint) from error
    if len(text) == 10:
        return f"{text}T23:59:59Z"
    if moment.tzinfo is None:
        raise ProfileError("PRF040", f"{text!r} names no time zone", where="--as-of", hint=hint)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
