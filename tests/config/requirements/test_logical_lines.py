from __future__ import annotations

import pytest

from envsmith.config.requirements.requirements_parser import logical_lines


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("\n\n# only a comment\n", []),
        ("a\nb", [(1, "a"), (2, "b")]),
        ("a\r\nb\rc", [(1, "a"), (2, "b"), (3, "c")]),
        ("a # c\n", [(1, "a")]),
        ("a#egg", [(1, "a#egg")]),
        ("\ta \t", [(1, "a")]),
        ("a \\\n  ==1 \\\n  ; x # c\nb", [(1, "a   ==1   ; x"), (4, "b")]),
        ("a \\\n# comment ends it\nb", [(1, "a"), (3, "b")]),
        ("# no continuation \\\na", [(2, "a")]),
        ("a \\", [(1, "a")]),
        ("\\\n\\\n", []),
        ("\n\\\na", [(2, "a")]),
        (" " * 300_000 + "\n" + "\t" * 300_000 + "a", [(2, "a")]),
    ],
)
def test_lines(text: str, lines: list[tuple[int, str]]) -> None:
    assert [(line.number, line.text) for line in logical_lines(text)] == lines


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("a\nb", [(1, 1), (2, 2)]),
        ("a \\\n  b\nc", [(1, 2), (3, 3)]),
        ("a \\\n# comment ends it\nb", [(1, 1), (3, 3)]),
        ("\n\na \\", [(3, 3)]),
        ("a \\\n\\\n", [(1, 3)]),
    ],
)
def test_first_and_last_line(text: str, ends: list[tuple[int, int]]) -> None:
    assert [(line.number, line.last) for line in logical_lines(text)] == ends
