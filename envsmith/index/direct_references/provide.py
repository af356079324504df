"""Packages of repositories, folders and archives: pinned, with their declared requirements.

A kept pin needs neither network nor git. Sources of a package (``[tool.uv.sources]``) are followed as those of the
project, and so are those that they name, each within its own repository.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from envsmith.config.package_source import PackageSource, check_url, is_wheel_url, without_url
from envsmith.config.positions import TomlDocument
from envsmith.config.requirement import SourcedRequirement
from envsmith.errors import EnvsmithError, ProfileError, ResolveError
from envsmith.index.direct_references.git_repositories import GitRepositories
from envsmith.index.direct_references.source_trees import ArchiveTree, FolderTree, read_archive
from envsmith.index.direct_references.static_metadata import (
    DeclaredMetadata,
    SourceTree,
    read_declared,
    read_metadata,
)
from envsmith.index.sdist import fetch_archive
from envsmith.lockfile.provided import ProvidedPackage, by_name

_DEEPEST = 30
_MOST = 2000
"""Packages at places of their own; more is a mistake, or made to keep us busy."""
Build = Callable[[PackageSource, str], str]
"""Builds a package, and returns its METADATA; the second is its name, or its place in messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Reads the packages that requirements name by their places."""

    project: Path
    git: GitRepositories | None = None
    """None to use kept pins and folders only."""
    check_secure: Callable[[str], None] = lambda _: None
    """Refuses an address."""
    build: Build | None = None

    def provide(
        self,
        requirements: Sequence[SourcedRequirement],
        folder: Path,
        kept: Iterable[ProvidedPackage] = (),
        allow_build: Collection[str] = (),
    ) -> ProvidedRequirements:
        """Return requirements with the packages that they name by places.

        Args:
            requirements: of the project.
            folder: of the lock.
            kept: pins of the lock that are kept.
            allow_build: names of packages that may be built, if only a build tells their requirements.

        Raises:
            ProfileError: with the problems of all as ``parts``.
            ResolveError: RES150 for an unknown revision, RES151 for packages that must be built.
            ToolError: when git or the network fails.
        """
        return _PlaceReading(
            provider=self, folder=folder, kept=tuple(kept), allow_build=frozenset(allow_build)
        ).all(requirements)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvidedRequirements:
    """Requirements, and the packages that they name by places."""

    requirements: tuple[SourcedRequirement, ...]
    """With the true names, and those of virtual packages in place of these."""
    provided: tuple[ProvidedPackage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """The sources of one package."""

    source: PackageSource
    """Pinned; a folder relative to the project."""
    tree: SourceTree
    folder: str
    """Of the package in the tree."""
    wheel: str = ""
    """Metadata of a wheel."""


@dataclass(kw_only=True)
class _PlaceReading:
    provider: Provider
    folder: Path
    kept: tuple[ProvidedPackage, ...]
    allow_build: frozenset[str]
    found: dict[str, ProvidedPackage] = field(default_factory=dict)
    unbuilt: dict[str, str] = field(default_factory=dict)
    """Name → origin of the packages that only a build describes."""
    shared: Mapping[str, object] | None = None
    """Sources of the project's workspace; None if not read yet."""

    def all(self, requirements: Sequence[SourcedRequirement]) -> ProvidedRequirements:
        done = [item for one in requirements for item in self._direct(one)]
        if self.unbuilt:
            names = sorted(self.unbuilt)
            flags = " ".join(f"--allow-build {name}" for name in names)
            raise ResolveError(
                "RES151",
                f"the requirements of {' and '.join(names)} are known only after a build",
                where=", ".join(dict.fromkeys(self.unbuilt.values())),
                hint=f"a build runs code of these packages; to allow it: {flags}",
            )
        if self.found:
            self._check_own()
        return ProvidedRequirements(
            requirements=tuple(done),
            provided=tuple(sorted(self.found.values(), key=lambda item: item.name)),
        )

    def _check_own(self) -> None:
        """Refuse packages that require the project itself if it is left out: an index may have a stranger's."""
        text = FolderTree(project=self.provider.project).read("pyproject.toml") or ""
        project = _nested(TomlDocument.parse(text, "pyproject.toml").data, "project")
        own = canonicalize_name(str(project.get("name", "")))
        if not own or own in self.found:
            return
        for package in self.found.values():
            if any(
                canonicalize_name(Requirement(required).name) == own for required in package.requires_dist
            ):
                raise ProfileError(
                    "PRF060",
                    f"{package.name} requires {own}, the name of this project, which is not locked itself",
                    where=str(PackageSource.parse(package.source).address),
                    hint="lock the project, too (it needs a [build-system], and no --no-project), or rename it",
                )

    def _direct(self, item: SourcedRequirement) -> Iterator[SourcedRequirement]:
        url = item.requirement.url
        try:
            if url and not is_wheel_url(url):
                source: PackageSource | None = PackageSource.parse(url)
            else:
                source = None if url or not item.origin.startswith("pyproject.toml") else self._shared(item)
            yield from self._required(item, source, ()) if source else [item]
        except EnvsmithError as error:
            raise error if error.where else error.at(item.origin) from error.__cause__

    def _shared(self, item: SourcedRequirement) -> PackageSource | None:
        """Return the source that the project's workspace gives a requirement of the project."""
        if self.shared is None:
            self.shared = _shared_sources(FolderTree(project=self.provider.project), ".")
        return _from_workspace(self.shared, item)

    def _required(
        self, item: SourcedRequirement, source: PackageSource, ancestors: tuple[str, ...]
    ) -> Iterator[SourcedRequirement]:
        """Yield a requirement by its true name, after adding its package; for a virtual one its requirements."""
        asked = str(replace(source, is_named=True))
        if kept := self._kept(asked):
            self._keep(kept)
            yield _renamed(item, kept.name, asked)
            return
        opened = self._open(item, source)
        if opened is None:
            yield item
            return
        key = str(replace(opened.source, is_editable=False, is_named=True))
        declared = self._declared(opened, item, asked)
        name = declared.name or item.name
        if source.is_named and declared.name and declared.name != item.name:
            raise ProfileError(
                "PRF061",
                f"{item.name} is required from {source.address}, but that is {declared.name}",
                where=item.origin,
                hint=f"require {declared.name} instead",
            )
        if len(ancestors) > _DEEPEST or len(self.found) > _MOST:
            raise ProfileError(
                "PRF060",
                "packages name each other too deeply",
                where=item.origin,
                hint="name fewer folders in each other",
            )
        nested = (
            []
            if key in ancestors or source.is_own
            else list(self._nested(opened, declared, (*ancestors, key)))
        )
        if source.is_virtual or declared.is_virtual:
            yield from _chosen(nested, item)
            return
        self._add(name, opened.source, asked, declared, nested, item)
        yield _renamed(item, name, asked)

    def _kept(self, asked: str) -> ProvidedPackage | None:
        source = PackageSource.parse(asked)
        if source.kind in ("folder", "workspace", "file"):
            return None
        return next((item for item in self.kept if item.requested == asked and item.source), None)

    def _keep(self, item: ProvidedPackage) -> None:
        """Keep a pin with those that it brought."""
        if item.name in self.found:
            return
        self.found[item.name] = item
        known = by_name(self.kept)
        for text in item.requires_dist:
            other = known.get(canonicalize_name(Requirement(text).name))
            if other and other.source and other.name not in self.found:
                self._keep(other)

    def _open(self, item: SourcedRequirement, source: PackageSource) -> _Opened | None:
        """Return the sources of a package; None if they need the network, which is not used."""
        files = FolderTree(project=self.provider.project)
        if source.kind == "workspace":
            source = _member(files, ".", item.name, source, item.origin)
        if source.kind == "folder":
            folder = files.relative(source.folder, item.origin)
            source = replace(source.below("."), place=PackageSource.of_path(folder).place, subdirectory="")
            return _Opened(source=source, tree=files, folder=folder)
        if source.kind == "file":
            path = files.relative(source.place, item.origin)
            archive = _read(self.provider.project / path, item.origin)
            return _of_archive(replace(source, place=PackageSource.of_path(path).place), archive, item)
        if self.provider.git is None:
            return None
        if source.kind == "url":
            self.provider.check_secure(source.place)
            return _of_archive(source, fetch_archive(source.place, item.name), item)
        if source.place.startswith("http:"):
            self.provider.check_secure(source.place)
        pinned = replace(source, revision=self.provider.git.commit_of(source))
        tree = self.provider.git.tree(pinned)
        return _Opened(source=pinned, tree=tree, folder=source.subdirectory or ".")

    def _declared(self, opened: _Opened, item: SourcedRequirement, asked: str) -> DeclaredMetadata:
        place = str(opened.source.address)
        if opened.wheel:
            if found := read_metadata(opened.wheel, place, is_final=True):
                return found
            raise ProfileError(
                "PRF060",
                f"the metadata of {place} is malformed",
                where=item.origin,
                hint="use another version of the wheel",
            )
        found = read_declared(opened.tree, opened.folder, place)
        if opened.source.is_own:
            found = replace(found, requirements=(), requires_python="")
        if found.requirements is not None and (found.name or opened.source.is_named):
            return found
        name = found.name or item.name
        kept = next((one for one in self.kept if one.requested == asked and one.source), None)
        # A check builds nothing: it takes what was built for the lock.
        built = _of_lock(kept) if kept and not self.provider.build and kept.name in self.allow_build else None
        if self.provider.build and name in self.allow_build:
            built = read_metadata(self.provider.build(opened.source, name), place, is_final=True)
        if built is None:
            self.unbuilt[name] = item.origin
        return built or replace(found, name=name, requirements=())

    def _nested(
        self, opened: _Opened, declared: DeclaredMetadata, ancestors: tuple[str, ...]
    ) -> Iterator[SourcedRequirement]:
        """Yield the requirements of a package, without the places that they name."""
        shared = {} if opened.source.is_own else _shared_sources(opened.tree, opened.folder)
        for item in declared.requirements or ():
            url = item.requirement.url
            if url and is_wheel_url(url):
                check_url(url)  # metadata of a build is checked nowhere else
            if url and not is_wheel_url(url):
                source: PackageSource | None = PackageSource.parse(url)
            else:
                source = None if url else _from_workspace(shared, item)
            if source is None:
                yield item
                continue
            source = _inside(opened, source, item)
            for one in self._required(item, source, ancestors):
                yield replace(one, requirement=without_url(one.requirement))

    def _add(
        self,
        name: str,
        source: PackageSource,
        asked: str,
        declared: DeclaredMetadata,
        nested: Sequence[SourcedRequirement],
        item: SourcedRequirement,
    ) -> None:
        source = replace(source, is_named=True, is_virtual=False, is_own=False)
        files = FolderTree(project=self.provider.project)
        package = ProvidedPackage(
            name=name,
            version=declared.version,
            requires_dist=tuple(sorted({str(one.requirement) for one in nested})),
            requires_python=declared.requires_python,
            provides_extra=declared.extras,
            source=str(source),
            requested=asked,
            place=files.seen_from(self.folder, source.place) if source.kind in ("folder", "file") else "",
        )
        earlier = self.found.setdefault(name, package)
        one, other = PackageSource.parse(earlier.source), source
        if replace(one, is_editable=False) != replace(other, is_editable=False):
            raise ProfileError(
                "PRF062",
                f"{name} is required from two places: {one} and {other}",
                where=item.origin,
                hint="require it from one of them",
            )
        if other.is_editable:
            self.found[name] = package


def _of_lock(item: ProvidedPackage) -> DeclaredMetadata:
    return DeclaredMetadata(
        name=item.name,
        version=item.version,
        requirements=tuple(
            SourcedRequirement(requirement=Requirement(text), origin=item.source)
            for text in item.requires_dist
        ),
        requires_python=item.requires_python,
        extras=item.provides_extra,
    )


def _renamed(item: SourcedRequirement, name: str, asked: str) -> SourcedRequirement:
    requirement = Requirement(str(item.requirement))
    requirement.name, requirement.url = name, asked
    return SourcedRequirement(requirement=requirement, origin=item.origin, hashes=item.hashes)


def _chosen(nested: Iterable[SourcedRequirement], item: SourcedRequirement) -> Iterator[SourcedRequirement]:
    """Yield the requirements of a virtual package, with the extras and the marker of the requirement on it."""
    extras = {*item.requirement.extras, ""}
    for one in nested:
        requirement = Requirement(str(one.requirement))
        if requirement.marker and "extra" in str(requirement.marker):
            if not any(requirement.marker.evaluate({"extra": extra}) for extra in extras - {""}):
                continue
            requirement.marker = None
        if item.requirement.marker:
            own = f" and ({requirement.marker})" if requirement.marker else ""
            requirement.marker = Marker(f"({item.requirement.marker}){own}")
        yield replace(one, requirement=requirement)


def _inside(opened: _Opened, source: PackageSource, item: SourcedRequirement) -> PackageSource:
    """Return a source that a package names, from the project's point of view.

    Raises:
        ProfileError: PRF060 when sources from elsewhere name a folder of this machine.
    """
    if source.kind == "workspace":
        source = _member(opened.tree, opened.folder, item.name, source, item.origin)
    elif source.kind in ("folder", "file"):
        source = source.below(opened.folder)
    if opened.source.kind == "folder":
        return source
    is_local = source.place.startswith("file:") or (
        source.kind == "folder" and source.place.startswith(("/", ".."))
    )
    if is_local or source.kind == "file" or (source.kind == "folder" and opened.source.kind != "git"):
        raise ProfileError(
            "PRF060",
            f"{item.name} comes from `{source.place}`, which is outside of {opened.source.address}",
            where=item.origin,
            hint=f"name the place of {item.name} in your project, too",
        )
    if source.kind == "folder":
        return replace(opened.source, subdirectory=posixpath.normpath(source.folder), is_editable=False)
    return source


def _member(tree: SourceTree, folder: str, name: str, source: PackageSource, origin: str) -> PackageSource:
    """Return the folder of a member of the workspace, which the folder or one above it describes.

    Raises:
        ProfileError: PRF060 without workspace or member.
    """
    root, workspace, _ = _workspace(tree, folder)
    for member, found in _named_members(tree, root, workspace):
        if found == name:
            return replace(
                PackageSource.of_path(member), is_editable=source.is_editable, is_virtual=source.is_virtual
            )
    raise ProfileError(
        "PRF060",
        f"no member of the workspace is named {name}",
        where=origin,
        hint="list its folder under [tool.uv.workspace] members",
    )


def _workspace(tree: SourceTree, folder: str) -> tuple[str, Mapping[str, object], Mapping[str, object]]:
    """Return the root, description and sources of the workspace around a folder; empty without one."""
    for root in _upwards(tree, folder):
        data = _project_file(tree, root)
        if workspace := _nested(data, "tool", "uv", "workspace"):
            return root, workspace, _nested(data, "tool", "uv")
    return "", {}, {}


def _project_file(tree: SourceTree, folder: str) -> Mapping[str, object]:
    text = tree.read(posixpath.join(folder, "pyproject.toml"))
    return TomlDocument.parse(text, f"{folder}/pyproject.toml").data if text else {}


def _named_members(tree: SourceTree, root: str, workspace: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield the folder and name of the root and each member of a workspace."""
    for member in (root, *_members(tree, root, workspace)) if workspace else ():
        if isinstance(tree, FolderTree):
            member = tree.seen_from(tree.project, member)  # noqa: PLW2901 - the project may be below the root
        name = _nested(_project_file(tree, member), "project").get("name")
        if isinstance(name, str):
            yield member, str(canonicalize_name(name))


def _shared_sources(tree: SourceTree, folder: str) -> Mapping[str, object]:
    """Return name → source that a workspace gives a member without one; None for a member of it without any.

    As in uv: the sources of the root hold for all members.
    """
    root, workspace, uv = _workspace(tree, folder)
    members = dict(_named_members(tree, root, workspace))
    own = _nested(_project_file(tree, folder), "tool", "uv")
    if posixpath.normpath(folder) not in members or own.get("no-sources") is True:
        return {}
    found: dict[str, object] = dict.fromkeys(members.values())
    found |= {str(canonicalize_name(name)): value for name, value in _nested(uv, "sources").items()}
    left_out = {members[posixpath.normpath(folder)], *map(canonicalize_name, _nested(own, "sources"))}
    return {name: value for name, value in found.items() if name not in left_out}


def _from_workspace(shared: Mapping[str, object], item: SourcedRequirement) -> PackageSource | None:
    """Return the source that a workspace gives a requirement; None for a project of an index.

    Raises:
        ProfileError: PRF060 for a member without a source, or a source that only the root can follow.
    """
    said = shared.get(item.name, {"index": ""})
    if isinstance(said, Mapping) and "index" in said:
        return None
    if isinstance(said, Mapping) and said.get("workspace") is True and "marker" not in said:
        return PackageSource(kind="workspace", place=item.name, is_editable=said.get("editable") is not False)
    what = "a member of the workspace without a source" if said is None else "from a source of the workspace"
    raise ProfileError(
        "PRF060",
        f"{item.name} is {what}",
        where=item.origin,
        hint=f"name the source in the same pyproject.toml: [tool.uv.sources] {item.name} = {{ workspace = true }}",
    )


def _upwards(tree: SourceTree, folder: str) -> Iterator[str]:
    count = len(tree.project.resolve().parents) if isinstance(tree, FolderTree) else folder.count("/") + 1
    for steps in range(count + 1):
        found = posixpath.normpath(posixpath.join(folder, *[".."] * steps))
        if isinstance(tree, FolderTree) or not found.startswith(".."):
            yield found


def _members(tree: SourceTree, root: str, workspace: Mapping[str, object]) -> Iterator[str]:
    patterns = {key: [str(text) for text in value] for key in ("members", "exclude")
                if isinstance(value := workspace.get(key, []), list)}  # fmt: skip
    known = list(tree.folders())
    for pattern in patterns.get("members", []):
        if isinstance(tree, FolderTree):
            found: Iterable[str] = tree.matching(root, pattern)
        else:
            found = filter(partial(_fits, pattern=posixpath.normpath(posixpath.join(root, pattern))), known)
        for member in found:
            below = posixpath.relpath(member, root)
            if not any(
                _fits(below, pattern=posixpath.normpath(text)) for text in patterns.get("exclude", [])
            ):
                yield posixpath.normpath(member)


def _fits(path: str, pattern: str) -> bool:
    parts, wanted = path.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatch, parts, wanted))


def _nested(data: Mapping[str, object], *keys: str) -> Mapping[str, object]:
    for key in keys:
        value = data.get(key)
        data = value if isinstance(value, Mapping) else {}
    return data


def _read(path: Path, origin: str) -> bytes:
    try:
        return read_archive(path)
    except OSError as error:
        text = f"`{path.name}` cannot be read: {error.strerror or error}"
        raise ProfileError("PRF060", text, where=origin, hint="correct the path") from error


def _of_archive(source: PackageSource, archive: bytes, item: SourcedRequirement) -> _Opened:
    """Return the sources in an archive, which must have the given hash."""
    sha256 = hashlib.sha256(archive).hexdigest()
    given = [source.sha256, *item.allowed_sha256(posixpath.basename(source.place))]
    if any(given) and sha256 not in given:
        raise ResolveError(
            "RES152",
            f"{source.place} has sha256 {sha256}, not the given {next(filter(None, given))}",
            where=item.origin,
            hint="find out why the file differs",
        )
    tree = ArchiveTree.of(archive)
    return _Opened(
        source=replace(source, sha256=sha256),
        tree=tree,
        folder=source.subdirectory or ".",
        wheel=tree.wheel_metadata() if source.place.endswith(".whl") else "",
    )
