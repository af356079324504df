"""Reads code that is run from within documents, and what other languages bring in of Python."""

from __future__ import annotations

import re

from envsmith.usage.collector import Gathered
from envsmith.usage.config_files import read_commands
from envsmith.usage.module_matcher import Names
from envsmith.usage.python import lines_of, read_long

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


def read_document(text: str, names: Names, gathered: Gathered) -> None:
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


def read_foreign(text: str, names: Names, gathered: Gathered) -> None:
    """Note the modules of Python that a text in another language imports by their names."""
    for number, line in enumerate(lines_of(text), 1):
        for match in _BROUGHT.finditer(line):
            if names.means(match[1]):
                gathered.use(match[1], number, "import by name", "string")
