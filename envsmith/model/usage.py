"""Usage of modules in a project's sources: places, kinds and certainty."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, get_args

Certainty = Literal["certain", "conditional", "string"]
"""Runs whenever its line is reached · runs if the module is installed, or for type checkers · a name in a string."""
Area = Literal["sources", "beside", "tests"]
"""Shipped code · other code of the tree, such as scripts and notebooks · tests."""
UseKind = Literal[
    "import",
    "import by name",
    "look-up",
    "lazy import",
    "entry point",
    "module run",
    "configuration",
    "text",
]
LeftoverKind = Literal["warning filter", "logger", "comment", "requirement", "setting"]
Answer = Literal["used", "conditional", "beside", "tests", "string", "own", "unproven", "unused"]
ANSWERS: tuple[Answer, ...] = get_args(Answer)
"""Most certain first; only `unused` allows removing a package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchedModule:
    """A module to search for."""

    module: str
    """Import name: ``torchvision``; dotted if projects share a folder: ``google.cloud.speech``."""
    messages: tuple[str, ...] = ()
    """Prefixes of warnings of this module alone; they identify warning filters."""
    projects: tuple[str, ...] = ()
    """Project names that differ from the module's, as in requirements: ``scikit-learn``."""

    @property
    def top(self) -> str:
        """The name before the first dot."""
        return self.module.partition(".")[0]

    def is_meant_by(self, module: str) -> bool:
        """Return whether importing a dotted name may import this module: one contains the other."""
        return _is_within(module, self.module) or _is_within(self.module, module)


def _is_within(module: str, outer: str) -> bool:
    return module == outer or module.startswith(f"{outer}.")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Use:
    """One place that uses a module."""

    file: str
    """Relative to the project's root, with ``/``."""
    cell: int = 0
    """Cell of a notebook, from 1; 0 in other files."""
    line: int
    """From 1; in a notebook within the cell."""
    module: str
    """The dotted name as written: ``torchvision.transforms.Compose``."""
    kind: UseKind
    certainty: Certainty
    area: Area = "sources"

    @property
    def place(self) -> str:
        """``src/io.py:14``, ``plots.ipynb: cell 3: line 2``."""
        return _place(self.file, self.cell, self.line)

    def to_json(self) -> dict[str, object]:
        """Return the use as JSON values."""
        return {
            "module": self.module,
            "file": self.file,
            "cell": self.cell or None,
            "line": self.line,
            "kind": self.kind,
            "certainty": self.certainty,
            "area": self.area,
        }


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Leftover:
    """A line that mentions a module without using it, and can be removed with it."""

    file: str
    cell: int = 0
    line: int
    module: str
    kind: LeftoverKind
    text: str
    """The line without indent."""

    @property
    def place(self) -> str:
        """``src/main.py:5``."""
        return _place(self.file, self.cell, self.line)

    def to_json(self) -> dict[str, object]:
        """Return the leftover as JSON values."""
        values = {"module": self.module, "file": self.file, "cell": self.cell or None, "line": self.line}
        return {**values, "kind": self.kind, "text": self.text}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class UnreadFile:
    """A file that could not be parsed."""

    file: str
    reason: str
    modules: tuple[str, ...] = ()
    """Sought modules whose names occur in it; empty if unknown: it may use any."""

    def to_json(self) -> dict[str, object]:
        """Return the file as JSON values."""
        return {"file": self.file, "reason": self.reason, "modules": list(self.modules)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """All uses of the sought modules in a project."""

    uses: tuple[Use, ...] = ()
    leftovers: tuple[Leftover, ...] = ()
    unread: tuple[UnreadFile, ...] = ()
    files_read: int = 0
    """Number of files searched."""
    own: frozenset[str] = field(default_factory=frozenset)
    """The project's own top-level modules."""

    def __post_init__(self) -> None:
        for name in ("uses", "leftovers", "unread"):
            object.__setattr__(self, name, tuple(sorted(set(getattr(self, name)))))

    def of(self, modules: Iterable[str]) -> tuple[Use, ...]:
        """Return the uses of these modules, by place."""
        sought = [SearchedModule(module=module) for module in modules]
        return tuple(use for use in self.uses if any(item.is_meant_by(use.module) for item in sought))

    def leftovers_of(self, modules: Iterable[str]) -> tuple[Leftover, ...]:
        """Return the leftovers of these modules, by place."""
        names = set(modules)
        return tuple(item for item in self.leftovers if item.module in names)

    def unread_for(self, modules: Iterable[str]) -> tuple[UnreadFile, ...]:
        """Return the unread files that may use one of these modules."""
        names = set(modules)
        return tuple(item for item in self.unread if not item.modules or names & set(item.modules))

    def answer(self, modules: Iterable[str]) -> Answer:
        """Return how certain it is that one of these modules is used."""
        modules = tuple(modules)
        uses = self.of(modules)
        if uses and self.own & {module.partition(".")[0] for module in modules}:
            return "own"
        found = {_answer(use) for use in uses}
        if self.unread_for(modules):
            found.add("unproven")
        return next((answer for answer in ANSWERS if answer in found), "unused")


def _answer(use: Use) -> Answer:
    if use.certainty == "string":
        return "string"
    if use.area != "sources":
        return use.area
    return "used" if use.certainty == "certain" else "conditional"


def _place(file: str, cell: int, line: int) -> str:
    return f"{file}: cell {cell}: line {line}" if cell else f"{file}:{line}"
