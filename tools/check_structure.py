"""Check the structure of the package against its budgets: folders, files, functions, names.

Usage::

    python tools/check_structure.py            figures, and what exceeds a budget; exit code 1 if anything does
    python tools/check_structure.py FOLDER     the same for a package in another checkout
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
MOST_MODULES = 16
MOST_MODULES_BY_FOLDER = {"runtime": 20}
MOST_FOLDER_LINES = 3_500
MOST_FILE_LINES = 600
FEWEST_FILE_LINES = 60
MOST_FUNCTION_LINES = 50
MOST_MEDIAN_LINES = 10
MOST_TOP_LEVEL_NAMES = 35
# These say nothing about what is inside.
EMPTY_NAMES = {"utils", "util", "helpers", "common", "core", "misc", "base", "lib"}
# File names that say a role inside their package, and so may stand in several.
ROLES = {"__init__", "__main__", "cli", "fix_cli", "model", "options", "output", "ports", "request", "rules"}
# Modules below FEWEST_FILE_LINES, each with the reason why it is a file of its own.
SMALL = {
    "__init__.py": "the version, read without importing anything",
    "cli/parent_folder.py": "imported only when a command failed",
    "console/streams.py": "start-up path: no other import",
    "files/cache_dir.py": "start-up path: no other import",
    "lock/inputs/recorded_models.py": "used by lock, lock --check and verify, which share nothing else",
    "lockfile/__init__.py": "name of the lock folders, on the start-up path of `run`",
    "install/smoke_tests.py": "found by its name: the tests that decide on a new environment",
    "install/trust.py": "trust in commands, apart from that in builds, which locking needs",
    "lockfile/toml_text.py": "used by the pylock and the manifest, which is on the start-up path of `run`",
    "model/progress.py": "protocol between the engines and the console",
    "process/replace.py": "start-up path of `envsmith run`",
    "runtime/probe_compile.py": "run by a child process under its file name",
    "runtime/probe_opencv.py": "run by a child process under its file name",
    "templates/__init__.py": "reads the templates beside it",
}


@dataclass(frozen=True)
class Module:
    """One source file of the package."""

    place: str
    """Path relative to the package, with slashes."""
    text: str

    @property
    def lines(self) -> int:
        """Number of lines."""
        return len(self.text.splitlines())

    @property
    def stem(self) -> str:
        """File name without its ending."""
        return Path(self.place).stem

    @property
    def folder(self) -> str:
        """Folder relative to the package; empty for the package itself."""
        return "/".join(self.place.split("/")[:-1])

    @cached_property
    def tree(self) -> ast.Module:
        """Syntax tree."""
        return ast.parse(self.text)

    @property
    def is_bare(self) -> bool:
        """Whether the file holds a docstring at most, as the ``__init__.py`` of most packages."""
        return all(isinstance(node, ast.Expr) for node in self.tree.body)

    def functions(self) -> Iterator[tuple[str, int]]:
        """Yield name and number of lines of each function, without its docstring."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node.name, _lines(node)

    def classes(self) -> Iterator[str]:
        """Yield the names of its classes."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ClassDef):
                yield node.name


def read_modules(package: Path) -> list[Module]:
    """Read all modules of a package, in the order of their paths."""
    return [
        Module(path.relative_to(package).as_posix(), path.read_text("utf-8"))
        for path in sorted(package.rglob("*.py"))
    ]


def problems(modules: list[Module]) -> list[str]:
    """Return one line for each budget that is exceeded, empty if all hold."""
    return [
        *_folder_problems(modules),
        *_file_problems(modules),
        *_function_problems(modules),
        *_name_problems(modules),
    ]


def figures(modules: list[Module]) -> list[str]:
    """Return the lines of the summary."""
    folders = _by_folder(modules)
    fullest = max(folders, key=lambda name: len(folders[name]))
    largest = max(modules, key=lambda module: module.lines)
    sizes = [size for module in modules for _, size in module.functions()] or [0]
    return [
        f"modules           {len(modules)} in {len(folders)} folders",
        f"source lines      {sum(module.lines for module in modules):,}",
        f"fullest folder    {fullest or '.'} ({len(folders[fullest])} modules)",
        f"largest file      {largest.place} ({largest.lines} lines)",
        f"small files       {sum(_is_small(module) for module in modules)} below {FEWEST_FILE_LINES} lines",
        f"functions         {len(sizes):,}, median {median(sizes):g} lines, longest {max(sizes)}",
    ]


def _folder_problems(modules: list[Module]) -> Iterator[str]:
    for name, held in _by_folder(modules).items():
        most = MOST_MODULES_BY_FOLDER.get(name, MOST_MODULES)
        if len(held) > most:
            yield f"{name}: {len(held)} modules, at most {most}: split the package or merge modules"
        lines = sum(module.lines for module in held)
        if lines > MOST_FOLDER_LINES:
            yield f"{name}: {lines:,} lines, at most {MOST_FOLDER_LINES:,}"
    top = {module.place.split("/")[0] for module in modules}
    if len(top) > MOST_TOP_LEVEL_NAMES:
        yield f"{len(top)} names at the top level, at most {MOST_TOP_LEVEL_NAMES}"


def _file_problems(modules: list[Module]) -> Iterator[str]:
    for module in modules:
        if module.lines > MOST_FILE_LINES:
            yield f"{module.place}: {module.lines} lines, at most {MOST_FILE_LINES}: split it"
        if _is_small(module) and module.place not in SMALL:
            yield f"{module.place}: {module.lines} lines: merge it, or give a reason in SMALL"
    small = {module.place for module in modules if _is_small(module)}
    for place in sorted(set(SMALL) - small):
        yield f"{place}: has a reason to be small in SMALL, and is not a small module"


def _function_problems(modules: list[Module]) -> Iterator[str]:
    for module in modules:
        for name, size in module.functions():
            if size > MOST_FUNCTION_LINES:
                yield f"{module.place}: {name} has {size} lines, at most {MOST_FUNCTION_LINES}: split it"
    middle = median([size for module in modules for _, size in module.functions()] or [0])
    if middle > MOST_MEDIAN_LINES:
        yield f"functions have {middle:g} lines in the median, at most {MOST_MEDIAN_LINES}"


def _name_problems(modules: list[Module]) -> Iterator[str]:
    classes: dict[str, list[str]] = defaultdict(list)
    stems: dict[str, list[str]] = defaultdict(list)
    for module in modules:
        if module.stem in EMPTY_NAMES:
            yield f"{module.place}: the name says nothing about its content"
        if module.stem not in ROLES:
            stems[module.stem].append(module.place)
        for name in module.classes():
            classes[name].append(module.place)
    for name, places in sorted(classes.items()):
        if len(places) > 1:
            yield f"class {name} is defined {len(places)} times: {', '.join(places)}"
    for name, places in sorted(stems.items()):
        if len(places) > 1:
            yield f"module name {name} is used {len(places)} times: {', '.join(places)}"


def _by_folder(modules: list[Module]) -> dict[str, list[Module]]:
    found: dict[str, list[Module]] = defaultdict(list)
    for module in modules:
        found[module.folder].append(module)
    return found


def _is_small(module: Module) -> bool:
    return module.lines < FEWEST_FILE_LINES and not module.is_bare


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = function.body[0]
    documented = ast.get_docstring(function) is not None and first.end_lineno is not None
    text = first.end_lineno - first.lineno + 1 if documented and first.end_lineno else 0
    return (function.end_lineno or function.lineno) - function.lineno + 1 - text


def main(arguments: list[str]) -> int:
    """Print the figures and the problems."""
    modules = read_modules(Path(arguments[0]) if arguments else ROOT / "envsmith")
    print("\n".join(figures(modules)))
    found = problems(modules)
    if found:
        print("\n".join(["", *found]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
