"""Quoting as each manual has it; that real shells agree is shown in tests/shells."""

from __future__ import annotations

import ast
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envsmith.model.shell import (
    SHELLS,
    quote_bat,
    quote_csh,
    quote_fish,
    quote_nu,
    quote_path,
    quote_ps1,
    quote_sh,
    quote_xsh,
    read_line,
    shell_of,
)

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)


@given(TEXTS)
def test_sh_reads_one_word_back(text: str) -> None:
    assert shlex.split(quote_sh(text)) == [text]


@given(TEXTS)
def test_xonsh_reads_a_literal_in_ascii_back(text: str) -> None:
    assert quote_xsh(text).isascii()
    assert ast.literal_eval(quote_xsh(text)) == text


@pytest.mark.parametrize(
    ("quoted", "expected"),
    [
        (quote_fish("it's a \\ $x"), r"'it\'s a \\ $x'"),
        (quote_csh("it's!\n$x"), "'it'\\''s\\!\\\n$x'"),
        (quote_csh("\\!\\\n"), "'\\''\\!\\''\\\n'"),
        (quote_nu('a "b" \\ $x\n'), r'"a \"b\" \\ $x\u{a}"'),
        (quote_ps1("it's \u2018so\u2019 $x"), "('it''s ' + [char]0x2018 + 'so' + [char]0x2019 + ' $x')"),
        (quote_bat('a "b" & %PATH% ^ !x!'), 'a ^"b^" ^& %%PATH%% ^^ ^!x^!'),
    ],
)
def test_what_is_special_is_escaped(quoted: str, expected: str) -> None:
    assert quoted == expected


def test_cmd_has_no_line_breaks() -> None:
    with pytest.raises(ValueError, match="line break"):
        quote_bat("a\nb")
    with pytest.raises(ValueError, match="character 26"):
        quote_bat("a\x1ab")


def test_programs_and_endings_name_a_shell() -> None:
    found = {
        name: shell.name for name in ("zsh", "sh", "tcsh", "pwsh", "cmd", "fish") if (shell := shell_of(name))
    }
    assert found == {"zsh": "sh", "sh": "sh", "tcsh": "csh", "pwsh": "ps1", "cmd": "bat", "fish": "fish"}
    assert shell_of("elvish") is None


def test_a_script_is_read_by_one_line() -> None:
    lines = {shell.name: read_line(shell, "/a b/it's") for shell in SHELLS}
    assert lines["sh"] == r". '/a b/it'\''s'"
    assert lines["fish"] == r"source '/a b/it\'s'"
    assert lines["nu"] == 'use "/a b/it\'s" *'
    assert lines["bat"] == 'call "/a b/it\'s"'
    assert not any("\n" in line for line in lines.values())


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("/srv/a-b/.venv", "/srv/a-b/.venv"),
        ("/my proj/.venv", "'/my proj/.venv'"),
        ("/it's/$HOME", """'/it'"'"'s/$HOME'"""),
        (r"C:\proj\.venv", r"C:\proj\.venv"),
        (r"C:\my proj\.venv", r'"C:\my proj\.venv"'),
        (r"\\server\a&b", r'"\\server\a&b"'),
    ],
)
def test_a_path_is_quoted_for_the_shell_of_its_system(path: str, written: str) -> None:
    assert quote_path(path) == written
