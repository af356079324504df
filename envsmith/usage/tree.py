"""Walk over a project's tree: relevant files, their kinds, and the source folders of its build backend."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from envsmith.lockfile import LOCKFILES
from envsmith.model.usage import Area

_NO_SOURCES = {"__pycache__", "node_modules", "site-packages", "__pypackages__"}
_MADE = {"build", "dist", "wheelhouse", LOCKFILES}
_HIDDEN_PASSED = re.compile(
    r"\.(?:git|hg|svn|bzr|jj|tox|nox|.*cache|hypothesis|eggs|ipynb_checkpoints|v?env.*|direnv|pixi|conda|mamba"
    r"|terraform|dvc|idea|vs|yarn|npm|pnpm.*|cargo|rustup|gradle|next|nuxt|pants\.d|bzr|local|pyenv|uv|envsmith.*"
    r"|aws-sam|serverless|vagrant|Trash.*|nv|nx|turbo|wandb|mlruns)"
)
"""Hidden folders with copies, caches and environments; other hidden folders contain scripts and settings."""
_ENVIRONMENT = ("pyvenv.cfg", "conda-meta")
_VENDORED = {"vendor", "vendored", "_vendor", "third_party", "third-party", "thirdparty", "external"}
_TESTS = {"test", "tests"}
_TEST_FILE = re.compile(r"test_.*\.py|.*_tests?\.py|conftest\.py|tests?\.py")
_LOCKS = re.compile(
    r"(?:poetry|pdm|uv|Pipfile|Cargo|yarn|conda)[-.]lock.*|conda-lock\.yml|package-lock\.json|pylock.*\.toml"
)
_REQUIREMENTS = re.compile(r"(?i).*(?:requirements|constraints).*\.(?:txt|in)|requires\.txt")
_TEMPLATE = re.compile(r"(?i)\.(?:j2|jinja2?|tmpl|template)$")
"""Suffixes of template engines; the kind is that of the rendered file."""
_SCRIPTS = re.compile(
    r"(?i)(?:gnu)?makefile(?:\..+)?|dockerfile(?:\..+)?|.*\.dockerfile|containerfile|procfile|justfile|jenkinsfile"
    r"|cmakelists\.txt|meson\.build|earthfile|tiltfile|\.envrc"
    r"|.*\.(?:mk|sh|bash|zsh|ksh|csh|tcsh|fish|nu|bat|cmd|psm?1|slurm|sbatch|pbs|qsub|just|cmake|service|desktop)"
)
# Build-tool files in Python or a dialect of it.
_LINES = re.compile(r"Snakefile(?:\..+)?|wscript|SCons(?:truct|cript)|.*\.py\.(?:in|tpl)")
_KINDS = {
    ".py": "python",
    ".pyw": "python",
    ".ipynb": "notebook",
    ".pyx": "lines",
    ".pxi": "lines",
    ".pxd": "lines",
    ".ipy": "lines",
    ".sage": "lines",
    ".smk": "lines",
    ".xsh": "lines",
    ".qmd": "document",
    ".rmd": "document",
    ".md": "document",
    ".r": "foreign",
    ".jl": "foreign",
    ".c": "foreign",
    ".cc": "foreign",
    ".cpp": "foreign",
    ".cxx": "foreign",
    ".cu": "foreign",
    ".h": "foreign",
    ".hpp": "foreign",
    ".rs": "foreign",
    ".yaml": "config",
    ".yml": "config",
    ".toml": "config",
    ".json": "config",
    ".jsonc": "config",
    ".ini": "config",
    ".cfg": "config",
    ".conf": "config",
    ".gin": "config",
    ".env": "config",
    ".jsonl": "config",
    ".json5": "config",
    ".jsonnet": "config",
    ".libsonnet": "config",
    ".xml": "config",
    ".properties": "config",
    ".hcl": "config",
    ".tf": "config",
}
SRC = "src"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One relevant file."""

    path: str
    name: str
    """Relative to the root, with ``/``."""
    kind: str
    """``python``, ``notebook``, ``lines``, ``document``, ``foreign``, ``config``, ``requirements``, ``script``, or
    ``unknown``: decided by the first line."""


@dataclass(kw_only=True)
class Tree:
    """A project's tree.

    Args:
        root: the project's folder.
        refused: called with a file or folder that is not read, and the reason.
    """

    root: Path
    refused: Callable[[str, str], None]
    _seen: set[tuple[int, int]] = field(default_factory=set)

    def files(self) -> Iterator[SourceFile]:
        """Yield the files by name; each folder once, even if several links lead to it.

        Links out of the project are refused: they may lead to a whole file system.
        """
        stack = [""]
        while stack:
            folder = stack.pop()
            if not self._is_new(folder):
                continue
            entries = self._entries(folder)
            if folder and any(entry.name in _ENVIRONMENT for entry in entries):
                continue
            inner: list[str] = []
            for entry in entries:
                name = f"{folder}/{entry.name}" if folder else entry.name
                file = self._file(entry, name)
                if not file and not (_is_folder(entry) and _has_sources(name, entry.path)):
                    continue
                if entry.is_symlink() and not self._is_inside(entry.path):
                    if file or not _is_environment(entry.path):
                        self.refused(name, "a link out of the project")
                elif file:
                    yield file
                else:
                    inner.append(name)
            stack += reversed(inner)

    def _path(self, folder: str) -> str:
        return os.path.join(self.root, folder)  # noqa: PTH118 - there are thousands, and each Path takes its time

    def _is_inside(self, path: str) -> bool:
        return Path(path).resolve().is_relative_to(self.root.resolve())

    def _is_new(self, folder: str) -> bool:
        try:
            found = os.stat(self._path(folder))  # noqa: PTH116 - likewise
        except OSError:
            return False
        key = (found.st_dev, found.st_ino)
        is_new = key not in self._seen
        self._seen.add(key)
        return is_new

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(self._path(folder)) as found:
                return sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            self.refused(folder or ".", error.strerror or str(error))
            return []

    @staticmethod
    def _file(entry: os.DirEntry[str], name: str) -> SourceFile | None:
        kind = kind_of(name)
        if kind is None or not _is_file(entry):
            return None
        if kind == "executable":
            kind = "unknown" if _is_executable(entry) else None
        return SourceFile(path=entry.path, name=name, kind=kind) if kind else None


def kind_of(name: str) -> str | None:
    """Return a file's kind by its name; None if irrelevant, ``unknown`` if its first line decides.

    A file with an unknown suffix has the kind ``executable``: its first line decides if it is executable.
    """
    name = _TEMPLATE.sub("", name)
    base = name.rpartition("/")[2]
    if base.lower().endswith(".py"):
        return "python"  # regardless of the rest: makefile.py, conda-lock.py
    return _kind_of_others(name, base)


def _kind_of_others(name: str, base: str) -> str | None:
    if _LOCKS.fullmatch(base):
        return None
    if _REQUIREMENTS.fullmatch(base) or re.search(r"(?:^|/)requirements/[^/]+\.(?:txt|in)$", name):
        return "requirements"
    if base in ("Pipfile", "Pipfile.toml") or re.fullmatch(r"profiles/[^/]+\.toml", name):
        return "requirements"
    if _SCRIPTS.fullmatch(base) or _LINES.fullmatch(base):
        return "lines" if _LINES.fullmatch(base) else "script"
    if base == ".env" or "." in base.lstrip("."):
        return _KINDS.get(f".{base.rpartition('.')[2].lower()}", "executable")
    return None if base.startswith(".") else "unknown"


def area_of(name: str, roots: tuple[str, ...]) -> Area:
    """Return the part of the project that a file belongs to: one of usage.AREAS.

    Args:
        name: relative to the root.
        roots: the source folders; none for the whole tree.
    """
    *folders, base = name.split("/")
    if _TESTS & set(folders) or _TEST_FILE.fullmatch(base):
        return "tests"
    if roots:
        is_inside = any(root in (".", name) or name.startswith(f"{root}/") for root in roots)
        return "sources" if is_inside else "beside"
    return "beside" if folders and folders[0] in _VENDORED else "sources"


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()  # False for a dangling link
    except OSError:
        return False


def _is_executable(entry: os.DirEntry[str]) -> bool:
    try:
        return bool(entry.stat().st_mode & 0o111)
    except OSError:
        return False


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_environment(path: str) -> bool:
    return any(exists(Path(path, name)) for name in _ENVIRONMENT)


def exists(path: Path) -> bool:
    """Return whether a path exists; False below a folder that may not be entered, where `Path.exists` raises."""
    return os.path.exists(path)  # noqa: PTH110


def _has_sources(name: str, path: str) -> bool:
    base = name.rpartition("/")[2]
    if base in _NO_SOURCES or base.endswith((".egg-info", ".dist-info")):
        return False
    if base.startswith("."):
        return not _HIDDEN_PASSED.fullmatch(base)
    return name not in _MADE or exists(Path(path, "__init__.py"))


def named_roots(pyproject: Mapping[str, object]) -> tuple[str, ...]:
    """Return the folders and modules that a pyproject.toml declares to its build backend, relative to the project.

    Args:
        pyproject: the file's values.

    Returns:
        Candidate paths, not checked on disk; empty if none is declared.

    Source: documentation of setuptools, hatchling, poetry-core, flit-core, pdm-backend, uv_build, maturin and
        scikit-build-core (read 2026-11-21).
    """
    found = (root.strip("/").removeprefix("./") or "." for read in _READERS for root in read(pyproject))
    return tuple(dict.fromkeys(found))


def _at(node: object, *keys: str) -> object:
    for key in keys:
        node = node.get(key) if isinstance(node, Mapping) else None
    return node


def _texts(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        yield from (item for item in node if isinstance(item, str))


def _as_path(module: str) -> str:
    return module.replace(".", "/")


def _setuptools(data: Mapping[str, object]) -> Iterator[str]:
    table = _at(data, "tool", "setuptools")
    folders = _at(table, "package-dir")
    base = _at(folders, "")
    prefix = f"{base}/" if isinstance(base, str) else ""
    yield from _texts(_at(table, "packages", "find", "where"))
    for package in _texts(_at(table, "packages")):
        own = _at(folders, package)
        yield own if isinstance(own, str) else f"{prefix}{_as_path(package)}"
    yield from (f"{prefix}{module}.py" for module in _texts(_at(table, "py-modules")))


def _hatch(data: Mapping[str, object]) -> Iterator[str]:
    wheel = _at(data, "tool", "hatch", "build", "targets", "wheel")
    yield from _texts(_at(wheel, "packages"))
    yield from _texts(_at(wheel, "only-include"))


def _poetry(data: Mapping[str, object]) -> Iterator[str]:
    packages = _at(data, "tool", "poetry", "packages")
    for item in packages if isinstance(packages, list) else ():
        include, folder = _at(item, "include"), _at(item, "from")
        if isinstance(include, str):
            yield f"{folder}/{include}" if isinstance(folder, str) else include


def _flit(data: Mapping[str, object]) -> Iterator[str]:
    for name in _texts(_at(data, "tool", "flit", "module", "name")):
        yield from (_as_path(name), f"{name}.py")


def _pdm(data: Mapping[str, object]) -> Iterator[str]:
    build = _at(data, "tool", "pdm", "build")
    yield from _texts(_at(build, "package-dir"))
    yield from (item for item in _texts(_at(build, "includes")) if "*" not in item)


def _uv(data: Mapping[str, object]) -> Iterator[str]:
    table = _at(data, "tool", "uv", "build-backend")
    root = _at(table, "module-root")
    base = root if isinstance(root, str) else SRC
    for name in _texts(_at(table, "module-name")):
        yield f"{base}/{_as_path(name)}" if base else _as_path(name)
    if isinstance(root, str) and root:
        yield root


def _others(data: Mapping[str, object]) -> Iterator[str]:
    yield from _texts(_at(data, "tool", "maturin", "python-source"))
    yield from _texts(_at(data, "tool", "scikit-build", "wheel", "packages"))


def _by_name(data: Mapping[str, object]) -> Iterator[str]:
    for name in _texts(_at(data, "project", "name")):
        module = name.replace("-", "_").replace(".", "_")
        yield from dict.fromkeys((f"{SRC}/{module}", module, f"{module}.py", module.lower()))


_READERS: tuple[Callable[[Mapping[str, object]], Iterator[str]], ...] = (
    _setuptools,
    _hatch,
    _poetry,
    _flit,
    _pdm,
    _uv,
    _others,
    _by_name,
)
