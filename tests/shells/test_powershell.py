"""PowerShell is not executed here: its script is read by a grammar, and so is every hostile value in it."""

from __future__ import annotations

from collections.abc import Iterator

import tree_sitter
import tree_sitter_powershell

from envsmith.activate.model import GUARDS, LIBRARY_PATHS, UNSET, Activation
from envsmith.activate.scripts import activation_files
from envsmith.model.shell import quote_ps1
from envsmith.templates import read_template
from tests.shells.places import PROFILE
from tests.shells.test_hostile import values


def parsed(text: bytes) -> tree_sitter.Node:
    """Return the root of a script's syntax tree."""
    language = tree_sitter.Language(tree_sitter_powershell.language())
    return tree_sitter.Parser(language).parse(text).root_node


def nodes(root: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    """Yield a tree's nodes."""
    yield root
    for child in root.children:
        yield from nodes(child)


def script(activation: Activation) -> bytes:
    """Return the script of a profile."""
    return activation_files(activation, read_template)["activate.ps1"]


def test_the_script_is_powershell() -> None:
    root = parsed(script(PROFILE))
    assert not root.has_error
    functions = [node for node in nodes(root) if node.type == "function_name"]
    assert b"global:deactivate" in [node.text for node in functions]


def test_it_defines_deactivate_only_where_it_enters() -> None:
    """Before, whatever is called `deactivate` is the active session's, or another tool's."""
    text = script(PROFILE)
    assert 0 < text.rindex(b"throw ") < text.index(b"global:deactivate") < text.index(b"deactivate again")
    assert b"Remove-Item -LiteralPath Function:deactivate" not in text[: text.index(b"global:deactivate")]


def test_the_grammar_finds_errors() -> None:
    assert parsed(script(PROFILE) + b"\nif (").has_error


def test_a_profile_without_cuda_is_powershell_too() -> None:
    assert not parsed(script(Activation(profile="cpu", env={"CUDA_VISIBLE_DEVICES": ""}))).has_error


def test_a_profile_that_says_all_itself_is_powershell_too() -> None:
    every = dict.fromkeys((*LIBRARY_PATHS, *UNSET, *GUARDS), "x")
    assert not parsed(script(Activation(profile="cpu", env=every))).has_error


def test_two_thousand_values_are_literals_in_ascii() -> None:
    """Literals and codes of characters, added: nothing in a value is read as code, in whatever code page."""
    lines = "\n".join(f"Edit-Value V{place} {quote_ps1(text)}" for place, text in enumerate(values()))
    root = parsed(lines.encode("ascii"))
    assert not root.has_error
    assert not [
        node
        for node in nodes(root)
        if node.type in ("variable", "sub_expression", "expandable_string_literal")
    ]
    found = [node for node in nodes(root) if node.type == "command"]
    assert len(found) == len(values())
    for node, text in zip(found, values(), strict=True):
        assert _value(node) == text


def _value(command: tree_sitter.Node) -> str:
    """Return the value that a command gives its variable: the sum of its literals and codes of UTF-16."""
    codes = b""
    for node in nodes(command):
        written = (node.text or b"").decode("ascii")
        if node.type == "verbatim_string_characters":
            codes += written[1:-1].replace("''", "'").encode("utf-16-le")
        elif node.type == "hexadecimal_integer_literal":
            codes += int(written, 16).to_bytes(2, "little")
    return codes.decode("utf-16-le", "surrogatepass")
