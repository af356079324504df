"""The lists in which a project keeps its requirements, and edits that add or remove some."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping, MutableSequence, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from envsmith.catalog import Catalog
from envsmith.config.direct_references import read_direct
from envsmith.config.package_source import PackageSource, is_wheel_url
from envsmith.config.positions import KeyPath, TomlDocument, format_path
from envsmith.config.profiles import ProfileStore
from envsmith.config.requirement import shortened
from envsmith.config.requirements.requirements_files import read_pyproject
from envsmith.errors import ProfileError
from envsmith.files.edits import Edit, RequirementSource, edits_of
from envsmith.files.text import folders_with, is_missing, read_text
from envsmith.lockfile.manifest import FILENAME, Manifest
from envsmith.model.finding import Decision
from envsmith.model.naming import suggestion
from envsmith.model.shell import quote_path
from envsmith.plan.model import LockRequest
from envsmith.plan.planner import check_name
from envsmith.project import requirement_edits

PYPROJECT = "pyproject.toml"
_PROJECT: KeyPath = ("project", "dependencies")
_GROUPS, _EXTRAS = ("dependency-groups",), ("project", "optional-dependencies")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementList:
    """A list of requirements in a file."""

    file: str
    """Relative to the project's root."""
    table: KeyPath = ()
    """Path of the list in a TOML file; empty for a requirements file."""
    inherited: tuple[str, ...] = ()
    """Requirements of an extended profile, which apply until the file has this list."""

    @property
    def place(self) -> str:
        """``pyproject.toml: project.dependencies``."""
        return f"{self.file}: {format_path(self.table)}" if self.table else self.file


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOptions:
    """Options that choose a list."""

    file: str = ""
    group: str = ""
    extra: str = ""
    profiles: tuple[str, ...] = ()
    folder: Path
    """Parent of the profiles' lock folders."""


def chosen_lists(options: ListOptions, root: Path) -> tuple[RequirementList, ...]:
    """Return the list named by the options, else the one that `envsmith lock` reads for these profiles.

    That is the requirements file of the settings or recorded in the manifests, else ``[project]`` in pyproject.toml,
    else the ``requirements`` of each profile.

    Raises:
        ProfileError: PRF017 when the requirements are those of a shipped profile, PRF028 when the project's are
            dynamic, PRF042 when there are neither requirements nor profiles, PRF047 when the profiles record
            different files, or have several lists in one file; others when a file is malformed.
    """
    store = ProfileStore.of_project(root)
    if options.group:
        return (RequirementList(file=PYPROJECT, table=(*_GROUPS, options.group)),)
    if options.extra:
        return (RequirementList(file=PYPROJECT, table=(*_EXTRAS, options.extra)),)
    if file := options.file or store.settings.requirements_file:
        return (RequirementList(file=file),)
    names = options.profiles or store.settings.default_profiles or folders_with(options.folder, FILENAME)
    if recorded := {file for name in names for file in _recorded(options.folder / name)[:1]}:
        if len(recorded) > 1:
            files = ", ".join(sorted(recorded))
            hint = f"name one: -r {quote_path(min(recorded))}"
            raise ProfileError("PRF047", f"the locks are of several requirements files: {files}", hint=hint)
        return (RequirementList(file=recorded.pop()),)
    if store.settings.requirements_from == "project":
        is_project = _has_project(root)
        _refuse_other_declaration(root)
        if is_project:
            return (RequirementList(file=PYPROJECT, table=_PROJECT),)
    if not names:
        hint = "envsmith init; or name a requirements file with -r FILE"
        raise ProfileError(
            "PRF042", "no `[project]` table, no locks and no profile with requirements", hint=hint
        )
    places = tuple(dict.fromkeys(_of_profile(name, store) for name in names))
    if len({place.file for place in places}) < len(places):
        told = ", ".join(place.place for place in places)
        raise ProfileError(
            "PRF047", f"the profiles have lists of their own: {told}", hint="name one: --profile NAME"
        )
    return places


def _refuse_other_declaration(root: Path) -> None:
    """Refuse to edit the requirements of a project that lists them for another tool.

    Raises:
        ProfileError: PRF017 when they are in ``[tool.poetry]``, setup.cfg, setup.py or a Pipfile.
    """
    if requirement_edits.get(pyproject_values(root), _PROJECT):
        return
    found = read_pyproject(root)
    if found and found.requirements:
        raise ProfileError(
            "PRF017",
            "the requirements are listed for another tool, whose file envsmith does not edit",
            where=found.requirements[0].origin,
            hint="edit them there, or name a requirements file with -r FILE",
        )


def _recorded(folder: Path) -> tuple[str, ...]:
    path = folder / FILENAME
    if is_missing(path):
        return ()
    return Manifest.from_toml(read_text(path, str(path)), str(path)).remembered.requirements_files


def _has_project(root: Path) -> bool:
    project = pyproject_values(root).get("project")
    if isinstance(project, dict) and "dependencies" in project.get("dynamic", ()):
        raise ProfileError(
            "PRF028",
            "the project's dependencies are dynamic",
            where=PYPROJECT,
            hint="edit the file that its build backend reads, or name a requirements file with -r FILE",
        )
    return isinstance(project, dict)


def pyproject_values(root: Path) -> Mapping[str, object]:
    """Return the values of pyproject.toml; empty without the file."""
    path = root / PYPROJECT
    return {} if is_missing(path) else TomlDocument.parse(read_text(path, PYPROJECT), PYPROJECT).data


def project_requirements(root: Path) -> Sequence[str]:
    """Return the items of ``dependencies`` under ``[project]``."""
    return requirement_edits.get(pyproject_values(root), _PROJECT) or ()


def _of_profile(name: str, store: ProfileStore) -> RequirementList:
    """Return the list of the profile itself, or of the one that it inherits it from."""
    profile = store.resolve(name)
    for known in (name, *profile.extends):
        written = store.load(known)
        if requirement_edits.get(tomllib.loads(written.text), (*written.table, "requirements")) is not None:
            break
    own = store.load(name)
    if (store.folder / written.place).is_file():
        return RequirementList(file=written.place, table=(*written.table, "requirements"))
    if (store.folder / own.place).is_file():
        return RequirementList(
            file=own.place, table=(*own.table, "requirements"), inherited=profile.requirements
        )
    raise ProfileError(
        "PRF017",
        f"{name} is shipped with envsmith and cannot be edited",
        where=own.place,
        hint="envsmith init writes a profile of your own; or name a requirements file with -r FILE",
    )


def checked(texts: Iterable[str], catalog: Catalog) -> tuple[tuple[str, ...], tuple[Decision, ...]]:
    """Return requirements as they are written into files, and warnings about names like those of the torch family.

    Args:
        texts: as typed.
        catalog: known names.

    Raises:
        ProfileError: PRF019 when a label selects a build of the torch family, PRF020 or PRF021 when a text is no
            requirement on a project.
        ResolveError: RES028 when a project is a placeholder.
    """
    family = {item.name for item in catalog.projects()}
    found, warnings = [], []
    for text in texts:
        requirement = _typed(text)
        name = canonicalize_name(requirement.name)
        if name in family and any("+" in item.version for item in requirement.specifier):
            public = re.sub(r"\+[A-Za-z0-9.]+", "", text)
            raise ProfileError(
                "PRF019",
                f"`{text}` selects a build, which is the profile's affair",
                where="envsmith add",
                hint=f"add `{public}`; `backend` in the profile, or `envsmith lock --backend`, selects the build",
            )
        if warning := check_name(str(name), "envsmith add", catalog):
            warnings.append(warning)
        found.append(text.strip().replace('"', "'"))  # strings in TOML have double quotes
    return tuple(found), tuple(warnings)


def _typed(text: str) -> Requirement:
    """Parse a requirement on a project of an index, or by name on a repository or a file on a server.

    Raises:
        ProfileError: PRF020 or PRF021 when it is malformed or another one.
    """
    requirement = read_direct(text)[0]
    if requirement.url and not is_wheel_url(requirement.url):
        source = PackageSource.parse(requirement.url)
        if source.kind not in ("git", "url") or not source.is_named:
            raise ProfileError(
                "PRF021",
                f"{shortened(text)!r} has no name, or is a folder or file of this machine",
                where="envsmith add",
                hint="write NAME @ URL; or require NAME, and write its path under [tool.uv.sources]",
            )
    return requirement


def with_present(
    place: RequirementList, texts: Sequence[str], requests: Iterable[LockRequest], root: Path
) -> Sequence[str]:
    """Return the requirements to add with those of the profiles, which no longer apply once the project has its own."""
    if place.table != _PROJECT or project_requirements(root):
        return texts
    return tuple(
        dict.fromkeys((*(str(item.requirement) for one in requests for item in one.requirements), *texts))
    )


def edits_to_add(place: RequirementList, texts: Sequence[str], root: Path) -> tuple[Edit, ...]:
    """Return the edits that add requirements to a list, or replace those on the same projects.

    Requirements in a file that a requirements file includes are replaced there.

    Raises:
        ProfileError: PRF017 when a file cannot be edited without other changes, or is compiled from another one.
    """
    if place.table:
        change = partial(requirement_edits.merge, texts)
        data = _before(root, place.file) or b""
        edits = [requirement_edits.change_list(data, place.file, place.table, change, place.inherited)]
    else:
        main = RequirementSource(file=place.file, data=_before(root, place.file) or b"")
        sources = requirement_edits.followed(root, place.file) or (main,)
        left = dict.fromkeys(texts)
        edits = []
        for source in (*(item for item in sources[1:] if not item.reason), sources[0]):
            known = requirement_edits.projects_of(source.data)
            own = [text for text in left if source is sources[0] or name_of(text) in known]
            left = {text: None for text in left if text not in own}
            edits.append(requirement_edits.add_to_requirements(source.data, source.file, own))
    made = (replace(edit, before=edit.before or _before(root, edit.file)) for edit in edits)
    return tuple(edit for edit in made if edit.has_changes)


def edits_to_remove(place: RequirementList, names: Collection[str], root: Path) -> tuple[Edit, ...]:
    """Return the edits that remove all requirements on some projects from a list, and from the files that it includes.

    Args:
        place: the list.
        names: normalised.
        root: the project's folder.

    Raises:
        ProfileError: PRF017 when a line cannot be removed without other changes, PRF018 when the list has no such
            requirement.
    """
    data = _before(root, place.file) or b""
    if place.inherited:
        edits = [
            requirement_edits.change_list(
                data, place.file, place.table, partial(_drop, names), place.inherited
            )
        ]
    elif place.table:
        edits = [requirement_edits.remove_from_pyproject(data, place.file, names, place.table)]
    else:
        sources = requirement_edits.followed(root, place.file)
        edits = [requirement_edits.cut(source, names, names) for source in sources]
    for line in (line for edit in edits for line in edit.kept):
        raise ProfileError(
            "PRF017",
            f"`{line.text}` cannot be removed: {line.reason}",
            where=line.place,
            hint="edit the file by hand",
        )
    present = set(map(name_of, place.inherited)) | {line.project for edit in edits for line in edit.removed}
    if missing := sorted(set(names) - present):
        raise _not_required(missing[0], place, root)
    return tuple(edit for edit in edits if edit.has_changes)


def _drop(names: Collection[str], items: MutableSequence[str]) -> None:
    items[:] = [item for item in items if name_of(item) not in names]


def _not_required(name: str, place: RequirementList, root: Path) -> ProfileError:
    """Return the error for a name that a list does not have, with the list that has it or the nearest name."""
    if place.table:
        data = TomlDocument.parse(
            (_before(root, place.file) or b"").decode("utf-8", "replace"), place.file
        ).data
        lists = requirement_edits.names_by_list(data, place.table)
    else:
        known = [
            name
            for source in requirement_edits.followed(root, place.file)
            for name in requirement_edits.projects_of(source.data)
        ]
        lists = {place.table: known}
    elsewhere = next((table for table, names in lists.items() if name in names), ())
    options: dict[KeyPath, str] = {_GROUPS: "--group", _EXTRAS: "--extra"}
    hint = suggestion(name, lists.get(place.table, ()))
    if elsewhere:
        option = options.get(elsewhere[:-1], "")
        hint = f"envsmith remove {f'{option} {elsewhere[-1]} ' if option else ''}{name}"
    return ProfileError("PRF018", f"{name} is not required", where=place.place, hint=hint)


def name_of(text: str) -> str:
    """Return the normalised name of a requirement."""
    return str(canonicalize_name(read_direct(text)[0].name))


def _before(root: Path, file: str) -> bytes | None:
    """Return a file's bytes; None without the file."""
    return edits_of(root, {file: ""})[0].before
