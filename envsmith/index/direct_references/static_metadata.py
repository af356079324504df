"""Declared metadata of a package's sources: name, version and requirements, read without a build."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from email.parser import HeaderParser
from functools import partial
from typing import Any, Protocol

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import InvalidName, canonicalize_name
from packaging.version import InvalidVersion, Version

from envsmith.config.positions import TomlDocument
from envsmith.config.readers import Problems
from envsmith.config.requirement import SourcedRequirement
from envsmith.config.requirements.project_dependencies import from_pyproject
from envsmith.config.requirements.requirements_parser import RequirementsFile, parse_requirements
from envsmith.config.requirements.setup_files import (
    Declaration,
    FilesBeside,
    is_computed,
    read_setup_files,
    setup_texts,
)
from envsmith.errors import ProfileError
from envsmith.index.direct_references.source_trees import ArchiveTree

_DYNAMIC = "PRF028"
"""Code of the error about dependencies that only a build tells."""


class SourceTree(Protocol):
    """Files of a package's sources; paths are relative to its root, with slashes."""

    def read(self, path: str) -> str | None:
        """Return the text of a file; None without it."""
        ...

    def folders(self) -> Iterator[str]:
        """Yield the folders that have a pyproject.toml."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredMetadata:
    """Metadata in the sources of a package."""

    name: str
    """Normalised; empty if only a build tells it."""
    version: str = ""
    """Empty if only a build tells it."""
    requirements: tuple[SourcedRequirement, ...] | None = ()
    """Those of extras have a marker with the extra; None if only a build tells them."""
    requires_python: str = ""
    extras: tuple[str, ...] = ()
    is_virtual: bool = False
    """Whether ``tool.uv.package`` is false: only its dependencies are installed."""


def read_declared(tree: SourceTree, folder: str, place: str) -> DeclaredMetadata:
    """Read the metadata in a folder of sources.

    Args:
        tree: the files.
        folder: of the package, relative to the root of the tree.
        place: of the folder, for messages.

    Raises:
        ProfileError: with the problems of its files as ``parts``; PRF060 when it has no metadata.
    """
    at = partial(posixpath.join, folder)
    text = tree.read(at("pyproject.toml"))
    cfg, script = tree.read(at("setup.cfg")) or "", tree.read(at("setup.py")) or ""
    # As in uv: in a folder or repository it may be that of an earlier build.
    info = tree.read(at("PKG-INFO")) if isinstance(tree, ArchiveTree) else None
    if info and (found := read_metadata(info, f"{place}/PKG-INFO")):
        return found
    if text is None and not cfg and not script:
        raise ProfileError(
            "PRF060",
            "has no pyproject.toml, setup.cfg or setup.py",
            where=place,
            hint="name the folder of the package; in a repository or archive with #subdirectory=FOLDER",
        )
    data = TomlDocument.parse(text or "", f"{place}/pyproject.toml").data
    project, tool = _table(data, "project"), _table(data, "tool")
    poetry, uv = _table(tool, "poetry"), _table(tool, "uv")
    written = setup_texts(cfg, script)
    if project and "dependencies" not in (project.get("dynamic") or ()):  # type: ignore[operator]
        cfg = script = ""  # as in setuptools, [project] decides
    reader = _Reader(tree=tree, at=at, place=place, text=text or "", cfg=cfg, script=script)
    own = reader.requirements()
    extras = sorted(
        {str(canonicalize_name(name)) for name in (
            *_table(project, "optional-dependencies"), *_table(poetry, "extras"), *reader.extras,
        )}
    )  # fmt: skip
    return DeclaredMetadata(
        name=_name(project.get("name") or poetry.get("name") or written.get("name")),
        version=_version(project.get("version") or poetry.get("version") or written.get("version")),
        requirements=None
        if own is None
        else (*own, *(item for name in extras for item in reader.of_extra(name, own))),
        requires_python=reader.python,
        extras=tuple(extras),
        is_virtual=uv.get("package") is False,
    )


def declared_requires(tree: SourceTree, place: str) -> tuple[str, ...] | None:
    """Return the declared requirements of a package, without those of extras; None if only a build tells them.

    Args:
        tree: its files.
        place: for messages.
    """
    try:
        found = read_declared(tree, ".", place).requirements
    except ProfileError:  # malformed, or nothing there: a build decides
        return None
    if found is None or any(item.requirement.url for item in found):
        return None
    texts = (str(item.requirement) for item in found if "extra" not in str(item.requirement.marker or ""))
    return tuple(sorted(texts))


def own_package(data: Mapping[str, object]) -> str:
    """Return the name of a project that is installed itself; empty for another one.

    By the rule of uv: it has a build system or says so, and does not say otherwise.

    Args:
        data: of its pyproject.toml.
    """
    project, tool = _table(data, "project"), _table(data, "tool")
    poetry, pdm = _table(tool, "poetry"), _table(tool, "pdm")
    said = _table(tool, "uv").get("package")
    is_package = said if isinstance(said, bool) else "build-system" in data
    if poetry.get("package-mode") is False or pdm.get("distribution") is False:
        is_package = False
    return _name(project.get("name") or poetry.get("name")) if is_package else ""


@dataclass(kw_only=True)
class _Reader:
    """Reads the requirements of one package."""

    tree: SourceTree
    at: Any
    place: str
    text: str
    cfg: str
    script: str
    extras: tuple[str, ...] = ()
    python: str = ""

    def requirements(self) -> tuple[SourcedRequirement, ...] | None:
        try:
            found = self._read(())
        except ProfileError as error:
            parts = error.parts or (error,)
            if all(isinstance(part, ProfileError) and part.code == _DYNAMIC for part in parts):
                return None
            raise
        is_elsewhere = found is None or not found.requirements
        if is_elsewhere and not self.cfg_lists and self.script and is_computed(self.script):
            return None
        if found and found.requires_python:
            self.python = str(found.requires_python.specifier)
        return found.requirements if found else ()

    def of_extra(self, name: str, own: Sequence[SourcedRequirement]) -> Iterator[SourcedRequirement]:
        found = self._read((name,))
        known = {(str(item.requirement), item.origin) for item in own}
        for item in found.requirements if found else ():
            if (str(item.requirement), item.origin) in known:
                continue
            requirement = Requirement(str(item.requirement))
            marker = f"({requirement.marker}) and " if requirement.marker else ""
            requirement.marker = Marker(f'{marker}extra == "{name}"')
            yield replace(item, requirement=requirement)

    def _read(self, extras: tuple[str, ...]) -> RequirementsFile | None:
        files = FilesBeside(read=self._files, declare=self._declared)
        found = from_pyproject(self.text, f"{self.place}/pyproject.toml", extras, (), "", files)
        if found:
            _refuse_indexes(found)
        return found

    def _files(self, names: Sequence[str], _place: str) -> RequirementsFile:
        found: list[SourcedRequirement] = []
        for name in names:
            path = posixpath.normpath(self.at(name))
            text = (
                None
                if path.startswith(("..", "/")) and not self.at("").startswith("..")
                else self.tree.read(path)
            )
            if text is None:
                hint = "correct the name, or create the file"
                raise ProfileError("PRF030", "file not found", where=f"{self.place}/{name}", hint=hint)
            file = parse_requirements(text, f"{self.place}/{name}")
            if file.includes:
                raise ProfileError(
                    _DYNAMIC,
                    "names further files",
                    where=f"{self.place}/{name}",
                    hint="list them in one file",
                )
            found += file.requirements
        return RequirementsFile(place=self.place, requirements=tuple(found))

    @property
    def cfg_lists(self) -> bool:
        """Whether setup.cfg lists requirements."""
        return "install_requires" in self.cfg

    def _declared(self, problems: Problems) -> Declaration | None:
        found = read_setup_files(self.cfg, self.script, problems, self._files)
        if found:
            self.extras = tuple(found.extras)
        return found


def _refuse_indexes(file: RequirementsFile) -> None:
    for source in file.index_sources:
        raise ProfileError(
            "PRF052",
            f"{source.name} comes from {source.url}, and that is the index of another project",
            where=source.origin,
            hint=f"name the index of {source.name} in your project, too: [tool.uv.sources]",
        )


def _table(data: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = data.get(key)
    return value if isinstance(value, Mapping) else {}


def _name(value: object) -> str:
    try:
        return str(canonicalize_name(value, validate=True)) if isinstance(value, str) else ""
    except InvalidName:
        return ""


def _version(value: object) -> str:
    try:
        return str(Version(value)) if isinstance(value, str) else ""
    except InvalidVersion:
        return ""


def read_metadata(text: str, place: str, *, is_final: bool = False) -> DeclaredMetadata | None:
    """Parse core metadata; None if that of a source distribution is not final (PEP 643).

    Args:
        text: a PKG-INFO or METADATA.
        place: of the file, for messages.
        is_final: whether it is that of a wheel.
    """
    headers = HeaderParser().parsestr(text)
    dynamic = {value.lower() for value in headers.get_all("Dynamic", [])}
    parts = headers.get("Metadata-Version", "0").split(".")
    is_static = all(part.isdigit() for part in parts) and tuple(map(int, parts)) >= (2, 2)
    is_open = not is_static or dynamic & {"requires-dist", "provides-extra", "version", "name"}
    if is_open and not is_final:
        return None
    try:
        requirements = tuple(
            SourcedRequirement(requirement=Requirement(line), origin=place)
            for line in headers.get_all("Requires-Dist", [])
        )
        python = str(SpecifierSet(headers.get("Requires-Python", "")))
    except (InvalidRequirement, InvalidSpecifier):
        return None
    return DeclaredMetadata(
        name=_name(headers.get("Name")),
        version=_version(headers.get("Version")),
        requirements=requirements,
        requires_python=python,
        extras=tuple(sorted(map(_name, headers.get_all("Provides-Extra", [])))),
    )
