"""Options of ``envsmith lock``, and the lock requests made from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cache, partial
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from envsmith.config.direct_references import on_source
from envsmith.config.package_source import PackageSource, without_url
from envsmith.config.positions import TomlDocument
from envsmith.config.profile import Profile, check_name
from envsmith.config.profile_reader import parse_time
from envsmith.config.profiles import ProfileStore
from envsmith.config.requirement import SourcedRequirement
from envsmith.config.requirements.requirements_files import (
    is_of_project,
    read_pyproject,
    read_requirements,
    unread_packages,
    unread_sources,
)
from envsmith.config.requirements.requirements_parser import RequirementsFile
from envsmith.errors import LockError, ProfileError, ResolveError
from envsmith.files.text import folders_with, is_missing, read_text
from envsmith.host.current import this_platform, this_python, utc_text
from envsmith.index.direct_references.provide import Provider
from envsmith.index.direct_references.static_metadata import own_package
from envsmith.lock.inputs.given_packages import recorded_given
from envsmith.lock.inputs.project_limits import fit, is_backend, named_backend
from envsmith.lock.inputs.remembered_options import chosen_slugs, combine, extras_of, groups_of
from envsmith.lock.platforms import locked_floors, usual_platform
from envsmith.lockfile import LOCKFILES
from envsmith.lockfile.manifest import FILENAME, Manifest, RememberedOptions
from envsmith.lockfile.pins import requirements_lines
from envsmith.lockfile.provided import ProvidedPackage
from envsmith.lockfile.store import read_manifest
from envsmith.model.backend import Backend
from envsmith.model.finding import Decision
from envsmith.model.naming import suggestion
from envsmith.model.package_index import PackageIndex
from envsmith.model.shell import quote_path
from envsmith.model.target import Target, parse_slug
from envsmith.plan import pruning
from envsmith.plan.model import Cutoffs, LockRequest
from envsmith.select.select import best_backend
from envsmith.uv.joint import target_marker
from envsmith.wiring import CatalogOptions

_ENOUGH_USES = 3
"""Uses of a package listed as evidence; a scan stops looking for more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockOptions:
    """Options of ``envsmith lock``; the defaults are those of the command line."""

    profiles: tuple[str, ...] = ()
    remembered: RememberedOptions = field(default_factory=RememberedOptions)
    """As given; those of the manifest are taken for the others."""
    now_utc: str = field(default_factory=utc_text)
    upgrade: bool = False
    """Whether to resolve anew, keeping no pin."""
    upgrade_packages: tuple[str, ...] = ()
    """Projects whose pins are not kept; a cutoff does not apply to what they need."""
    catalog: CatalogOptions = field(default_factory=CatalogOptions)
    folder: Path = Path(LOCKFILES)
    """Parent of the profiles' lock folders."""
    jobs: int = 2
    given_python: str = ""
    """Interpreter of the image whose packages the lock takes as they are; empty for the recorded ones."""
    savings: bool = False
    dry_run: bool = False
    as_json: bool = False
    quiet: bool = False
    is_trusted: bool = False
    """Whether packages may be built without asking, if `allow-build` names them."""

    def cutoffs(self, request: LockRequest, manifest: Manifest | None) -> Cutoffs:
        """Return the cutoff asked for, else now.

        Args:
            request: with the cutoff asked for, if any.
            manifest: of the lock on disk.
        """
        if not request.as_of:
            return Cutoffs(cutoff_utc=self.now_utc)
        kept = manifest is not None and not self.upgrade and manifest.cutoff_utc == request.as_of
        names = (str(canonicalize_name(name)) for name in self.upgrade_packages)
        moved = {**(manifest.moved if manifest and kept else {}), **dict.fromkeys(names, self.now_utc)}
        lifted = self.now_utc if self.upgrade_packages else ""
        return Cutoffs(cutoff_utc=request.as_of, moved=moved, is_asked=True, lifted_utc=lifted)


def lock_requests(options: LockOptions, project: Path) -> tuple[LockRequest, ...]:
    """Return one request per profile.

    Without profile names, take the project's default profiles, else the backend named in the requirements, else the
    profiles already locked, else the backend that fits this machine.

    Args:
        options: the command line.
        project: the project's root.

    Raises:
        ProfileError: when a profile or a requirements file is malformed; PRF042 when no profile is given.
    """
    store = ProfileStore.of_project(project)
    options = _with_set_file(options, project, store)
    # Profiles share their requirements files: read them once.
    read = cache(partial(_read, project, store))
    given = options.remembered
    if given.requirements_files:
        _read_given(given, read)  # before the manifests: errors of what was typed come first
    names = options.profiles or store.settings.default_profiles
    notes: tuple[Decision, ...] = ()
    if names:
        chosen = [_profile(name, store) for name in dict.fromkeys(names)]
    else:
        file = _read_given(given, read)
        locked = folders_with(options.folder, FILENAME)
        backend, why = _backend(file, options, is_locked=bool(locked)) if file else ("", "")
        if file and not backend and not locked and file.requirements:
            backend, why = best_backend(), "the best for this machine (`envsmith select --explain`)"
        chosen = [_profile(name, store) for name in locked]
        if backend:
            chosen = [_profile_for(Backend.parse(backend))]
        if why:
            notes = (
                Decision(subject=backend, kind="noted", message=f"backend {backend}: {why}", code="PRF108"),
            )
    if not chosen:
        raise _no_profile(store)
    requests = [_request(profile, options, project, store, read) for profile in chosen]
    return tuple(
        replace(prune(request, project, store.settings.sources), notes=(*notes, *request.notes))
        for request in requests
    )


def _backend(file: RequirementsFile, options: LockOptions, *, is_locked: bool) -> tuple[str, str]:
    """Return the backend that was typed or that the requirements name, and why; empty without one.

    Raises:
        ProfileError: PRF022 when the requirements name several, unless something is locked.
    """
    if options.remembered.backend:
        return options.remembered.backend, ""
    target = Target(python=this_python(), platform=this_platform(), backend=Backend.parse("cpu"))
    try:
        backend, origin = named_backend(file, target, options.remembered.requirements_files)
    except ProfileError:
        if not is_locked:
            raise
        return "", ""
    return backend, f"named at {origin}" if backend else ""


def _with_set_file(options: LockOptions, project: Path, store: ProfileStore) -> LockOptions:
    """Take the requirements file of the project's settings, unless others are given."""
    file = store.settings.requirements_file
    if not file or options.remembered.requirements_files:
        return options
    if not is_of_project(project, file):
        hint = "copy the file into the project, or name it on the command line: -r FILE"
        where = "pyproject.toml: tool.envsmith.requirements-from"
        raise ProfileError("PRF025", f"`{file}` is outside the project", where=where, hint=hint)
    return replace(options, remembered=replace(options.remembered, requirements_files=(file,)))


def _read_given(given: RememberedOptions, read: _Reader) -> RequirementsFile | None:
    files = given.requirements_files
    return read(files, "", () if files else given.extras, () if files else given.groups)


_Reader = Callable[[tuple[str, ...], str, tuple[str, ...], tuple[str, ...]], RequirementsFile | None]


def _request(
    profile: Profile, options: LockOptions, project: Path, store: ProfileStore, read: _Reader
) -> LockRequest:
    """Return the request of one profile, with the options that its lock remembers."""
    manifest = _manifest(options, profile)
    is_implied = profile.name not in {known for known, _ in store.names()}
    if is_implied and manifest and manifest.targets:
        profile = _of_targets(profile, manifest)
    given = options.remembered
    profile.with_overrides(backend=given.backend or None, python=given.python, platforms=given.platforms)
    remembered = combine(given, manifest, profile, is_implied=is_implied)
    if options.upgrade and not given.as_of:
        remembered = replace(remembered, as_of="")
    extras = extras_of(remembered, profile, store.settings)
    groups = groups_of(remembered, profile, store.settings)
    files = remembered.requirements_files
    place = "" if given.requirements_files else str(options.folder / profile.name / FILENAME)
    file = read(files, place, () if files else extras, () if files else groups)
    is_named = file is not None and bool(files or extras or groups)
    if store.settings.requirements_from == "project" and not is_named and not (file and file.requirements):
        _refuse_unread(profile, project, store, file)
    is_explicit = file is not None or store.settings.requirements_from == "profile"
    found = file or RequirementsFile(place="")
    _refuse_family_files((item.name, item.origin) for item in found.requirements if item.requirement.url)
    inside = tuple(name for name in files if is_of_project(project, name))
    floors = locked_floors(profile, None if options.upgrade else manifest)
    profile = _with_options(profile.with_floors(floors), remembered)
    profile, limits = fit(profile, found, remembered, family=_family() if found.pytorch_lines else ())
    own = profile.sourced_requirements
    has_own = bool(found.requirements or is_named)
    is_project = profile.project and store.settings.project and not remembered.no_project
    itself = _own_package(project) if has_own and not files and is_project else ()
    return LockRequest(
        profile=profile,
        requirements=(*found.requirements, *itself) if has_own else own(),
        constraints=(*found.constraints, *own("constraints")),
        overrides=(*found.overrides, *own("overrides")),
        excludes=found.excludes,
        indexes=_indexes(
            (*map(PackageIndex.parse, remembered.indexes), *store.settings.indexes, *found.indexes)
        ),
        notes=(*limits, *found.notes, *(_not_recorded(name) for name in files if name not in inside)),
        requires_python=found.requires_python,
        provided=recorded_given(profile, manifest),
        ignored_files=() if is_explicit else unread_sources(project),
        remembered=replace(remembered, requirements_files=tuple(Path(name).as_posix() for name in inside)),
        as_of=remembered.as_of or profile.as_of or store.settings.as_of or found.as_of,
        only=chosen_slugs(given, manifest, profile),
    )


def _with_options(profile: Profile, remembered: RememberedOptions) -> Profile:
    """Return a profile with the options that stand in the place of its values, or add to them."""
    profile = profile.with_overrides(
        backend=remembered.backend or None, python=remembered.python, platforms=remembered.platforms
    )
    if remembered.backend and profile.on_retired == "error":  # chosen by hand: a note says that it has ended
        profile = replace(profile, on_retired="stable")
    return replace(
        profile,
        allow_sdist=(*profile.allow_sdist, *map(canonicalize_name, remembered.allow_sdist)),
        allow_build=(*profile.allow_build, *map(canonicalize_name, remembered.allow_build)),
    )


def _indexes(indexes: Iterable[PackageIndex]) -> tuple[PackageIndex, ...]:
    """Return each address once, and the first of those in place of PyPI last."""
    found: dict[str, PackageIndex] = {}
    for index in indexes:
        found.setdefault(index.url.rstrip("/"), index)
    defaults = [index for index in found.values() if index.is_default]
    return (*(index for index in found.values() if not index.is_default), *defaults[:1])


def with_provided(
    request: LockRequest, provider: Provider, folder: Path, kept: Iterable[ProvidedPackage]
) -> LockRequest:
    """Add the packages that requirements name by places: repositories, folders and archives.

    Args:
        request: profile and requirements.
        provider: reads them.
        folder: of the lock.
        kept: pins of the lock that are kept.

    Raises:
        EnvsmithError: as `Provider.provide`; PRF021 when one is of the torch family.
    """
    found = provider.provide(request.requirements, folder, kept, request.profile.allow_build)
    origins = {item.name: item.origin for item in found.requirements}
    _refuse_family_files((item.name, origins.get(item.name, "")) for item in found.provided)
    known = {item.name for item in found.provided}
    given = (item for item in request.provided if item.name not in known)
    provided = sorted((*given, *found.provided), key=lambda item: item.name)
    return replace(request, requirements=found.requirements, provided=tuple(provided))


def _own_package(project: Path) -> tuple[SourcedRequirement, ...]:
    """Return the requirement on the project itself, if it is a package; editable, as in uv."""
    path = project / "pyproject.toml"
    if is_missing(path):
        return ()
    data = TomlDocument.parse(read_text(path, path.name), path.name).data
    name = own_package(data)
    source = PackageSource(kind="folder", place=".", is_editable=True, is_own=True)
    return (SourcedRequirement(requirement=on_source(name, source), origin=path.name),) if name else ()


def _refuse_family_files(named: Iterable[tuple[str, str]]) -> None:
    """Refuse files of the torch family: the backend selects the build.

    Args:
        named: package and origin of each requirement with a URL.

    Raises:
        ProfileError: PRF021 when there is one.
    """
    for name, origin in named:
        if name in _family():
            raise ProfileError(
                "PRF021",
                f"{name} is required by a URL, but its builds must fit the backend",
                where=origin,
                hint=f"require `{name}`, and put an index with its builds under [routes] of the profile",
            )


def _refuse_unread(
    profile: Profile, project: Path, store: ProfileStore, file: RequirementsFile | None
) -> None:
    """Refuse to lock torch alone for a project whose requirements are in files that are not read.

    A profile of the project with requirements of its own is locked all the same.

    Raises:
        ResolveError: RES034 when there are such files.
    """
    place = dict(store.names()).get(profile.name, "")
    is_own = bool(place and not place.startswith("shipped") and profile.requirements)
    found = () if is_own else unread_sources(project)
    if not found:
        return
    said = (
        "pyproject.toml has no [project] dependencies"
        if file
        else "the project has no pyproject.toml with [project]"
    )
    name = next((name for name in found if name.endswith((".txt", ".in"))), "")
    unless = " unless named" if name else ""
    hint = "list its packages under [project] dependencies, or in a file given with -r"
    raise ResolveError(
        "RES034",
        f"{said}, and {' and '.join(found)} {'is' if len(found) == 1 else 'are'} not read{unless}",
        where=f"profile {profile.name}",
        details=(
            *unread_packages(project),
            ("or", 'set requirements-from = "profile" under [tool.envsmith] to lock the profile alone'),
        ),
        hint=f"envsmith lock {profile.name} -r {quote_path(name)}" if name else hint,
    )


def check_upgraded(names: Sequence[str], request: LockRequest, found: Mapping[str, bytes]) -> None:
    """Check that packages to upgrade are locked or required.

    Args:
        names: as given.
        request: profile and requirements.
        found: files of the profile's lock folder.

    Raises:
        ProfileError: PRF043 when one is neither.
    """
    if not names:
        return
    texts = (content for name, content in found.items() if name.startswith("requirements."))
    lines = (line for content in texts for line in requirements_lines(content.decode("utf-8", "replace")))
    known = {line.name for line in lines if line.name} | {item.name for item in request.requirements}
    for name in names:
        if str(canonicalize_name(name)) not in known:
            profile = request.profile.name
            raise ProfileError(
                "PRF043",
                f"{name!r} is neither locked nor required: -P upgrades a package of the {profile} lock",
                where="envsmith lock: -P",
                hint=suggestion(name, known) if known else f"envsmith lock {profile}",
            )


def _of_targets(profile: Profile, manifest: Manifest) -> Profile:
    """Return the implied profile of a backend for the targets that are locked, whichever machine this is."""
    return replace(
        profile,
        python=tuple(parse_slug(slug)[0] for slug in manifest.targets),
        platforms=tuple(usual_platform(slug, entry) for slug, entry in manifest.targets.items()),
    )


def _not_recorded(name: str) -> Decision:
    message = (
        f"{Path(name).name} is outside the project, so later commands do not read it: name it again with -r"
    )
    return Decision(subject=Path(name).name, kind="noted", message=message, code="PRF105")


def reads_sources(request: LockRequest) -> bool:
    """Return whether a request depends on the imports in the project's sources."""
    return "auto" in request.profile.family.values() or bool(request.profile.later.get("prune"))


def reads_places(request: LockRequest) -> bool:
    """Return whether a request depends on folders of packages, which may change."""
    return any(without_url(item.requirement) != item.requirement for item in request.requirements)


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


def _manifest(options: LockOptions, profile: Profile) -> Manifest | None:
    path = options.folder / profile.name / FILENAME
    return None if is_missing(path) else Manifest.from_toml(read_text(path, str(path)), str(path))


def _read(
    project: Path,
    store: ProfileStore,
    files: tuple[str, ...],
    manifest: str,
    extras: tuple[str, ...],
    groups: tuple[str, ...],
) -> RequirementsFile | None:
    if files:
        return read_requirements(project, files, manifest)
    if store.settings.requirements_from == "profile" and not extras and not groups:
        return None
    return read_pyproject(project, extras, groups)


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
        for line in filter(lambda line: line.name and line.version, requirements_lines(text)):
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


def _family() -> frozenset[str]:
    """Return the projects that PyTorch builds for its own index."""
    from envsmith.catalog import Catalog

    return frozenset(project.name for project in Catalog.embedded().projects())


def _profile(name: str, store: ProfileStore) -> Profile:
    """Return a profile by name, or the implied profile of a backend without a profile of that name."""
    if name.endswith((".txt", ".in")):
        raise ProfileError(
            "PRF013",
            f"`{name}` is a requirements file, not a profile",
            hint=f"envsmith lock PROFILE -r {quote_path(name)}",
        )
    is_known = name in {known for known, _ in store.names()}
    return _profile_for(Backend.parse(name)) if not is_known and is_backend(name) else store.resolve(name)


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
    is_known = name in locked or is_backend(name) or name in dict(store.names())
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
