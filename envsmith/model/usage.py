"""Usage: what a project's sources import, where, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

CERTAINTIES = ("certain", "conditional", "string")
"""Runs for sure once its place is reached · runs where the module is there, or for type checkers · a name in a text."""
AREAS = ("sources", "beside", "tests")
"""What the project ships · other code of its tree, such as scripts and notebooks · its tests."""
USE_KINDS = (
    "import",
    "import by name",
    "look-up",
    "lazy import",
    "entry point",
    "module run",
    "configuration",
    "text",
)
LEFTOVER_KINDS = ("warning filter", "logger", "comment", "requirement", "setting")
ANSWERS = ("used", "conditional", "beside", "tests", "string", "own", "unproven", "unused")
"""Surest first; only `unused` lets a package go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SoughtModule:
    """A module that is looked for."""

    module: str
    """As imported: ``torchvision``; dotted where several projects share a folder: ``google.cloud.speech``."""
    messages: tuple[str, ...] = ()
    """Beginnings of warnings that only this module gives, by which filters of them are known."""
    projects: tuple[str, ...] = ()
    """Names of its project that are not the module's own: ``scikit-learn``. Who asks for it writes these."""

    @property
    def top(self) -> str:
        """The name before the first dot."""
        return self.module.partition(".")[0]

    def is_meant_by(self, module: str) -> bool:
        """Say whether importing a dotted name may bring this module in: the name is its own, or of what holds it."""
        return _is_within(module, self.module) or _is_within(self.module, module)


def _is_within(module: str, outer: str) -> bool:
    return module == outer or module.startswith(f"{outer}.")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Use:
    """One place that uses a module."""

    file: str
    """Relative to the project's root, with ``/``."""
    cell: int = 0
    """Of a notebook, counted from 1."""
    line: int
    """Counted from 1; in a notebook within the cell."""
    module: str
    """As far as it is written there: ``torchvision.transforms.Compose``."""
    kind: str
    """One of USE_KINDS."""
    certainty: str
    """One of CERTAINTIES."""
    area: str = "sources"
    """One of AREAS."""

    @property
    def is_test(self) -> bool:
        """True where only the project's tests need it."""
        return self.area == "tests"

    @property
    def place(self) -> str:
        """``src/io.py:14``, ``plots.ipynb: cell 3: line 2``."""
        return _place(self.file, self.cell, self.line)

    def to_json(self) -> dict[str, object]:
        """Return the use as plain values."""
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
    """A line that speaks of a module without using it, and can go with it."""

    file: str
    cell: int = 0
    line: int
    module: str
    kind: str
    """One of LEFTOVER_KINDS."""
    text: str
    """The line itself, without indent."""

    @property
    def place(self) -> str:
        """``src/main.py:5``."""
        return _place(self.file, self.cell, self.line)

    def to_json(self) -> dict[str, object]:
        """Return the leftover as plain values."""
        values = {"module": self.module, "file": self.file, "cell": self.cell or None, "line": self.line}
        return {**values, "kind": self.kind, "text": self.text}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class UnreadFile:
    """A file that could not be read as what it should be."""

    file: str
    reason: str
    modules: tuple[str, ...] = ()
    """Those sought whose names stand in it; none where not even that is known, so that it may be any."""

    def to_json(self) -> dict[str, object]:
        """Return it as plain values."""
        return {"file": self.file, "reason": self.reason, "modules": list(self.modules)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """All that a project's files say of the modules that were sought."""

    uses: tuple[Use, ...] = ()
    leftovers: tuple[Leftover, ...] = ()
    unread: tuple[UnreadFile, ...] = ()
    files_read: int = 0
    """Files looked through, those without any of the names included."""
    own: frozenset[str] = field(default_factory=frozenset)
    """Top-level modules of the project itself."""

    def __post_init__(self) -> None:
        for name in ("uses", "leftovers", "unread"):
            object.__setattr__(self, name, tuple(sorted(set(getattr(self, name)))))

    def of(self, modules: Iterable[str]) -> tuple[Use, ...]:
        """Return the uses of any of these modules, by place."""
        sought = [SoughtModule(module=module) for module in modules]
        return tuple(use for use in self.uses if any(item.is_meant_by(use.module) for item in sought))

    def leftovers_of(self, modules: Iterable[str]) -> tuple[Leftover, ...]:
        """Return the leftovers of any of these modules, by place."""
        names = set(modules)
        return tuple(item for item in self.leftovers if item.module in names)

    def unread_for(self, modules: Iterable[str]) -> tuple[UnreadFile, ...]:
        """Return the unread files in which one of these modules may be used."""
        names = set(modules)
        return tuple(item for item in self.unread if not item.modules or names & set(item.modules))

    def answer(self, modules: Iterable[str]) -> str:
        """Say how sure it is that one of these modules is used: one of ANSWERS."""
        modules = tuple(modules)
        uses = self.of(modules)
        if uses and self.own & {module.partition(".")[0] for module in modules}:
            return "own"
        found = {_answer(use) for use in uses}
        if self.unread_for(modules):
            found.add("unproven")
        return next((answer for answer in ANSWERS if answer in found), "unused")


def _answer(use: Use) -> str:
    if use.certainty == "string":
        return "string"
    if use.area != "sources":
        return use.area
    return "used" if use.certainty == "certain" else "conditional"


def _place(file: str, cell: int, line: int) -> str:
    return f"{file}: cell {cell}: line {line}" if cell else f"{file}:{line}"
