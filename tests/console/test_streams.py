from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="redirects in a POSIX shell")


def redirected(words: str, redirect: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command line through the shell."""
    command = f"ulimit -f 8; {sys.executable} -m envsmith {words} {redirect}"
    return subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env={
            "ENVSMITH_CACHE_DIR": str(folder / "cache"),
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.parametrize("words", ["--version", "--help", "profiles", "catalog show --json", "doctor --json"])
@pytest.mark.parametrize(
    ("redirect", "reason"),
    [
        (">&-", "Bad file descriptor"),
        ("> /dev/full", "No space left on device"),
        (">&- <&-", "Bad file descriptor"),
    ],
)
def test_output_that_cannot_be_written(words: str, redirect: str, reason: str, tmp_path: Path) -> None:
    done = redirected(words, redirect, tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"error TOL005: cannot write to standard output: {reason}" in done.stderr
    assert len(done.stderr.splitlines()) <= 3


@pytest.mark.parametrize("redirect", ["2>&-", "2> /dev/full", "> /dev/full 2>&1", ">&- 2>&- <&-"])
def test_errors_that_cannot_be_written(redirect: str, tmp_path: Path) -> None:
    done = redirected("nonsense", redirect, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


def test_output_beyond_the_limit_of_file_sizes(tmp_path: Path) -> None:
    done = redirected("catalog show --json", "> out", tmp_path)
    assert done.returncode == 2
    assert "error TOL005: cannot write to standard output: File too large" in done.stderr
    assert len(done.stderr.splitlines()) <= 3


def test_compiled_modules_are_not_cut_at_the_limit(tmp_path: Path) -> None:
    code = (
        "import atexit, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, -1)); sys.argv[1:] = ['-h'];"
        "from envsmith.__main__ import run; atexit.register(lambda: print(sys.dont_write_bytecode)); run()"
    )
    env = {"PYTHONPYCACHEPREFIX": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, encoding="utf-8", check=True
    )
    assert done.stdout.endswith("True\n")
