"""Faults, each in many rounds: what is current afterwards must be whole, and the next run must succeed."""

from __future__ import annotations

import errno
import os
import random
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.install.sides import Ours, Side, length_s

SEED = 20261121


@dataclass
class Tally:
    """What was seen."""

    fault: str
    side: str
    rounds: int = 0
    seen: Counter[str] = field(default_factory=Counter)

    @property
    def is_clean(self) -> bool:
        """Whether every round left a whole environment, and every next run succeeded."""
        return not self.seen["broken"] and not self.seen["next run failed"] and not self.seen["left over"]

    def __str__(self) -> str:
        told = " · ".join(f"{count} {what}" for what, count in sorted(self.seen.items()) if count)
        return f"{self.fault:<28}{self.side:<18}{self.rounds:>3} rounds: {told}"


def watched_paths(side: Side, before: int, tally: Tally) -> None:
    """Look at what a fault left, then run once more without one, and look again."""
    tally.rounds += 1
    state = side.state()
    if state == side.number:
        tally.seen["new"] += 1
    elif state == before:
        tally.seen["old"] += 1
    else:
        tally.seen["broken"] += 1
        tally.seen["broken, and uv calls it fine"] += side.is_called_fine()
    status, _ = side.run()
    if status or not side.is_whole(side.number):
        tally.seen["next run failed"] += 1
        tally.seen["next run said done, still broken"] += status == 0
        recover(side)
    left = half_built(side)
    tally.seen["left over"] += bool(left)


def half_built(side: Side) -> list[str]:
    """Return the names of what lies about half-built after a run that succeeded."""
    folder = side.shop.generations
    if not isinstance(side, Ours) or not folder.is_dir():
        return []
    return [path.name for path in folder.iterdir() if not (path / "envsmith.json").exists()]


def recover(side: Side) -> None:
    """Begin anew: what is broken for good must not count in the next round, too."""
    subprocess.run(["rm", "-rf", side.shop.link, side.shop.project.root / ".envsmith"], check=True)
    side.forget()
    side.run()


def killed(side: Side, rounds: int) -> Tally:
    """Kill the change at random moments, all it started or itself alone in turn."""
    tally = Tally("SIGKILL at random moments", side.name)
    chance = random.Random(SEED)  # noqa: S311 - the same moments each time
    length = length_s(side)
    for number in range(rounds):
        before = side.number
        side.ask_for(before + 1)
        side.forget()
        is_killed = side.kill_after(chance.uniform(0, length * 1.05), group=bool(number % 2))
        tally.seen["killed"] += is_killed
        watched_paths(side, before, tally)
        prune(side)
    return tally


def killed_linking(side: Side, rounds: int) -> Tally:
    """Kill the change at random moments, with everything in uv's cache: what takes its time is the change itself."""
    tally = Tally("SIGKILL, all in the cache", side.name)
    chance = random.Random(SEED)  # noqa: S311
    side.ask_for(2)
    length_s(side)
    length = 0.0
    for number in range(-1, rounds):
        before = side.number
        side.ask_for(3 - before)
        prune(side, 1)
        if number < 0:
            begun = time.monotonic()
            side.run()
            length = time.monotonic() - begun
            continue
        is_killed = side.kill_after(chance.uniform(0, length), group=bool(number % 2))
        tally.seen["killed"] += is_killed
        watched_paths(side, before, tally)
    return tally


def prune(side: Side, count: int = 2) -> None:
    """Keep the disk from filling up over many rounds."""
    if isinstance(side, Ours):
        words = ("generations", "--keep", str(count))
        ran = side.shop.project.run(*words)
        assert ran.status == 0, ran.said


def killed_going_back(side: Ours, rounds: int) -> Tally:
    """Kill ``rollback`` at random moments."""
    tally = Tally("SIGKILL of rollback", "envsmith rollback")
    chance = random.Random(SEED)  # noqa: S311
    first = side.number
    side.ask_for(first + 1)
    side.run()
    for number in range(rounds):
        is_killed = side.kill_after(chance.uniform(0, 0.2), side.rollback(), group=bool(number % 2))
        tally.seen["killed"] += is_killed
        tally.rounds += 1
        state = side.state()
        tally.seen["broken"] += state not in (first, first + 1)
        ran = side.shop.project.run("rollback")
        tally.seen["next run failed"] += bool(ran.status) or side.state() == state
        tally.seen["left over"] += bool(half_built(side))
    return tally


def killed_setting_aside(side: Ours, rounds: int) -> Tally:
    """Kill an install that moves aside what others had made, and the rollback that brings it back."""
    tally = Tally("SIGKILL while setting aside", "envsmith rollback")
    chance = random.Random(SEED)  # noqa: S311
    side.run()
    link = side.shop.link
    link.unlink()
    link.mkdir()
    (link / "theirs").write_text("theirs", "utf-8")
    for number in range(rounds):
        tally.seen["killed"] += side.kill_after(
            chance.uniform(0, 0.2), side.rollback(), group=bool(number % 2)
        )
        tally.rounds += 1
        is_theirs = (link / "theirs").exists()
        tally.seen["broken"] += not is_theirs and not side.is_whole(side.number)
        ran = side.shop.project.run("rollback")
        tally.seen["next run failed"] += bool(ran.status) or (link / "theirs").exists() == is_theirs
    return tally


def cut(side: Side, rounds: int) -> Tally:
    """Close each connection for the largest file at offsets spread over it."""
    tally = Tally("connection cut", side.name)
    for number in range(rounds):
        before = side.number
        side.ask_for(before + 1)
        side.forget()
        name = max(
            side.server.files, key=lambda name: (f"2.{side.number}.0" in name, len(side.server.files[name]))
        )
        side.server.cut_at[name] = len(side.server.files[name]) * number // rounds
        status, said = side.run()
        tally.seen["said so"] += status != 0 and "Traceback" not in said
        side.server.cut_at.clear()
        watched_paths(side, before, tally)
        prune(side)
    return tally


def wrong_bytes(side: Side, rounds: int) -> Tally:
    """Serve the right length with one other byte."""
    tally = Tally("wrong bytes, right length", side.name)
    for number in range(rounds):
        before = side.number
        side.ask_for(before + 1)
        side.forget()
        name = next(name for name in side.server.files if name.startswith(f"torch-2.{side.number}.0"))
        whole = side.server.files[name]
        place = len(whole) * (2 * number + 1) // (2 * rounds)
        side.server.files[name] = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        status, said = side.run()
        tally.seen["said so"] += status != 0 and "Traceback" not in said
        side.server.files[name] = whole
        watched_paths(side, before, tally)
        prune(side)
    return tally


def full(side: Side, rounds: int) -> Tally:
    """Leave less room than is needed, by sizes spread from nothing to all of it."""
    tally = Tally("disk full", side.name)
    need = int(side.payload * 2.2)
    root = side.shop.project.root
    for number in range(rounds):
        before = side.number
        side.ask_for(before + 1)
        side.forget()
        prune(side)
        with filled(root, leave=need * number // rounds):
            status, said = side.run()
            tally.seen["said so"] += status != 0 and "Traceback" not in said
            tally.seen["done all the same"] += status == 0
        watched_paths(side, before, tally)
    return tally


@contextmanager
def filled(folder: Path, *, leave: int) -> Iterator[None]:
    """Fill a file system up, but for some bytes."""
    room = os.statvfs(folder)
    filler = folder / "filler"
    size = max(0, room.f_bavail * room.f_frsize - leave)
    with filler.open("wb") as stream:
        try:
            os.posix_fallocate(stream.fileno(), 0, size) if size else None
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
    try:
        yield
    finally:
        filler.unlink()


def read_only(side: Side, rounds: int) -> Tally:
    """Make the project's file system read-only."""
    tally = Tally("read-only target", side.name)
    root = side.shop.project.root
    for _ in range(rounds):
        before = side.number
        side.ask_for(before + 1)
        command = side.command()
        subprocess.run(["mount", "-o", "remount,ro", root], check=True)
        try:
            done = subprocess.run(
                command,
                cwd=root,
                env=side.shop.project.environ(),
                capture_output=True,
                encoding="utf-8",
                check=False,
            )
        finally:
            subprocess.run(["mount", "-o", "remount,rw", root], check=True)
        tally.seen["said so"] += done.returncode != 0 and "Traceback" not in done.stdout + done.stderr
        watched_paths(side, before, tally)
    return tally


def twice_at_once(side: Side, rounds: int) -> Tally:
    """Run the same change twice at the same time."""
    tally = Tally("two at once", side.name)
    for _ in range(rounds):
        before = side.number
        side.ask_for(before + 1)
        side.forget()
        running = [side.start(), side.start()]
        statuses = [process.wait(300) for process in running]
        tally.seen["both succeeded"] += statuses == [0, 0]
        tally.seen["one failed"] += any(statuses)
        watched_paths(side, before, tally)
        prune(side)
    return tally
