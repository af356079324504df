"""Reads out of source files what is imported at the moment when they are imported, without running any of it."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Iterator, Mapping

from envsmith.model.usage import Sought, Use
from envsmith.usage.syntax import called, children

_LATER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.GeneratorExp)
_BY_NAME = {"importlib.import_module", "import_module", "__import__"}


def at_import_time(sources: Mapping[str, bytes], modules: Collection[str]) -> tuple[Use, ...]:
    """Return where files import one of the modules as soon as they are imported themselves.

    An import inside a function, for type checkers, or guarded against the module's absence is none of these. A file
    that is no Python of this version is passed over: it could not be imported either.

    Args:
        sources: path → content.
        modules: names as imported.
    """
    sought = [Sought(module=module) for module in modules]
    tops = [item.top.encode() for item in sought]
    return tuple(
        use
        for path, content in sorted(sources.items())
        if any(top in content for top in tops)
        for use in _uses(path, content, sought)
    )


def _uses(path: str, content: bytes, sought: list[Sought]) -> Iterator[Use]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    lines: set[int] = set()
    for line, module, kind in sorted(_imports(tree)):
        if line not in lines and any(item.is_meant_by(module) for item in sought):
            lines.add(line)
            yield Use(file=path, line=line, module=module, kind=kind, certainty="certain")


def _imports(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Import):
            yield from ((node.lineno, item.name, "import") for item in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield from ((node.lineno, f"{node.module}.{item.name}", "import") for item in node.names)
        elif isinstance(node, ast.Call) and called(node.func, {}) in _BY_NAME and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield node.lineno, first.value, "import by name"
        stack += [
            item
            for item, is_conditional in children(node, is_conditional=False)
            if not is_conditional and not isinstance(item, _LATER)
        ]
