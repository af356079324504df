from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from envsmith.model.target import Platform, Python
from tests.commands import TIME_LIMIT_S, Project, Ran
from tests.install.made import Shop
from tests.shells.drivers import wanted

FOLDER = "ENVSMITH_TEST_WINDOWS"
"""Folder that `.ci/windows` has filled."""
ROOT = Path(__file__).parents[2]
NETWORK = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "HTTPS_PROXY", "https_proxy")
"""Variables of this machine by which PyPI is reached."""
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "LOCPATH")


@dataclass(frozen=True, kw_only=True)
class Drive:
    """A drive of Wine with a Windows CPython, and envsmith in it."""

    folder: Path

    @property
    def root(self) -> Path:
        """What Windows calls C:."""
        return self.folder / "drive" / "drive_c"

    def environ(self) -> dict[str, str]:
        """Return the variables of Wine's programs."""
        return {
            **{name: os.environ[name] for name in _KEPT if name in os.environ},
            "WINEPREFIX": str(self.folder / "drive"),
            "WINEARCH": "win64",
            "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": "mscoree=;mshtml=;winemenubuilder.exe=d",
            "WINEPATH": "C:\\Python311;C:\\Python311\\Scripts",
            "KMP_AFFINITY": "disabled",
        }

    def path(self, text: str | Path) -> str:
        """Return an absolute path of this machine as Windows has it; any other text as it is."""
        text = str(text)
        if not text.startswith("/") or len(text) < 3:  # an option of cmd
            return text
        inside = text.startswith(f"{self.root}/")
        return ("C:" + text[len(str(self.root)) :] if inside else "Z:" + text).replace("/", "\\")

    def run(
        self, *words: str | Path, at: Path, env: dict[str, str] | None = None, limit_s: float = TIME_LIMIT_S
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a program of Windows. Its streams are pipes: Wine's programs cannot write to files that they inherit."""
        return subprocess.run(
            ["wine", *map(self.path, words)],
            cwd=at,
            env={**self.environ(), **(env or {})},
            input=b"",
            capture_output=True,
            timeout=limit_s,
            check=False,
        )

    def bring_envsmith(self) -> None:
        """Copy the checkout's envsmith into the CPython, unless it is there."""
        place = self.root / "Python311" / "Lib" / "site-packages"
        sources = [
            path
            for name in ("envsmith", "profiles")
            for path in sorted((ROOT / name).rglob("*"))
            if path.is_file()
        ]
        sources = [path for path in sources if "__pycache__" not in path.parts]
        state = hashlib.sha256(b"".join(bytes(path) + path.read_bytes() for path in sources)).hexdigest()
        with (self.folder / "lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            done = self.folder / "envsmith-state"
            if done.is_file() and done.read_text() == state:
                return
            shutil.rmtree(place / "envsmith", ignore_errors=True)
            for path in sources:
                inside = path.relative_to(ROOT)
                new = place / ("envsmith" / inside if inside.parts[0] == "profiles" else inside)
                new.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, new)
            done.write_text(state)


@dataclass(kw_only=True)
class WindowsProject(Project):
    """A project on the drive; its commands run there."""

    drive: Drive
    encoding: str = "utf-8"
    """Of people's output, as the code page has it."""
    limit_s: float = TIME_LIMIT_S

    def environ(self) -> dict[str, str]:
        own = {
            "ENVSMITH_CACHE_DIR": str(self.root / "cache"),
            "ENVSMITH_PYTORCH_INDEX": self.index,
            "NO_PROXY": "127.0.0.1",
            **self.env,
        }
        return {**self.drive.environ(), **{name: self.drive.path(value) for name, value in own.items()}}

    def run(self, *words: str, within: tuple[str, ...] = (), folder: str = "") -> Ran:
        (self.root / folder).mkdir(parents=True, exist_ok=True)
        command = (*within, "python.exe", "-m", "envsmith", *words)
        done = self.drive.run(*command, at=self.root / folder, env=self.environ(), limit_s=self.limit_s)
        out, err = (
            text.decode(self.encoding, "replace").replace("\r\n", "\n") for text in (done.stdout, done.stderr)
        )
        return Ran(status=done.returncode, out=out, err=err)


@pytest.fixture(scope="session")
def drive() -> Iterator[Drive]:
    """The drive, with the services of Wine kept running: the first program starts them, and the last one ends them."""
    place = os.environ.get(FOLDER, "")
    if not place or sys.platform != "linux" or not shutil.which("wine"):
        if wanted() and sys.platform == "linux":
            pytest.fail(f"{FOLDER} does not name a folder that .ci/windows has filled")
        pytest.skip(f"{FOLDER} does not name a folder that .ci/windows has filled")
    found = Drive(folder=Path(place).resolve())
    with running(found):
        yield found


@contextmanager
def running(drive: Drive) -> Iterator[None]:
    """Bring envsmith, and keep the services running."""
    drive.bring_envsmith()
    _start_services(drive)
    with subprocess.Popen(
        ["wine", "cmd"],
        env=drive.environ(),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as waiting:
        assert waiting.stdin is not None
        _start_services(drive)
        yield
        waiting.stdin.close()
        waiting.wait(TIME_LIMIT_S)


def _start_services(drive: Drive) -> None:
    """Start a program without pipes: the services that it starts would keep them open."""
    subprocess.run(
        ["wine", "cmd", "/c", "exit"],
        env=drive.environ(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=TIME_LIMIT_S,
        check=True,
    )


@pytest.fixture
def shop(drive: Drive, request: pytest.FixtureRequest) -> Iterator[Shop]:
    """A project with a Korean name and a space, and its wheels, on the drive."""
    with opened_shop(drive, request.node.name) as shop:
        yield shop


@contextmanager
def opened_shop(drive: Drive, name: str) -> Iterator[Shop]:
    """Make a project for tests of a name."""
    root = drive.root / "t" / f"{os.getpid()}-{abs(hash(name)) % 10**6} 가"
    shutil.rmtree(root, ignore_errors=True)
    project = WindowsProject(root=root / "project", drive=drive, env={"UV_CACHE_DIR": str(root / "uv-cache")})
    project.root.mkdir(parents=True)
    (root / "wheelhouse").mkdir()
    yield Shop(
        project=project,
        wheelhouse=root / "wheelhouse",
        target_python=Python.parse("3.11"),
        target_platform=Platform.parse("win_amd64"),
    )
    shutil.rmtree(root, ignore_errors=True)
