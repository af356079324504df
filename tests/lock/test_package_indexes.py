"""A company's index with a password: pypiserver on this machine, installed from PyPI for the test."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from envsmith.uv.command import find_uv
from tests.commands import Project
from tests.install.made import made

USER, PASSWORD = "bob", "s3cret-word"
CREDENTIALS = {"UV_INDEX_CORP_USERNAME": USER, "UV_INDEX_CORP_PASSWORD": PASSWORD}
WRITE = """
import sys
from passlib.apache import HtpasswdFile
file = HtpasswdFile("p", new=True)
file.set_password(*sys.argv[1:])
file.save()
"""
WORDS = ("--catalog", "embedded")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of an index with `utils` and `six`, which PyPI has as well, in other versions."""
    root = tmp_path_factory.mktemp("company")
    uv = [str(find_uv()), "--no-config", "pip", "install", "--quiet", "--target", str(root / "server")]
    subprocess.run([*uv, "--python", sys.executable, "pypiserver==2.4.2", "passlib==1.7.4"], check=True)
    (root / "packages").mkdir()
    for wheel in (made("utils", "9.9"), made("six", "99.0")):
        (root / "packages" / wheel.filename).write_bytes(wheel.body)
    env = {**os.environ, "PYTHONPATH": str(root / "server")}
    subprocess.run([sys.executable, "-c", WRITE, USER, PASSWORD], cwd=root, env=env, check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [
        "run",
        "-i",
        "127.0.0.1",
        "-p",
        str(port),
        "-P",
        "p",
        "-a",
        "list,download,update",
        "--disable-fallback",
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "pypiserver", *words, "packages"],
        cwd=root,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        yield f"http://127.0.0.1:{port}/simple"
        server.terminate()


@pytest.fixture
def project(tmp_path: Path, company: str) -> Project:
    project = Project(root=tmp_path / "project", env={**CREDENTIALS, "UV_CACHE_DIR": str(tmp_path / "uv")})
    project.profile(
        "own", backend="cpu", python=["3.11"], platforms=["linux", "windows"], requirements=["torch"]
    )
    (project.root / "pyproject.toml").write_text(
        '[project]\nname = "app"\nversion = "0"\ndependencies = ["utils", "six", "idna"]\n'
        f'[[tool.uv.index]]\nname = "corp"\nurl = "{company}"\n',
        "utf-8",
    )
    return project


def pins(project: Project) -> dict[str, str]:
    package = project.pylock("own", "cp311-manylinux_2_28_x86_64").packages
    return {str(item.name): str(item.version) for item in package}


@pytest.mark.online
def test_packages_of_a_company(project: Project, company: str) -> None:
    ran = project.run_online("lock", "own", *WORDS)
    assert ran.status == 0, ran.said
    assert "could be read" not in ran.said  # the contents of the company's wheels, with the same password
    found = pins(project)
    assert (found["utils"], found["six"], "idna" in found) == ("9.9", "99.0", True)
    text = (project.root / "lockfiles/own/requirements.cp311-manylinux_2_28_x86_64.txt").read_text("utf-8")
    assert f"--extra-index-url {company}\n" in text
    assert text.count("    # from corp\n") == 2
    assert project.run("lock", "--check").status == 0
    for path in project.root.rglob("*"):
        assert path.is_dir() or PASSWORD.encode() not in path.read_bytes(), path
    for words in (("lock", "own", *WORDS, "--json"), ("explain", "utils"), ("report",)):
        assert PASSWORD not in project.run_online(*words).said


@pytest.mark.online
def test_without_the_password(project: Project) -> None:
    for name in CREDENTIALS:
        del project.env[name]
    ran = project.run_online("lock", "own", *WORDS)
    assert (ran.status, "TOL059" in ran.said, "UV_INDEX_CORP_USERNAME" in ran.said) == (2, True, True), (
        ran.said
    )


@pytest.mark.online
def test_an_index_of_the_command_line_is_remembered(project: Project, company: str) -> None:
    text = (project.root / "pyproject.toml").read_text("utf-8").partition("[[tool.uv")[0]
    (project.root / "pyproject.toml").write_text(text.replace('"idna"', '"certifi"'), "utf-8")
    ran = project.run_online("lock", "own", "--index", f"corp={company}", *WORDS)
    assert ran.status == 0, ran.said
    assert pins(project)["utils"] == "9.9"
    assert project.run("lock", "--check").status == 0
    assert project.run_online("lock", "own", *WORDS).status == 0
    assert project.run("lock", "own", "--index", "corp=https://u:p@packages.example", *WORDS).status == 2


@pytest.mark.online
def test_installed_with_and_without_pylocks(project: Project) -> None:
    project.profile(
        "own", backend="cpu", python=[f"{sys.version_info[0]}.{sys.version_info[1]}"], platforms=["linux"]
    )
    assert project.run_online("lock", "own", *WORDS).status == 0
    ran = project.run_online("install", "own")
    assert ran.status == 0, ran.said
    assert project.run("verify", "own").status == 0
    ran = project.run("download", "own", "-d", "house")
    assert ran.status == 0, ran.said
    assert (project.root / "house" / made("utils", "9.9").filename).is_file()
    for path in project.root.glob("lockfiles/own/pylock.*"):
        path.unlink()
    (project.root / ".venv").unlink()
    ran = project.run_online("install", "own")
    assert ran.status == 0, ran.said
