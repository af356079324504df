"""Scan: what a project's own files say of the packages it asks for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from packaging.utils import canonicalize_name

from envsmith.catalog.modules import sought_of
from envsmith.model.usage import Leftover, Sought, Unread, Usage, Use
from envsmith.plan import pruning


class Sources(Protocol):
    """Reads what a project's files use."""

    def read_usage(
        self,
        root: Path,
        sought: Iterable[Sought],
        sources: Sequence[str] | None = None,
        *,
        enough: int | None = None,
    ) -> Usage:
        """Return the uses of the modules sought; files that cannot be read are part of the answer."""
        ...


class Installed(Protocol):
    """Knows the modules of installed projects."""

    def installed_modules(self, root: Path, projects: Collection[str]) -> dict[str, tuple[str, ...]]:
        """Return project → modules, for those it knows."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the files say of one package."""

    project: str
    modules: tuple[str, ...]
    verdict: pruning.Verdict
    uses: tuple[Use, ...]
    leftovers: tuple[Leftover, ...]
    unread: tuple[Unread, ...]

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

    answers: tuple[Answer, ...]
    usage: Usage


def scan(
    root: Path,
    projects: Iterable[str],
    *,
    sources: Sources,
    installed: Installed,
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


def _sought(project: str, installed: tuple[str, ...]) -> tuple[Sought, ...]:
    known = sought_of(project)
    messages = next((item.messages for item in known if item.messages), ())
    modules = installed or tuple(item.module for item in known)
    name = canonicalize_name(project)
    is_own = name.replace("-", "_") in {module.lower() for module in modules}
    projects = () if is_own else tuple(dict.fromkeys((name, name.replace("-", "_"), project)))
    return tuple(Sought(module=module, messages=messages, projects=projects) for module in modules)


def _answer(name: str, sought: tuple[Sought, ...], usage: Usage) -> Answer:
    modules = tuple(item.module for item in sought)
    return Answer(
        project=name,
        modules=modules,
        verdict=pruning.judge(name, modules, usage),
        uses=usage.of(modules),
        leftovers=usage.leftovers_of(modules),
        unread=usage.unread_for(modules),
    )
