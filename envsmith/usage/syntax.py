"""Syntax-tree rules for imports by name: import functions, conditional code, and strings passed to them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from envsmith.model.usage import Certainty, LeftoverKind, Use, UseKind
from envsmith.usage.module_matcher import BareWordText
from envsmith.usage.parallel import parallel_map

CALLS: Mapping[str, tuple[UseKind, Certainty]] = {
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
"""Last name of a called function → kind of use and certainty."""

EXECUTED_CODE: tuple[UseKind, Certainty] = ("import by name", "certain")
EXECUTED = {f"{prefix}{name}" for prefix in ("", "builtins.") for name in ("exec", "eval", "compile")}
"""Calls that run code given as a string."""
LAZY: tuple[tuple[re.Pattern[str], tuple[UseKind, Certainty]], ...] = (
    (re.compile("lazy", re.IGNORECASE), ("lazy import", "certain")),
    (re.compile(r"available|optional|has_module|is_installed"), ("look-up", "conditional")),
    (re.compile(r"^(?:importlib|pkgutil|pkg_resources|runpy|imp)\w*\."), ("look-up", "conditional")),
    (
        re.compile(r"(?:^|[._])(?:\w*import|load_?modules?|\w*depend)\w*(?<!Error)$"),
        ("look-up", "conditional"),
    ),
)
"""Patterns of function names that import lazily → kind of use and certainty."""
IMPORTER_MODULES = re.compile(r"(?:importlib|pkgutil|pkg_resources|runpy|imp)\w*(?:\..*)?")
"""Modules all of whose functions take module names."""

LEFTOVER_CALLS: Mapping[str, LeftoverKind] = {
    "filterwarnings": "warning filter",
    "simplefilter": "warning filter",
    "getLogger": "logger",
    "get_logger": "logger",
}
"""Last name of a call that mentions a module without needing it → leftover kind."""
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
"""Node type → its fields that contain statements."""
Node = tuple[ast.AST, bool]
"""A node, and whether it runs only if some module is installed."""
_IMPORTERS = (
    b"import_module",
    b"__import__",
    b"import_string",
    b"find_spec",
    b"resolve_name",
    b"run_module",
    b"LazyLoader",
)
# Files that import modules by computed names contain a call of one of these whose argument is not a literal, or one of
# these as a string, for getattr.
_COMPUTED = re.compile(
    rb"(?:" + b"|".join(_IMPORTERS) + rb")"
    rb"(?:\s*\((?!\s*[\"'][^\"'\n]*[\"']\s*[,)])|\s*[,)]|[\"']|\s+as\b)"
    # The function itself bound to another name.
    rb"|(?:=|\breturn|\bor|\belse)\s*[\w.]*(?:import_module|__import__)\b(?!\s*\()"
)
_WORD = re.compile(r"[A-Za-z_]\w*")
_READ_BY_OTHERS = {"INSTALLED_APPS", "MIDDLEWARE", "extensions", "pytest_plugins", "hiddenimports"}
"""Variables whose strings a framework imports."""


def use_kind_of(name: str) -> tuple[UseKind, Certainty] | None:
    """Return kind of use and certainty for a called function's dotted name; None if it takes no module name."""
    known = CALLS.get(name.rpartition(".")[2])
    return known or next((way for mark, way in LAZY if mark.search(name)), None)


def texts_in(node: ast.AST) -> Iterator[ast.Constant]:
    """Yield the strings within an expression."""
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, (str, bytes)):
            yield part


def text_of(node: ast.Constant) -> str:
    """Return a constant's text; bytes are decoded."""
    return node.value.decode("utf-8", "replace") if isinstance(node.value, bytes) else str(node.value)


def called(function: ast.expr, aliases: Mapping[str, str]) -> str:
    """Return the dotted name of a called function with aliases resolved: ``importlib.import_module``."""
    parts: list[str] = []
    while isinstance(function, ast.Attribute):
        parts.append(function.attr)
        function = function.value
    if isinstance(function, ast.Name):
        parts.append(aliases.get(function.id, function.id))
    return ".".join(reversed(parts))


def leading_text(node: ast.AST) -> str:
    """Return the literal prefix of a string expression; empty if unknown."""
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


def children(node: ast.AST, is_conditional: bool) -> Iterator[Node]:
    """Yield a node's children, each with whether it runs only if a module is installed."""
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
    """Yield every statement and block, without descending into expressions."""
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        yield node
        for name in _BLOCKS.get(type(node), ()):
            stack += getattr(node, name)


def ancestors(constant: ast.Constant, tree: ast.AST) -> list[ast.AST]:
    """Return the ancestors of a string, outermost first; descends only into nodes that span its lines."""
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
    """Return the names that receive a string: variables it is assigned to, functions it is passed to."""
    found: set[str] = set()
    for node in ancestors(constant, tree):
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


def computed_uses(bare: Sequence[BareWordText], code: Mapping[str, str]) -> Iterator[Use]:
    """Yield the strings that may be imported: by their own file, or by one that refers to a carrier of the string.

    Args:
        bare: strings that equal a module's name.
        code: name → path of the code files; read again only if there is such a string, which is rare.
    """
    open_ones = [text for text in bare if not text.carriers & _READ_BY_OTHERS]
    importing = _importing(code, open_ones) if open_ones else {}
    carried = {word for words in importing.values() for word in words}
    for text in bare:
        if text.carriers & _READ_BY_OTHERS or text.use.file in importing or text.carriers & carried:
            yield text.use


def _importing(code: Mapping[str, str], bare: Iterable[BareWordText]) -> dict[str, set[str]]:
    """Return the files that import modules by computed names, each with the carriers it mentions.

    Reads only files that contain one of the strings or mention a carrier.
    """
    own = {text.use.file for text in bare}
    carriers = {word for text in bare for word in text.carriers}

    def known(files: Iterable[tuple[str, str]]) -> list[set[str] | None]:
        return [_carriers(path, carriers, is_own=name in own) for name, path in files]

    found = parallel_map(known, list(code.items()))
    return {name: words for name, words in zip(code, found, strict=True) if words is not None}


def _carriers(path: str, carriers: set[str], *, is_own: bool) -> set[str] | None:
    """Return the carriers that a file mentions; None if it imports nothing by a computed name."""
    try:
        with open(path, "rb", buffering=0) as stream:  # noqa: PTH123 - a Path for each takes its time
            data = stream.read()
    except OSError:
        return None
    # The cheaper search comes first.
    if not is_own and len(carriers) < len(_IMPORTERS) and not any(word.encode() in data for word in carriers):
        return None
    if not any(word in data for word in _IMPORTERS) or not _COMPUTED.search(data):
        return None
    return carriers.intersection(_WORD.findall(data.decode("utf-8", "replace")))
