"""Git repositories to test with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

_IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Tester"), ("EMAIL", "tester@example.org"), ("DATE", "2026-11-21T09:00:00Z"))
}


def git(folder: Path, *words: str) -> str:
    """Run git in a folder, without the settings of this machine's user, and return what it says."""
    if sys.platform == "win32" and not shutil.which("git"):
        pytest.skip("git is not installed")
    env = {**os.environ, **_IDENTITY, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    done = subprocess.run(
        ["git", *words], cwd=folder, env=env, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def make(folder: Path) -> None:
    """Make a repository, where there is a folder or not."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch=main")


def commit(folder: Path, files: Mapping[str, bytes], tag: str) -> str:
    """Write files, commit all there is, and name the commit."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", tag)
    git(folder, "tag", tag)
    return git(folder, "rev-parse", "HEAD")
