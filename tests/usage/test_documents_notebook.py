from __future__ import annotations

import json

import pytest

from envsmith.model.usage import SearchedModule
from envsmith.usage.documents import read_notebook
from envsmith.usage.module_matcher import FileUsage, ModuleMatcher
from tests.scan.ways import notebook

NAMES = ModuleMatcher([SearchedModule(module="torchvision")])


def read(text: str) -> FileUsage:
    gathered = FileUsage(file="a.ipynb")
    read_notebook(text.encode(), NAMES, gathered)
    return gathered


def test_uses_are_told_by_cell_and_line() -> None:
    gathered = read(
        notebook("x = 1", "%matplotlib inline\nx = !ls\nfor i in x:\n    !echo $i\nimport torchvision")
    )
    assert [use.place for use in gathered.uses] == ["a.ipynb: cell 2: line 5"]


def test_a_percent_that_goes_on_a_line_is_no_magic() -> None:
    assert read(notebook("import torchvision\nprint('%s'\n      % 1)")).uses


def test_installing_is_a_requirement() -> None:
    gathered = read(notebook("import os\n!pip install -q torchvision==0.1\n"))
    assert [(left.cell, left.line, left.kind) for left in gathered.leftovers] == [(1, 2, "requirement")]


def test_the_older_form_with_worksheets_is_read() -> None:
    cells = [{"cell_type": "code", "input": ["import torchvision"], "language": "python"}]
    assert read(json.dumps({"worksheets": [{"cells": cells}], "nbformat": 3})).uses


@pytest.mark.parametrize("magic", ["%%writefile a.py", "%%file tool/a.py "])
def test_a_module_that_a_cell_writes_is_read_at_its_lines(magic: str) -> None:
    assert [use.line for use in read(notebook(f"{magic}\nx = 1\nimport torchvision\n")).uses] == [3]


@pytest.mark.parametrize(
    "magic",
    [
        "%%html\nimport torchvision",
        "%%javascript\nimport torchvision",
        "%%writefile a.md\nimport torchvision",
    ],
)
def test_cells_in_other_languages_are_passed_over(magic: str) -> None:
    assert read(notebook(magic)).uses == []


@pytest.mark.parametrize("text", ["[]", "1", "{", '"torchvision"'])
def test_what_is_no_notebook_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read(text)


def test_other_cells_are_read_beside_a_broken_one_which_is_named() -> None:
    gathered = FileUsage(file="a.ipynb")
    with pytest.raises(SyntaxError, match="cell 1"):
        read_notebook(notebook("def (", "import torchvision").encode(), NAMES, gathered)
    assert [use.cell for use in gathered.uses] == [2]
