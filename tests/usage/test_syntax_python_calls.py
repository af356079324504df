from __future__ import annotations

import ast
from typing import get_args

import pytest

from envsmith.model.usage import Certainty, UseKind
from envsmith.usage.syntax import CALLS, called, leading_text


def expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("'a'", "a"),
        ("1", ""),
        ("b'a'", ""),
        ("'a.' + name + 'b'", "a."),
        ("'a.%s' % name", "a.%s"),
        ("f'a.{name}'", "a."),
        ("f'{name}.a'", ""),
        ("'a.{}'.format(name)", "a.{}"),
        ("name", ""),
        ("''.join(x)", ""),
    ],
)
def test_the_text_an_expression_begins_with(text: str, found: str) -> None:
    assert leading_text(expression(text)) == found


@pytest.mark.parametrize(
    ("text", "name"),
    [("f()", "f"), ("a.b.f()", "a.b.f"), ("load()", "import_module"), ("x[0]()", ""), ("f().g()", "g")],
)
def test_the_name_of_what_is_called(text: str, name: str) -> None:
    call = expression(text)
    assert isinstance(call, ast.Call)
    assert called(call.func, {"load": "import_module"}) == name


def test_every_call_has_a_known_kind_and_certainty() -> None:
    for kind, certainty in CALLS.values():
        assert kind in get_args(UseKind)
        assert certainty in get_args(Certainty)
