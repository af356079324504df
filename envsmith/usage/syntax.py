"""Calls that bring a module in by its name, and the texts they are given."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

CALLS: Mapping[str, tuple[str, str]] = {
    "import_module": ("import by name", "certain"),
    "__import__": ("import by name", "certain"),
    "run_module": ("module run", "certain"),
    "_run_module_as_main": ("module run", "certain"),
    "resolve_name": ("import by name", "certain"),
    "import_string": ("import by name", "certain"),
    "locate": ("import by name", "certain"),
    "import_object": ("import by name", "certain"),
    "EntryPoint": ("entry point", "certain"),
    "files": ("look-up", "certain"),  # of importlib.resources, as are the next two
    "open_text": ("look-up", "certain"),
    "open_binary": ("look-up", "certain"),
    "get_data": ("look-up", "certain"),
    "resource_filename": ("look-up", "certain"),
    "resource_string": ("look-up", "certain"),
    "resource_stream": ("look-up", "certain"),
    "find_spec": ("look-up", "conditional"),
    "find_loader": ("look-up", "conditional"),
    "find_module": ("look-up", "conditional"),
    "importorskip": ("look-up", "conditional"),
    "import_or_skip": ("look-up", "conditional"),
    "try_import": ("look-up", "conditional"),
    "safe_import": ("look-up", "conditional"),
    "version": ("look-up", "conditional"),
    "distribution": ("look-up", "conditional"),
    "get_distribution": ("look-up", "conditional"),
    "requires": ("look-up", "conditional"),
    "require": ("look-up", "conditional"),
    "require_version": ("look-up", "conditional"),
    "requires_backends": ("look-up", "conditional"),
    "RequirementCache": ("look-up", "conditional"),
    "ModuleAvailableCache": ("look-up", "conditional"),
}
"""Last name of a call → what it does with a module's name, and how sure that is."""

EXECUTED = {f"{prefix}{name}" for prefix in ("", "builtins.") for name in ("exec", "eval", "compile")}
"""Calls that run code given as a text."""
LAZY = (
    (re.compile("lazy", re.IGNORECASE), ("lazy import", "certain")),
    (re.compile(r"available|optional|has_module|is_installed"), ("look-up", "conditional")),
    (re.compile(r"^(?:importlib|pkgutil|pkg_resources|runpy|imp)\w*\."), ("look-up", "conditional")),
    (
        re.compile(r"(?:^|[._])(?:\w*import|load_?modules?|\w*depend)\w*(?<!Error)$"),
        ("look-up", "conditional"),
    ),
)
"""Calls known by what their names say, and what they do with a module's name."""
BRINGERS = re.compile(r"(?:importlib|pkgutil|pkg_resources|runpy|imp)\w*(?:\..*)?")
"""Modules all of whose functions take names of modules."""

NOTED: Mapping[str, str] = {
    "filterwarnings": "warning filter",
    "simplefilter": "warning filter",
    "getLogger": "logger",
    "get_logger": "logger",
}
"""Last name of a call that speaks of a module without needing it → kind of leftover."""


def way_of(name: str) -> tuple[str, str] | None:
    """Return what a call of this dotted name does with a module's name, and how sure that is; None where nothing."""
    known = CALLS.get(name.rpartition(".")[2])
    return known or next((way for mark, way in LAZY if mark.search(name)), None)


def texts_in(node: ast.AST) -> Iterator[ast.Constant]:
    """Yield the texts within an expression."""
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, (str, bytes)):
            yield part


def text_of(node: ast.Constant) -> str:
    """Return a text, that of bytes included."""
    return node.value.decode("utf-8", "replace") if isinstance(node.value, bytes) else str(node.value)


def called(function: ast.expr, aliases: Mapping[str, str]) -> str:
    """Return the dotted name of what is called, imported names put back: ``importlib.import_module``."""
    parts: list[str] = []
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    if isinstance(function, ast.Name):
        parts.append(aliases.get(function.id, function.id))
    return ".".join(reversed(parts))


def leading_text(node: ast.AST) -> str:
    """Return the text an expression begins with, whatever is put into or after it; empty where that is unknown."""
    while True:
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, str) else ""
        if isinstance(node, ast.BinOp):
            node = node.left
        elif isinstance(node, ast.JoinedStr) and node.values:
            node = node.values[0]
        elif (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format"
        ):
            node = node.func.value
        else:
            return ""
