"""Killed, or started twice at once, as on Linux (`tests/install/campaign.py`): the next command repairs what was left.

Junctions are emulated (`junctions.py`); Wine does end the programs of a job with the process that made it.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.commands import TIME_LIMIT_S
from tests.install import campaign
from tests.install.made import Shop
from tests.install.serving import served
from tests.install.sides import Ours, wheels_of
from tests.wheelhouses import leftovers
from tests.windows.conftest import Drive, WindowsProject, opened_shop

KILLS = max(1, int(os.environ.get("ENVSMITH_TEST_KILLS", "4")) // 4)
"""Of each of four commands, and pairs of installs at once."""
KILLING = Path(__file__).with_name("killing.py")
KILLED = 9
INSTALL = ("install", "small", "--frozen")
# Starts a program, and ends it after some seconds if it still runs.
KILL_AFTER = """
import subprocess, sys
process = subprocess.Popen(sys.argv[2:], stdin=-3, stdout=-3, stderr=-3)
try:
    process.wait(float(sys.argv[1]))
except subprocess.TimeoutExpired:
    process.kill()
    sys.exit(9)
"""


class WindowsSide(Ours):
    """``envsmith install`` on the drive."""

    length_s = 0.0
    """Of the first one."""

    @property
    def project(self) -> WindowsProject:
        assert isinstance(self.shop.project, WindowsProject)
        return self.shop.project

    def run(self) -> tuple[int, str]:
        ran = self.project.run(*INSTALL)
        return ran.status, ran.said

    def start(self, command: Sequence[str | Path] = ()) -> subprocess.Popen[bytes]:
        assert not command
        return self._begin("-m", "envsmith", *INSTALL)

    def _begin(self, *words: str | Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["wine", "python.exe", *words],
            cwd=self.project.root,
            env=self.project.environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill_after(self, seconds: float, command: Sequence[str | Path] = (), *, group: bool = True) -> bool:
        del group  # its programs end with it
        words = ("-c", KILL_AFTER, str(seconds), "python.exe", "-m", "envsmith", *(command or INSTALL))
        # Without pipes: a program that was just being started stays in Wine, and keeps them open.
        with self._begin(*words) as process:
            status = process.wait(TIME_LIMIT_S)
        assert status in (0, KILLED)
        return status == KILLED

    def changes(self, *words: str) -> int:
        """Return the number of changes of files of a command, which is run to its end."""
        done = self._run_killing(0, words)
        assert done.returncode == 0, done.stderr
        return int(done.stderr.split()[-1])

    def kill_before(self, number: int, *words: str) -> bool:
        """Run a command, and end it before its nth change of a file; return whether it has as many."""
        done = self._run_killing(number, words)
        assert done.returncode in (0, KILLED), done.stderr
        return done.returncode == KILLED

    def _run_killing(self, number: int, words: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
        return self.project.drive.run(
            "python.exe", KILLING, str(number), *words, at=self.project.root, env=self.project.environ()
        )

    def is_whole(self, number: int) -> bool:
        wheels = wheels_of(number, self.payload, self.files)
        site = self.shop.link / "Lib" / "site-packages"
        folders = {f"{wheel.name}-{wheel.version}.dist-info" for wheel in wheels}
        if {path.name for path in site.glob("*.dist-info")} != folders:
            return False
        for folder in folders:
            for name, digest, _ in csv.reader((site / folder / "RECORD").read_text("utf-8").splitlines()):
                if digest and digest != f"sha256={_digest(site / name)}":
                    return False
        python = self.shop.link / "Scripts" / "python.exe"
        code = "import torch; print(torch.__version__)"
        done = self.project.drive.run(python, "-I", "-c", code, at=self.project.root)
        return done.stdout.split() == [f"2.{number}.0+cpu".encode()]


def _digest(path: Path) -> str:
    data = path.read_bytes() if path.is_file() else b""
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def side(drive: Drive) -> Iterator[WindowsSide]:
    """A project whose first state is installed."""
    with opened_shop(drive, "kills") as shop, served() as server:
        side = WindowsSide(shop=shop, server=server, payload=400_000, files=40)
        side.ask_for(1)
        begun = time.monotonic()
        status, said = side.run()
        assert status == 0, said
        side.length_s = time.monotonic() - begun
        yield side


def left_behind(side: WindowsSide) -> list[str]:
    """Return what is left of changes: half-built environments, and temporary names."""
    folder = side.project.root / ".envsmith"
    named = [path.name for path in (*folder.iterdir(), *(folder / "aside").glob("*"))]
    marks = ("link-", "busy", "-exchanged", ".envsmith-busy", ".new")
    return [
        *campaign.half_built(side),
        *(name for name in named if name != ".gitignore" and any(mark in name for mark in marks)),
    ]


def moments(count: float) -> list[float]:
    """Return moments spread over a number of changes, or of seconds."""
    return [count * (number + 0.5) / KILLS for number in range(KILLS)]


@pytest.mark.weekly
def test_install_is_killed_at_moments_spread_over_it(side: WindowsSide) -> None:
    tally = campaign.Tally("TerminateProcess", side.name)
    for moment in moments(side.length_s):
        before = side.number
        side.ask_for(before + 1)
        side.forget()
        tally.seen["killed"] += side.kill_after(moment)
        campaign.watched_paths(side, before, tally)
        assert left_behind(side) == []
        campaign.prune(side)
    assert tally.is_clean, str(tally)
    assert tally.seen["killed"] > KILLS // 2, str(tally)


@pytest.mark.weekly
def test_rollback_to_what_others_made_is_killed_before_a_change(side: WindowsSide) -> None:
    """The environment of others holds a file of the user, which is always somewhere."""
    link, root = side.shop.link, side.project.root
    link.unlink()
    link.mkdir()
    (link / "pyvenv.cfg").write_text("", "utf-8")
    (link / "theirs").write_text("theirs", "utf-8")
    assert side.run()[0] == 0
    count = killed = 0
    for moment in (0.0, *moments(1)):
        if count:
            killed += side.kill_before(1 + int(count * moment), "rollback")
        else:
            count = side.changes("rollback")
        found = [*root.glob(".venv/theirs"), *root.glob(".envsmith/aside/*/theirs")]
        assert [path.read_text("utf-8") for path in found] == ["theirs"]
        if (link / "Scripts").exists():
            assert side.is_whole(side.number)
        status, said = side.run()
        assert status == 0, said
        assert side.is_whole(side.number)
        assert left_behind(side) == []
    assert killed > KILLS // 2  # the first run also compiles modules


@pytest.mark.weekly
def test_removals_of_read_only_files_are_killed_before_a_change(side: WindowsSide) -> None:
    for moment in moments(100):
        campaign.prune(side, 1)
        for path in filter(Path.is_file, side.shop.link.resolve().rglob("*")):
            path.chmod(0o444)  # Wine refuses to remove it, as Windows does
        side.ask_for(side.number + 1)
        assert side.run()[0] == 0
        assert side.kill_before(1 + int(moment), "generations", "--keep", "1")
        assert side.is_whole(side.number)
        status, said = side.run()
        assert status == 0, said
        assert left_behind(side) == []
        campaign.prune(side, 1)
        assert side.shop.names() == [side.shop.current()]


@pytest.mark.weekly
def test_download_is_killed_before_a_change(shop: Shop) -> None:
    wheels = wheels_of(1, 400_000, 10)
    with served(*wheels) as server:
        shop.lock(*wheels, address=server.address)
        side = WindowsSide(shop=shop, server=server)
        words = ("download", "small", "--allow-insecure-host", "127.0.0.1", "-d")
        side.changes(*words, "first")  # compiles modules as well
        count, killed = side.changes(*words, "house"), 0
        for moment in moments(count):
            killed += side.kill_before(1 + int(moment), *words, (house := f"house{int(moment)}"))
            for wheel in wheels:
                path = shop.project.root / house / wheel.filename
                assert not path.exists() or path.read_bytes() == wheel.body
            ran = shop.project.run(*words, house)
            assert ran.status == 0, ran.said
            assert leftovers(shop.project.root / house) == []
            assert all((shop.project.root / house / one.filename).read_bytes() == one.body for one in wheels)
        assert killed > KILLS // 2


@pytest.mark.weekly
def test_two_installs_at_once(side: WindowsSide) -> None:
    tally = campaign.twice_at_once(side, KILLS)
    assert tally.is_clean, str(tally)
    assert tally.seen["both succeeded"] == tally.seen["new"] == KILLS


def test_locks_left_by_a_power_failure_are_no_locks(side: WindowsSide) -> None:
    root = side.project.root
    for folder in (root / ".envsmith", root / "lockfiles" / "small"):
        (folder / ".envsmith-busy").touch()
    begun = time.monotonic()
    status, said = side.run()
    assert status == 0, said
    assert time.monotonic() - begun < 25  # was: 30 s, and TOL016
    assert left_behind(side) == []


ENDED = """
import ctypes, os, subprocess, sys, time
process = subprocess.Popen([sys.executable, "-c", sys.argv[1]])
while not os.path.exists("pid"):
    time.sleep(0.02)
kernel = ctypes.WinDLL("kernel32")
handle = kernel.OpenProcess(0x100000, False, int(open("pid").read()))
print(kernel.WaitForSingleObject(handle, 0))
process.kill()
print(kernel.WaitForSingleObject(handle, 20_000))
"""
RUNNING = """
import sys
from envsmith.process.runner import Processes, inherited_environ
code = "import os, time; open('new', 'w').write(str(os.getpid())); os.rename('new', 'pid'); time.sleep(60)"
Processes().run([sys.executable, "-c", code], env=inherited_environ(()), timeout_s=100)
"""
_RUNS, _ENDED = b"258", b"0"  # WAIT_TIMEOUT, WAIT_OBJECT_0


@pytest.mark.weekly
def test_a_program_ends_with_an_envsmith_that_is_killed(shop: Shop, drive: Drive) -> None:
    project = shop.project
    done = drive.run("python.exe", "-c", ENDED, RUNNING, at=project.root, env=project.environ())
    assert done.stdout.split() == [_RUNS, _ENDED], done.stderr
