"""Locks to verify with other tools, and interpreters for them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envsmith.lockfile.manifest import TargetRecord
from envsmith.model.backend import Backend
from envsmith.model.target import Platform, Python, Target
from envsmith.uv.resolver import python_platform
from tests.commands import Project

PROFILES = (
    *("cpu-minimal", "cu126", "cu128", "cu130", "cu132"),
    *("cu128-nightly-rtx50", "ai-no-vision", "rocm", "xpu", "macos"),
)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One lock on disk and the target it is for."""

    profile: str
    target: Target
    entry: TargetRecord
    folder: Path

    @classmethod
    def of_profile(cls, project: Project, profile: str) -> Iterator[Judged]:
        """Yield the locks that a profile's manifest lists."""
        for slug, entry in project.manifest(profile).targets.items():
            tag, platform = slug.split("-", 1)
            target = Target(
                python=Python.parse(f"3.{tag.removeprefix('cp3')}"),
                platform=Platform.parse(platform),
                backend=Backend.parse(str(entry.inputs["backend"])),
            )
            assert target.slug == slug
            yield cls(
                profile=profile, target=target, entry=entry, folder=project.root / "lockfiles" / profile
            )

    @property
    def name(self) -> str:
        return f"{self.profile}/{self.target.slug}"

    @property
    def pylock(self) -> Path:
        return self.folder / f"pylock.{self.target.slug}.toml"

    @property
    def requirements(self) -> Path:
        return self.folder / f"requirements.{self.target.slug}.txt"

    @property
    def uv_platform(self) -> str:
        """Name of the platform in uv."""
        return python_platform(self.target.platform)


def uv(
    *words: str | Path, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run uv without the settings of this machine, and with the variables given."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    return subprocess.run(
        [sys.executable, "-m", "uv", *words, "--no-config"],
        cwd=cwd,
        # Without it uv takes macOS 13 for the target, whatever machine it runs on.
        env={**own, "NO_PROXY": "127.0.0.1", "MACOSX_DEPLOYMENT_TARGET": "14.0", **(env or {})},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def pip_report(
    folder: Path, *words: str | Path, env: Mapping[str, str] | None = None
) -> tuple[subprocess.CompletedProcess[str], list[dict[str, Any]]]:
    """Return pip's report of an installation, without the settings of this machine and with the variables given."""
    own = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL")
    }
    report = folder / "report.json"
    flags = ["--dry-run", "--quiet", "--ignore-installed", "--only-binary", ":all:", "--report", str(report)]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", *flags, *words],
        cwd=folder,
        env={**own, "PIP_CONFIG_FILE": os.devnull, "NO_PROXY": "127.0.0.1", **(env or {})},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return done, json.loads(report.read_text("utf-8"))["install"] if report.exists() else []


def interpreters() -> dict[str, Path]:
    """Return the Pythons at hand by version: this one, and others where they are installed."""
    found = {f"{sys.version_info[0]}.{sys.version_info[1]}": Path(sys.executable)}
    for version in ("3.11", "3.12", "3.13", "3.14"):
        kept = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
        path = kept[-1] if kept else _found_by_uv(version)
        if path:
            found.setdefault(version, path)
    return found


def _found_by_uv(version: str) -> Path | None:
    asked = [sys.executable, "-m", "uv", "python", "find", "--no-config", "--no-python-downloads", version]
    done = subprocess.run(asked, capture_output=True, encoding="utf-8", check=False)
    path = Path(done.stdout.strip())
    return path if done.returncode == 0 and path.is_file() else None
