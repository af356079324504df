"""The probe is run as it is in the environments of others: by path, isolated."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.install.made import Made, made

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


def test_an_import_is_timed_or_told_why_not(python: Path) -> None:
    said = ask(python, "import", "json")
    assert said["seconds"] >= 0
    unpack(python, made("loud", "1", {"loud.py": b"print('{not the answer'); raise SystemExit(3)\n"}))
    said = ask(python, "import", "loud")
    assert said["error"] == "SystemExit: 3"
    assert said["place"].endswith("loud.py:1")
    assert ask(python, "import", "no.such")["error"] == "ModuleNotFoundError: No module named 'no'"


def test_a_layout_names_the_folders_of_the_environment(python: Path) -> None:
    """Start-up code does not run."""
    prefix = python.parents[1]
    folder = unpack(python, made("one"))
    (folder / "sitecustomize.py").write_text("import os; os._exit(7)\n", "utf-8")
    done = subprocess.run(
        [python, "-I", "-S", "-B", PROBE, "layout", prefix], capture_output=True, encoding="utf-8", check=True
    )
    said = json.loads(done.stdout.splitlines()[-1])
    assert (said["prefix"], said["is_virtual"]) == (str(prefix), True)
    assert Path(said["purelib"]) == folder
    assert Path(said["scripts"]) == python.parent
    assert {"json", "random"} <= {*said["stdlib_names"]} - {"sys"}
