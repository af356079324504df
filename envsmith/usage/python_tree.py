"""Finds the way through a syntax tree: what runs only where a module is there, what a text is put into."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from envsmith.usage.syntax import called

_MISSING = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
_AVAILABLE = re.compile(r"available|installed|^has_|^_?HAS_|^_?HAVE_|find_spec")
_BLOCKS: Mapping[type[ast.AST], tuple[str, ...]] = {
    ast.Module: ("body",),
    ast.FunctionDef: ("body",),
    ast.AsyncFunctionDef: ("body",),
    ast.ClassDef: ("body",),
    ast.ExceptHandler: ("body",),
    ast.match_case: ("body",),
    ast.With: ("body",),
    ast.AsyncWith: ("body",),
    ast.If: ("body", "orelse"),
    ast.For: ("body", "orelse"),
    ast.AsyncFor: ("body", "orelse"),
    ast.While: ("body", "orelse"),
    ast.Try: ("body", "handlers", "orelse", "finalbody"),
    ast.TryStar: ("body", "handlers", "orelse", "finalbody"),
    ast.Match: ("cases",),
}
"""What holds statements → where it holds them."""
Node = tuple[ast.AST, bool]
"""A node, and whether it runs only where some module is there."""


def children(node: ast.AST, is_conditional: bool) -> Iterator[Node]:
    """Yield the nodes inside one, with whether they run only where a module is there."""
    guarded: tuple[str, ...] = ()
    if isinstance(node, (ast.Try, ast.TryStar)) and any(map(_catches, node.handlers)):
        guarded = ("body", "handlers", "orelse")
    elif isinstance(node, (ast.If, ast.IfExp)):
        guarded = _guarded(node.test)
    elif isinstance(node, (ast.With, ast.AsyncWith)) and any(map(_suppresses, node.items)):
        guarded = ("body",)
    for name, value in ast.iter_fields(node):
        inside = is_conditional or name in guarded
        for item in value if isinstance(value, list) else (value,):
            if isinstance(item, ast.AST):
                yield item, inside


def statements(tree: ast.Module) -> Iterator[ast.AST]:
    """Yield every statement, and what parts its blocks, without a look into expressions."""
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        yield node
        for name in _BLOCKS.get(type(node), ()):
            stack += getattr(node, name)


def way_to(constant: ast.Constant, tree: ast.AST) -> list[ast.AST]:
    """Return the nodes around a text, from the outermost in; a look is taken only into what spans its lines."""
    way: list[ast.AST] = []
    levels: list[Iterator[ast.AST]] = [iter((tree,))]
    while levels:
        node = next(levels[-1], None)
        if node is constant:
            break
        if node is None:
            levels.pop()
            del way[-1:]
        elif _spans(node, constant):
            way.append(node)
            levels.append(ast.iter_child_nodes(node))
    return way


def _spans(node: ast.AST, constant: ast.Constant) -> bool:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    first = min((item.lineno for item in decorators), default=getattr(node, "lineno", constant.lineno))
    return first <= constant.lineno <= (getattr(node, "end_lineno", None) or constant.lineno)


def carriers(constant: ast.Constant, tree: ast.AST) -> frozenset[str]:
    """Return the names by which a text gets elsewhere: of variables it is put into, of functions it is given to."""
    found: set[str] = set()
    for node in way_to(constant, tree):
        if isinstance(node, ast.Call):
            found.add(called(node.func, {}).rpartition(".")[2])
        elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                found |= _words(target)
    return frozenset(found - {""})


def _catches(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or bool(_MISSING & _words(handler.type))


def _suppresses(item: ast.withitem) -> bool:
    call = item.context_expr
    is_suppress = isinstance(call, ast.Call) and called(call.func, {}).rpartition(".")[2] == "suppress"
    return is_suppress and bool(_MISSING & _words(call))


def _guarded(test: ast.expr) -> tuple[str, ...]:
    words = _words(test)
    if "TYPE_CHECKING" in words:
        return ("orelse",) if isinstance(test, ast.UnaryOp) else ("body",)
    return ("body", "orelse") if any(_AVAILABLE.search(word) for word in words) else ()


def _words(node: ast.AST) -> set[str]:
    parts = list(ast.walk(node))
    names = {part.id for part in parts if isinstance(part, ast.Name)}
    return names | {part.attr for part in parts if isinstance(part, ast.Attribute)}
