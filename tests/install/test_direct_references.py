"""Packages that are not from an index: locked, checked, installed, verified, and taken to another machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from envsmith.host.current import this_platform, this_python
from tests.commands import Project, Ran
from tests.install.made import Made, made
from tests.install.serving import Served, served

SLUG = f"{this_python().tag}-{this_platform()}"


@pytest.fixture
def server() -> Iterator[Served]:
    with served() as found:
        yield found


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "one").mkdir()
    return Project(root=tmp_path / "one", env={"UV_CACHE_DIR": str(tmp_path / "uv")})


def done(ran: Ran) -> Ran:
    assert ran.status == 0, ran.said
    return ran


def test_a_wheel_is_locked_by_its_url_and_never_another_one(project: Project, server: Served) -> None:
    """Also on a second machine, without the pylock, and after the file on the server was replaced."""
    wheel = made("direct")
    server.add(wheel)
    url = f"{server.address}/{wheel.filename}"
    (project.root / "requirements.txt").write_text(f"{url}\n", "utf-8")
    done(project.run("lock", "cpu", "-r", "requirements.txt"))
    (package,) = project.pylock("cpu", SLUG).packages
    assert package.archive
    assert (package.archive.url, package.archive.hashes) == (url, {"sha256": wheel.sha256})
    assert f"direct @ {url} \\\n    --hash=sha256:{wheel.sha256}\n    # direct==1.0\n" in (
        project.root / f"lockfiles/cpu/requirements.{SLUG}.txt"
    ).read_text("utf-8")
    done(project.run("lock", "--check"))
    locks = project.locks("cpu")

    server.files[wheel.filename] = replace_module(wheel).body
    second = replace(
        project, root=project.root.parent / "two", env={"UV_CACHE_DIR": str(project.root / "uv")}
    )
    shutil.copytree(project.root, second.root, ignore=shutil.ignore_patterns("pylock.*", "cache"))
    assert "ENV022" in second.run("install", "cpu").said
    server.add(wheel)
    done(second.run("install", "cpu"))
    done(second.run("verify"))
    done(second.run("lock"))
    assert second.locks("cpu") == locks


def replace_module(wheel: Made) -> Made:
    return made(wheel.name, wheel.version, {f"{wheel.name}.py": b"other = 1\n"})


def test_other_files_than_the_required_ones_are_refused(project: Project, server: Served) -> None:
    wheel = made("direct")
    server.add(wheel)
    url = f"{server.address}/{wheel.filename}"
    (project.root / "requirements.txt").write_text(f"{url}#sha256={'0' * 64}\n", "utf-8")
    assert "LCK024" in project.run("lock", "cpu", "-r", "requirements.txt").said
    (project.root / "requirements.txt").write_text(f"{server.address}/no-1-py3-none-any.whl\n", "utf-8")
    said = project.run("lock", "cpu", "-r", "requirements.txt").said
    assert f"{server.address}/no-1-py3-none-any.whl could not be downloaded" in said
    (project.root / "requirements.txt").write_text(f"{url}\n", "utf-8")
    done(project.run("lock", "cpu", "-r", "requirements.txt"))
    lines = project.root / "requirements.txt"
    lines.write_text("direct\n", "utf-8")
    assert "LCK033" in project.run("lock", "--check").said
    lines.write_text(f"{url}\n", "utf-8")
    for path in (project.root / "lockfiles/cpu").glob("*.t*"):
        if path.name != "manifest.toml":
            path.write_text(path.read_text("utf-8").replace(server.address, "https://other.invalid"), "utf-8")
    assert "LCK060" in project.run("install", "cpu", "--frozen").said
