"""The probe is run as it is in the environments of others: by path, isolated."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.install.made import Made, made, made_torch

PROBE = Path(__file__).parents[2] / "envsmith" / "runtime" / "inspect_environment.py"


def ask(python: Path, *words: str) -> Any:
    done = subprocess.run(
        [python, "-I", "-B", PROBE, *words], capture_output=True, encoding="utf-8", check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """An environment without packages."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    return tmp_path / "env" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def unpack(python: Path, wheel: Made) -> Path:
    """Put a wheel's files where it would be installed, and return the folder."""
    import io
    import zipfile

    line = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = subprocess.run([python, "-c", line], capture_output=True, encoding="utf-8", check=True)
    folder = Path(site.stdout.strip())
    zipfile.ZipFile(io.BytesIO(wheel.body)).extractall(folder)
    return folder


def test_it_imports_nothing_but_the_standard_library() -> None:
    for node in ast.walk(ast.parse(PROBE.read_text("utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert all(name.split(".")[0] in sys.stdlib_module_names for name in names)


def test_an_interpreter_says_what_it_is(python: Path) -> None:
    said = ask(python, "interpreter")
    assert said["version"].split(".")[:2] == [str(part) for part in sys.version_info[:2]]
    assert said["implementation"] == "cpython"
    assert Path(said["base"]) == Path(sys.base_prefix)
    assert said["bits"] == 64


def test_an_empty_environment_holds_nothing(python: Path) -> None:
    said = ask(python, "environment")
    assert said["distributions"] == []
    assert said["torch"] is None


def test_distributions_and_the_build_of_torch_are_told_without_importing_it(python: Path) -> None:
    unpack(python, made("typing-extensions", "4.1"))
    torch = made_torch("2.20.0+cu134", cuda="13.4")
    folder = unpack(python, torch)
    (folder / "torch" / "__init__.py").write_text("raise SystemExit('imported')\n", "utf-8")
    said = ask(python, "environment")
    assert [(item["name"], item["version"]) for item in said["distributions"]] == [
        ("torch", "2.20.0+cu134"),
        ("typing-extensions", "4.1"),
    ]
    assert said["torch"] == {"version": "2.20.0+cu134", "cuda": "13.4", "hip": None, "xpu": None}
    assert said["distributions"][0]["changed"] == [str(Path("torch", "__init__.py"))]


def test_missing_and_changed_files_are_named(python: Path) -> None:
    folder = unpack(python, made("many", "1", {f"many/{n:02}.py": b"x = 1\n" for n in range(30)}))
    for number in range(25):
        (folder / "many" / f"{number:02}.py").unlink()
    (folder / "many" / "25.py").write_bytes(b"x = 1")
    (folder / "many" / "26.py").write_bytes(b"x = 2\n")
    (item,) = ask(python, "environment")["distributions"]
    assert (item["missing_count"], len(item["missing"])) == (25, 20)
    assert item["missing"][0] == str(Path("many", "00.py"))
    assert item["changed"] == [str(Path("many", "25.py"))], "one of another size"
    (item,) = ask(python, "environment", "--hash", "--jobs", "3")["distributions"]
    assert item["changed"] == [str(Path("many", "25.py")), str(Path("many", "26.py"))]
    assert item["files"] == 33


def test_a_distribution_without_its_lists_is_told_as_such(python: Path) -> None:
    folder = unpack(python, made("bare", "1"))
    for name in ("RECORD", "METADATA"):
        (folder / "bare-1.dist-info" / name).unlink()
    (item,) = ask(python, "environment")["distributions"]
    assert (item["name"], item["version"], item["has_record"]) == ("bare", "1", False)


def test_an_import_is_timed_or_told_why_not(python: Path) -> None:
    said = ask(python, "import", "json")
    assert said["seconds"] >= 0
    unpack(python, made("loud", "1", {"loud.py": b"print('{not the answer'); raise SystemExit(3)\n"}))
    said = ask(python, "import", "loud")
    assert said["error"] == "SystemExit: 3"
    assert said["place"].endswith("loud.py:1")
    assert ask(python, "import", "no.such")["error"] == "ModuleNotFoundError: No module named 'no'"


def test_what_python_compiled_may_be_cleared(python: Path) -> None:
    folder = unpack(python, made("once", "1"))
    record = folder / "once-1.dist-info" / "RECORD"
    rows = "once/__pycache__/__init__.cpython-311.pyc,,\nonce/lone.pyc,,\n"
    record.write_text(record.read_text("utf-8") + rows, "utf-8")
    (item,) = ask(python, "environment", "--hash")["distributions"]
    assert item["missing"] == [str(Path("once", "lone.pyc"))], (
        "what was installed without its source is needed"
    )


def test_files_of_two_that_no_program_loads_may_be_those_of_either(python: Path) -> None:
    for name in ("one", "two"):
        files = {
            "both/__init__.py": name.encode(),
            "tests/__init__.py": name.encode() * 2,
            "LICENSE": b"by " + name.encode(),
        }
        unpack(python, made(name, "1", files))
    site = unpack(python, made("alone", "1", {"tests/alone.py": b"1", "alone/__init__.py": b"1"}))
    (site / "tests" / "alone.py").write_bytes(b"2")
    found = {item["name"]: item["changed"] for item in ask(python, "environment", "--hash")["distributions"]}
    assert found == {
        "alone": [str(Path("tests", "alone.py"))],
        "one": [str(Path("both", "__init__.py"))],
        "two": [],
    }
