"""Options of ``envsmith lock``, and the lock requests made from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field, replace
from datetime import datetime
from difflib import get_close_matches
from functools import cache, partial
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from envsmith.config.profile import Profile, check_name
from envsmith.config.profiles import ProfileStore
from envsmith.config.requirement import SourcedRequirement, labels
from envsmith.config.requirements_files import (
    is_of_project,
    read_pyproject,
    read_requirements,
    unread_sources,
)
from envsmith.config.requirements_parser import RequirementsFile
from envsmith.errors import EnvsmithError, LockError, ProfileError, ResolveError
from envsmith.files.text import folders_with, is_missing, read_text
from envsmith.host.current import this_platform, this_python, utc_text
from envsmith.lockfile import LOCKFILES
from envsmith.lockfile.manifest import FILENAME, Manifest, RememberedOptions
from envsmith.lockfile.pins import requirements_lines
from envsmith.lockfile.store import read_manifest
from envsmith.model.backend import Backend
from envsmith.model.finding import Decision
from envsmith.model.naming import suggestion
from envsmith.model.shell import quote_path
from envsmith.model.target import Target, parse_slug
from envsmith.plan import pruning
from envsmith.plan.model import Cutoffs, LockRequest
from envsmith.uv.joint import target_marker
from envsmith.wiring import CatalogOptions

_ENOUGH_USES = 3
"""Uses of a package listed as evidence; a scan stops looking for more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockOptions:
    """Options of ``envsmith lock``; the defaults are those of the command line."""

    profiles: tuple[str, ...] = ()
    remembered: RememberedOptions = field(default_factory=RememberedOptions)
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    python: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    backend: str | None = None
    allow_sdist: tuple[str, ...] = ()
    now_utc: str = field(default_factory=utc_text)
    as_of_utc: str = ""
    """Cutoff: RFC 3339 with ``Z``; empty to keep the one of the manifest."""
    upgrade: bool = False
    """Whether to move the cutoff to now."""
    upgrade_packages: tuple[str, ...] = ()
    """Projects whose own cutoff moves to now."""
    catalog: CatalogOptions = field(default_factory=CatalogOptions)
    folder: Path = Path(LOCKFILES)
    """Parent of the profiles' lock folders."""
    jobs: int = 2
    savings: bool = False
    dry_run: bool = False
    as_json: bool = False
    quiet: bool = False

    def cutoffs(self, manifest: Manifest | None, upgrade_packages: tuple[str, ...] = ()) -> Cutoffs:
        """Return the cutoffs: as given, else those of the manifest, else now.

        Args:
            manifest: of the lock on disk.
            upgrade_packages: normalised names of the projects whose cutoff moves to now.
        """
        if self.as_of_utc:
            return Cutoffs(cutoff_utc=self.as_of_utc)
        if manifest is None or self.upgrade:
            return Cutoffs(cutoff_utc=self.now_utc)
        moved = {**manifest.moved, **dict.fromkeys(upgrade_packages, self.now_utc)}
        return Cutoffs(cutoff_utc=manifest.cutoff_utc, moved=moved)


def lock_requests(options: LockOptions, project: Path) -> tuple[LockRequest, ...]:
    """Return one request per profile.

    Without profile names, take the project's default profiles, else the backend named in the requirements, else the
    profiles already locked.

    Args:
        options: the command line.
        project: the project's root.

    Raises:
        ProfileError: when a profile or a requirements file is malformed; PRF042 when no profile is given.
    """
    store = ProfileStore.of_project(project)
    options = _with_set_file(options, project, store)
    # Profiles share the requirements files named on the command line: read them once.
    read = cache(partial(_read, options, project, store))
    named_files = options.remembered.requirements_files
    named = read(named_files, "")
    names = options.profiles or store.settings.default_profiles
    if names:
        chosen = [_profile(name, store) for name in dict.fromkeys(names)]
    elif named and (backend := options.backend or _backend_of(named)):
        chosen = [_profile_for(Backend.parse(backend))]
    else:
        chosen = [_profile(name, store) for name in folders_with(options.folder, FILENAME)]
    if not chosen:
        raise _no_profile(store)
    requests = []
    for profile in chosen:
        own = _with_recorded(options, profile)
        files = own.remembered.requirements_files
        file = read(files, "" if named_files else str(options.folder / profile.name / FILENAME))
        is_explicit = file is not None or store.settings.requirements_from == "profile"
        ignored = () if is_explicit else unread_sources(project)
        inside = tuple(name for name in files if is_of_project(project, name))
        remembered = replace(
            own.remembered, requirements_files=tuple(Path(name).as_posix() for name in inside)
        )
        request = _request(profile, own, file)
        notes = (*request.notes, *(_not_recorded(name) for name in files if name not in inside))
        requests.append(replace(request, ignored_files=ignored, remembered=remembered, notes=notes))
    return tuple(prune(request, project, store.settings.sources) for request in requests)


def _with_set_file(options: LockOptions, project: Path, store: ProfileStore) -> LockOptions:
    """Take the requirements file of the project's settings, unless others are given."""
    file = store.settings.requirements_file
    if not file or options.remembered.requirements_files:
        return options
    if not is_of_project(project, file):
        hint = "copy the file into the project, or name it on the command line: -r FILE"
        where = "pyproject.toml: tool.envsmith.requirements-from"
        raise ProfileError("PRF025", f"{file!r} is outside the project", where=where, hint=hint)
    return replace(options, remembered=replace(options.remembered, requirements_files=(file,)))


def _not_recorded(name: str) -> Decision:
    message = (
        f"{Path(name).name} is outside the project, so later commands do not read it: name it again with -r"
    )
    return Decision(subject=Path(name).name, kind="noted", message=message, code="PRF105")


def reads_sources(request: LockRequest) -> bool:
    """Return whether a request depends on the imports in the project's sources."""
    return "auto" in request.profile.family.values() or bool(request.profile.later.get("prune"))


def prune(request: LockRequest, root: Path, folders: Sequence[str] = ()) -> LockRequest:
    """Withdraw the requirements on prunable packages that no file of the project imports.

    A withdrawn requirement stays as a constraint: it still applies if another package requires the project.

    Args:
        request: profile and requirements.
        root: the project's folder; not read when the profile has nothing to prune.
        folders: source folders; by default those of the project's build backend.
    """
    names = pruning.candidates(request.profile, request.requirements)
    if not names:
        return request  # before the imports below: they load the scanner
    from envsmith.usage.scan import scan
    from envsmith.wiring import known_modules

    found = scan(root, names, installed=known_modules(), folders=folders, enough=_ENOUGH_USES)
    verdicts = [answer.verdict for answer in found.answers]
    unneeded = {verdict.project for verdict in verdicts if verdict.is_unneeded}
    kept, limiting = pruning.withdraw(request.requirements, unneeded)
    return replace(
        request,
        requirements=kept,
        constraints=(*request.constraints, *limiting),
        decisions=tuple(pruning.propose(verdict) for verdict in verdicts),
    )


def _with_recorded(options: LockOptions, profile: Profile) -> LockOptions:
    """Take the options recorded in the manifest that the command line does not give."""
    path = options.folder / profile.name / FILENAME
    if all(astuple(options.remembered)) or is_missing(path):
        return options
    manifest = Manifest.from_toml(read_text(path, str(path)), str(path))
    return replace(options, remembered=options.remembered.or_else(manifest.remembered))


def _read(
    options: LockOptions, project: Path, store: ProfileStore, files: tuple[str, ...], manifest: str
) -> RequirementsFile | None:
    if files:
        return read_requirements(project, files, manifest)
    if store.settings.requirements_from == "profile" and not options.extras and not options.groups:
        return None
    return read_pyproject(project, options.extras, options.groups)


def _request(profile: Profile, options: LockOptions, file: RequirementsFile | None) -> LockRequest:
    profile = profile.with_overrides(
        backend=options.backend, python=options.python, platforms=options.platforms
    )
    if options.allow_sdist:
        names = {str(canonicalize_name(name)) for name in options.allow_sdist}
        profile = replace(profile, allow_sdist=tuple(sorted({*profile.allow_sdist, *names})))
    if file is None:
        return LockRequest(
            profile=profile,
            requirements=profile.sourced_requirements(),
            constraints=profile.sourced_requirements("constraints"),
        )
    is_named = options.remembered.requirements_files or options.extras or options.groups
    return LockRequest(
        profile=profile,
        requirements=file.requirements if file.requirements or is_named else profile.sourced_requirements(),
        constraints=(*file.constraints, *profile.sourced_requirements("constraints")),
        notes=file.notes,
        requires_python=file.requires_python,
    )


def with_shared_versions(request: LockRequest, folder: Path, files: Mapping[str, bytes]) -> LockRequest:
    """Add the versions of the lock that the profile names under ``versions-of``, as constraints.

    Args:
        request: profile and requirements.
        folder: of that lock.
        files: its files.

    Raises:
        ResolveError: RES029 when there is no such lock.
    """
    profile = request.profile
    manifest = read_manifest(files, str(folder / FILENAME))
    if manifest is None:
        raise ResolveError(
            "RES029",
            f"profile {profile.versions_of} is not locked, and its versions are asked for",
            where=profile.where("versions_of"),
            hint=f"envsmith lock {profile.versions_of} {profile.name}",
        )
    targets: dict[str, dict[str, list[Target]]] = {}
    for slug, entry in manifest.targets.items():
        python, platform = parse_slug(slug)
        target = Target(python=python, platform=platform, backend=entry.backend)
        text = files.get(f"requirements.{slug}.txt", b"").decode("utf-8", "replace")
        for line in filter(lambda line: line.name, requirements_lines(text)):
            targets.setdefault(line.name, {}).setdefault(line.version.split("+")[0], []).append(target)
    shared = tuple(
        SourcedRequirement(
            requirement=Requirement(f"{name}=={version}{_marked(found) if len(versions) > 1 else ''}"),
            origin=f"{folder.as_posix()} (versions-of)",
        )
        for name, versions in sorted(targets.items())
        for version, found in sorted(versions.items())
    )
    return replace(request, constraints=(*request.constraints, *shared))


def _marked(targets: Iterable[Target]) -> str:
    return " ; " + " or ".join(f"({target_marker(target)})" for target in targets)


def _backend_of(file: RequirementsFile) -> str:
    """Return the backend named by a pin's local version label or an index line; empty without one."""
    plain = [item for item in file.requirements if item.requirement.marker is None]
    found = [label for label, _ in labels(plain).values()]
    found += [line.backend for line in file.pytorch_lines if line.backend]
    return next((text for text in found if _is_backend(text)), "")


def _is_backend(text: str) -> bool:
    try:
        Backend.parse(text)
    except EnvsmithError:
        return False
    return True


def _profile(name: str, store: ProfileStore) -> Profile:
    """Return a profile by name, or the implied profile of a backend without a profile of that name."""
    if name.endswith((".txt", ".in")):
        raise ProfileError(
            "PRF013",
            f"`{name}` is a requirements file, not a profile",
            hint=f"envsmith lock PROFILE -r {quote_path(name)}",
        )
    is_known = name in {known for known, _ in store.names()}
    return _profile_for(Backend.parse(name)) if not is_known and _is_backend(name) else store.resolve(name)


def _profile_for(backend: Backend) -> Profile:
    """Return the implied profile of a backend: torch for this machine's Python and platform."""
    return Profile(
        name=str(backend),
        summary=f"{backend.title} (this machine)",
        requirements=("torch",),
        backend=backend,
        on_retired="stable",
        python=(this_python(),),
        platforms=(this_platform(),),
    )


def profile_names(names: tuple[str, ...], project: Path, folder: Path) -> tuple[str, ...]:
    """Return the given profile names, else the project's default profiles, else every locked profile.

    Raises:
        ProfileError: PRF006 for an invalid name, PRF042 when no profile is given.
        LockError: LCK040 for a name without lock and profile that resembles a locked one.
    """
    store = ProfileStore.of_project(project)
    chosen = names or store.settings.default_profiles or folders_with(folder, FILENAME)
    if not chosen:
        raise _no_profile(store)
    for name in map(check_name, names):
        _check_typo(name, store, folders_with(folder, FILENAME), folder)
    return tuple(dict.fromkeys(check_name(name) for name in chosen))


def _check_typo(name: str, store: ProfileStore, locked: tuple[str, ...], folder: Path) -> None:
    """Refuse an unknown name that resembles a locked profile."""
    is_known = name in locked or _is_backend(name) or name in dict(store.names())
    if is_known or not get_close_matches(name, locked, n=1):
        return
    raise LockError(
        "LCK040",
        f"no lock and no profile named `{name}`",
        where=(folder / name).as_posix(),
        hint=suggestion(name, locked),
    )


def _no_profile(store: ProfileStore) -> ProfileError:
    return ProfileError(
        "PRF042",
        "no profile given",
        details=(("profiles", " ".join(name for name, _ in store.names())),),
        hint="envsmith init; or envsmith lock NAME, or set default-profiles = [...] under [tool.envsmith]",
    )


def parse_cutoff(text: str, now_utc: str) -> str:
    """Parse ``--as-of``; today's date means now.

    Args:
        text: a date or an RFC 3339 time.
        now_utc: RFC 3339 with ``Z``.

    Raises:
        ProfileError: PRF040 when it is malformed or in the future.
    """
    found = parse_time(text)
    if found <= now_utc:
        return found
    if text == now_utc[:10]:
        return now_utc
    raise ProfileError(
        "PRF040",
        f"`{text}` is in the future",
        where="--as-of",
        hint=f"give a time up to now ({now_utc}), or use --upgrade",
    )


def parse_time(text: str) -> str:
    """Parse a date (its end) or an RFC 3339 time, and return it in UTC with ``Z``.

    Raises:
        ProfileError: PRF040 when it is neither, or a time without time zone.
    """
    hint = "write 2026-11-01 (the end of that day, UTC) or 2026-11-01T09:00:00Z"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ProfileError("PRF040", f"invalid date `{text}`", where="--as-of", hint=hint) from error
    if len(text) == 10:  # a date alone: YYYY-MM-DD
        return f"{text}T23:59:59Z"
    if moment.tzinfo is None:
        raise ProfileError("PRF040", f"`{text}` has no time zone", where="--as-of", hint=hint)
    return utc_text(moment)
