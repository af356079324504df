from __future__ import annotations

import pytest

from envsmith.model.usage import SearchedModule
from envsmith.usage.documents import read_document, read_foreign
from envsmith.usage.module_matcher import FileUsage, ModuleMatcher

NAMES = ModuleMatcher([SearchedModule(module="torchvision")])
HEAD = "---\ntitle: x\njupyter:\n  jupytext:\n    formats: md\n---\n"


@pytest.mark.parametrize(
    ("text", "uses"),
    [
        ("```{python}\nimport torchvision\n```\n", [(2, "certain")]),
        ("```{python, echo=FALSE}\nimport torchvision\n```\n", [(2, "certain")]),
        (
            "text\n~~~~{.python .cell}\nimport torchvision\n```\nimport torchvision\n~~~~\n",
            [(3, "certain"), (5, "certain")],
        ),
        ("```{code-cell} ipython3\nimport torchvision\n```\n", [(2, "certain")]),
        ("```{bash}\npython -m torchvision\n```\n", [(2, "certain")]),
        ("```{r}\ntv <- reticulate::import('torchvision')\n```\n", [(2, "string")]),
        (f"{HEAD}```python\nimport torchvision\n```\n", [(8, "certain")]),
        ("```python\nimport torchvision\n```\n", []),
        ("import torchvision\n", []),
        ("```{python}\n```\nimport torchvision\n", []),
    ],
)
def test_code_that_is_run_counts_and_code_that_is_shown_does_not(
    text: str, uses: list[tuple[int, str]]
) -> None:
    gathered = FileUsage(file="a.qmd")
    read_document(text, NAMES, gathered)
    assert [(use.line, use.certainty) for use in gathered.uses] == uses


@pytest.mark.parametrize(
    "text",
    [
        'PyImport_ImportModule("torchvision.io");',
        'auto m = py::module_::import("torchvision.io");',
        'let m = py.import("torchvision.io")?;',
        'let m = PyModule::import(py, c"torchvision.io")?;',
        'tv = pyimport("torchvision.io")',
        "tv <- import('torchvision.io')",
        '@pyimport "torchvision.io"',
    ],
)
def test_other_languages_import_by_name(text: str) -> None:
    gathered = FileUsage(file="a.cpp")
    read_foreign(f"\n{text}\n", NAMES, gathered)
    assert [(use.line, use.module, use.certainty) for use in gathered.uses] == [
        (2, "torchvision.io", "string")
    ]


@pytest.mark.parametrize(
    "text", ["#include <torchvision/vision.h>", 'log("torchvision is imported");', "library(torchvision)"]
)
def test_what_only_bears_the_name_is_no_use(text: str) -> None:
    gathered = FileUsage(file="a.cpp")
    read_foreign(text, NAMES, gathered)
    assert gathered.uses == []
