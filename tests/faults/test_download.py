"""Killed, crowded, cut off from disk or network: a wheelhouse holds whole files or none, and the next run ends it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.commands import Project
from tests.faults.lock_states import Started
from tests.range_server import RangeServer, Step
from tests.wheelhouses import artifact, leftovers, lock_files, made_bytes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals processes, mounts and unshares")
SLUG = "cp312-win_amd64"
WORDS = ("download", "any", "--all", "-d", "house")
BODIES = {f"{name}-1-py3-none-any.whl": made_bytes(400_000, seed) for seed, name in enumerate("abcdef")}
MOMENTS = 12
PAIRS = 4
# Ends the process before the nth operation that changes the wheelhouse.
KILLED = """
import os, signal, sys
left = int(os.environ["KILL_BEFORE"])
def watch(event, args):
    global left
    writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if not writes and event not in ("os.rename", "os.remove", "os.truncate"):
        return
    if any("house" in os.fspath(arg) for arg in args[:2] if isinstance(arg, (str, os.PathLike))):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watch)
"""
LIMITED = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
"""


@pytest.fixture
def server() -> Iterator[RangeServer]:
    with RangeServer() as running:
        yield running


@pytest.fixture
def project(server: RangeServer, tmp_path: Path) -> Project:
    made = Project(root=tmp_path / "project")
    items = [artifact(server.put(name, body), body, filename=name) for name, body in BODIES.items()]
    folder = made.root / "lockfiles" / "any"
    folder.mkdir(parents=True)
    for name, content in lock_files("any", {SLUG: items}).items():
        (folder / name).write_bytes(content)
    return made


def whole(house: Path) -> int:
    """Return how many files are there; fails where one of them has other bytes than it should."""
    found = list(house.glob("*.whl")) if house.is_dir() else []
    for path in found:
        assert path.read_bytes() == BODIES[path.name], path.name
    return len(found)


def ends_well(project: Project, house: str = "house") -> None:
    """The next run brings what is lacking, and leaves nothing beside it."""
    ran = project.run("download", "any", "--all", "-d", house)
    assert ran.status == 0, ran.said
    assert whole(project.root / house) == len(BODIES)
    assert leftovers(project.root / house) == []


@contextmanager
def started(
    project: Project, *words: str, before: str = "", env: dict[str, str] | None = None
) -> Iterator[Started]:
    code = f"{before}\nfrom envsmith.__main__ import run\nrun()\n"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words],
        cwd=project.root,
        env={**project.environ(), **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    try:
        yield Started(process=process)
    finally:
        process.kill()
        process.communicate()


def test_killed_before_each_change_of_the_wheelhouse(project: Project) -> None:
    seen: Counter[int] = Counter()
    for moment in range(1, 400, 7):
        house = project.root / "house"
        with started(project, *WORDS, "-j", "1", before=KILLED, env={"KILL_BEFORE": str(moment)}) as run:
            said, _ = run.process.communicate(timeout=60)
        seen[whole(house)] += 1
        if run.process.returncode == 0:
            break
        assert run.process.returncode == -signal.SIGKILL, said
        if moment % 3 == 1:
            (house / ".envsmith-partial").rename(project.root / f"moved-{moment}")
    assert leftovers(project.root / "house") == []
    assert len(seen) > 2
    ends_well(project)


def test_killed_at_moments_while_bytes_come(project: Project, server: RangeServer) -> None:
    """What one run has fetched is not fetched again by the next: the parts are taken over."""
    for name in BODIES:
        server.plan(name, *[Step(drip_s=0.0002)] * MOMENTS)
    sizes = [0]
    for _ in range(MOMENTS):
        with started(project, *WORDS) as run:
            until = time.monotonic() + 60
            while _there(project) < sizes[-1] + 20_000 and time.monotonic() < until:
                time.sleep(0.005)
            run.send(signal.SIGKILL, to_group=False)
        whole(project.root / "house")
        sizes.append(_there(project))
    server.calm()
    assert sizes == sorted(sizes)
    assert any(asked for name in BODIES for asked in server.ranges(name))
    ends_well(project)


def _there(project: Project) -> int:
    """Return how many bytes are there, of whole files and of those that are coming."""
    house = project.root / "house"
    total = 0
    for path in (*house.glob(".envsmith-partial/*.part"), *house.glob("*.whl")):
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def test_two_at_once_share_the_work(project: Project, server: RangeServer) -> None:
    for number in range(PAIRS):
        before = sum(len(server.requests_of(name)) for name in BODIES)
        house = f"house-{number}"
        words = ("download", "any", "--all", "-d", house)
        with started(project, *words) as one, started(project, *words) as other:
            for run in (one, other):
                said, _ = run.process.communicate(timeout=60)
                assert run.process.returncode == 0, said
        assert sum(len(server.requests_of(name)) for name in BODIES) == before + len(BODIES), (
            "a file was fetched twice"
        )
        assert whole(project.root / house) == len(BODIES)
        assert leftovers(project.root / house) == []


def test_the_other_is_killed_and_its_file_taken_over(project: Project, server: RangeServer) -> None:
    for name in BODIES:
        server.plan(name, Step(drip_s=0.005))
    with started(project, *WORDS, "-j", "6") as slow:
        until = time.monotonic() + 60
        while _there(project) < 1000 and time.monotonic() < until:
            time.sleep(0.02)
        server.calm()
        with started(project, *WORDS) as waiting:
            while "waiting" not in (line := waiting.process.stdout.readline()) and line:  # type: ignore[union-attr]
                pass
            slow.send(signal.SIGKILL, to_group=False)
            said, _ = waiting.process.communicate(timeout=60)
            assert waiting.process.returncode == 0, said
    assert whole(project.root / "house") == len(BODIES)
    assert any(asked for name in BODIES for asked in server.ranges(name)), (
        "the killed run's bytes were not used"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_ends_at_once(project: Project, server: RangeServer, number: signal.Signals) -> None:
    for name in BODIES:
        server.plan(name, Step(drip_s=0.01))
    with started(project, *WORDS) as run:
        until = time.monotonic() + 60
        while _there(project) < 1000 and time.monotonic() < until:
            time.sleep(0.02)
        run.send(number, to_group=False)
        said, _ = run.process.communicate(timeout=20)
    assert run.process.returncode == 130, said
    assert "Traceback" not in said
    server.calm()
    ends_well(project)


def test_files_that_may_not_grow(project: Project) -> None:
    with started(project, *WORDS, before=LIMITED) as run:
        said, _ = run.process.communicate(timeout=60)
    assert run.process.returncode == 2
    assert "TOL043" in said
    assert whole(project.root / "house") == 0
    ends_well(project)


@pytest.mark.parametrize("room_kb", [16, 128, 450, 900, 1700, 2200])
def test_a_full_disk(project: Project, room_kb: int) -> None:
    """Servers that say no size let the download begin; then the disk is full in the middle of a file."""
    house = project.root / "house"
    house.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={room_kb}k", "tmpfs", str(house)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        ran = project.run(*WORDS)
        assert ran.status == 2, ran.said
        assert "TOL044" in ran.said
        assert whole(house) == 0
        blind = "import shutil; shutil.disk_usage = lambda _: type('', (), {'free': 1 << 60})"
        with started(project, *WORDS, before=blind) as run:
            said, _ = run.process.communicate(timeout=60)
        assert run.process.returncode == 2, said
        assert any(code in said for code in ("TOL043", "TOL011")), said
        assert whole(house) < len(BODIES) or "TOL011" in said
        subprocess.run(["mount", "-o", "remount,size=8m", str(house)], check=True)
        ends_well(project)
    finally:
        subprocess.run(["umount", house], check=True)


def test_a_read_only_wheelhouse(project: Project) -> None:
    house = project.root / "house"
    ends_well(project)
    (house / "a-1-py3-none-any.whl").unlink()
    mounted = subprocess.run(["mount", "--bind", str(house), str(house)], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(house)], check=True)
        ran = project.run(*WORDS)
        assert ran.status == 2
        assert "TOL046" in ran.said
        assert whole(house) == len(BODIES) - 1
    finally:
        subprocess.run(["umount", house], check=True)
    ends_well(project)


def test_no_network_at_all(project: Project) -> None:
    """What is there is proved without any network; what is not is said."""
    probe = subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip(f"no network namespace can be made here: {probe.stderr.decode().strip()}")
    ends_well(project)
    alone = ["unshare", "-rn", sys.executable, "-m", "envsmith", *WORDS]
    done = subprocess.run(
        alone, cwd=project.root, env=project.environ(), capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    assert "new       none" in done.stdout
    (project.root / "house" / "a-1-py3-none-any.whl").unlink()
    done = subprocess.run(
        alone, cwd=project.root, env=project.environ(), capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 2
    assert "TOL047" in done.stderr
    assert whole(project.root / "house") == len(BODIES) - 1
