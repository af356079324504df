"""The script is run as it is meant to be, by path, isolated."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.site_packages import write_distribution

START = Path(__file__).parents[2] / "envsmith" / "runtime" / "start_probe.py"
# Prints what ran at the start, the import path, and the arguments.
SCRIPT = """\
import json, sys
print(json.dumps([sorted(vars(sys).get("ran", ())), sys.path, sys.argv, sys.prefix, __name__]))
"""


def marked(name: str) -> bytes:
    return f"import sys; sys.ran = [*vars(sys).get('ran', ()), {name!r}]\n".encode()


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    return tmp_path / "env"


def site(prefix: Path) -> Path:
    return next(prefix.glob("lib/python3*/site-packages" if sys.platform != "win32" else "Lib/site-packages"))


def started(prefix: Path, tmp_path: Path) -> list[Any]:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, "utf-8")
    python = prefix / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    command: list[str | Path] = [python, "-I", "-S", "-B", START, script, "a", "b"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    return list(json.loads(done.stdout))


def test_the_script_sees_the_packages_and_its_arguments(prefix: Path, tmp_path: Path) -> None:
    ran, path, arguments, found, name = started(prefix, tmp_path)
    assert (ran, name) == ([], "__main__")
    assert str(site(prefix)) in path
    assert arguments == [str(tmp_path / "script.py"), "a", "b"]
    assert found == str(prefix)


def test_start_up_code_runs_only_if_a_record_lists_it(prefix: Path, tmp_path: Path) -> None:
    write_distribution(site(prefix), "one", {"one.pth": marked("one")})
    for name in ("two.pth", "sitecustomize.py"):
        (site(prefix) / name).write_bytes(marked(name))
    assert {*started(prefix, tmp_path)[0]} == {"one"}, "once or, before Python 3.14, twice"
    write_distribution(site(prefix), "three", {"sitecustomize.py": marked("three")})
    assert {*started(prefix, tmp_path)[0]} == {"one", "three"}


def test_folders_of_old_editable_installs_are_added(prefix: Path, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    text = f"# a comment\n{tmp_path / 'source'}\n{tmp_path / 'gone'}\nimport sys; sys.ran = [1]\n\n"
    (site(prefix) / "easy-install.pth").write_text(text, "utf-8")
    ran, path, *_ = started(prefix, tmp_path)
    assert ran == []
    assert str(tmp_path / "source") in path
    assert str(tmp_path / "gone") not in path
