"""The same change of an environment, made by envsmith and by uv alone, and looked at in the same way afterwards."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from envsmith.environment.interpreter import Probe
from envsmith.environment.lock_comparison import verify
from envsmith.errors import EnvsmithError
from envsmith.lockfile.pins import Pins
from envsmith.model.backend import Backend
from envsmith.process.runner import Processes
from envsmith.uv.command import find_uv
from tests.install.made import Made, Shop, made, made_torch
from tests.install.serving import Served

LIMIT_S = 300
PROBE = Probe(processes=Processes())


def wheels_of(number: int, payload: int, files: int = 200) -> tuple[Made, ...]:
    """Return the wheels of the nth state: a torch with a large file, one of many small ones, and one beside."""
    seed = number.to_bytes(4, "big")
    torch = made_torch(f"2.{number}.0+cpu", more=(seed * (payload // 4))[:payload])
    many = {f"many/m{item:05}.py": b"x = %d\n" % (item + number) for item in range(files)}
    many["many/__init__.py"] = b""
    return torch, made("many", f"1.{number}", many), made("beside", f"1.{number}")


@dataclass(kw_only=True)
class Side:
    """One way to bring an environment from one state to the next."""

    shop: Shop
    server: Served
    payload: int = 4_000_000
    files: int = 200
    number: int = 1
    """Of the state that the lock asks for."""
    locks: dict[int, str] = field(default_factory=dict)
    """State → its requirements."""

    name = ""

    def ask_for(self, number: int) -> None:
        """Lock the nth state."""
        wheels = wheels_of(number, self.payload, self.files)
        self.server.add(*wheels)
        slug = self.shop.lock(*wheels, address=self.server.address)
        self.number = number
        folder = self.shop.project.root / "lockfiles" / "small"
        self.locks[number] = (folder / f"requirements.{slug}.txt").read_text("utf-8")

    def command(self) -> list[str | Path]:
        """Return what makes the change."""
        raise NotImplementedError

    def forget(self) -> None:
        """Empty uv's cache, so that everything is fetched and unpacked again."""
        shutil.rmtree(self.shop.project.env["UV_CACHE_DIR"], ignore_errors=True)

    def run(self) -> tuple[int, str]:
        """Make the change, and return status and output."""
        done = subprocess.run(
            self.command(),
            cwd=self.shop.project.root,
            env=self.shop.project.environ(),
            capture_output=True,
            encoding="utf-8",
            timeout=LIMIT_S,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def start(self, command: Sequence[str | Path] = ()) -> subprocess.Popen[bytes]:
        """Begin the change, in a process group of its own."""
        return subprocess.Popen(
            command or self.command(),
            cwd=self.shop.project.root,
            env=self.shop.project.environ(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def kill_after(self, seconds: float, command: Sequence[str | Path] = (), *, group: bool = True) -> bool:
        """Begin the change and kill it; return whether it was still running."""
        process = self.start(command)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            if group:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
            process.wait()
            return True
        return False

    def is_whole(self, number: int) -> bool:
        """Say whether the environment is the nth state, every file by its hash, and torch can be imported."""
        try:
            found = PROBE.environment(self.shop.link, deep=True)
        except EnvsmithError:
            return False
        report = verify(Pins.from_requirements(self.locks[number], "lock"), Backend.parse("cpu"), found)
        return not report.has_errors and not PROBE.imports(self.shop.link, "torch", {}, 60).error

    def state(self) -> int:
        """Return the state that the environment is in, whole; -1 where it is in none."""
        return next((number for number in reversed(self.locks) if self.is_whole(number)), -1)

    def is_called_fine(self) -> bool:
        """Say whether uv finds nothing to complain about, and nothing to do for the state that is asked for."""
        python = ("--python", self.shop.link)
        check = self._uv("pip", "check", *python)
        source = self.shop.project.root / "lockfiles" / "small"
        (pylock,) = source.glob("pylock.*.toml")
        again = self._uv("pip", "sync", "--dry-run", *python, pylock)
        return check.returncode == 0 and again.returncode == 0 and "Would make no changes" in again.stderr

    def _uv(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [find_uv(), "--no-config", *words],
            cwd=self.shop.project.root,
            env=self.shop.project.environ(),
            capture_output=True,
            encoding="utf-8",
            timeout=LIMIT_S,
            check=False,
        )


class Ours(Side):
    """``envsmith install``."""

    name = "envsmith install"

    def command(self) -> list[str | Path]:
        """Return the command line."""
        return [sys.executable, "-m", "envsmith", "install", "small", "--frozen"]

    def rollback(self) -> list[str | Path]:
        """Return the command line that goes back."""
        return [sys.executable, "-m", "envsmith", "rollback"]


class Theirs(Side):
    """``uv pip sync`` into the environment in place."""

    name = "uv pip sync"

    def command(self) -> list[str | Path]:
        """Return the command line; the environment is made where there is none."""
        if not self.shop.link.exists():
            python = f"{sys.version_info.major}.{sys.version_info.minor}"
            assert self._uv("venv", "--no-project", "--python", python, self.shop.link).returncode == 0
        (pylock,) = (self.shop.project.root / "lockfiles" / "small").glob("pylock.*.toml")
        return [
            find_uv(),
            "--no-config",
            "pip",
            "sync",
            "--require-hashes",
            "--python",
            self.shop.link,
            pylock,
        ]


def length_s(side: Side) -> float:
    """Return how long one change takes here and now."""
    side.forget()
    begun = time.monotonic()
    status, said = side.run()
    assert status == 0, said
    return time.monotonic() - begun


def to_json(path: Path, values: object) -> None:
    """Write figures."""
    path.write_text(json.dumps(values, indent=1) + "\n", "utf-8")
