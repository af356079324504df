"""Wine's cmd: how it is started once for many sessions, and how a session is written for it.

A first program of Wine's starts a server and its services, and the last one ends them, which takes longer than all a
session does; a program that is started while they end may fail. So one program waits as long as sessions are run.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.shells.drivers import TIME_LIMIT_S, Driver, Session

FLAGS = {"HOME", "LANG", "TERM"}
"""Variables of other shells' sessions that say nothing on Windows."""


@contextmanager
def wine_started(home: Path) -> Iterator[dict[str, str]]:
    """Make a fresh C: drive, and keep Wine's server and services running; yields the variables of its programs."""
    env = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "WINEPREFIX": str(home / "drive"),
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "mscoree=;mshtml=",
        "LANG": "C.UTF-8",
    }
    home.mkdir(exist_ok=True)
    _start(["wine", "cmd", "/c", "exit"], env)
    with subprocess.Popen(
        ["wine", "cmd"], env=env, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as waiting:
        assert waiting.stdin is not None
        _start(["wine", "cmd", "/c", "exit"], env)
        try:
            yield env
        finally:
            waiting.stdin.close()
            waiting.wait(TIME_LIMIT_S)
    _start(["wineserver", "-k"], env)
    shutil.rmtree(home, ignore_errors=True)  # a drive has 700 MB


def _start(words: list[str], env: Mapping[str, str], at: Path | None = None, said: Path | None = None) -> int:
    """Start a program, and return its status.

    What it says goes to a file: services that it happens to start would keep a pipe open for as long as they live.
    """
    with (said or Path("/dev/null")).open("wb") as output:
        return subprocess.run(
            words,
            cwd=at,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=TIME_LIMIT_S,
            check=False,
        ).returncode


def windows(path: str) -> str:
    """Return a path of this machine as Windows has it."""
    return ("Z:" if path.startswith("/") else "") + path.replace("/", "\\")


def listed(text: str, words: Mapping[str, str]) -> str:
    """Fill a text of a situation, in which a colon parts entries and a slash folders."""
    at_home = {"A": "C:/windows/system32", "B": "C:/windows"}
    return ";".join(windows(entry.format(**{**words, **at_home})) for entry in text.split(":"))


def quoted(text: str) -> str:
    """Quote what stands after ``set NAME=``, whatever letters are in it."""
    return re.sub(r'([&|<>^"()!])', r"^\1", text).replace("%", "%%")


CMD = Driver(
    name="cmd",
    file="activate.bat",
    words=("wine", "cmd"),
    quote=quoted,
    forms={
        "activate": 'call "{raw[0]}"',
        "deactivate": 'call "{raw[0]}" deactivate',
        "set": "set {raw[0]}={1}",
        "unset": "set {raw[0]}=",
        "start": "cmd {0}",
        "word": "{0}",
    },
    ending="bat",
    fill=listed,
    path=windows,
    programs="Scripts",
)


class CmdSession(Session):
    """A batch file: variables are set in it, for Wine has a PATH of its own.

    Files of steps hold ASCII alone: scripts are named from the project's folder, as people do.
    """

    def look(self, label: str) -> None:
        """Keep all variables under a label."""
        self.lines.append(f"set>{windows(str(self.folder))}\\{label}.env")

    def nested(self) -> str:
        """Write the line that runs the steps so far in a shell of their own."""
        (self.folder / "inner.bat").write_bytes(self.text())
        return f"cmd /c {windows(str(self.folder))}\\inner.bat"

    def text(self) -> bytes:
        """Return the steps as a batch file."""
        return ("\r\n".join(["@echo off", *self.lines]) + "\r\n").encode("ascii")

    def run(self, *flags: str, status: int | None = 0) -> str:
        """Run the steps; return what was said on both outputs."""
        self.lines[:0] = [
            "chcp 65001>nul",
            *(self.driver.say("set", *item) for item in self.env.items() if item[0] not in FLAGS),
        ]
        (self.folder / "steps.bat").write_bytes(self.text())
        output = self.folder / "said.txt"
        words = [*self.driver.words, *flags, "/c", windows(str(self.folder / "steps.bat"))]
        found = _start(words, self.driver.base, self.at, output)
        said = output.read_bytes().decode("utf-8", "replace")
        assert status is None or found == status, f"{found}: {said}"
        return said

    def variables(self, label: str) -> dict[str, str]:
        """Return the variables under a label."""
        text = (self.folder / f"{label}.env").read_bytes().decode("utf-8", "replace")
        return dict(re.findall(r"^([^=\r\n]+)=(.*?)\r?$", text, re.MULTILINE))

    def state(self, label: str) -> list[str]:  # noqa: ARG002 - as the other shells have it
        """Return nothing: all that cmd has are variables."""
        return []


def session(driver: Driver, folder: Path, env: dict[str, str], at: Path) -> Session:
    """Begin a session of any shell, in a project's folder."""
    return (CmdSession if driver.ending == "bat" else Session)(driver=driver, folder=folder, env=env, at=at)
