from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from envsmith.model.usage import SearchedModule
from envsmith.usage.module_matcher import FileUsage, ModuleMatcher
from envsmith.usage.scan import read_usage, source_roots

VISION = (SearchedModule(module="torchvision"),)


def make(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    return root


def test_only_files_with_a_name_are_parsed_but_all_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed: list[str] = []

    def noted(data: bytes, names: ModuleMatcher, gathered: FileUsage) -> None:
        assert data
        assert names.sought == VISION
        parsed.append(gathered.file)

    monkeypatch.setattr("envsmith.usage.file_reader.read_python", noted)
    make(tmp_path, {"a.py": "import torch\n", "b.py": "import torchvision\n", "c.txt": "torchvision"})
    usage = read_usage(tmp_path, VISION)
    assert (usage.files_read, parsed) == (2, ["b.py"])


def test_where_a_use_is_enough_no_more_are_looked_for_but_for_the_others(tmp_path: Path) -> None:
    both = (*VISION, SearchedModule(module="torchaudio"))
    text = "import torchvision\n"
    make(
        tmp_path,
        {"a_test.py": text, "b.py": f"try:\n    {text}except ImportError:\n    pass\n", "c.py": text},
    )
    make(tmp_path, {"d.py": text, "e.py": f"{text}import torchaudio\n", "f.py": f"{text}def (:\n"})
    usage = read_usage(tmp_path, both, enough=1)
    assert [use.file for use in usage.of(["torchvision"])] == ["c.py", "e.py"]
    assert usage.answer(["torchaudio"]) == "used"
    assert (usage.files_read, usage.unread) == (3, ())


def test_a_file_that_hardly_tells_is_read_where_no_other_does(tmp_path: Path) -> None:
    make(
        tmp_path, {"a.py": "try:\n    import torchvision\nexcept ImportError:\n    pass\n", "b.py": "x = 1\n"}
    )
    usage = read_usage(tmp_path, VISION, enough=1)
    assert usage.answer(["torchvision"]) == "conditional"
    assert usage.files_read == 2


def test_however_many_processes_read_the_answer_is_the_same(tmp_path: Path) -> None:
    """Run apart: a test's own process may have threads, and is not forked then."""
    text = "import torchvision\n"
    odd = {
        7: f"try:\n    {text}except ImportError:\n    pass\n",
        40: text,
        41: text,
        90: "def (: torchvision\n",
    }
    odd |= {3: "N = 'torchaudio'\n", 95: "import importlib\nfrom f003 import N\nimportlib.import_module(N)\n"}
    make(tmp_path, {f"f{number:03}.py": odd.get(number, "x = 1\n") for number in range(100)})
    script = (
        "import sys\nfrom pathlib import Path\nfrom envsmith.usage import parallel as forked, scan as sources\n"
        "from envsmith.model.usage import SearchedModule\n"
        "forked.WORTH_IT, forked.BLOCK = 1, 3\n"
        "sought = [SearchedModule(module='torchvision'), SearchedModule(module='torchaudio')]\n"
        "found = []\n"
        "for count in (1, 2, 5):\n"
        "    forked.worker_count = lambda count=count: count\n"
        "    found.append([sources.read_usage(Path(sys.argv[1]), sought, enough=n) for n in (None, 1, 2)])\n"
        "assert found[0] == found[1] == found[2], found\n"
        "print([(len(one.uses), len(one.unread), one.files_read) for one in found[0]])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path], capture_output=True, encoding="utf-8", check=False
    )
    assert done.stdout == "[(4, 1, 100), (2, 0, 100), (3, 0, 100)]\n", done.stderr


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
