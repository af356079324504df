from __future__ import annotations

from envsmith.model.usage import SearchedModule
from envsmith.usage.module_matcher import FileUsage, ModuleMatcher
from envsmith.usage.python import lines_of, lines_with, read_long

NAMES = ModuleMatcher([SearchedModule(module="torchvision"), SearchedModule(module="torchaudio")])


def test_long_texts_are_read_by_lines() -> None:
    gathered = FileUsage(file="a.pyx")
    text = "from torchvision cimport ops\ncimport torchaudio\nx = torchvision.y\n# needs torchaudio\n"
    text += "  import torchvision; x\n"
    read_long(text, NAMES, gathered)
    assert [(use.line, use.certainty) for use in gathered.uses] == [
        (1, "certain"),
        (2, "certain"),
        (3, "string"),
        (5, "certain"),
    ]
    assert [left.kind for left in gathered.leftovers] == ["comment"]


def test_lines_are_counted_as_python_counts_them() -> None:
    assert lines_with(["b", "d"], "a\r\nb d\rc\x0c\u2028b\n\nd") == [2, 3, 5]
    assert lines_with(["x"], "") == []
    assert lines_of("a\r\nb\rc\x0cd\n") == ["a", "b", "c\x0cd", ""]
