"""Reads code that is run from within documents, and what other languages bring in of Python.

Reads notebooks: the Python of their cells, and the command lines among it.
"""

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
_BROUGHT = re.compile(
    r"(?i)(?:import|module_?|require)[\w!]*(?:::\w+)*\s*[(!,\s]\s*(?:\w+\s*,\s*)?c?[\"']([\w.]+)"
)
_OTHERS = re.compile(
    r"r|julia|javascript|typescript|c|c\+\+.*|c#|f#|java|scala|kotlin|groovy|clojure|go|rust|ruby|perl|php|lua"
    r"|matlab|octave|sql|haskell|ocaml|swift|elixir|erlang|prolog|maxima|wolfram.*|stata|sas"
)
"""Languages of kernels in which a cell is no Python; in one that is not known it must be shown to be none."""
_SHELL_KERNELS = ("bash", "sh", "zsh", "shell", "powershell", "calysto_bash")
_SHELLS = ("%%bash", "%%sh", "%%script", "%%!", "%%system", "%%sx", "%%cmd", "%%powershell")
_KEPT = ("%%time", "%%timeit", "%%capture", "%%prun", "%%python", "%%python3", "%%pypy", "%%memit", "%%mprun")
_WRITTEN = re.compile(r"%%(?:writefile|file)\s.*\.py\s*")
"""The first line of a cell that writes a module: it is imported or run by another."""
_NO_CODE = re.compile(
    r"%%(?:html|svg|latex|markdown|js|javascript|perl|ruby)\b.*|%%(?:writefile|file)\s.*\.(?:md|txt|rst|html|css)\s*",
    re.IGNORECASE,
)
_HELP = re.compile(r"^\s*(?:\?{1,2}\s*[%\w.*\[\]'\"]+|[%\w.*\[\]'\"]+(?:\([^()]*\))?\s*\?{1,2})\s*$")
_AIMPORT = re.compile(r"aimport\s+(.*)")
_MAGIC = re.compile(r"^(?P<indent>\s*)(?:(?P<target>[\w, ]+=\s*))?(?P<mark>[%!?])(?P<rest>.*)$")
_TIMED = re.compile(r"%?(?:timeit|time|prun|memit)\b(?:\s+-\S+(?:\s+\d+)?)*\s*(?P<code>.*)")


def read_document(text: str, names: ModuleMatcher, gathered: FileUsage) -> None:
    """Note what the code of a document uses that is run when it is made: of Quarto, R Markdown, MyST and Jupytext.

    Examples that are only shown are passed over.
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
    read_long("\n".join(code["python"]), names, gathered)
    read_commands("\n".join(code["shell"]), names, gathered)
    read_foreign("\n".join(code["other"]), names, gathered)


def _kind(about: str, *, is_run: bool) -> str:
    """Say what a fence holds that is run: ``python``, ``shell`` or ``other``; empty where it is only shown."""
    match = _RUN.match(about)
    language = match["language"] if match else about.split(maxsplit=1)[0] if is_run and about else ""
    if not language:
        return ""
    if _PYTHON.fullmatch(language):
        return "python"
    return "shell" if _SHELL.fullmatch(language) else "other"


def read_foreign(text: str, names: ModuleMatcher, gathered: FileUsage) -> None:
    """Note the modules of Python that a text in another language imports by their names."""
    for number, line in enumerate(lines_of(text), 1):
        for match in _BROUGHT.finditer(line):
            if names.means(match[1]):
                gathered.use(match[1], number, "import by name", "string")


def read_notebook(data: bytes, names: ModuleMatcher, gathered: FileUsage) -> None:
    """Note what the code cells of a notebook use.

    Cells that are no Python are passed over where they say so; where one is neither that nor Python, the notebook
    counts as unread, though the other cells are read.

    Raises:
        SyntaxError: when a cell is no Python.
        ValueError: when the file is no notebook.
        RecursionError: when it nests too deeply.
    """
    failed: SyntaxError | None = None
    document = _document(data)
    language = _language(document)
    for number, source in _cells(document):
        gathered.cell = number
        try:
            _read_as(language, source, names, gathered)
        except SyntaxError as error:
            error.msg = f"cell {number}: {error.msg}"
            failed = failed or error
    if failed:
        raise failed


def _document(data: bytes) -> Mapping[str, object]:
    document = json.loads(data.decode("utf-8-sig"))
    if not isinstance(document, Mapping):
        raise ValueError("is no notebook")  # noqa: TRY004 - what is wrong is the file, not a type
    return document


def _read_as(language: str, source: str, names: ModuleMatcher, gathered: FileUsage) -> None:
    if language in _SHELL_KERNELS:
        read_commands(source, names, gathered)
    elif _OTHERS.fullmatch(language):
        read_foreign(source, names, gathered)
    else:
        _read_cell(source, names, gathered)


def _cells(document: Mapping[str, object]) -> Iterator[tuple[int, str]]:
    for number, cell in enumerate(_listed(document), 1):
        if isinstance(cell, Mapping) and cell.get("cell_type") == "code":
            source = cell.get("source", cell.get("input", ""))
            yield number, "".join(map(str, source)) if isinstance(source, list) else str(source)


def _listed(document: Mapping[str, object]) -> list[object]:
    """Return the cells, of the form of today or of that with worksheets (nbformat 3)."""
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


def _read_cell(source: str, names: ModuleMatcher, gathered: FileUsage) -> None:
    magic = source.lstrip().split(maxsplit=1)[0] if source.strip() else ""
    first = source.lstrip().partition("\n")[0]
    is_kept = magic.startswith(_KEPT) or _WRITTEN.fullmatch(first)
    if magic.startswith("%%") and not is_kept:
        if magic.startswith(_SHELLS):
            read_commands(source, names, gathered)
        elif magic == "%%R":
            read_foreign(source, names, gathered)
        elif not _NO_CODE.fullmatch(first):
            read_long(source, names, gathered)  # written to a file, compiled, or run elsewhere
        return
    try:
        read_python(source, names, gathered)
    except SyntaxError:
        _read_with_magics(source, names, gathered)


def _read_with_magics(source: str, names: ModuleMatcher, gathered: FileUsage) -> None:
    """Read a cell that is no Python as it stands: its magics and commands taken out, or all of it where it has none."""
    lines = source.replace("\r\n", "\n").split("\n")
    code = [_without_magic(line, number, names, gathered) for number, line in enumerate(lines, 1)]
    read_python("\n".join(code), names, gathered)


def _without_magic(line: str, number: int, names: ModuleMatcher, gathered: FileUsage) -> str:
    """Return a line as Python reads it; commands in it are read on the way."""
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
        read_commands(rest, names, gathered, number)
    return f"{indent}{match['target'] or ''}None"
