"""Environments that other tools made, and a project that adopts them; the indexes are on this machine."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from envsmith.cli.main import main
from envsmith.host.current import this_platform, this_python
from envsmith.uv.command import find_uv
from tests.commands import Project, Ran
from tests.install.made import Made, made, made_torch
from tests.replay import ReplayIndex
from tests.replay_files import ReplayFile, make_metadata

TORCH = "2.20.0"
SLUG = f"{this_python().tag}-{this_platform()}"


def listed(wheel: Made, index: str, requires: tuple[str, ...] = (), tags: str = "py3-none-any") -> ReplayFile:
    """List a wheel on an index."""
    metadata = make_metadata(wheel.name, wheel.version, requires).encode()
    return ReplayFile(
        index=index,
        filename=f"{wheel.name.replace('-', '_')}-{wheel.version}-{tags}.whl",
        sha256=wheel.sha256,
        upload_time="2026-11-01T12:00:00Z",
        body=wheel.body,
        metadata=metadata,
    )


@dataclass(kw_only=True)
class QuickProject(Project):
    """A project whose commands run in this process, which is faster."""

    def run(self, *words: str, within: tuple[str, ...] = (), folder: str = "") -> Ran:
        """Run `envsmith`."""
        assert not within
        out, err = (TextIOWrapper(BytesIO(), "utf-8", write_through=True) for _ in range(2))
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(self.root / folder)
            for name, value in self.environ().items():
                patch.setenv(name, value)
            status = main(list(words))
        texts = [
            stream.buffer.getvalue().decode() for stream in (out, err) if isinstance(stream.buffer, BytesIO)
        ]
        return Ran(status=status, out=texts[0], err=texts[1])


@dataclass(kw_only=True)
class Adoption:
    """A project, the environment beside it, and indexes with the wheels of both."""

    replay: ReplayIndex
    project: Project
    prefix: Path
    files: list[ReplayFile] = field(default_factory=list)
    """All wheels of the indexes."""

    def sell(self, name: str, version: str = "1.0", *requires: str) -> Made:
        """Put a wheel on the index."""
        wheel = made(name, version, requires=requires)
        self.list(listed(wheel, "simple", requires))
        return wheel

    def list(self, *files: ReplayFile) -> None:
        """Put files on their indexes."""
        self.files += files
        self.replay.add(*files)

    def python(self) -> Path:
        """Return the interpreter of the environment."""
        return self.prefix / "bin" / "python"

    def make(self, *packages: str, words: tuple[str, ...] = ()) -> None:
        """Make the environment with uv, and install packages."""
        self.uv("venv", "--quiet", "--python", sys.executable, str(self.prefix))
        if packages:
            self.install(*packages, words=words)

    def install(self, *packages: str, words: tuple[str, ...] = ()) -> None:
        """Install packages with uv."""
        base = self.replay.base
        indexes = ("--index", f"{base}/cpu", "--default-index", f"{base}/simple")
        self.uv("pip", "install", "--quiet", "--python", str(self.python()), *indexes, *words, *packages)

    def uv(self, *words: str) -> None:
        """Run uv."""
        command = [str(find_uv()), "--no-config", *words]
        subprocess.run(command, check=True, env=self.project.environ(), capture_output=True, encoding="utf-8")

    @property
    def site(self) -> Path:
        """Return the folder of installed packages."""
        return next(self.prefix.glob("lib/python3*/site-packages"))

    def adopt(self, *words: str) -> Ran:
        """Adopt the environment."""
        index = f"{self.replay.base}/simple"
        return self.project.run("adopt", str(self.prefix), "--default-index", index, *words)

    def data(self, *words: str) -> dict[str, Any]:
        """Return the JSON document of an adoption."""
        found = json.loads(self.adopt(*words, "--json").out)
        assert isinstance(found, dict)
        return found

    def elsewhere(self, profile: str = "cpu", *more: str) -> Project:
        """Take the project to another folder and home, install there, and verify."""
        root = self.project.root.parent / "elsewhere"
        root.mkdir()
        for name in ("profiles", "lockfiles"):
            subprocess.run(["cp", "-r", str(self.project.root / name), str(root)], check=True)
        house = root / "house"
        house.mkdir()
        for file in self.files:
            (house / file.filename).write_bytes(file.body or b"")
        home = {"HOME": str(root / "home"), "UV_CACHE_DIR": str(root / "uv")}
        other = QuickProject(root=root, env=home)
        for words in (("install", "--offline", "--wheelhouse", str(house), *more), ("verify",)):
            ran = other.run(*words[:1], profile, *words[1:])
            assert ran.status == 0, ran.said
        return other


def versions(prefix: Path) -> dict[str, str]:
    """Return the installed versions by name, without installers."""
    site = next(prefix.resolve().glob("lib/python3*/site-packages"))
    found = (path.name.removesuffix(".dist-info").partition("-") for path in site.glob("*.dist-info"))
    return {name: version for name, _, version in found if name not in ("pip", "setuptools", "uv", "wheel")}


@pytest.fixture
def adoption(tmp_path: Path) -> Iterator[Adoption]:
    """An index with torch for the CPU, and `beside` that requires `under`."""
    with ReplayIndex() as replay:
        project = QuickProject(
            root=tmp_path / "project", index=replay.base, env={"UV_CACHE_DIR": str(tmp_path / "uv")}
        )
        project.root.mkdir()
        found = Adoption(replay=replay, project=project, prefix=tmp_path / "env")
        tags = f"{this_python().tag}-{this_python().tag}-{this_platform()}"
        found.list(listed(made_torch(f"{TORCH}+cpu"), "cpu", tags=tags))
        found.sell("under", "1.0")
        found.sell("under", "2.0")
        found.sell("beside", "1.0", "under>=1")
        yield found
