from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.usage.module_matcher import BareWordText, FileUsage
from envsmith.usage.syntax import computed_uses

IMPORTING = "import importlib\ndef load(key):\n    return importlib.import_module(key)\n"


def bare(*carriers: str) -> BareWordText:
    gathered = FileUsage(file="names.py")
    gathered.bare_text("torchvision", 1, frozenset(carriers))
    return gathered.bare[0]


def places(text: BareWordText, folder: Path, **files: str) -> list[str]:
    code = {}
    for name, content in files.items():
        path = folder / f"{name}.py"
        path.write_text(content)
        code[path.name] = str(path)
    return [use.place for use in computed_uses([text], code)]


@pytest.mark.parametrize(
    "importer",
    [
        "importlib.import_module(key)",
        "__import__(key)",
        "find_spec(name)",
        "import_module('.'.join(parts))",
        "import_module('a.' + name)",
        "getattr(importlib, 'import_module')(name)",
    ],
)
def test_a_text_counts_where_its_own_file_imports_by_computed_names(importer: str, tmp_path: Path) -> None:
    assert places(bare(), tmp_path, names=f"{importer}\n") == ["names.py:1"]


def test_a_text_counts_where_a_file_that_does_knows_what_carries_it(tmp_path: Path) -> None:
    assert places(bare("TABLE"), tmp_path, names="", load=f"{IMPORTING}TABLE\n") == ["names.py:1"]
    assert places(bare("TABLE"), tmp_path, names="", load=f"{IMPORTING}TABLES\n") == []
    assert places(bare("TABLE"), tmp_path, names="", load="TABLE\n") == []
    many = [f"T{number}" for number in range(20)]
    assert places(bare(*many), tmp_path, names="", load=f"{IMPORTING}T7\n") == ["names.py:1"]


def test_texts_that_a_framework_imports_count_without_a_look(tmp_path: Path) -> None:
    assert places(bare("INSTALLED_APPS"), tmp_path) == ["names.py:1"]


@pytest.mark.parametrize(
    "call", ["import_module('os')", "import_module( 'os' )", "import_module('.os', 'a')"]
)
def test_a_call_whose_name_is_plain_computes_nothing(call: str, tmp_path: Path) -> None:
    assert places(bare(), tmp_path, names=f"importlib.{call}\n") == []


def test_a_file_that_is_gone_since_knows_nothing(tmp_path: Path) -> None:
    assert list(computed_uses([bare("T")], {"gone.py": str(tmp_path / "gone.py")})) == []
