"""Break downloads off in every way, and count what is left: ``python -m bench.download_faults``.

Each way is tried on a wheelhouse of six files served over loopback: killed at 50 moments while bytes come, two runs at
once 20 times, a connection cut at 20 offsets, wrong bytes of the right length, a disk that is full at 10 sizes (a
small tmpfs, where one can be mounted). After each, every file that has its name is compared with its bytes, and the
next run must bring the rest.
"""

from __future__ import annotations

import random
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.commands import Project
from tests.faults.test_download import BODIES, SLUG, WORDS, ends_well, started, whole
from tests.range_server import RangeServer, Step
from tests.wheelhouses import artifact, leftovers, lock_files, made_bytes

KILLS, PAIRS, CUTS, SIZES_KB = 50, 20, 20, (8, 64, 200, 420, 600, 820, 1100, 1500, 1900, 2300)
FIRST, SIZE = next(iter(BODIES)), 400_000


def main() -> None:
    """Run all ways, and print what was seen."""
    for way in (killed, crowded, cut, lied_to, full):
        with tempfile.TemporaryDirectory(prefix="envsmith-faults-") as place, RangeServer() as server:
            seen = way(_project(Path(place), server), server)
        print(f"{way.__name__:<10}{', '.join(f'{count} {what}' for what, count in seen.items())}", flush=True)


def killed(project: Project, server: RangeServer) -> Counter[str]:
    """End runs by SIGKILL at random moments of the time that one takes."""
    chance, seen = random.Random(20261121), Counter[str]()  # noqa: S311 - nothing secret
    for number in range(KILLS):
        house = f"house-{number}"
        words = ("download", "any", "--all", "-d", house)
        for name in BODIES:
            server.plan(name, Step(drip_s=0.0001))
        with started(project, *words) as run:
            time.sleep(chance.uniform(0.2, 2.5))
            run.send(signal.SIGKILL, to_group=False)
            run.process.communicate(timeout=60)
        server.calm()
        seen["killed" if run.process.returncode == -signal.SIGKILL else "ended before"] += 1
        seen["files there by then, whole"] += whole(project.root / house)
        before = _asked(server)
        ends_well(project, house)
        seen["gone on with by range"] += sum(bool(text) for text in before(server))
        seen["next run succeeded"] += 1
    return seen


def crowded(project: Project, server: RangeServer) -> Counter[str]:
    """Let two runs fill one folder."""
    seen = Counter[str]()
    for number in range(PAIRS):
        house = f"house-{number}"
        words = ("download", "any", "--all", "-d", house)
        before = sum(len(server.ranges(name)) for name in BODIES)
        with started(project, *words) as one, started(project, *words) as other:
            for run in (one, other):
                run.process.communicate(timeout=60)
                seen["succeeded" if run.process.returncode == 0 else "FAILED"] += 1
        seen["fetches"] += sum(len(server.ranges(name)) for name in BODIES) - before
        seen["files, whole"] += whole(project.root / house)
        seen["LEFT OVER"] += len(leftovers(project.root / house))
    return +seen


def cut(project: Project, server: RangeServer) -> Counter[str]:
    """Break the connection off at offsets spread over a file."""
    seen = Counter[str]()
    for number in range(CUTS):
        offset = SIZE * number // CUTS + number
        server.plan(FIRST, Step(cut_at=offset))
        before = len(server.ranges(FIRST))
        ends_well(project, f"house-{number}")
        went_on = server.ranges(FIRST)[before:] == ["", f"bytes={offset}-" if offset else ""]
        seen["cut and gone on with there" if went_on else "FETCHED ANEW"] += 1
    return seen


def lied_to(project: Project, server: RangeServer) -> Counter[str]:
    """Serve wrong bytes of the right length, for each file once."""
    seen = Counter[str]()
    for number, name in enumerate(BODIES):
        server.plan(name, Step(body=made_bytes(SIZE, seed=number + 100)))
        house = f"house-{number}"
        ran = project.run("download", "any", "--all", "-d", house)
        is_refused = (
            ran.status == 2 and "TOL048" in ran.said and whole(project.root / house) == len(BODIES) - 1
        )
        seen["refused, the others there" if is_refused else "KEPT"] += 1
        ends_well(project, house)
        seen["next run succeeded"] += 1
    return seen


def full(project: Project, _server: RangeServer) -> Counter[str]:
    """Give the folder too little room, and have the download begin all the same."""
    blind, seen = (
        "import shutil; shutil.disk_usage = lambda _: type('', (), {'free': 1 << 60})",
        Counter[str](),
    )
    house = project.root / "house"
    house.mkdir()
    for size in SIZES_KB:
        words = ["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(house)]
        if subprocess.run(words, capture_output=True, check=False).returncode:
            return Counter({"no file system can be mounted here": 1})
        try:
            seen["refused beforehand"] += "TOL044" in project.run(*WORDS).said
            with started(project, *WORDS, before=blind) as run:
                said, _ = run.process.communicate(timeout=60)
            seen["refused in the middle"] += run.process.returncode == 2 and "is full" in said
            seen["files there by then, whole"] += whole(house)
            larger = ["mount", "-o", "remount,size=8m", str(house)]
            subprocess.run(larger, check=True)
            ends_well(project)
            seen["next run succeeded"] += 1
        finally:
            away = ["umount", str(house)]
            subprocess.run(away, check=True)
    return seen


def _asked(server: RangeServer) -> Callable[[RangeServer], list[str]]:
    """Return what tells the ranges asked for from now on."""
    counts = {name: len(server.ranges(name)) for name in BODIES}
    return lambda later: [text for name in BODIES for text in later.ranges(name)[counts[name] :]]


def _project(root: Path, server: RangeServer) -> Project:
    project = Project(root=root / "project")
    items = [artifact(server.put(name, body), body, filename=name) for name, body in BODIES.items()]
    folder = project.root / "lockfiles" / "any"
    folder.mkdir(parents=True)
    for name, content in lock_files("any", {SLUG: items}).items():
        (folder / name).write_bytes(content)
    return project


if __name__ == "__main__":
    main()
