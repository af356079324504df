"""Word checks: plain English and the field's terms in docstrings, messages, help texts and docs.

    python tools/check_words.py                   figures per rule and per folder
    python tools/check_words.py --list [FOLDER]   the places, of one folder or of all
    python tools/check_words.py --check           exit with 1 if a figure is over its limit

Rules and limits:

    what      "what" at most twice per 1,000 docstring words of `envsmith/`
    clause    at most 10 % of the modules' first lines with a what/that/which/who/where/how/why clause
    is-no     no message of the form "x is no y"
    private   no private word (see PRIVATE) in messages, help texts and docs
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOST_WHAT = 2.0  # per 1,000 docstring words
MOST_CLAUSES = 0.10  # of the modules' first lines
RULES = ("what", "clause", "is-no", "private")

WORD = re.compile(r"[A-Za-z]+(?:['-][A-Za-z]+)*")
WHAT = re.compile(r"\bwhat\b", re.IGNORECASE)
CLAUSE = re.compile(r"\b(?:what|that|which|who|whose|where|how|why)\b", re.IGNORECASE)
# "x is no y", "there are no z"; not "is no longer", "is no newer than", nor "the answer is no".
IS_NO = re.compile(
    r"\b(?:is|are|was|were) no\s+(?!longer\b|\w+er than\b|more than\b|less than\b)[\w'\"`{]", re.IGNORECASE
)

# Private word → pattern of its forms. Each is looked for as a word of its own: not inside a path, an option or a
# hyphenated name (`.envsmith/aside/`, `allow-overlap`, `torch-family`).
PRIVATE = {
    "cure": r"(?:in)?cur(?:e|es|ed|ing|able)",
    "sick": r"sick",
    "proved": r"(?:un)?prov(?:e|es|ed|en|ing)",
    "true": r"(?:true (?:environment|install|lock|lockfile|pytorch|wheel)s?"
    r"|(?:environment|install|lock|lockfile)s? (?:is|are|stays?|remains?|kept) (?:really )?true)",
    "row": r"rows?",
    "family": r"(?<!torch )(?<!torch's )famil(?:y|ies)",
    "lent": r"len(?:t|d|ds|ding)",
    "heard": r"heard",
    "told": r"told",
    "anew": r"anew",
    "beforehand": r"beforehand",
    "whence": r"whence",
    "aside": r"aside",
    "house": r"houses?",
    "room": r"rooms?",
    "lies": r"(?:lies|lie|lay|lying)",
    "stands": r"(?:stands?|stood)",
    "gone on with": r"(?:go|goes|gone|going|went) on with",
    "let go": r"(?:let|lets|letting) go",
    "had": r"(?:be|is|are|was|were) had",
    "there is none": r"there (?:is|are|was|were) none",
    "is said": r"(?:is|are|was|were|be|been) said",
    "gather": r"gather(?:s|ed|ing)?",
    "fight": r"(?:fights?|fought)",
}
_PRIVATE = [
    (word, re.compile(rf"(?<![\w./-]){form}(?![\w/-]|\.[\w{{])", re.IGNORECASE))
    for word, form in PRIVATE.items()
]


@dataclass(frozen=True, slots=True)
class Allowed:
    """A technical use of a private word."""

    pattern: re.Pattern[str]
    reason: str


# Spans in which a private word is allowed, with the reason.
ALLOWED = (
    Allowed(re.compile(r"`[^`\n]*`"), "a literal: a name, a path, code"),
    Allowed(re.compile(r"\]\([^)\s]*\)|https?://\S+|<a id=[^>]*>"), "an address or an anchor"),
    Allowed(re.compile(r"^\[family\]$", re.MULTILINE), "a table of profiles"),
    Allowed(
        re.compile(r"envsmith doctor(?: [a-z]+)+"),
        "checks are named on the command line: `family`, `families`",
    ),
    Allowed(re.compile(r"\bsets? aside\b"), "the kind of a repair step in `doctor --json`"),
    Allowed(
        re.compile(r"\bfitting rooms?\b", re.IGNORECASE), "a shop's fitting room: the subject of an example"
    ),
    Allowed(re.compile(r"split row \(?|\bfor row in\b"), "Nushell's own words, in its activation script"),
)

# Literals that are keys or values of formats, which stay as they are: literal → where it is used. A label on the
# screen (`labelled("…", …)`) is a message all the same.
KEYS = {
    "family": "table of profiles, column of the catalog, check of doctor",
    "families": "file of the catalog, check of doctor",
    "aside": "folder `.envsmith/aside`",
    "proved": "state in `generations --json`",
    "unproven": "answer in `scan --json`",
}


@dataclass(frozen=True, slots=True, order=True)
class Text:
    """A text of the repository with its place."""

    path: str
    line: int
    kind: str
    """`module`, `docstring`, `help`, `message`, `doc`, or `key` for names and patterns, which no rule applies to."""
    text: str

    @property
    def folder(self) -> str:
        """The package of a module, the folder of a page."""
        parts = self.path.split("/")
        return "/".join(
            parts[: 2 if parts[0] in {"docs", "envsmith", "examples"} else 1][: max(len(parts) - 1, 1)]
        )


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """A place that breaks a rule."""

    path: str
    line: int
    rule: str
    word: str
    excerpt: str
    folder: str


def texts_of_module(path: str, source: str) -> list[Text]:
    """Return the docstrings, help texts and messages of a module."""
    reader = _Reader(path)
    reader.visit(ast.parse(source))
    return reader.texts


class _Reader(ast.NodeVisitor):
    """Collect all strings of a module; an f-string is one text with `{}` for each value."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.texts: list[Text] = []

    def visit_Module(self, node: ast.Module) -> None:
        self._body(node, "module")

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._body(node, "docstring")

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._body(node, "help" if _is_command(node) else "docstring")

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._body(node, "docstring")

    def visit_Expr(self, node: ast.Expr) -> None:
        """Take a string that is a statement of its own for the docstring of the attribute before it."""
        self._string(node.value, "docstring")

    def visit_Assign(self, node: ast.Assign) -> None:
        if not any(isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets):
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """Treat the first argument of `labelled` as a label on the screen, that of `re.…` as a pattern."""
        match node.func:
            case ast.Attribute(value=ast.Name(id="re")):
                kind = "key"
            case ast.Attribute(attr="labelled"):
                kind = "message"
            case _:
                kind = ""
        for number, child in enumerate(ast.iter_child_nodes(node)):
            self._string(child, kind if number == 1 else "")

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        parts = [str(item.value) if isinstance(item, ast.Constant) else "{}" for item in node.values]
        self._add(node.lineno, "message", "".join(parts))
        for item in node.values:
            if isinstance(item, ast.FormattedValue):
                self.visit(item.value)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._add(node.lineno, "key" if node.value in KEYS else "message", node.value)

    def _body(
        self, node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, kind: str
    ) -> None:
        """Visit a node whose first statement may be its docstring, of the kind given."""
        first = node.body[0] if node.body and ast.get_docstring(node) is not None else None
        for child in ast.iter_child_nodes(node):
            if child is first and isinstance(child, ast.Expr):
                self._string(child.value, kind)
            else:
                self.visit(child)

    def _string(self, node: ast.AST, kind: str) -> None:
        """Add a plain string as one of the kind given; visit anything else."""
        if kind and isinstance(node, ast.Constant) and isinstance(node.value, str):
            self._add(node.lineno, kind, node.value)
        else:
            self.visit(node)

    def _add(self, line: int, kind: str, text: str) -> None:
        self.texts.append(Text(self.path, line, kind, text))


def _is_command(node: ast.FunctionDef) -> bool:
    """Return whether a function is a command of click, whose docstring is its help."""
    calls = (item.func if isinstance(item, ast.Call) else item for item in node.decorator_list)
    return any(isinstance(call, ast.Attribute) and call.attr in {"command", "group"} for call in calls)


def texts_of_table(path: str, source: str) -> Iterator[Text]:
    """Yield the texts of a TOML file, which commands print; not sources (quotations), patterns and lists of keys."""
    lines = source.splitlines()
    for key, value in _strings(tomllib.loads(source), ""):
        if key not in ("source", "pattern", "asks"):
            first = value.strip().split("\n")[0]
            line = next((number for number, text in enumerate(lines, 1) if first in text), 1)
            yield Text(path, line, "message", value)


def _strings(value: object, key: str) -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield key, value
        case dict():
            for name, item in value.items():
                yield from _strings(item, name)
        case list():
            for item in value:
                yield from _strings(item, key)


def collect(root: Path) -> list[Text]:
    """Return all texts of a checkout that the rules apply to."""
    found: list[Text] = []
    for file in sorted((root / "envsmith").rglob("*.py")):
        found += texts_of_module(file.relative_to(root).as_posix(), file.read_text("utf-8"))
    tables = [*root.glob("envsmith/catalog/*.toml"), *root.glob("profiles/*.toml")]
    for file in sorted(tables):
        found += texts_of_table(file.relative_to(root).as_posix(), file.read_text("utf-8"))
    pages = [*root.glob("*.md"), *root.glob("docs/**/*.md"), *root.glob("examples/**/*.md")]
    for file in sorted([*pages, *root.glob("envsmith/templates/*.*"), *root.glob("envsmith/ci/*.yml")]):
        path = file.relative_to(root).as_posix()
        lines = file.read_text("utf-8").splitlines()
        found += [Text(path, number, "doc", line) for number, line in enumerate(lines, 1)]
    return found


def hits(text: Text) -> Iterator[Hit]:
    """Yield the places of a text that break a rule."""
    if text.kind in {"module", "docstring", "help"}:
        for found in WHAT.finditer(text.text):
            yield _hit(text, "what", "what", found)
    if text.kind == "module" and (clause := CLAUSE.search(text.text.strip().split("\n")[0])):
        yield _hit(text, "clause", clause[0], clause)
    if text.kind == "message" and (found_no := IS_NO.search(text.text)):
        yield _hit(text, "is-no", "is no", found_no)
    if text.kind in {"message", "help", "doc"}:
        yield from _private(text)


def _private(text: Text) -> Iterator[Hit]:
    """Yield the private words of a text outside of technical uses."""
    spans = [found.span() for item in ALLOWED for found in item.pattern.finditer(text.text)]
    for word, pattern in _PRIVATE:
        if word == "row" and text.path.startswith("envsmith/catalog/"):
            continue  # the catalog's tables consist of rows
        for found in pattern.finditer(text.text):
            if not any(start <= found.start() and found.end() <= end for start, end in spans):
                yield _hit(text, "private", word, found)


def _hit(text: Text, rule: str, word: str, found: re.Match[str]) -> Hit:
    line = text.line + found.string.count("\n", 0, found.start())
    start, end = max(found.start() - 50, 0), found.end() + 50
    excerpt = " ".join(found.string[start:end].split())
    return Hit(text.path, line, rule, word, excerpt, text.folder)


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts by folder."""

    words: Counter[str]
    modules: Counter[str]
    hits: dict[str, Counter[str]]

    def of(self, rule: str, folder: str | None = None) -> float:
        """Return a rule's figure for a folder, or for all."""
        count = _sum(self.hits[rule], folder)
        if rule == "what":
            return 1000 * count / max(_sum(self.words, folder), 1)
        return count / max(_sum(self.modules, folder), 1) if rule == "clause" else count


def _sum(counts: Counter[str], folder: str | None) -> int:
    return counts.total() if folder is None else counts[folder]


def measure(texts: Sequence[Text]) -> Figures:
    """Count words, modules and hits by folder."""
    words: Counter[str] = Counter()
    modules: Counter[str] = Counter()
    found: dict[str, Counter[str]] = {rule: Counter() for rule in RULES}
    for text in texts:
        if text.kind in {"module", "docstring", "help"}:
            words[text.folder] += len(WORD.findall(text.text))
            modules[text.folder] += text.kind == "module"
        for hit in hits(text):
            found[hit.rule][hit.folder] += 1
    return Figures(words, modules, found)


def over(figures: Figures) -> list[str]:
    """Return the rules whose figure is over the limit."""
    limits = {"what": MOST_WHAT, "clause": MOST_CLAUSES, "is-no": 0, "private": 0}
    return [rule for rule in RULES if figures.of(rule) > limits[rule]]


def table(texts: Sequence[Text], figures: Figures) -> Iterator[str]:
    """Yield the lines of the report."""
    yield f"{'folder':<24}{'what/1000':>10}{'clauses':>10}{'is no':>8}{'private':>9}"
    for folder in [*sorted({text.folder for text in texts}), None]:
        what, clause, is_no, private = (figures.of(rule, folder) for rule in RULES)
        yield f"{folder or 'all':<24}{what:>10.1f}{clause:>10.0%}{is_no:>8.0f}{private:>9.0f}"
    yield f"{'limit':<24}{MOST_WHAT:>10.1f}{MOST_CLAUSES:>10.0%}{0:>8}{0:>9}"


def places(texts: Sequence[Text], folder: str) -> Iterator[str]:
    """Yield a line for each hit below a folder; an empty folder means all."""
    below = folder.rstrip("/")
    for hit in sorted(found for text in texts for found in hits(text)):
        if not below or hit.path == below or hit.path.startswith((f"{below}/", f"envsmith/{below}/")):
            yield f"{hit.path}:{hit.line}: {hit.rule} {hit.word}: {hit.excerpt}"


def main(arguments: Sequence[str]) -> int:
    """Print figures or places; with `--check`, return 1 if a figure is over its limit."""
    parser = argparse.ArgumentParser(
        description="Check the words of docstrings, messages, help texts and docs."
    )
    parser.add_argument(
        "--list", nargs="?", const="", metavar="FOLDER", help="list the places [default: of all]"
    )
    parser.add_argument("--check", action="store_true", help="exit with 1 if a figure is over its limit")
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout to read [default: this one]")
    options = parser.parse_args(arguments)
    texts = collect(options.root)
    if options.list is not None:
        print("\n".join(places(texts, options.list)))
        return 0
    figures = measure(texts)
    print("\n".join(table(texts, figures)))
    beyond = over(figures)
    if options.check and beyond:
        print(f"over the limit: {', '.join(beyond)}; list the places with --list", file=sys.stderr)
    return 1 if options.check and beyond else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
