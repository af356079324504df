"""Commands that get a signal while a program they started ignores it, and has a child that does so, too."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.commands import Project
from tests.install.campaign import SEED, Tally
from tests.install.sides import Ours

BOUND_S = 5.0
"""From the signal to the end of envsmith and of everything it started."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
COMMANDS = {
    "lock": ("lock", "asking", "--catalog", "embedded"),
    "install": ("install", "small", "--frozen"),
    "verify": ("verify", "small"),
    "doctor": ("doctor",),
    "run": ("run", "--", "sleep", "600"),
}
# Ignores all signals that can be; its child is in a session of its own in every second run, as a daemon is.
STUBBORN = """\
#!{python} -IS
import os, signal, sys, time
if sys.argv[1:] == ["--version"]:
    print("uv 0.13.8")
    sys.exit()
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
child = os.fork()
if not child and time.time_ns() // 1000 % 2:
    os.setsid()
with open({started!r}, "a") as stream:
    stream.write(f"{{os.getpid()}}\\n")
time.sleep(600)
"""


def replace_uv(project: Project, script: str) -> None:
    """Let the commands of a project find another uv."""
    module = project.root / "fake" / "uv"
    module.mkdir(parents=True, exist_ok=True)
    (module / "__init__.py").write_text(f"def find_uv_bin(): return {str(module / 'uv')!r}\n", "utf-8")
    (module / "uv").write_text(script, "utf-8")
    (module / "uv").chmod(0o755)
    project.env["PYTHONPATH"] = str(module.parent)


@dataclass(frozen=True, kw_only=True)
class Stubborn:
    """A project whose uv and whose environment's interpreter do not end by themselves."""

    side: Ours
    started: Path
    """File with the numbers of the processes that were started."""

    @classmethod
    def made(cls, side: Ours) -> Stubborn:
        """Replace the programs of an installed project."""
        project = side.shop.project
        found = cls(side=side, started=project.root / "started")
        script = STUBBORN.format(python=sys.executable, started=str(found.started))
        replace_uv(project, script)
        python = side.shop.python()
        python.unlink()
        python.write_text(script, "utf-8")
        python.chmod(0o755)
        project.profile("asking", backend="cpu", python=["3.12"], platforms=["linux"], requirements=["torch"])
        side.ask_for(2)
        return found

    def trial(self, command: str, number: signal.Signals, seconds: float) -> tuple[int, float, str, int]:
        """Run a command, and send it a signal some seconds after it has started another program.

        Returns:
            Its status, seconds until all had ended, its output, and the number of processes that had not.
        """
        self.started.unlink(missing_ok=True)
        project = self.side.shop.project
        process = subprocess.Popen(
            [sys.executable, "-m", "envsmith", *COMMANDS[command]],
            cwd=project.root,
            env=project.environ(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        until = time.monotonic() + 60
        while not self._is_waiting(command, process.pid):
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < until, "nothing was started"
            time.sleep(0.01)
        time.sleep(seconds)
        begun = time.monotonic()
        process.send_signal(number)
        said = process.communicate(timeout=60)[0]
        while (left := self._left()) and time.monotonic() - begun < BOUND_S:
            time.sleep(0.01)
        length = time.monotonic() - begun
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        return process.returncode, length, said, len(left)

    def _is_waiting(self, command: str, pid: int) -> bool:
        if command == "run":
            return Path(f"/proc/{pid}/comm").read_text("utf-8").strip() == "sleep"
        return len(self._pids()) >= 2

    def _pids(self) -> list[int]:
        return (
            [int(word) for word in self.started.read_text("utf-8").split()] if self.started.exists() else []
        )

    def _left(self) -> list[int]:
        return [pid for pid in self._pids() if _is_alive(pid)]


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def interrupted(side: Ours, rounds: int) -> list[Tally]:
    """Interrupt each command in many rounds."""
    chance = random.Random(SEED)  # noqa: S311 - the same moments each time
    stubborn = Stubborn.made(side)
    tallies = []
    for command in COMMANDS:
        tally = Tally(f"signal to {command}", side.name)
        for turn in range(rounds):
            number = SIGNALS[turn % len(SIGNALS)]
            status, length, said, left = stubborn.trial(command, number, chance.uniform(0, 0.3))
            tally.rounds += 1
            tally.seen["ended in time"] += length < BOUND_S
            tally.seen["left over"] += bool(left)
            expected = (-number,) if command == "run" else (130,)
            tally.seen["wrong status"] += status not in expected
            tally.seen["traceback"] += "Traceback" in said
        tallies.append(tally)
    return tallies
