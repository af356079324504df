"""Shell: what a text needs to be data, and nothing but data, in each shell's language."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass

_LINE_BREAK = re.compile(r"[\r\n]")
_WINDOWS_PATH = re.compile(r"(?:[A-Za-z]:|\\)\\")
_PLAIN_PATH = re.compile(r"[\w@+=:,./\\~-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def quote_sh(text: str) -> str:
    r"""Quote for sh, bash, zsh, dash, ksh: nothing is special between single quotes but the quote itself.

    Source: POSIX.1-2024, Shell Command Language, 2.2.2
    (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02_02), read 2026-11-21.
    """
    return "'" + text.replace("'", "'\\''") + "'"


def quote_fish(text: str) -> str:
    r"""Quote for fish: between single quotes only ``\'`` and ``\\`` are special.

    Source: https://fishshell.com/docs/current/language.html#quotes, read 2026-11-21.
    """
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def quote_csh(text: str) -> str:
    r"""Quote for csh, tcsh: as sh, but ``!`` and a line break take a backslash between single quotes, too.

    A backslash of the text itself must not stand right before that one: the quotes are closed and opened between them.

    Source: tcsh(1), Lexical structure (https://man.archlinux.org/man/tcsh.1#Lexical_structure), read 2026-11-21.
    """
    apart = re.sub(r"\\(?=[!\n])", "\\\\''", text.replace("'", "'\\''"))
    return "'" + apart.replace("!", "\\!").replace("\n", "\\\n") + "'"


def quote_nu(text: str) -> str:
    r"""Quote for Nushell: a double-quoted text, whose escapes stand for every character that is not plain.

    Source: https://www.nushell.sh/book/working_with_strings.html#double-quoted-strings, read 2026-11-21.
    """
    return '"' + "".join(_nu_character(one) for one in text) + '"'


def _nu_character(one: str) -> str:
    if one in '"\\':
        return f"\\{one}"
    return f"\\u{{{ord(one):x}}}" if ord(one) < 32 or ord(one) == 127 else one


def quote_xsh(text: str) -> str:
    """Quote for xonsh: a Python literal, all of it in ASCII.

    Source: https://docs.python.org/3/reference/lexical_analysis.html#string-and-bytes-literals, read 2026-11-21.
    """
    return ascii(text)


def quote_ps1(text: str) -> str:
    """Quote for PowerShell: between single quotes only the quote and its typographic kin are special; each is doubled.

    Source: about_Quoting_Rules
    (https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_quoting_rules),
    read 2026-11-21; that U+2018 to U+201B count as quotes: about_Special_Characters' lexer, and its tests.
    """
    return "'" + re.sub("(['\u2018\u2019\u201a\u201b])", r"\1\1", text) + "'"


def quote_bat(text: str) -> str:
    """Quote for cmd, as what follows ``set NAME=``: a caret before what is special, percent signs doubled.

    Nothing is put between quotation marks, so that a mark in the text cannot open or close anything.

    Source: https://learn.microsoft.com/windows-server/administration/windows-commands/set_1 and
    https://ss64.com/nt/syntax-esc.html, read 2026-11-21.

    Raises:
        ValueError: where the text has a line break or the character 26 (Ctrl-Z), for cmd ends a line there, or
            characters beyond ASCII, for cmd reads a file in the code page that the console happens to have.
    """
    if _LINE_BREAK.search(text):
        raise ValueError("cmd has no way to write a line break in a value")
    if "\x1a" in text:
        raise ValueError("cmd ends a line at the character 26, and takes the rest for the next one")
    if not text.isascii():
        raise ValueError("cmd reads other characters than ASCII differently from console to console")
    return re.sub(r'([&|<>^"()!])', r"^\1", text).replace("%", "%%")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """One language of activation scripts."""

    name: str
    """As the script's ending has it."""
    programs: tuple[str, ...]
    """Names of the programs that read it."""
    quote: Callable[[str], str]
    source: str
    """How a person reads a script into the session: ``{}`` is its path, quoted."""
    value: str
    """A line that sets a variable of the profile, and keeps what it was: ``{name}``, ``{value}``."""
    text_test: str
    """A line that acts when an entry holds a text: ``{text}`` (``{back}``: with backslashes), ``{verdict}``."""
    digit_test: str
    """The same, where a digit must follow that text."""
    file_test: str
    """The same, where a file must be there, named relative to the entry."""
    verdicts: tuple[str, str]
    """What stands for: is taken out, stays."""
    closing: str = ""
    """What closes each of the tests, where each opens what the next one stands in."""
    unsayable: str = ""
    """A line for a value that the language cannot write."""
    newline: str = "\n"
    has_empty: bool = True
    """Whether a variable can be set to nothing."""

    @property
    def file(self) -> str:
        """Return the name of the script."""
        return f"activate.{self.name}"


SHELLS = (
    Shell(
        name="sh",
        programs=("sh", "bash", "zsh", "dash", "ksh", "ash"),
        quote=quote_sh,
        source=". {}",
        value="    _es_set {name} {value}",
        text_test="    case $_es_e/ in *'{text}'*) return {verdict} ;; esac",
        digit_test="    case $_es_e/ in *'{text}'[0123456789]*) return {verdict} ;; esac",
        file_test="    [ ! -e \"$_es_e\"/'{text}' ] || return {verdict}",
        verdicts=("0", "1"),
    ),
    Shell(
        name="fish",
        programs=("fish",),
        quote=quote_fish,
        source="source {}",
        value="    _es_set {name} {value}",
        text_test="    string match -q -- '*{text}*' \"$argv[2]/\"; and return {verdict}",
        digit_test="    string match -qr -- '{text}[0-9]' \"$argv[2]/\"; and return {verdict}",
        file_test="    test -e \"$argv[2]\"/'{text}'; and return {verdict}",
        verdicts=("0", "1"),
    ),
    Shell(
        name="csh",
        programs=("csh", "tcsh"),
        quote=quote_csh,
        source="source {}",
        value="set _es_value_{name} = {value}",
        text_test='                    ("${{_es_e:q}}/" =~ *{text}*) {verdict} ( \\',
        digit_test='                    ("${{_es_e:q}}/" =~ *{text}[0123456789]*) {verdict} ( \\',
        file_test='                    (-e "${{_es_e:q}}/{text}") {verdict} ( \\',
        verdicts=("== 1 ||", "== 0 &&"),
        closing=")",
    ),
    Shell(
        name="nu",
        programs=("nu",),
        quote=quote_nu,
        source="use {} *",
        value="    [{name} {value}]",
        text_test='    [{verdict} "{text}" false ""]',
        digit_test='    [{verdict} "{text}" true ""]',
        file_test='    [{verdict} "" false "{text}"]',
        verdicts=("out", "stays"),
    ),
    Shell(
        name="xsh",
        programs=("xonsh",),
        quote=quote_xsh,
        source="source {}",
        value='        "{name}": {value},',
        text_test='        ("{verdict}", "{text}", False, ""),',
        digit_test='        ("{verdict}", "{text}", True, ""),',
        file_test='        ("{verdict}", "", False, "{text}"),',
        verdicts=("out", "stays"),
    ),
    Shell(
        name="ps1",
        programs=("powershell", "pwsh"),
        quote=quote_ps1,
        source=". {}",
        value="    Edit-Value {name} {value}",
        has_empty=False,
        text_test="        , @('{verdict}', '{text}', $false, '')",
        digit_test="        , @('{verdict}', '{text}', $true, '')",
        file_test="        , @('{verdict}', '', $false, '{text}')",
        verdicts=("out", "stays"),
    ),
    Shell(
        name="bat",
        programs=("cmd",),
        quote=quote_bat,
        source="call {}",
        value="@call :es_keep {name}\n@set {name}={value}\n@set _ENVSMITH_NOW_{name}={value}",
        text_test='@if not defined _es_why @if not "%_es_t:{back}=%"=="%_es_t%" @set "_es_why={verdict}"',
        digit_test="@rem {text}",
        file_test='@if not defined _es_why @if exist "%_es_e%\\{back}" @set "_es_why={verdict}"',
        verdicts=("out", "stays"),
        unsayable="@>&2 echo envsmith: {name} is not set: {why}",
        newline="\r\n",
        has_empty=False,
    ),
)
"""All of them; `deactivate` undoes each."""


def shell_of(program: str) -> Shell | None:
    """Return the language that a program reads, or that a script's ending names; None where it is unknown."""
    return next((shell for shell in SHELLS if program == shell.name or program in shell.programs), None)


def read_line(shell: Shell, path: str) -> str:
    """Return the line by which a person's shell reads a script.

    In quotation marks for cmd: no path on Windows can have one in it.
    """
    if shell.name == "bat":
        return 'call "{}"'.format(_CONTROL.sub("", path).replace('"', "").replace("%", "%%"))
    return shell.source.format(shell.quote(path))


def quote_path(path: str) -> str:
    """Write a path in a command that people copy: in double quotes on Windows, as a POSIX shell reads it elsewhere."""
    if not _WINDOWS_PATH.match(path):
        return shlex.quote(path)
    return path if _PLAIN_PATH.fullmatch(path) else f'"{path}"'
