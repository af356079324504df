"""Runs the tests of this checkout under a Windows CPython and Wine: ``python -m tests.windows.suites FOLDER [ARG …]``.

`.ci/windows` has filled FOLDER; further arguments go to pytest, instead of the folders of tests below.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.windows.conftest import ROOT, Drive, running

SUITES = (
    *("catalog", "config", "download", "environment", "files", "host", "index", "lockfile", "model", "net"),
    *("plan", "templates"),
)
"""Folders of tests that run there: the others start POSIX programs, or many programs, which takes long under Wine."""
_REQUIREMENTS = "requirements-dev.txt"
_INSTALL = (
    *("--no-config", "pip", "install", "--quiet", "--no-build", "--require-hashes"),
    *("--python-platform", "x86_64-pc-windows-msvc", "--python-version", "3.11"),
)


def prepare(drive: Drive) -> Path:
    """Install the development requirements for Windows, and copy the checkout; return the copy."""
    packages, copy = drive.root / "suites" / "packages", drive.root / "suites" / "checkout"
    done, wanted = packages / "installed.txt", (ROOT / _REQUIREMENTS).read_bytes()
    if not done.is_file() or done.read_bytes() != wanted:
        shutil.rmtree(packages, ignore_errors=True)
        uv = str(Path(sys.executable).parent / "uv")
        subprocess.run(
            [uv, *_INSTALL, "--requirement", str(ROOT / _REQUIREMENTS), "--target", str(packages)], check=True
        )
        done.write_bytes(wanted)
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = [name for name in os.fsdecode(listed.stdout).split("\0") if (ROOT / name).is_file()]
    places = {name: [copy / name] for name in names}
    for name in names:
        if name.startswith("profiles/"):  # where an installed envsmith has them
            places[name].append(copy / "envsmith" / name)
    kept = {place for each in places.values() for place in each}
    for path in copy.rglob("*"):
        if path.is_file() and path not in kept and path.parent.name != "__pycache__":
            path.unlink()
    for name, each in places.items():
        for place in each:
            # Bytecode of what did not change stays valid.
            if not place.is_file() or place.read_bytes() != (ROOT / name).read_bytes():
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, place)
    return copy


def run(drive: Drive, arguments: list[str]) -> int:
    """Run pytest on the drive, pass its output on, and return its status."""
    copy = prepare(drive)
    shutil.rmtree(drive.root / "suites" / "tmp", ignore_errors=True)
    # Wine's programs cannot write to files that they inherit, as pytest's capture of file descriptors makes them.
    options = ["-n", "auto", "-q", "--capture=sys", "-p", "no:cacheprovider", "--basetemp", "C:\\suites\\tmp"]
    more = {"PYTHONPATH": "C:\\suites\\checkout;C:\\suites\\packages", "ENVSMITH_TEST_OFFLINE": "1"}
    with (
        running(drive),
        subprocess.Popen(
            ["wine", "python.exe", "-m", "pytest", *options, *arguments],
            cwd=copy,
            env={**drive.environ(), **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as started,
    ):
        assert started.stdout is not None
        for line in started.stdout:
            sys.stdout.buffer.write(line)
            sys.stdout.flush()
    return started.returncode


if __name__ == "__main__":
    sys.exit(
        run(Drive(folder=Path(sys.argv[1]).resolve()), sys.argv[2:] or [f"tests/{name}" for name in SUITES])
    )
