"""Requests, locks and tools for tests of installs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from envsmith.environment.model import TorchBuild
from envsmith.install.generation_store import GenerationStore
from envsmith.install.ports import InstallTools
from envsmith.install.request import InstallRequest
from envsmith.lockfile.store import lock_files
from envsmith.model.target import Platform, Python
from envsmith.process.runner import Processes
from tests.fakes import FakeFiles, RecordedProgress
from tests.install.fakes import FakeBuilder, FakeDisks, FakeInstaller, FakeProbe
from tests.install.made import Made, entry_of_lock, lock_of, made, made_torch
from tests.values import target

FOLDER = Path("lockfiles/any")
TORCH = made_torch("2.19.0+cpu")


def order(**values: Any) -> InstallRequest:
    known = {
        "profile": "any",
        "folder": FOLDER,
        "this_platform": Platform.parse("linux"),
        "this_python": Python.parse("3.12"),
    }
    return InstallRequest(**{**known, **values})


def locked(*wheels: Made, python: str = "3.12", files: FakeFiles | None = None) -> FakeFiles:
    """Add a lock of wheels to a lock folder."""
    from envsmith.lockfile.manifest import FILENAME, Manifest

    files = files or FakeFiles()
    lock = lock_of(
        wheels or (TORCH, made("beside")), target(python, backend="cpu"), "any", "http://127.0.0.1:9"
    )
    before = files.folders.get(FOLDER, {})
    old = Manifest.from_toml(before[FILENAME].decode(), "old").targets if before else {}
    new = lock_files(lock)
    manifest = Manifest(
        profile="any",
        cutoff_utc="2026-11-20T09:00:00Z",
        targets={**old, lock.target.slug: entry_of_lock(lock, new)},
    )
    files.folders[FOLDER] = {**before, **new, FILENAME: manifest.to_toml().encode()}
    return files


def tools(root: Path, files: FakeFiles | None = None, **more: Any) -> InstallTools:
    made_up = InstallTools(
        store=GenerationStore(link=root / ".venv"),
        installer=FakeInstaller(),
        builder=FakeBuilder(),
        probe=FakeProbe(torch=TorchBuild(version="2.19.0+cpu")),
        files=files or locked(),
        processes=Processes(),
        disk_of=FakeDisks().disk_of,
        progress=RecordedProgress(),
        now_utc=lambda: "2026-11-21T12:00:00Z",
    )
    return replace(made_up, **more)
