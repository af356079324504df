"""Scan: what a project's own files say of the packages it asks for.

Reads what a project uses out of its files; runs and imports none of them.
"""

from __future__ import annotations

import gc
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from packaging.utils import canonicalize_name

from envsmith.catalog.modules import import_names
from envsmith.model.usage import Area, Leftover, SoughtModule, UnreadFile, Usage, Use
from envsmith.plan import pruning
from envsmith.usage.file_reader import CODE, LATER, FileOutcome, FileQuestion, read_file
from envsmith.usage.module_matcher import BareWordText, FileUsage, ModuleMatcher
from envsmith.usage.parallel import mapped
from envsmith.usage.syntax import computed_uses
from envsmith.usage.tree import SRC, SourceFile, Tree, area_of, named_roots

_Task = tuple[SourceFile, Area]


class SourceReader(Protocol):
    """Reads what a project's files use."""

    def read_usage(
        self,
        root: Path,
        sought: Iterable[SoughtModule],
        sources: Sequence[str] | None = None,
        *,
        enough: int | None = None,
    ) -> Usage:
        """Return the uses of the modules sought; files that cannot be read are part of the answer."""
        ...


class InstalledModules(Protocol):
    """Knows the modules of installed projects."""

    def installed_modules(self, root: Path, projects: Collection[str]) -> dict[str, tuple[str, ...]]:
        """Return project → modules, for those it knows."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageUsage:
    """What the files say of one package."""

    project: str
    modules: tuple[str, ...]
    verdict: pruning.PruneVerdict
    uses: tuple[Use, ...]
    leftovers: tuple[Leftover, ...]
    unread: tuple[UnreadFile, ...]

    def to_json(self) -> dict[str, object]:
        """Return the answer as plain values."""
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
class Scanned:
    """All answers of one scan."""

    answers: tuple[PackageUsage, ...]
    usage: Usage


def scan(
    root: Path,
    projects: Iterable[str],
    *,
    sources: SourceReader,
    installed: InstalledModules,
    folders: Sequence[str] = (),
    enough: int | None = None,
) -> Scanned:
    """Ask a project's files for each package whether they use it.

    Args:
        root: the project's folder.
        projects: names as they were written.
        sources: reads files.
        installed: knows the modules of what is installed; where it does not, the catalog does, else the name tells.
        folders: where the project's code lies, relative to the root; by default as its build backend is told.
        enough: of a package with so many certain uses no more are looked for; by default all are.
    """
    names = {str(canonicalize_name(project)): project for project in projects}
    known = installed.installed_modules(root, names.keys())
    sought = {name: _sought(written, known.get(name, ())) for name, written in names.items()}
    every = dict.fromkeys(item for group in sought.values() for item in group)
    usage = sources.read_usage(root, every, folders or None, enough=enough)
    return Scanned(answers=tuple(_answer(name, sought[name], usage) for name in sorted(names)), usage=usage)


def _sought(project: str, installed: tuple[str, ...]) -> tuple[SoughtModule, ...]:
    known = import_names(project)
    messages = next((item.messages for item in known if item.messages), ())
    modules = installed or tuple(item.module for item in known)
    name = canonicalize_name(project)
    is_own = name.replace("-", "_") in {module.lower() for module in modules}
    projects = () if is_own else tuple(dict.fromkeys((name, name.replace("-", "_"), project)))
    return tuple(SoughtModule(module=module, messages=messages, projects=projects) for module in modules)


def _answer(name: str, sought: tuple[SoughtModule, ...], usage: Usage) -> PackageUsage:
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
    sought: Iterable[SoughtModule],
    sources: Sequence[str] | None = None,
    *,
    enough: int | None = None,
) -> Usage:
    """Read what a project says of some modules.

    Args:
        root: the project's folder.
        sought: what is looked for.
        sources: where its sources lie, relative to the root; then code elsewhere is passed over, but for tests.
            By default what its build backend is told, and code elsewhere is noted as beside it.

        enough: of a module with so many certain uses in the sources no more are looked for, and once all have them
            no further file is read; by default all are.

    Returns:
        Uses and leftovers with their places, and the files that could not be read.
    """
    names = ModuleMatcher(sought)
    roots = tuple(sources or source_roots(root))
    found = _FoundUses(known=_Known(names=names, enough=enough))
    tree = Tree(root=root, refused=found.refuse)
    files = ((file, area_of(file.name, roots)) for file in tree.files())
    tasks = [task for task in files if not (sources and task[1] == "beside" and task[0].kind in CODE)]

    def read(share: Sequence[_Task]) -> list[FileOutcome]:
        return _read(share, _Known(names=names, enough=enough))

    with _without_collecting():
        found.take_all(tasks, mapped(read, tasks))
        computed = tuple(computed_uses(found.open_texts(), found.code))
    return Usage(
        uses=(*found.uses, *computed),
        leftovers=tuple(found.leftovers),
        unread=tuple(found.unread),
        files_read=found.count,
        own=frozenset(_own(root, roots, names)),
    )


def _read(share: Sequence[_Task], known: _Known) -> list[FileOutcome]:
    """Read files until all that is sought is known well enough, and those that hardly tell it last."""
    outcomes: list[FileOutcome] = []
    for task in share:
        if known.is_over:
            return outcomes
        outcomes.append(_noted(task, known, is_hasty=known.enough is not None))
    for place, task in enumerate(share):
        if outcomes[place] is LATER and not known.is_over:
            outcomes[place] = replace(_noted(task, known, is_hasty=False), is_late=True)
    return outcomes


def _noted(task: _Task, known: _Known, *, is_hasty: bool) -> FileOutcome:
    outcome = read_file(*task, FileQuestion(names=known.names, passed=known.done, is_hasty=is_hasty))
    if outcome.gathered:
        known.add(outcome.gathered)
    return outcome


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Let go of syntax trees as they are done with, without a search for cycles, of which they have none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def source_roots(root: Path) -> tuple[str, ...]:
    """Return where a project's sources lie: what its build backend is told, else ``src``; none for the whole tree."""
    try:
        data = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        data = {}
    named = [name for name in named_roots(data) if ".." not in name.split("/") and (root / name).exists()]
    if not named and (root / SRC).is_dir() and not (root / SRC / "__init__.py").exists():
        named = [SRC]
    return tuple(sorted(named))


def _own(root: Path, roots: Iterable[str], names: ModuleMatcher) -> Iterable[str]:
    """Yield the sought names that modules of the project itself have."""
    folders = {root, *(root / name for name in roots), *((root / name).parent for name in roots)}
    for top in {item.top for item in names.sought}:
        if any(
            (folder / f"{top}.py").exists() or (folder / top / "__init__.py").exists() for folder in folders
        ):
            yield top


@dataclass(kw_only=True)
class _Known:
    """Which of the sought modules are known well enough."""

    names: ModuleMatcher
    enough: int | None
    done: set[str] = field(default_factory=set)
    _counts: Counter[str] = field(default_factory=Counter)

    @property
    def is_over(self) -> bool:
        """True once nothing is left to look for."""
        return self.enough is not None and len(self.done) == len(self.names.modules)

    def add(self, gathered: FileUsage) -> None:
        """Count the certain uses in the sources that a file has."""
        if self.enough is None or gathered.area != "sources":
            return
        for use in gathered.uses:
            if use.certainty == "certain":
                self._counts.update(item.module for item in self.names.sought if item.is_meant_by(use.module))
        self.done |= {module for module, count in self._counts.items() if count >= self.enough}


@dataclass(kw_only=True)
class _FoundUses:
    """What is taken from file after file, in the tree's order: the same however many processes read them."""

    known: _Known
    uses: list[Use] = field(default_factory=list)
    leftovers: list[Leftover] = field(default_factory=list)
    unread: list[UnreadFile] = field(default_factory=list)
    bare: list[BareWordText] = field(default_factory=list)
    code: dict[str, str] = field(default_factory=dict)
    count: int = 0

    def refuse(self, name: str, reason: str) -> None:
        """Note a folder of which not even the names in it are known."""
        self.unread.append(UnreadFile(file=name, reason=reason))

    def take_all(self, tasks: Sequence[_Task], outcomes: Sequence[FileOutcome | None]) -> None:
        """Take outcomes in the order of their files, late ones last, until all is known well enough."""
        for is_late in (False, True):
            for (file, _), outcome in zip(tasks, outcomes, strict=True):
                if outcome is None or self.known.is_over:
                    return
                if outcome.is_late == is_late:
                    self._take(file, outcome)

    def _take(self, file: SourceFile, outcome: FileOutcome) -> None:
        """Take what reading a file gave, as far as it is not known well enough."""
        self.count += outcome.is_read
        if outcome.is_code:
            self.code[file.name] = file.path
        if outcome.gathered is None:
            self.unread += [outcome.unread] if outcome.unread else []
        elif modules := tuple(item for item in outcome.modules if item not in self.known.done):
            self.unread += [replace(outcome.unread, modules=modules)] if outcome.unread else []
            self.uses += outcome.gathered.uses
            self.leftovers += outcome.gathered.leftovers
            self.bare += outcome.gathered.bare
            self.known.add(outcome.gathered)

    def open_texts(self) -> list[BareWordText]:
        """Return the texts that matter still: not those of modules that are known to be used."""
        owner = self.known.names.owner
        return [text for text in self.bare if owner(text.use.module) not in self.known.done]
