"""Requirements files with their includes, and the requirements of pyproject.toml."""

from __future__ import annotations

import os.path
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from envsmith.config.positions import TomlDocument
from envsmith.config.readers import Problems, is_outside
from envsmith.config.requirement import labels
from envsmith.config.requirements import conda_names
from envsmith.config.requirements.pipfile import PLACE as PIPFILE
from envsmith.config.requirements.pipfile import read_pipfile
from envsmith.config.requirements.project_dependencies import from_pyproject
from envsmith.config.requirements.requirements_parser import Include, RequirementsFile, parse_requirements
from envsmith.config.requirements.setup_files import (
    Declaration,
    FilesBeside,
    is_computed,
    read_setup_files,
)
from envsmith.errors import EnvsmithError, ProfileError
from envsmith.files.text import is_missing, read_text
from envsmith.model.finding import Decision


def read_requirements(folder: Path, names: Iterable[str], manifest: str = "") -> RequirementsFile:
    """Read requirements files, following -r and -c.

    Args:
        folder: the project's root; places are relative to it, since a lock must not contain paths of the machine.
        names: paths as written on the command line, relative to the root or absolute.
        manifest: the file that names them instead; empty for the command line. It comes with the project, so its
            files must be inside the project.

    Returns:
        The requirements of all files, merged, without includes.

    Raises:
        ProfileError: with the problems of all files as ``parts``: malformed lines, missing files, cycles of includes,
            contradicting labels; PRF025 for files outside the project that a file of the project names.
        ToolError: TOL012 when a file cannot be read.
    """
    loader = _FileReader(folder=folder)
    for name in names:
        with loader.problems.collecting():
            if manifest and not is_of_project(folder, name):
                raise _outside(name, manifest)
            loader.follow(Include(kind="requirements", path=name, origin=manifest), folder, ())
    with loader.problems.collecting():
        labels(item for file in loader.files for item in file.requirements if item.requirement.marker is None)
    loader.problems.raise_if_any()
    return _together(loader.files)


def is_of_project(folder: Path, name: str) -> bool:
    """Return whether a relative path names a file inside the project, links followed."""
    return not is_outside(name) and "\0" not in name and _real(folder / name).is_relative_to(_real(folder))


def _real(path: Path) -> Path:
    """Return a path with its links followed; not by `Path.resolve`, which raises for a cycle of links."""
    return Path(os.path.realpath(path))


def _outside(name: str, origin: str) -> ProfileError:
    return ProfileError(
        "PRF025",
        f"`{name[:100]}` is outside the project",
        where=origin,
        hint="copy the file into the project, or name it on the command line: -r FILE",
    )


def read_pyproject(
    folder: Path, extras: Iterable[str] = (), groups: Iterable[str] = ()
) -> RequirementsFile | None:
    """Read the requirements of the project's pyproject.toml; None if there is none, or it has none.

    Raises:
        ProfileError: with all problems as ``parts``.
        ToolError: TOL012 when the file cannot be read.
    """
    path = folder / "pyproject.toml"
    if all(is_missing(folder / name) for name in (path.name, "setup.cfg", "setup.py", PIPFILE)):
        return from_pyproject(read_text(path, path.name), path.name) if {*extras, *groups} else None
    text = "" if is_missing(path) else read_text(path, path.name)
    files = FilesBeside(read=partial(read_requirements, folder), declare=partial(_declared, folder))
    other = folder / "uv.toml"
    settings = "" if is_missing(other) else read_text(other, other.name)
    return from_pyproject(text, path.name, extras, groups, settings, files)


def lists_dependencies(folder: Path) -> bool:
    """Return whether the project lists dependencies that `read_pyproject` reads, or cannot read."""
    try:
        found = read_pyproject(folder)
    except ProfileError:
        return True
    return bool(found and found.requirements)


def _text(folder: Path, name: str) -> str:
    """Return the text of a file of the project; empty without it.

    Raises:
        ProfileError: PRF025 when it is a link out of the project.
    """
    if is_missing(folder / name):
        return ""
    if not is_of_project(folder, name):
        raise _outside(name, name)
    return read_text(folder / name, name)


def _declared(folder: Path, problems: Problems) -> Declaration | None:
    """Return the dependencies in setup.cfg, setup.py or the Pipfile, with a note that they are read from there."""
    read = partial(read_requirements, folder)
    script = _text(folder, "setup.py")
    found = read_setup_files(_text(folder, "setup.cfg"), script, problems, read)
    found = found or read_pipfile(_text(folder, PIPFILE), problems)
    if found:
        others = " and ".join(name for name in unread_sources(folder) if name != found.place)
        message = f"the dependencies are those of {found.place}" + (f"; not read: {others}" if others else "")
        found.found.notes.append(
            Decision(
                subject=found.place, kind="noted", message=message, evidence=(found.place,), code="PRF109"
            )
        )
    return found


def unread_sources(folder: Path) -> tuple[str, ...]:
    """Return the files with requirements that are not read by default.

    Args:
        folder: the root of a project that declares no dependencies itself.
    """
    found = [name for name in (*_UNREAD, *conda_names.FILES) if (folder / name).is_file()]
    found += ["setup.py"] if is_computed(_text(folder, "setup.py")) else []
    path = folder / "pyproject.toml"
    node: object = {} if is_missing(path) else TomlDocument.parse(read_text(path, path.name), path.name).data
    for key in ("tool", "pixi", "dependencies"):
        node = node.get(key) if isinstance(node, Mapping) else None
    return (*found, *(("[tool.pixi.dependencies] of pyproject.toml",) if node else ()))


def unread_packages(folder: Path) -> tuple[tuple[str, str], ...]:
    """Return the packages in a conda environment file of the project, for a message: ``("pip", "six==1.16, rich")``."""
    found = conda_names.CondaNames()
    for text in filter(None, (_text(folder, name) for name in conda_names.FILES)):
        found = conda_names.read_conda_names(text)
    labelled = (("conda", found.conda), ("pip", found.pip))
    return tuple((label, ", ".join(names)) for label, names in labelled if names)


_UNREAD = ("requirements.in", "requirements.txt", "pixi.toml")
_DEEPEST = 50


@dataclass(kw_only=True)
class _FileReader:
    folder: Path
    problems: Problems = field(default_factory=Problems)
    files: list[RequirementsFile] = field(default_factory=list)
    _done: set[tuple[Path, str]] = field(default_factory=set)

    def follow(self, include: Include, base: Path, ancestors: tuple[Path, ...]) -> None:
        """Read a file and its includes; collect problems with the places that led there."""
        try:
            self._follow(include, base, ancestors)
        except ProfileError as error:
            self.problems.add(error)
        except EnvsmithError as error:
            raise error.at(include.origin) if include.origin else error from error.__cause__

    def _follow(self, include: Include, base: Path, ancestors: tuple[Path, ...]) -> None:
        path = Path(os.path.normpath(base / include.path))
        if ancestors and not self._may_include(path, ancestors[-1]):
            raise _outside(include.path, include.origin)
        if path in ancestors:
            cycle = [self._place(item) for item in (*ancestors[ancestors.index(path) :], path)]
            raise ProfileError(
                "PRF032",
                f"requirements files include each other in a cycle: {' → '.join(cycle)}",
                where=include.origin,
                hint="remove one of the lines",
            )
        if len(ancestors) == _DEEPEST:
            raise ProfileError(
                "PRF032",
                f"requirements files include each other more than {_DEEPEST} deep",
                where=include.origin,
                hint="list the files in one file",
            )
        if (path, include.kind) in self._done:
            return
        self._done.add((path, include.kind))
        file = self._read(path, include)
        self.files.append(file if include.kind == "requirements" else self._as_constraints(file))
        for inner in file.includes:
            kind = "constraints" if include.kind == "constraints" else inner.kind
            self.follow(
                Include(kind=kind, path=inner.path, origin=inner.origin), path.parent, (*ancestors, path)
            )

    def _as_constraints(self, file: RequirementsFile) -> RequirementsFile:
        for item in file.requirements:
            if item.requirement.url:
                text = f"the constraint on {item.name} is a URL"
                hint = "require the URL, and constrain the version"
                self.problems.add(ProfileError("PRF021", text, where=item.origin, hint=hint))
        return RequirementsFile(
            place=file.place,
            constraints=file.requirements,
            includes=file.includes,
            pytorch_lines=file.pytorch_lines,
            indexes=file.indexes,
            pre=file.pre,
            notes=file.notes,
        )

    def _may_include(self, path: Path, by: Path) -> bool:
        """Return whether a file may include another: those of a repository must not read the rest of the machine."""
        folder = _real(self.folder)
        root = next((item for item in (folder, *folder.parents) if (item / ".git").exists()), folder)
        return _real(path).is_relative_to(root) or not _real(by).is_relative_to(root)

    def _read(self, path: Path, include: Include) -> RequirementsFile:
        place = self._place(path)
        try:
            text = read_text(path, place, is_requirements=True)
        except ProfileError as error:
            raise error.at(include.origin) if include.origin else error from error.__cause__
        return parse_requirements(text, place)

    def _place(self, path: Path) -> str:
        """Return a file's name without its location on the machine."""
        relative = os.path.relpath(path, self.folder) if self._is_near(path) else path.name
        return Path(relative).as_posix()

    def _is_near(self, path: Path) -> bool:
        return path.is_relative_to(self.folder) or path.is_relative_to(self.folder.parent)


def _together(files: list[RequirementsFile]) -> RequirementsFile:
    return RequirementsFile(
        place=", ".join(dict.fromkeys(file.place for file in files)),
        requirements=tuple(item for file in files for item in file.requirements),
        constraints=tuple(item for file in files for item in file.constraints),
        pytorch_lines=tuple(line for file in files for line in file.pytorch_lines),
        indexes=tuple(
            sorted((index for file in files for index in file.indexes), key=lambda index: index.is_default)
        ),
        pre=any(file.pre for file in files),
        notes=tuple(note for file in files for note in file.notes),
    )
