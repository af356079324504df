from __future__ import annotations

import ast

import pytest

from envsmith.usage.syntax import ancestors, carriers, children, statements


def conditional(text: str) -> list[str]:
    """Return the names imported where it is not sure that the place is reached."""
    stack: list[tuple[ast.AST, bool]] = [(ast.parse(text), False)]
    found = []
    while stack:
        node, is_conditional = stack.pop()
        if isinstance(node, ast.Import) and is_conditional:
            found.append(node.names[0].name)
        stack += children(node, is_conditional)
    return sorted(found)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("import a", []),
        (
            "try:\n import a\nexcept ImportError:\n import b\nelse:\n import c\nfinally:\n import d",
            ["a", "b", "c"],
        ),
        ("try:\n import a\nexcept x.ModuleNotFoundError:\n pass", ["a"]),
        ("try:\n import a\nexcept* ImportError:\n pass", ["a"]),
        ("try:\n import a\nexcept (KeyError, OSError):\n import b", []),
        ("try:\n import a\nfinally:\n pass", []),
        ("try:\n def f():\n  import a\nexcept ImportError:\n pass", ["a"]),
        ("with suppress(ImportError):\n import a", ["a"]),
        ("with suppress(KeyError):\n import a", []),
        ("with open(x):\n import a", []),
        ("if TYPE_CHECKING:\n import a\nelse:\n import b", ["a"]),
        ("if not TYPE_CHECKING:\n import a\nelse:\n import b", ["b"]),
        ("if is_x_available():\n import a\nelse:\n import b", ["a", "b"]),
        ("if HAS_X:\n import a", ["a"]),
        ("if x:\n import a", []),
    ],
)
def test_what_runs_only_where_a_module_is_there(text: str, names: list[str]) -> None:
    assert conditional(text) == names


def test_every_statement_is_found() -> None:
    text = (
        "@d\nclass A:\n def f(self):\n  for x in y:\n   pass\n  else:\n   while 1: break\n"
        "try:\n with a: b = 1\nexcept E:\n raise\nelse:\n del c\nfinally:\n assert d\n"
        "match e:\n case 1:\n  return_ = 1\nasync def g():\n async with h: await i\nif j: k\nelif l: m\n"
    )
    tree = ast.parse(text)
    found = {node for node in statements(tree) if isinstance(node, ast.stmt)}
    assert found == {node for node in ast.walk(tree) if isinstance(node, ast.stmt)}


def test_the_way_to_a_text_leads_through_what_spans_it() -> None:
    tree = ast.parse("a = f(\n  b,\n)\n@d(\n  'x',\n)\nclass C:\n  pass\n")
    (constant,) = [node for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert [type(node) for node in ancestors(constant, tree)] == [ast.Module, ast.ClassDef, ast.Call]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("A = 'x'", {"A"}),
        ("a.B: dict = {1: ['x']}", {"a", "B"}),
        ("A += [f('x')]", {"A", "f"}),
        ("g(h.i(k='x'))", {"g", "i"}),
        ("if a == 'x': pass", set()),
        ("def f(a='x'): pass", set()),
    ],
)
def test_what_carries_a_text_elsewhere(text: str, names: set[str]) -> None:
    tree = ast.parse(text)
    (constant,) = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value == "x"]
    assert carriers(constant, tree) == names
