"""Build the wheel of envsmith as it is in this tree."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from envsmith.uv.command import find_uv

ROOT = Path(__file__).parent.parent


def run(*words: str | Path, folder: Path, **variables: str) -> str:
    """Run a program that must succeed, and return what it prints."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "UV_INDEX"))}
    done = subprocess.run(
        words,
        cwd=folder,
        env={**env, **variables},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def build_wheel(folder: Path) -> Path:
    """Build from a copy of what is committed or would be, with the build backend at hand and no network."""
    return _build(folder, "--wheel", "*.whl")


def build_sdist(folder: Path) -> Path:
    """Build the source distribution, as a wheel is built."""
    return _build(folder, "--sdist", "*.tar.gz")


def _build(folder: Path, kind: str, pattern: str) -> Path:
    listed = run("git", "ls-files", "-co", "--exclude-standard", "envsmith", "profiles", folder=ROOT).split()
    for name in (*listed, "pyproject.toml", "setup.py", "README.md", "LICENSE"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((ROOT / name).read_bytes())
    run(
        find_uv(), "build", kind, "--no-build-isolation", "--offline", "--python", sys.executable, "-o", "dist",
        folder=folder,
    )  # fmt: skip
    (built,) = (folder / "dist").glob(pattern)
    return built
