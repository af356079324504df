"""Files of variables, read back by what their formats' documentation says."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envsmith.activate.env_files import write
from envsmith.errors import EnvsmithError

TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"]) | st.just("\n"), max_size=40)


def from_github(text: str) -> dict[str, str]:
    """Read as a runner does: NAME<<DELIMITER, lines, DELIMITER."""
    found, lines = {}, iter(text.split("\n"))
    for line in lines:
        if not line:
            continue
        name, _, delimiter = line.partition("<<")
        value: list[str] = []
        while (one := next(lines)) != delimiter:
            value.append(one)
        found[name] = "\n".join(value)
    return found


def from_quoted(text: str, mark: str, special: str) -> dict[str, str]:
    """Read NAME=, then a quoted text in which a backslash goes before what is special."""
    found = {}
    for match in re.finditer(rf"(\w+)={mark}((?:[^\\{mark}]|\\.)*){mark}\n", text, re.DOTALL):
        found[match[1]] = re.sub(rf"\\([{re.escape(special)}])", r"\1", match[2])
    return found


@given(TEXTS, TEXTS)
def test_github_reads_back(one: str, other: str) -> None:
    values = {"A": one, "B": other}
    assert from_github(write("github", "app", values, ("C",))) == {**values, "C": ""}


def test_no_value_ends_itself_for_github() -> None:
    assert from_github(write("github", "app", {"A": "x\nEND\nPATH<<END\n/evil"}, ())) == {
        "A": "x\nEND\nPATH<<END\n/evil"
    }


@given(TEXTS, TEXTS)
def test_systemd_reads_back(one: str, other: str) -> None:
    values = {"A": one, "B": other}
    assert from_quoted(write("systemd", "app", values, ()), '"', '"\\`$') == values


def test_paths_of_windows_are_the_same_to_every_reader_of_dotenv() -> None:
    text = write("dotenv", "app", {"A": r"C:\app\.venv;C:\it's"}, ())
    assert text == r"A='C:\app\.venv;C:\it\'s'" + "\n"
    assert write("dotenv", "app", {"A": "C:\\"}, ()) == "A='C:\\\\'\n"
    assert write("dotenv", "app", {"A": r"\\server\x"}, ()) == r"A='\\\server\x'" + "\n"


@given(TEXTS.filter(lambda text: "${" not in text), TEXTS.filter(lambda text: "${" not in text))
def test_dotenv_reads_back(one: str, other: str) -> None:
    values = {"A": one, "B": other}
    assert from_quoted(write("dotenv", "app", values, ()), "'", "'\\") == values


@pytest.mark.parametrize(
    ("form", "value"), [("dotenv", "a${PATH}"), ("github", "a\rb"), ("systemd", "a\x1bb"), ("systemd", "\rb")]
)
def test_what_a_format_cannot_say_is_refused(form: str, value: str) -> None:
    with pytest.raises(EnvsmithError) as caught:
        write(form, "app", {"A": value}, ())
    assert caught.value.code == "ENV055"


def test_direnv_reads_the_script_and_watches_it() -> None:
    assert write("envrc", "cu128", {"A": "x"}, ()) == (
        "watch_file 'lockfiles/cu128/activate.sh'\nwatch_file '.venv/envsmith.json'\n"
        ". './lockfiles/cu128/activate.sh'\n"
    )
