"""Shells: quoting rules, and the lines of each language's activation script."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass

_LINE_BREAK = re.compile(r"[\r\n]")
_WINDOWS_PATH = re.compile(r"(?:[A-Za-z]:|\\)\\")
# Paths that need no quotes in cmd and PowerShell.
_PLAIN_PATH = re.compile(r"[\w@+=:,./\\~-]+")
# Not allowed in Windows paths, and cmd cannot quote them.
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def quote_sh(text: str) -> str:
    r"""Quote for sh, bash, zsh, dash, ksh: between single quotes only the quote is special.

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
    r"""Quote for csh, tcsh: like sh, but ``!`` and line breaks need a backslash between single quotes.

    A backslash of the text directly before that one would be doubled, so the quotes are closed and opened between them.

    Source: tcsh(1), Lexical structure (https://man.archlinux.org/man/tcsh.1#Lexical_structure), read 2026-11-21.
    """
    separated = re.sub(r"\\(?=[!\n])", "\\\\''", text.replace("'", "'\\''"))
    return "'" + separated.replace("!", "\\!").replace("\n", "\\\n") + "'"


def quote_nu(text: str) -> str:
    r"""Quote for Nushell: a double-quoted string with escapes for quotes, backslashes and control characters.

    Source: https://www.nushell.sh/book/working_with_strings.html#double-quoted-strings, read 2026-11-21.
    """
    return '"' + "".join(_nu_character(character) for character in text) + '"'


def _nu_character(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    code = ord(character)
    return f"\\u{{{code:x}}}" if code < 32 or code == 127 else character


def quote_xsh(text: str) -> str:
    """Quote for xonsh: a Python literal in ASCII.

    Source: https://docs.python.org/3/reference/lexical_analysis.html#string-and-bytes-literals, read 2026-11-21.
    """
    return ascii(text)


def quote_ps1(text: str) -> str:
    """Quote for PowerShell, in ASCII: between single quotes only the quote is special; double it.

    Other characters are written by their UTF-16 codes: PowerShell 5.1 reads a script without a mark in the system's
    code page, in which a byte may become a quotation mark, and a pipe in that of the console.

    Source: about_Quoting_Rules
    (https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_quoting_rules),
    read 2026-11-21.
    """
    literal = text.replace("'", "''")
    if literal.isascii():
        return f"'{literal}'"
    # The first operand of + decides its type.
    parts = (
        f"'{part}'" if part.isascii() else _ps1_codes(part) for part in re.split(r"([^\x00-\x7f]+)", literal)
    )
    return f"({' + '.join(parts)})"


def _ps1_codes(text: str) -> str:
    data = text.encode("utf-16-le", "surrogatepass")
    codes = (int.from_bytes(data[place : place + 2], "little") for place in range(0, len(data), 2))
    return " + ".join(f"[char]0x{code:04x}" for code in codes)


def quote_bat(text: str) -> str:
    """Quote for cmd after ``set NAME=``: a caret before special characters, percent signs doubled.

    No quotation marks are used, so that a quotation mark in the text cannot open or close anything.

    Source: https://learn.microsoft.com/windows-server/administration/windows-commands/set_1 and
    https://ss64.com/nt/syntax-esc.html, read 2026-11-21.

    Raises:
        ValueError: for line breaks and the character 26 (Ctrl-Z), at which cmd ends a line, and for characters beyond
            ASCII, which cmd reads in the code page of its console.
    """
    if _LINE_BREAK.search(text):
        raise ValueError("cmd cannot set a value with a line break")
    if "\x1a" in text:
        raise ValueError("cmd ends a line at the character 26")
    if not text.isascii():
        raise ValueError("cmd reads characters beyond ASCII in the console's code page")
    return re.sub(r'([&|<>^"()!])', r"^\1", text).replace("%", "%%")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """The language of one activation script."""

    name: str
    """Also the script's suffix."""
    programs: tuple[str, ...]
    """Names of the shells that read it."""
    quote: Callable[[str], str]
    source: str
    """Command that reads a script into the session; ``{}`` is its quoted path."""
    value: str
    """Line that sets a variable of the profile and saves its old value: ``{name}``, ``{value}``."""
    text_test: str
    """Line that judges entries with a text in them: ``{text}`` (``{back}``: with backslashes), ``{verdict}``."""
    digit_test: str
    """The same, if a digit follows the text."""
    file_test: str
    """The same, if a file exists, relative to the entry."""
    verdicts: tuple[str, str]
    """Spelling of the verdicts "remove" and "keep"."""
    closing: str = ""
    """Text that closes one test, in languages where tests are nested."""
    unwritable: str = ""
    """Line for a value that the language cannot express."""
    newline: str = "\n"
    has_empty: bool = True
    """Whether a variable can be set to an empty value."""

    @property
    def file(self) -> str:
        """Filename of the script."""
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
        unwritable="@>&2 echo envsmith: {name} is not set: {why}",
        newline="\r\n",
        has_empty=False,
    ),
)
"""All languages; each script defines a `deactivate`."""


def shell_of(program: str) -> Shell | None:
    """Return the language of a program or of a script's suffix; None if it is unknown."""
    return next((shell for shell in SHELLS if program == shell.name or program in shell.programs), None)


def read_line(shell: Shell, path: str) -> str:
    """Return the line that reads a script into the user's shell.

    cmd gets quotation marks, which Windows paths cannot contain.
    """
    if shell.name == "bat":
        return 'call "{}"'.format(_CONTROL.sub("", path).replace('"', "").replace("%", "%%"))
    return shell.source.format(shell.quote(path))


def quote_path(path: str) -> str:
    """Quote a path for a command that users copy: double quotes on Windows, POSIX quoting elsewhere."""
    if not _WINDOWS_PATH.match(path):
        return shlex.quote(path)
    return path if _PLAIN_PATH.fullmatch(path) else f'"{path}"'
