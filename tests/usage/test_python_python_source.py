from __future__ import annotations

import pytest

from envsmith.model.usage import SearchedModule
from envsmith.usage.module_matcher import FileUsage, ModuleMatcher
from envsmith.usage.python import read_python

NAMES = ModuleMatcher(
    [
        SearchedModule(module="torchvision", messages=("Failed to load image",)),
        SearchedModule(module="torchaudio"),
    ]
)


def read(source: bytes | str, file: str = "a.py") -> FileUsage:
    gathered = FileUsage(file=file)
    read_python(source, NAMES, gathered)
    return gathered


def test_each_place_is_told_with_line_kind_and_certainty() -> None:
    text = (
        "import torchvision.io as io\n"
        "def f():\n"
        "    try:\n"
        "        from torchaudio import load, save\n"
        "    except ImportError:\n"
        "        pass\n"
        "    return __import__('torchvision')\n"
    )
    assert [(use.line, use.module, use.kind, use.certainty) for use in sorted(read(text).uses)] == [
        (1, "torchvision.io", "import", "certain"),
        (4, "torchaudio.load", "import", "conditional"),
        (4, "torchaudio.save", "import", "conditional"),
        (7, "torchvision", "import by name", "certain"),
    ]


def test_leftovers_are_told_with_their_line() -> None:
    text = (
        "# torchaudio is required by torch\n"
        "import warnings, logging\n"
        "warnings.filterwarnings(\n"
        "    'ignore',\n"
        "    message='Failed to load image Python extension',\n"
        ")\n"
        "warnings.filterwarnings('ignore', module=r'torchvision\\.io')\n"
        "logging.getLogger('torchaudio.x').setLevel(1)\n"
        "# torchaudio is nice\n"
    )
    gathered = read(text)
    assert gathered.uses == []
    assert [(left.line, left.module, left.kind) for left in sorted(gathered.leftovers)] == [
        (1, "torchaudio", "comment"),
        (5, "torchvision", "warning filter"),
        (7, "torchvision", "warning filter"),
        (8, "torchaudio", "logger"),
    ]


def test_setup_tells_requirements_from_entry_points() -> None:
    text = (
        "from setuptools import setup\nNEEDS = ['torchvision>=0.1']\n"
        "setup(install_requires=['torchaudio'], entry_points={'a.b': ['x=torchvision.ops:f [extra]']})\n"
    )
    gathered = read(text, "pkg/setup.py")
    assert [(use.module, use.kind) for use in gathered.uses] == [("torchvision.ops", "entry point")]
    assert sorted((left.module, left.kind) for left in gathered.leftovers) == [
        ("torchaudio", "requirement"),
        ("torchvision", "requirement"),
    ]


def test_a_bare_text_is_noted_with_what_carries_it_on() -> None:
    (found,) = read("TABLE: dict = {'a': make('torchvision')}\n").bare
    assert found.carriers == {"TABLE", "make"}


def test_syntax_that_warns_makes_no_noise() -> None:
    assert read("x = '\\d'\nimport torchvision\n").uses


@pytest.mark.parametrize("source", ["def (", b"# coding: nonsense\n", "a\x00b", b"\xe9"])
def test_what_is_no_python_is_refused(source: bytes | str) -> None:
    with pytest.raises((SyntaxError, ValueError)):
        read(source)


def test_what_nests_beyond_all_measure_is_refused_not_a_crash() -> None:
    with pytest.raises((SyntaxError, RecursionError, MemoryError)):
        read("torchvision" + "(" * 100_000)
    deep = "x = " + "-" * 20_000 + "1\nimport torchvision\n"
    with pytest.raises((SyntaxError, RecursionError, MemoryError)):
        read(deep)


def test_only_comments_that_claim_a_need_are_leftovers() -> None:
    gathered = read("x = 1  # torchvision must be there\n# torchvision\nneeds = 'torchvision'\n")
    assert [left.line for left in gathered.leftovers] == [1]
