"""Run the real command line in a project folder of its own, as people do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.pylock import Package, Pylock

from envsmith.lockfile.manifest import Manifest

TIME_LIMIT_S = 300
NO_NETWORK = ("unshare", "--map-root-user", "--net")
"""Runs a command in a network namespace of its own, where there is not even loopback."""
_UNREACHED = ("TOL021", "TOL022", "TOL025", "TOL026")


def can_leave_network() -> bool:
    """Say whether this machine lets a process leave its network."""
    if sys.platform != "linux" or not shutil.which(NO_NETWORK[0]):
        return False
    return subprocess.run([*NO_NETWORK, "true"], capture_output=True, check=False).returncode == 0


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a command left."""

    status: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Both outputs, on one line, so that a wrapped sentence can be looked for."""
        return " ".join((self.out + self.err).split())


@dataclass(kw_only=True)
class Project:
    """A folder with profiles, an empty cache of envsmith's own, and the command line in it."""

    root: Path
    index: str = "http://127.0.0.1:9/whl"
    """What stands for PyTorch's server; by default nothing answers there."""
    env: dict[str, str] = field(default_factory=dict)

    def profile(self, name: str, **values: object) -> None:
        """Write a profile; each value as TOML writes it (JSON does for texts and lists)."""
        folder = self.root / "profiles"
        folder.mkdir(parents=True, exist_ok=True)
        values = {"summary": "for a test", **values}
        lines = [f"{key.replace('_', '-')} = {json.dumps(value)}\n" for key, value in values.items()]
        (folder / f"{name}.toml").write_text("".join(lines), "utf-8")

    def environ(self) -> dict[str, str]:
        """Return the environment of the commands."""
        own = {
            "ENVSMITH_CACHE_DIR": str(self.root / "cache"),
            "ENVSMITH_PYTORCH_INDEX": self.index,
            "PYTHONDONTWRITEBYTECODE": "1",
            "NO_PROXY": "127.0.0.1",
            **({"PYTHONUTF8": "1"} if os.name == "nt" else {}),  # else the code page encodes people's output
        }
        return {**os.environ, **own, **self.env}

    def run(self, *words: str, within: tuple[str, ...] = (), folder: str = "") -> Ran:
        """Run ``envsmith`` in the project.

        Args:
            words: of the command line.
            within: the beginning of a command that runs another one.
            folder: of the project in which to run it.
        """
        (self.root / folder).mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [*within, sys.executable, "-m", "envsmith", *words],
            cwd=self.root / folder,
            env=self.environ(),
            capture_output=True,
            encoding="utf-8",
            timeout=TIME_LIMIT_S,
            check=False,
        )
        return Ran(status=done.returncode, out=done.stdout, err=done.stderr)

    def run_online(self, *words: str) -> Ran:
        """Run ``envsmith``, twice more where the package registry did not answer."""
        for _ in range(2):
            ran = self.run(*words)
            if ran.status != 2 or not any(code in ran.said for code in _UNREACHED):
                return ran
        return self.run(*words)

    def locks(self, profile: str) -> dict[str, bytes]:
        """Return the files of a profile's lock folder."""
        folder = self.root / "lockfiles" / profile
        return {path.name: path.read_bytes() for path in sorted(folder.glob("*"))}

    def manifest(self, profile: str) -> Manifest:
        """Return a profile's manifest."""
        path = self.root / "lockfiles" / profile / "manifest.toml"
        return Manifest.from_toml(path.read_text("utf-8"), path.name)

    def pylock(self, profile: str, slug: str) -> Pylock:
        """Return one lock."""
        path = self.root / "lockfiles" / profile / f"pylock.{slug}.toml"
        return Pylock.from_dict(tomllib.loads(path.read_text("utf-8")))

    def pins(self, profile: str, slug: str) -> dict[str, Pin]:
        """Return what one lock pins, by project."""
        return {package.name: Pin.of(package) for package in self.pylock(profile, slug).packages}


@dataclass(frozen=True, kw_only=True)
class Pin:
    """One package of a lock with its only wheel."""

    version: str
    index: str
    filename: str
    url: str
    sha256: str

    @classmethod
    def of(cls, package: Package) -> Pin:
        """Read a package that must have exactly one wheel."""
        (wheel,) = package.wheels or ()
        return cls(
            version=str(package.version),
            index=package.index or "",
            filename=wheel.filename,
            url=wheel.url or "",
            sha256=wheel.hashes["sha256"],
        )


def decisions(manifest: Manifest, slug: str) -> list[Mapping[str, Any]]:
    """Return what was decided for one target, as the manifest keeps it."""
    return list(manifest.targets[slug].decisions)
