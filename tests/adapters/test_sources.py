from __future__ import annotations

import sys
from pathlib import Path

import pytest

from envsmith.adapters import sources
from envsmith.adapters.gathered import Gathered
from envsmith.adapters.names import Names
from envsmith.adapters.sources import read_usage, source_roots
from envsmith.model.usage import Sought

VISION = (Sought(module="torchvision"),)


def make(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    return root


def test_only_files_with_a_name_are_parsed_but_all_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []

    def noted(data: bytes, names: Names, gathered: Gathered) -> None:
        assert data
        assert names.sought == VISION
        parsed.append(gathered.file)

    monkeypatch.setattr("envsmith.adapters.sources.read_python", noted)
    make(tmp_path, {"a.py": "import torch\n", "b.py": "import torchvision\n", "c.md": "torchvision"})
    usage = read_usage(tmp_path, VISION)
    assert (usage.files_read, parsed) == (2, ["b.py"])


def test_where_a_use_is_enough_no_more_are_looked_for_but_for_the_others(tmp_path: Path) -> None:
    both = (*VISION, Sought(module="torchaudio"))
    text = "import torchvision\n"
    make(
        tmp_path,
        {"a_test.py": text, "b.py": f"try:\n    {text}except ImportError:\n    pass\n", "c.py": text},
    )
    make(tmp_path, {"d.py": text, "e.py": f"{text}import torchaudio\n", "f.py": f"{text}def (:\n"})
    usage = read_usage(tmp_path, both, enough=1)
    assert [use.file for use in usage.of(["torchvision"])] == ["a_test.py", "b.py", "c.py", "e.py"]
    assert usage.answer(["torchaudio"]) == "used"
    assert (usage.files_read, usage.unread) == (6, ())


def test_nothing_is_run_or_imported(tmp_path: Path) -> None:
    make(tmp_path, {"torchvision_trap.py": "raise SystemExit('run: torchvision')\nimport torchvision\n"})
    before = set(sys.modules)
    assert read_usage(tmp_path, VISION).uses
    assert not {name for name in set(sys.modules) - before if "trap" in name}


def test_sources_that_are_named_leave_other_code_out_but_not_the_tests(tmp_path: Path) -> None:
    make(
        tmp_path,
        {"src/a.py": "", "train.py": "import torchvision\n", "tests/test_a.py": "import torchvision\n"},
    )
    assert [use.file for use in read_usage(tmp_path, VISION).uses] == ["tests/test_a.py", "train.py"]
    assert [use.file for use in read_usage(tmp_path, VISION, ["src"]).uses] == ["tests/test_a.py"]
    assert read_usage(tmp_path, VISION, ["train.py"]).answer(["torchvision"]) == "used"


@pytest.mark.parametrize(
    ("files", "roots"),
    [
        ({}, ()),
        ({"a/__init__.py": ""}, ()),
        ({"src/a.py": ""}, ("src",)),
        ({"src/__init__.py": ""}, ()),
        ({"pyproject.toml": "[project]\nname = 'a'\n", "a/__init__.py": ""}, ("a",)),
        ({"pyproject.toml": "[tool.setuptools]\npackages = ['gone', '../up']\n"}, ()),
        ({"pyproject.toml": "[project\n", "src/a.py": ""}, ("src",)),
    ],
)
def test_roots(files: dict[str, str], roots: tuple[str, ...], tmp_path: Path) -> None:
    assert source_roots(make(tmp_path, files)) == roots


def test_files_that_cannot_be_read_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, {"a.py": "x = 1", "b.py": "x = 1"})
    read = Path.read_bytes

    def guarded(path: Path) -> bytes:
        if path.name == "a.py":
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", guarded)
    usage = read_usage(tmp_path, VISION)
    assert [(item.file, item.reason, item.modules) for item in usage.unread] == [
        ("a.py", "Permission denied", ())
    ]
    assert usage.answer(["torchvision"]) == "unproven"


def test_code_beyond_all_size_is_unread_and_data_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MOST_BYTES", 10)
    monkeypatch.setattr(sources, "MOST_CONFIG_BYTES", 10)
    make(tmp_path, {"a.py": "x = 1234567890", "b.json": '["torchvision.x"]'})
    usage = read_usage(tmp_path, VISION)
    assert [item.file for item in usage.unread] == ["a.py"]
    assert usage.files_read == 0


def test_texts_in_utf_16_are_read(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes("torchvision\r\n".encode("utf-16"))
    assert [left.line for left in read_usage(tmp_path, VISION).leftovers] == [1]


def test_a_reason_names_the_line(tmp_path: Path) -> None:
    make(tmp_path, {"a.py": "import torchvision\n\ndef (:\n"})
    (unread,) = read_usage(tmp_path, VISION).unread
    assert unread.reason.startswith("line 3: ")
