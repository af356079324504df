"""Scan of a project for uses of its packages; reads files and runs none of them."""

from __future__ import annotations

import gc
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from envsmith.catalog.modules import import_names
from envsmith.files.text import MAX_BYTES, read_regular
from envsmith.model.usage import Area, Leftover, SearchedModule, UnreadFile, Usage, Use
from envsmith.plan import pruning
from envsmith.usage.file_reader import CODE, LATER, FileOutcome, FileSearch, read_file
from envsmith.usage.module_matcher import BareWordText, FileUsage, ModuleMatcher
from envsmith.usage.parallel import parallel_map
from envsmith.usage.syntax import computed_uses
from envsmith.usage.tree import SRC, SourceFile, Tree, area_of, exists, named_roots

if TYPE_CHECKING:
    from envsmith.usage.module_names import KnownModules

_Task = tuple[SourceFile, Area]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageUsage:
    """Uses of one package in the project's files."""

    project: str
    modules: tuple[str, ...]
    verdict: pruning.PruneVerdict
    uses: tuple[Use, ...]
    leftovers: tuple[Leftover, ...]
    unread: tuple[UnreadFile, ...]

    def to_json(self) -> dict[str, object]:
        """Return the usage as plain values."""
        return {
            "project": self.project,
            "modules": list(self.modules),
            "answer": self.verdict.answer,
            "reason": self.verdict.reason,
            "uses": [use.to_json() for use in self.uses],
            "leftovers": [item.to_json() for item in self.leftovers],
            "unread": [item.to_json() for item in self.unread],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanResult:
    """Result of one scan."""

    answers: tuple[PackageUsage, ...]
    usage: Usage


def scan(
    root: Path,
    projects: Iterable[str],
    *,
    installed: KnownModules,
    folders: Sequence[str] = (),
    enough: int | None = None,
) -> ScanResult:
    """Find the uses of each package in a project's files.

    Args:
        root: the project's folder.
        projects: names as written by the user.
        installed: reads the modules of installed projects; the fallbacks are the catalog, then the project's name.
        folders: source folders relative to the root; by default those in the build backend's configuration.
        enough: number of certain uses per package at which the search stops; by default all are found.
    """
    names = {str(canonicalize_name(project)): project for project in projects}
    known = installed.installed_modules(root, names.keys())
    sought = {name: _search_of(written, known.get(name, ())) for name, written in names.items()}
    every = dict.fromkeys(item for group in sought.values() for item in group)
    usage = read_usage(root, every, folders or None, enough=enough)
    return ScanResult(
        answers=tuple(_usage_of(name, sought[name], usage) for name in sorted(names)), usage=usage
    )


def _search_of(project: str, installed: tuple[str, ...]) -> tuple[SearchedModule, ...]:
    known = import_names(project)
    messages = next((item.messages for item in known if item.messages), ())
    modules = installed or tuple(item.module for item in known)
    name = canonicalize_name(project)
    is_own = name.replace("-", "_") in {module.lower() for module in modules}
    projects = () if is_own else tuple(dict.fromkeys((name, name.replace("-", "_"), project)))
    return tuple(SearchedModule(module=module, messages=messages, projects=projects) for module in modules)


def _usage_of(name: str, sought: tuple[SearchedModule, ...], usage: Usage) -> PackageUsage:
    modules = tuple(item.module for item in sought)
    return PackageUsage(
        project=name,
        modules=modules,
        verdict=pruning.judge(name, modules, usage),
        uses=usage.of(modules),
        leftovers=usage.leftovers_of(modules),
        unread=usage.unread_for(modules),
    )


def read_usage(
    root: Path,
    sought: Iterable[SearchedModule],
    sources: Sequence[str] | None = None,
    *,
    enough: int | None = None,
) -> Usage:
    """Read the uses of modules in a project.

    Args:
        root: the project's folder.
        sought: the searched modules.
        sources: source folders relative to the root; other code except tests is then skipped. By default those in the
            build backend's configuration, and other code has the area ``beside``.
        enough: number of certain uses in the sources at which the search for a module stops; once all modules have
            them, no further file is read. By default all are found.

    Returns:
        Uses and leftovers with their places, and the files that could not be read.
    """
    names = ModuleMatcher(sought)
    roots = tuple(sources or source_roots(root))
    found = _FoundUses(known=_SearchState(names=names, enough=enough))
    tree = Tree(root=root, refused=found.refuse)
    files = ((file, area_of(file.name, roots)) for file in tree.files())
    tasks = [task for task in files if not (sources and task[1] == "beside" and task[0].kind in CODE)]

    def read(share: Sequence[_Task]) -> list[FileOutcome]:
        return _read(share, _SearchState(names=names, enough=enough))

    with _gc_disabled():
        found.add_all(tasks, parallel_map(read, tasks))
        computed = tuple(computed_uses(found.unresolved_strings(), found.code))
    return Usage(
        uses=(*found.uses, *computed),
        leftovers=tuple(found.leftovers),
        unread=tuple(found.unread),
        files_read=found.count,
        own=frozenset(_own(root, roots, names)),
    )


def _read(share: Sequence[_Task], known: _SearchState) -> list[FileOutcome]:
    """Read files until all modules have enough uses; postponed files come last."""
    outcomes: list[FileOutcome] = []
    for task in share:
        if known.is_over:
            return outcomes
        outcomes.append(_read_one(task, known, is_hasty=known.enough is not None))
    for place, task in enumerate(share):
        if outcomes[place] is LATER and not known.is_over:
            outcomes[place] = replace(_read_one(task, known, is_hasty=False), is_late=True)
    return outcomes


def _read_one(task: _Task, known: _SearchState, *, is_hasty: bool) -> FileOutcome:
    outcome = read_file(*task, FileSearch(names=known.names, passed=known.done, is_hasty=is_hasty))
    if outcome.usage:
        known.add(outcome.usage)
    return outcome


@contextmanager
def _gc_disabled() -> Iterator[None]:
    """Disable the cyclic garbage collector: syntax trees have no cycles, and are freed without it."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def source_roots(root: Path) -> tuple[str, ...]:
    """Return the source folders: from the build backend's configuration, else ``src``; none for the whole tree."""
    try:
        data = tomllib.loads(read_regular(root / "pyproject.toml", MAX_BYTES).decode())
    except (OSError, ValueError, RecursionError):
        data = {}
    named = [name for name in named_roots(data) if ".." not in name.split("/") and exists(root / name)]
    if not named and (root / SRC).is_dir() and not exists(root / SRC / "__init__.py"):
        named = [SRC]
    return tuple(sorted(named))


def _own(root: Path, roots: Iterable[str], names: ModuleMatcher) -> Iterable[str]:
    """Yield the searched names that are modules of the project itself."""
    folders = {root, *(root / name for name in roots), *((root / name).parent for name in roots)}
    for top in {item.top for item in names.sought}:
        if any(exists(folder / name) for folder in folders for name in (f"{top}.py", f"{top}/__init__.py")):
            yield top


@dataclass(kw_only=True)
class _SearchState:
    """The searched modules that already have enough uses."""

    names: ModuleMatcher
    enough: int | None
    done: set[str] = field(default_factory=set)
    _counts: Counter[str] = field(default_factory=Counter)

    @property
    def is_over(self) -> bool:
        """Whether the search is finished."""
        return self.enough is not None and len(self.done) == len(self.names.modules)

    def add(self, usage: FileUsage) -> None:
        """Count the certain uses in a source file."""
        if self.enough is None or usage.area != "sources":
            return
        for use in usage.uses:
            if use.certainty == "certain":
                self._counts.update(item.module for item in self.names.sought if item.is_meant_by(use.module))
        self.done |= {module for module, count in self._counts.items() if count >= self.enough}


@dataclass(kw_only=True)
class _FoundUses:
    """Accumulated results in the order of the tree, regardless of the number of processes."""

    known: _SearchState
    uses: list[Use] = field(default_factory=list)
    leftovers: list[Leftover] = field(default_factory=list)
    unread: list[UnreadFile] = field(default_factory=list)
    bare: list[BareWordText] = field(default_factory=list)
    code: dict[str, str] = field(default_factory=dict)
    count: int = 0

    def refuse(self, name: str, reason: str) -> None:
        """Add a folder that could not be listed."""
        self.unread.append(UnreadFile(file=name, reason=reason))

    def add_all(self, tasks: Sequence[_Task], outcomes: Sequence[FileOutcome | None]) -> None:
        """Add outcomes in the order of their files, postponed ones last, until all modules have enough uses."""
        for is_late in (False, True):
            for (file, _), outcome in zip(tasks, outcomes, strict=True):
                if outcome is None or self.known.is_over:
                    return
                if outcome.is_late == is_late:
                    self._take(file, outcome)

    def _take(self, file: SourceFile, outcome: FileOutcome) -> None:
        """Add a file's outcome for the modules that need more uses."""
        self.count += outcome.is_read
        if outcome.is_code:
            self.code[file.name] = file.path
        if outcome.usage is None:
            self.unread += [outcome.unread] if outcome.unread else []
        elif modules := tuple(item for item in outcome.modules if item not in self.known.done):
            self.unread += [replace(outcome.unread, modules=modules)] if outcome.unread else []
            self.uses += outcome.usage.uses
            self.leftovers += outcome.usage.leftovers
            self.bare += outcome.usage.bare
            self.known.add(outcome.usage)

    def unresolved_strings(self) -> list[BareWordText]:
        """Return the strings that still matter: those of modules without enough uses."""
        owner = self.known.names.owner
        return [text for text in self.bare if owner(text.use.module) not in self.known.done]
