"""Readers of notebooks, of documents with executed code, and of Python imports in other languages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from envsmith.usage.config_files import read_commands
from envsmith.usage.module_matcher import FileUsage, ModuleMatcher
from envsmith.usage.python import lines_of, read_long, read_python

_FENCE = re.compile(r"^\s*(?P<mark>`{3,}|~{3,})\s*(?P<about>.*)$")
_RUN = re.compile(r"^\{\s*\.?(?P<language>[\w-]+)\}?[\s,]*(?P<words>[^}]*)")
_JUPYTEXT = re.compile(r"\A---\n.*?^[ \t]*(?:jupytext|kernelspec):", re.MULTILINE | re.DOTALL)
_LONGEST_HEAD = 4000
_PYTHON = re.compile(r"(?i)i?python|py|pyodide|marimo|code-cell")
_SHELL = re.compile(r"(?i)bash|sh|zsh|shell|console")
# reticulate::import("x"), pyimport("x"), PyImport_ImportModule("x"), py::module_::import("x"), py.import("x")
_FOREIGN_IMPORT = re.compile(
    r"(?i)(?:import|module_?|require)[\w!]{0,40}(?:::\w{1,40}){0,5}\s*[(!,\s]\s*(?:\w+\s*,\s*)?c?[\"']([\w.]+)"
)
_OTHERS = re.compile(
    r"r|julia|javascript|typescript|c|c\+\+.*|c#|f#|java|scala|kotlin|groovy|clojure|go|rust|ruby|perl|php|lua"
    r"|matlab|octave|sql|haskell|ocaml|swift|elixir|erlang|prolog|maxima|wolfram.*|stata|sas"
)
"""Kernel languages whose cells are not Python; cells of an unknown language must fail to parse first."""
_SHELL_KERNELS = ("bash", "sh", "zsh", "shell", "powershell", "calysto_bash")
_SHELLS = ("%%bash", "%%sh", "%%script", "%%!", "%%system", "%%sx", "%%cmd", "%%powershell")
_KEPT = ("%%time", "%%timeit", "%%capture", "%%prun", "%%python", "%%python3", "%%pypy", "%%memit", "%%mprun")
_WRITTEN = re.compile(r"%%(?:writefile|file)\s.*\.py\s*")
"""First line of a cell that writes a module, to be imported or run elsewhere."""
_NO_CODE = re.compile(
    r"%%(?:html|svg|latex|markdown|js|javascript|perl|ruby)\b.*|%%(?:writefile|file)\s.*\.(?:md|txt|rst|html|css)\s*",
    re.IGNORECASE,
)
_HELP = re.compile(r"^\s*(?:\?{1,2}\s*[%\w.*\[\]'\"]+|[%\w.*\[\]'\"]+(?:\([^()]*\))?\s*\?{1,2})\s*$")
_AIMPORT = re.compile(r"aimport\s+(.*)")
_MAGIC = re.compile(r"^(?P<indent>\s*)(?:(?P<target>[\w, ]+=\s*))?(?P<mark>[%!?])(?P<rest>.*)$")
_TIMED = re.compile(r"%?(?:timeit|time|prun|memit)\b(?:\s+-\S+(?:\s+\d+)?)*\s*(?P<code>.*)")


def read_document(text: str, names: ModuleMatcher, usage: FileUsage) -> None:
    """Record the uses in a document's executed code: Quarto, R Markdown, MyST and Jupytext.

    Skips examples that are only displayed.
    """
    is_run = _JUPYTEXT.match(text[:_LONGEST_HEAD]) is not None
    code: dict[str, list[str]] = {"python": [], "shell": [], "other": []}
    kind, mark = "", ""
    for line in lines_of(text):
        match = _FENCE.match(line)
        if match and not mark:
            kind, mark = _kind(match["about"], is_run=is_run), match["mark"]
        elif match and line.strip() == mark:
            kind, mark = "", ""
        for name, lines in code.items():
            lines.append(line if name == kind and not match else "")
    read_long("\n".join(code["python"]), names, usage)
    read_commands("\n".join(code["shell"]), names, usage)
    read_foreign("\n".join(code["other"]), names, usage)


def _kind(about: str, *, is_run: bool) -> str:
    """Return the kind of a fence's executed code: ``python``, ``shell`` or ``other``; empty if only displayed."""
    match = _RUN.match(about)
    language = match["language"] if match else about.split(maxsplit=1)[0] if is_run and about else ""
    if not language:
        return ""
    if _PYTHON.fullmatch(language):
        return "python"
    return "shell" if _SHELL.fullmatch(language) else "other"


def read_foreign(text: str, names: ModuleMatcher, usage: FileUsage) -> None:
    """Record the Python modules that code in another language imports by name."""
    for number, line in enumerate(lines_of(text), 1):
        for match in _FOREIGN_IMPORT.finditer(line):
            if names.means(match[1]):
                usage.use(match[1], number, "import by name", "string")


def read_notebook(data: bytes, names: ModuleMatcher, usage: FileUsage) -> None:
    """Record the uses in a notebook's code cells.

    Skips cells that declare another language. A cell that is neither declared nor Python makes the notebook unread,
    although its other cells are read.

    Raises:
        SyntaxError: when a cell is not valid Python.
        ValueError: when the file is not a notebook.
        RecursionError: when it nests too deeply.
    """
    failed: SyntaxError | None = None
    document = _document(data)
    language = _language(document)
    for number, source in _cells(document):
        usage.cell = number
        try:
            _read_as(language, source, names, usage)
        except SyntaxError as error:
            error.msg = f"cell {number}: {error.msg}"
            failed = failed or error
    if failed:
        raise failed


def _document(data: bytes) -> Mapping[str, object]:
    document = json.loads(data.decode("utf-8-sig"))
    if not isinstance(document, Mapping):
        raise ValueError("not a notebook")  # noqa: TRY004 - what is wrong is the file, not a type
    return document


def _read_as(language: str, source: str, names: ModuleMatcher, usage: FileUsage) -> None:
    if language in _SHELL_KERNELS:
        read_commands(source, names, usage)
    elif _OTHERS.fullmatch(language):
        read_foreign(source, names, usage)
    else:
        _read_cell(source, names, usage)


def _cells(document: Mapping[str, object]) -> Iterator[tuple[int, str]]:
    for number, cell in enumerate(_raw_cells(document), 1):
        if isinstance(cell, Mapping) and cell.get("cell_type") == "code":
            source = cell.get("source", cell.get("input", ""))
            yield number, "".join(map(str, source)) if isinstance(source, list) else str(source)


def _raw_cells(document: Mapping[str, object]) -> list[object]:
    """Return the cells of the current format or of the format with worksheets (nbformat 3)."""
    sheets = document.get("worksheets", [])
    lists = [document.get("cells")]
    lists += (
        [sheet.get("cells") for sheet in sheets if isinstance(sheet, Mapping)]
        if isinstance(sheets, list)
        else []
    )
    return [cell for cells in lists if isinstance(cells, list) for cell in cells]


def _language(document: Mapping[str, object]) -> str:
    node: object = document.get("metadata")
    for keys in (("kernelspec", "language"), ("language_info", "name")):
        inner: object = node
        for key in keys:
            inner = inner.get(key) if isinstance(inner, Mapping) else None
        if isinstance(inner, str):
            return inner.lower()
    return ""


def _read_cell(source: str, names: ModuleMatcher, usage: FileUsage) -> None:
    magic = source.lstrip().split(maxsplit=1)[0] if source.strip() else ""
    first = source.lstrip().partition("\n")[0]
    is_kept = magic.startswith(_KEPT) or _WRITTEN.fullmatch(first)
    if magic.startswith("%%") and not is_kept:
        if magic.startswith(_SHELLS):
            read_commands(source, names, usage)
        elif magic == "%%R":
            read_foreign(source, names, usage)
        elif not _NO_CODE.fullmatch(first):
            read_long(source, names, usage)  # written to a file, compiled, or run elsewhere
        return
    try:
        read_python(source, names, usage)
    except SyntaxError:
        _read_with_magics(source, names, usage)


def _read_with_magics(source: str, names: ModuleMatcher, usage: FileUsage) -> None:
    """Read a cell that is not plain Python: without its magics and commands, or whole if it has none."""
    lines = source.replace("\r\n", "\n").split("\n")
    code = [_without_magic(line, number, names, usage) for number, line in enumerate(lines, 1)]
    read_python("\n".join(code), names, usage)


def _without_magic(line: str, number: int, names: ModuleMatcher, usage: FileUsage) -> str:
    """Return a line as Python; record the uses in its commands."""
    match = _MAGIC.match(line)
    if _HELP.match(line):
        return ""
    if match is None:
        return line
    indent, rest = match["indent"], match["rest"]
    timed = _TIMED.fullmatch(rest)
    if match["mark"] == "%" and timed:
        return f"{indent}{timed['code'] or 'pass'}"
    if brought := _AIMPORT.match(rest):
        return f"{indent}import {brought[1]}"
    if match["mark"] in "%!":
        read_commands(rest, names, usage, number)
    return f"{indent}{match['target'] or ''}None"
