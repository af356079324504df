"""Readers of Python source: imports, lookups and names, by syntax tree or, for long files, by lines."""

from __future__ import annotations

import ast
import re
import warnings
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping

from envsmith.model.usage import Certainty, LeftoverKind, SearchedModule, Use, UseKind
from envsmith.usage.module_matcher import FileUsage, ModuleMatcher
from envsmith.usage.syntax import (
    EXECUTED,
    EXECUTED_CODE,
    IMPORTER_MODULES,
    LEFTOVER_CALLS,
    Node,
    called,
    carriers,
    children,
    leading_text,
    statements,
    text_of,
    texts_in,
    use_kind_of,
)

_NEED = re.compile(r"\b(?:need|requir|depend|wants?\b|must)", re.IGNORECASE)
_CIMPORT = re.compile(r"^\s*(?:from\s+([\w.]+)\s+)?cimport\s+([\w.]+)")
_ENTRY = re.compile(r"^[ \t]*[\w.-]+[ \t]*=[ \t]*([A-Za-z_][\w.]*):[\w.]+", re.MULTILINE)
_LATER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.GeneratorExp)
_BY_NAME = {"importlib.import_module", "import_module", "__import__"}


def lines_of(text: str) -> list[str]:
    """Split text at Python's line ends: str.splitlines also splits at others, which shifts line numbers."""
    return _plain_ends(text).split("\n")


def _plain_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def lines_with(words: Iterable[str], text: str) -> list[int]:
    """Return the numbers of the lines that contain one of the words, in order."""
    text = _plain_ends(text)
    numbers: list[int] = []
    number, place = 1, 0
    for offset in sorted(offset for word in words for offset in _offsets(word, text)):
        number += text.count("\n", place, offset)
        place = offset
        numbers.append(number)
    return list(dict.fromkeys(numbers))


def _offsets(word: str, text: str) -> Iterator[int]:
    offset = text.find(word)
    while offset >= 0:
        yield offset
        offset = text.find(word, offset + 1)


def read_comments(lines: list[str], numbers: Iterable[int], names: ModuleMatcher, usage: FileUsage) -> None:
    """Record the comments that claim a need of a searched module, among the given lines."""
    for number in numbers:
        _, mark, comment = lines[number - 1].partition("#")
        for module in names.by_word(comment) if mark and _NEED.search(comment) else ():
            usage.leftover(module, number, "comment", lines[number - 1])


def read_long(text: str, names: ModuleMatcher, usage: FileUsage) -> None:
    """Record the imports and names in lines: for code too long to parse, or in another language."""
    lines = lines_of(text)
    numbers = lines_with(names.words, text)
    for number in numbers:
        code = lines[number - 1].partition("#")[0]
        match = _CIMPORT.match(code)
        candidates = [*(module for module, _ in names.in_code(code)), *(match.groups("") if match else ())]
        found = [module for module in dict.fromkeys(candidates) if names.means(module)]
        for module in found:
            usage.use(module, number, "import", "certain")
        for word in () if found else names.in_words(code):
            usage.use(word[0], number, "text", "string")
    read_comments(lines, numbers, names, usage)


def read_python(source: bytes | str, names: ModuleMatcher, usage: FileUsage) -> None:
    """Record every use of the searched modules, and the lines that only mention them.

    Args:
        source: a file's bytes, encoded per PEP 263, or its text.
        names: the searched modules.
        usage: receives the uses.

    Raises:
        SyntaxError: when it is not valid Python, or its encoding is wrong.
        ValueError: when it contains null bytes.
        RecursionError: when it nests too deeply, or MemoryError.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(source)
    text = source if isinstance(source, str) else source.decode("utf-8", "replace")
    lines = lines_of(text)
    read_comments(lines, lines_with(names.words, text), names, usage)
    _Walk(tree, lines, names, usage).walk()


class _Walk:
    """Non-recursive walk over a syntax tree: generated code nests deeper than Python's stack.

    Skips statements whose lines contain no searched name, which are most.
    """

    def __init__(self, tree: ast.Module, lines: list[str], names: ModuleMatcher, usage: FileUsage) -> None:
        self._tree = tree
        self._lines = lines
        self._names = names
        self._gathered = usage
        self._aliases: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        self._seen: set[tuple[str, int]] = set()
        self._bare: list[tuple[ast.Constant, str]] = []
        self._is_setup = usage.file.rpartition("/")[2] == "setup.py"
        self._learn()
        self._hits = lines_with((*names.words, *self._texts), "\n".join(lines))

    def walk(self) -> None:
        stack: list[Node] = [(self._tree, False)]
        while stack:
            node, is_conditional = stack.pop()
            stack += self._inside(node, is_conditional)
        for constant, module in self._bare:
            self._gathered.bare_text(module, constant.lineno, carriers(constant, self._tree))

    def _learn(self) -> None:
        """Record import aliases and names bound once to a string."""
        for node in statements(self._tree):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                self._aliases |= {item.asname: item.name for item in node.names if item.asname}
                module = node.module if isinstance(node, ast.ImportFrom) else None
                if module and IMPORTER_MODULES.fullmatch(module):
                    self._aliases |= {
                        item.asname or item.name: f"{module}.{item.name}" for item in node.names
                    }
            elif isinstance(node, ast.Assign):
                self._learn_value(node)

    def _learn_value(self, node: ast.Assign) -> None:
        targets = [target.id for target in node.targets if isinstance(target, ast.Name)]
        if isinstance(node.value, (ast.Name, ast.Attribute)):
            name = called(node.value, self._aliases)
            self._aliases |= dict.fromkeys(targets, name) if use_kind_of(name) else {}
        elif self._module(text := leading_text(node.value)):
            self._texts |= dict.fromkeys(targets, text)

    def _module(self, text: str) -> str | None:
        return self._names.in_path(text) or self._names.in_requirement(text) if text else None

    def _is_passed_over(self, node: ast.AST) -> bool:
        if not isinstance(node, ast.stmt):
            return False
        decorators: list[ast.expr] = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(item.lineno for item in decorators)])
        place = bisect_left(self._hits, first)
        return place == len(self._hits) or self._hits[place] > (node.end_lineno or node.lineno)

    def _inside(self, node: ast.AST, is_conditional: bool) -> list[Node]:
        """Record the uses of a node, and return its children still to be read."""
        if self._is_passed_over(node):
            return []
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            self._import(node, is_conditional)
            return []
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return []  # a docstring has no effect
        if isinstance(node, ast.Constant):
            self._text(node)
            return []
        if isinstance(node, ast.Call):
            return self._call(node, is_conditional)
        if isinstance(node, (ast.List, ast.Tuple)):
            self._list(node.elts)
        elif isinstance(node, ast.Subscript):
            self._subscript(node)
        return list(children(node, is_conditional))

    def _import(self, node: ast.Import | ast.ImportFrom, is_conditional: bool) -> None:
        if isinstance(node, ast.ImportFrom):
            if node.level or not node.module:
                return
            modules = [
                node.module if item.name == "*" else f"{node.module}.{item.name}" for item in node.names
            ]
        else:
            modules = [item.name for item in node.names]
        for module in modules:
            self._use(module, node.lineno, "import", "conditional" if is_conditional else "certain")

    def _call(self, node: ast.Call, is_conditional: bool) -> list[Node]:
        name = called(node.func, self._aliases)
        last = name.rpartition(".")[2]
        if kind := LEFTOVER_CALLS.get(last):
            self._leftover(node, kind)
            return []
        if self._is_setup and last == "setup":
            return self._setup(node, is_conditional)
        self._list(node.args)
        if last in ("split", "splitlines") and isinstance(node.func, ast.Attribute):
            self._words(node.func.value)
        found = EXECUTED_CODE if name in EXECUTED else use_kind_of(name)
        rest: list[ast.AST] = list(ast.iter_child_nodes(node))
        if found:
            for part in (*node.args, *(item.value for item in node.keywords)):
                if self._named(part, node, found, is_conditional):
                    rest = [item for item in rest if item is not part]
                for text in texts_in(part):
                    self._inner(text, found, is_conditional, is_code=name in EXECUTED)
        return [(item, is_conditional) for item in rest]

    def _inner(
        self, node: ast.Constant, found: tuple[UseKind, Certainty], is_conditional: bool, *, is_code: bool
    ) -> None:
        """Record a module named anywhere in a call's argument: in a list, a conditional, or code."""
        text = text_of(node)
        module = self._names.in_path(text)
        modules = [module] if module else [match[0] for match in self._names.in_words(text) if is_code]
        for name in modules:
            self._use(name, node.lineno, found[0], "conditional" if is_conditional else found[1])

    def _words(self, node: ast.expr) -> None:
        """Record the modules listed in a string, as in ``"torch torchvision".split()``."""
        for word in re.findall(r"[\w.]+", leading_text(node)):
            if isinstance(node, ast.Constant) and self._names.in_path(word):
                self._bare.append((node, word))

    def _subscript(self, node: ast.Subscript) -> None:
        """Record ``sys.modules["torchvision"]``, which fails unless another import came first."""
        is_read = isinstance(node.ctx, ast.Load) and called(node.value, self._aliases).endswith("sys.modules")
        if is_read and (module := self._names.in_path(leading_text(node.slice))):
            self._use(module, node.lineno, "look-up", "conditional")

    def _named(
        self, part: ast.AST, node: ast.Call, found: tuple[UseKind, Certainty], is_conditional: bool
    ) -> bool:
        """Record a module that a call names by a string, however the string is composed."""
        text = self._texts.get(part.id, "") if isinstance(part, ast.Name) else leading_text(part)
        module = self._module(text)
        modules = [module] if module else [name for name, _ in self._names.in_code(text)]
        kind, certainty = found
        for name in modules:
            self._use(name, node.lineno, kind, "conditional" if is_conditional else certainty)
        return bool(modules)

    def _setup(self, node: ast.Call, is_conditional: bool) -> list[Node]:
        """Read setup(): its requirements are leftovers, all else may be a use."""
        rest: list[Node] = []
        for item in node.keywords:
            if item.arg and item.arg.endswith(("_requires", "_require")):
                self._leftover(item.value, "requirement")
            elif item.arg == "entry_points":
                self._entry_points(item.value)
            else:
                rest.append((item.value, is_conditional))
        return [*rest, *((part, is_conditional) for part in node.args)]

    def _entry_points(self, node: ast.AST) -> None:
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                module = self._names.in_path(part.value.rpartition("=")[2].partition("[")[0].strip())
                if module:
                    self._use(module, part.lineno, "entry point", "certain")

    def _leftover(self, node: ast.AST, kind: LeftoverKind) -> None:
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                for module in self._names.by_word(part.value):
                    self._gathered.leftover(module, part.lineno, kind, self._lines[part.lineno - 1])

    def _text(self, node: ast.Constant) -> None:
        if not isinstance(node.value, str):
            return
        required = self._names.in_requirement(node.value)
        module = self._names.in_path(node.value) or required
        if required and self._is_setup:
            self._gathered.leftover(required, node.lineno, "requirement", self._lines[node.lineno - 1])
        elif module and (required or module == node.value) and "." not in module:
            self._bare.append((node, module))
        elif module:
            self._use(module, node.lineno, "text", "string")
        for match in _ENTRY.finditer(node.value):
            if self._names.means(match[1]):
                self._use(match[1], node.lineno, "entry point", "string")
        for name, offset in self._names.in_code(node.value):
            self._use(name, node.lineno + offset, "text", "string")

    def _list(self, parts: list[ast.expr]) -> None:
        """Read a command given as a list: ``[sys.executable, "-m", "torchvision"]``."""
        words = [item.value if isinstance(item, ast.Constant) else None for item in parts]
        for number, word in enumerate(words[1:], 1):
            module = (
                self._names.in_path(word) if isinstance(word, str) and words[number - 1] == "-m" else None
            )
            if module:
                self._use(module, parts[number].lineno, "module run", "certain")

    def _use(self, module: str, line: int, kind: UseKind, certainty: Certainty) -> None:
        if self._names.means(module) and (module, line) not in self._seen:
            self._seen.add((module, line))
            self._gathered.use(module, line, kind, certainty)


def at_import_time(sources: Mapping[str, bytes], modules: Collection[str]) -> tuple[Use, ...]:
    """Return the places that import one of the modules as soon as their file is imported.

    Excludes imports inside functions, for type checkers, or guarded against absence. Skips files that are not valid
    Python of this version: they cannot be imported either.

    Args:
        sources: path → content.
        modules: import names.
    """
    sought = [SearchedModule(module=module) for module in modules]
    tops = [item.top.encode() for item in sought]
    return tuple(
        use
        for path, content in sorted(sources.items())
        if any(top in content for top in tops)
        for use in _uses(path, content, sought)
    )


def _uses(path: str, content: bytes, sought: list[SearchedModule]) -> Iterator[Use]:
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


def _imports(tree: ast.Module) -> Iterator[tuple[int, str, UseKind]]:
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
