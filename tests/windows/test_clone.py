"""A project's repository, cloned with `core.autocrlf=true` for a Windows CPython and Wine, and locks of both systems.

The clone is made by this machine's git, with the settings that Git for Windows has by default.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.commands import Project
from tests.install.locked import index_entry, torch_wheel
from tests.install.made import Shop
from tests.replay import ReplayIndex
from tests.repositories import git, make
from tests.windows.conftest import Drive

PLATFORMS = ("manylinux_2_28_x86_64", "win_amd64")
PROFILES: dict[str, dict[str, object]] = {
    "both": {"platforms": ["linux", "windows"]},
    "newest": {"platforms": ["windows"], "versions": "newest", "env": {"A_WORD": "가 & %PATH%"}},
    "own": {"platforms": ["windows"], "checks": [{"run": 'python -c "import torch"'}]},
}
"""Profiles that are locked on both systems, by what each has of its own."""


@contextmanager
def index(wheelhouse: Path) -> Iterator[str]:
    """Serve a torch for both systems, and put it into the wheelhouse."""
    made = torch_wheel()
    files = [
        replace(made, filename=f"torch-{made.version}-cp311-cp311-{platform}.whl") for platform in PLATFORMS
    ]
    for wheel in files:
        (wheelhouse / wheel.filename).write_bytes(wheel.body)
    with ReplayIndex([index_entry(wheel) for wheel in files]) as replay:
        yield replay.base


def locked(project: Project) -> None:
    """Lock the profiles."""
    common: dict[str, object] = {"backend": "cu134", "python": ["3.11"], "requirements": ["torch"]}
    for name, own in PROFILES.items():
        lines = [
            f"{key} = {toml(value)}" for key, value in {"summary": "for a test", **common, **own}.items()
        ]
        place = project.root / "profiles" / f"{name}.toml"
        place.parent.mkdir(exist_ok=True)
        place.write_text("\n".join([*lines, ""]), "utf-8")
    assert project.run("catalog", "refresh", "cu134").status == 0
    ran = project.run("lock", *PROFILES, "--offline", "--as-of", "2026-11-15")
    assert ran.status == 0, ran.said


def toml(value: object) -> str:
    """Write a value as TOML has it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


@pytest.fixture
def here(tmp_path: Path) -> Project:
    """A project of this machine."""
    project = Project(root=tmp_path / "project", env={"UV_CACHE_DIR": str(tmp_path / "uv-cache")})
    project.root.mkdir()
    return project


def test_locks_of_both_systems_are_the_same_files(shop: Shop, here: Project) -> None:
    with index(shop.wheelhouse) as base:
        here.index = shop.project.index = base
        locked(here)
        locked(shop.project)
    for name in PROFILES:
        files = here.locks(name)
        assert files == shop.project.locks(name)
        assert len(files) == 8 + 2 * len(here.manifest(name).targets)


@pytest.mark.parametrize("attributes", [pytest.param(True, marks=pytest.mark.weekly), False])
def test_a_clone_is_current_and_installs_and_activates(
    shop: Shop, here: Project, drive: Drive, attributes: bool
) -> None:
    project, there = shop.project, shop.project.root
    with index(shop.wheelhouse) as base:
        here.index = project.index = base
        locked(here)
        if not attributes:
            (here.root / "lockfiles" / ".gitattributes").unlink()
        make(here.root)
        git(here.root, "add", "--all", "--force")
        git(here.root, "commit", "--quiet", "--message", "locked")
        there.rmdir()
        git(here.root, "clone", "--quiet", "--config", "core.autocrlf=true", str(here.root), str(there))
    for name, has_cr in (
        ("activate.sh", not attributes),
        ("activate.bat", True),
        ("manifest.toml", not attributes),
    ):
        assert (b"\r\n" in (there / "lockfiles" / "own" / name).read_bytes()) == has_cr, name
    ran = project.run("lock", *PROFILES, "--check", "--offline")
    assert (ran.status, ran.said) == (0, f"current: {' '.join(PROFILES)}"), ran.said
    if attributes:  # the files are as in test_round, which installs them
        return
    ran = shop.install("--trust", profile="own")
    assert ran.status == 0, ran.said
    (there / "entered.py").write_text(
        "import os, sys; print(ascii([sys.prefix, os.environ['ENVSMITH_PROFILE']]))"
    )
    (there / "enter.bat").write_bytes(
        b"@echo off\r\ncall lockfiles\\own\\activate.bat\r\npython entered.py\r\n"
    )
    done = drive.run("cmd", "/c", "enter.bat", at=there, env=project.environ())
    assert done.stdout.decode().strip() == ascii([drive.path(shop.link), "own"]), done.stderr
    for command in (("verify", "own", "--deep"), ("export", "own", "--format", "constraints")):
        ran = project.run(*command)
        assert ran.status == 0, ran.said
    assert git(there, "status", "--porcelain", "lockfiles") == ""
