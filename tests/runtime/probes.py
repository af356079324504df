"""Runs a trial as it is run in the environments of others: by path, isolated."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[2] / "envsmith" / "runtime" / "run_probe.py"


@dataclass(frozen=True, kw_only=True)
class Bare:
    """An environment without packages, for fakes to be written into."""

    python: Path
    site: Path

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a trial to its end."""
        command: list[str | Path] = [self.python, "-I", "-B", SCRIPT, *words]
        return subprocess.run(command, capture_output=True, encoding="utf-8", check=False)

    def trial(self, *words: str) -> Any:
        """Return the answer of a trial."""
        return json.loads(self.run(*words).stdout.splitlines()[-1])


@pytest.fixture
def bare(tmp_path: Path) -> Bare:
    """An environment without packages."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    python = tmp_path / "env" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    line = "import sysconfig; print(sysconfig.get_path('purelib'))"
    done = subprocess.run([python, "-c", line], capture_output=True, encoding="utf-8", check=True)
    return Bare(python=python, site=Path(done.stdout.strip()))
