"""A project whose locks go back and forth between two states, and processes that are watched while they do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from envsmith.files.atomic import read_files
from tests.commands import Project
from tests.replay import ReplayIndex
from tests.replay_files import ReplayFile

PATIENCE_S = 60
PLATFORMS = {
    "linux": "manylinux_2_28_x86_64",
    "linux-aarch64": "manylinux_2_28_aarch64",
    "windows": "win_amd64",
}


@dataclass(frozen=True, kw_only=True)
class State:
    """What the lock folder holds after one command."""

    platforms: tuple[str, ...]
    """Those of the profile: the two states share one, so that files are changed, added and removed."""
    as_of: str
    files: dict[str, bytes]


@dataclass(kw_only=True)
class LockStates:
    """The project and its two states."""

    project: Project
    old: State
    new: State

    @classmethod
    def made(cls, root: Path) -> Self:
        """Read a replayed index once and lock twice; from then on no server is needed."""
        project = Project(root=root)
        first = State(platforms=("linux", "windows"), as_of="2026-10-15", files={})
        second = State(platforms=("linux", "linux-aarch64"), as_of="2026-11-15", files={})
        states = cls(project=project, old=first, new=second)
        states.command(first)
        with ReplayIndex(_files()) as replay:
            project.index = replay.base
            assert project.run("catalog", "refresh", "cu134").status == 0
        states.old, states.new = states._after(first), states._after(second)
        assert states.old.files.keys() - states.new.files.keys()
        assert states.new.files.keys() - states.old.files.keys()
        locks = {name: data for name, data in states.old.files.items() if not name.startswith("activate.")}
        assert all(content != states.new.files.get(name) for name, content in locks.items())
        return states

    @property
    def folder(self) -> Path:
        """Where the locks lie."""
        return self.project.root / "lockfiles" / "any"

    def command(self, state: State) -> tuple[str, ...]:
        """Write the profile of a state, and return the words that lock it; only the cached catalog is needed."""
        self.project.profile("any", backend="cu134", python=["3.11", "3.12"], platforms=list(state.platforms),
                             requirements=["torch", "torchvision"])  # fmt: skip
        return ("lock", "any", "--offline", "-U", "--as-of", state.as_of)

    def _after(self, state: State) -> State:
        ran = self.project.run(*self.command(state))
        assert ran.status == 0, ran.said
        return replace(state, files=read_files(self.folder))

    def found(self) -> State:
        """Return which state the folder is in, read as envsmith reads it; fails where it is in neither."""
        files = read_files(self.folder)
        for state in (self.old, self.new):
            if files == state.files:
                return state
        changed = {
            name for name in files if files[name] not in (self.old.files.get(name), self.new.files.get(name))
        }
        raise AssertionError(f"a mixture of both sets: {sorted(files)}; in neither: {sorted(changed)}")

    def other(self, state: State) -> State:
        """Return the state that a run leads to."""
        return self.new if state is self.old else self.old

    def is_current(self, state: State) -> bool:
        """Say whether ``envsmith lock --check`` holds the locks for those of a state."""
        self.command(state)
        ran = self.project.run("lock", "any", "--check")
        assert ran.status in (0, 1), ran.said
        return ran.status == 0

    @contextmanager
    def started(self, *words: str, before: str = "", env: dict[str, str] | None = None) -> Iterator[Started]:
        """Start ``envsmith`` in a process group of its own, which is empty at the end.

        Args:
            words: of the command line.
            before: Python that runs in the process before envsmith does.
            env: variables beside the project's.
        """
        code = f"{before}\nfrom envsmith.__main__ import run\nrun()\n"
        process = subprocess.Popen(
            [sys.executable, "-c", code, *words],
            cwd=self.project.root,
            env={**self.project.environ(), "TMPDIR": str(self.project.root), **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            start_new_session=True,
        )
        try:
            yield Started(process=process)
        finally:
            _signal_group(process.pid, signal.SIGKILL)
            process.communicate()


@dataclass(frozen=True, kw_only=True)
class Started:
    """A running envsmith and what it started."""

    process: subprocess.Popen[str]

    def send(self, number: signal.Signals, *, to_group: bool) -> None:
        """Send a signal to envsmith alone, or to all it started, too, as a terminal does."""
        if to_group:
            _signal_group(self.process.pid, number)
        else:
            self.process.send_signal(number)

    def end(self, within_s: float = PATIENCE_S) -> tuple[int, str]:
        """Wait for its end and return status and output; fails where something of it goes on running."""
        said, _ = self.process.communicate(timeout=within_s)
        until = time.monotonic() + within_s
        while left := members(self.process.pid):
            assert time.monotonic() < until, f"still running: {left}"
            time.sleep(0.01)
        return self.process.returncode, said


def members(group: int) -> list[str]:
    """Return the living processes of a group: pid and name."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, rest = path.read_text("utf-8", "replace").split("(", 1)[1].rsplit(")", 1)
        except (OSError, IndexError):
            continue
        state, _, own_group = rest.split()[:3]
        if int(own_group) == group and state not in "ZX":
            found.append(f"{path.parent.name} {name}")
    return found


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return


def _files() -> Iterator[ReplayFile]:
    for torch, vision, day in (("2.19.0", "0.34.0", "2026-10-01"), ("2.20.0", "0.35.0", "2026-11-01")):
        for python in ("cp311", "cp312"):
            for platform in PLATFORMS.values():
                tags = f"{python}-{python}-{platform}"
                for name, version, requires in (
                    ("torch", torch, []),
                    ("torchvision", vision, [f"torch=={torch}"]),
                ):
                    made = ReplayFile.made(name, f"{version}+cu134", tags, requires, index="cu134")
                    yield replace(made, upload_time=f"{day}T00:00:00Z")
