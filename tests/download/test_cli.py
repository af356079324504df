"""`envsmith download`, as people run it, from a file server on this machine."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from envsmith.host.current import this_platform, this_python
from tests.commands import Project
from tests.range_server import RangeServer, Step
from tests.systems import posix_only
from tests.wheelhouses import artifact, leftovers, lock_files, made_bytes

HERE, WINDOWS = f"{this_python().tag}-{this_platform()}", "cp310-win_amd64"
BODIES = {
    f"{name}-1-py3-none-any.whl": made_bytes(9000, number)
    for number, name in enumerate(("one", "two", "three"))
}
ONE, TWO, THREE = BODIES


@pytest.fixture
def server() -> Iterator[RangeServer]:
    with RangeServer() as running:
        yield running


@pytest.fixture
def project(server: RangeServer, tmp_path: Path) -> Project:
    """A project with two profiles: `any` for this machine and Windows, `other` for Windows alone."""
    made = Project(root=tmp_path / "project", env={"COLUMNS": "200"})
    items = [artifact(server.put(f"whl/{name}", body), body, filename=name) for name, body in BODIES.items()]
    for profile, locks in (
        ("any", {HERE: items[:2], WINDOWS: items[1:]}),
        ("other", {WINDOWS: items[2:]}),
    ):
        folder = made.root / "lockfiles" / profile
        folder.mkdir(parents=True)
        for name, content in lock_files(profile, locks).items():
            (folder / name).write_bytes(content)
    return made


def held(project: Project) -> set[str]:
    """Return the names of the files that are there, each with its bytes."""
    house = project.root / "house"
    assert leftovers(house) == []
    names = {path.name for path in house.glob("*.whl")}
    assert all((house / name).read_bytes() == BODIES[name] for name in names)
    record = tomllib.loads((house / "wheelhouse.toml").read_text("utf-8"))
    assert names == set(record["files"])
    return names


def test_files_for_this_machine(project: Project) -> None:
    ran = project.run("download", "any", "-d", "house")
    assert ran.status == 0, ran.said
    assert held(project) == {ONE, TWO}
    assert (
        ran.out
        == "folder    house: 2 files of 1 lock · 18.0 kB · verified by sha256\nnew       2 files · 18.0 kB\n"
    )
    assert ran.err.startswith("download  2 files · 18.0 kB\n")
    assert len(ran.err.splitlines()) == 3
    again = project.run("download", "any", "-d", "house")
    assert again.out.endswith("new       none\n")
    assert again.err == ""


@posix_only("a machine that is none of Windows")
def test_files_for_any_other_and_all_at_once(project: Project) -> None:
    assert project.run("download", "any", "--target", "windows", "-d", "house").status == 0
    assert held(project) == {TWO, THREE}
    ran = project.run("-q", "download", "any", "other", "--all", "-d", "house")
    assert (ran.status, ran.err) == (0, "")
    assert held(project) == {ONE, TWO, THREE}
    record = tomllib.loads((project.root / "house" / "wheelhouse.toml").read_text("utf-8"))
    assert record["files"][THREE]["locks"] == [f"any/{WINDOWS}", f"other/{WINDOWS}"]
    assert set(record["locks"]) == {f"any/{HERE}", f"any/{WINDOWS}", f"other/{WINDOWS}"}


def test_without_a_name_all_that_is_locked(project: Project) -> None:
    assert project.run("download", "--all", "-d", "house").status == 0
    assert held(project) == {ONE, TWO, THREE}


def test_json(project: Project) -> None:
    ran = project.run("download", "any", "-d", "house", "--json")
    document = json.loads(ran.out)
    assert (document["status"], ran.err) == ("ok", "")
    assert [item["file"] for item in document["data"]["files"]] == [ONE, TWO]
    assert {item["way"] for item in document["data"]["files"]} == {"fetched"}


def test_a_file_that_cannot_be_had(project: Project, server: RangeServer) -> None:
    server.plan(f"whl/{TWO}", Step(status=404))
    ran = project.run("download", "any", "-d", "house")
    assert ran.status == 2
    assert held(project) == {ONE}
    assert f"{TWO}  failed: the server answered 404" in ran.err
    assert "error TOL047" in ran.err
    assert project.run("download", "any", "-d", "house").status == 0


@pytest.mark.parametrize("way", ["option", "variable", "settings"])
def test_mirrors(project: Project, server: RangeServer, way: str) -> None:
    for name, body in BODIES.items():
        server.put(f"mirror/{name}", body)
    secret = server.origin.replace("http://", "http://user:hush@")
    rewrite = f"{server.origin}/whl={secret}/mirror"
    words = ["download", "any", "-d", "house"]
    if way == "option":
        words += ["--rewrite", rewrite]
    elif way == "variable":
        project.env["ENVSMITH_REWRITE"] = f"https://else.example=https://m.example {rewrite}"
    else:
        text = f"[tool.envsmith.rewrite]\n'{server.origin}/whl' = '{secret}/mirror'\n"
        (project.root / "pyproject.toml").write_text(text, "utf-8")
    server.plan(f"mirror/{TWO}", Step(status=403))
    ran = project.run(*words)
    assert ran.status == 2
    assert f"{server.origin}/mirror/{TWO}" in ran.said
    assert "hush" not in ran.said
    assert project.run(*words).status == 0
    assert held(project) == {ONE, TWO}
    assert not server.requests_of(f"whl/{ONE}")
    assert server.requests_of(f"mirror/{ONE}")[0]["authorization"].startswith("Basic ")
    assert "hush" not in (project.root / "house" / "wheelhouse.toml").read_text("utf-8")


def test_a_mirror_that_has_other_bytes(project: Project, server: RangeServer) -> None:
    for name in BODIES:
        server.put(f"mirror/{name}", made_bytes(9000, 99))
    ran = project.run(
        "download", "any", "-d", "house", "--rewrite", f"{server.origin}/whl={server.origin}/mirror"
    )
    assert ran.status == 2
    assert "TOL048" in ran.said
    assert "TOL050" in ran.said
    assert held(project) == set()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("any",), "Missing option '-d'"),
        (("any", "-d", "house", "--all", "--target", "cp310"), "--all and --target cannot be combined"),
        (("none", "-d", "house"), "none is not locked"),
        (("../any", "-d", "house"), "PRF006"),
        (("other", "-d", "house"), f"other is not locked for {HERE}"),
        (("any", "-d", "house", "--rewrite", "x"), "PRF044"),
    ],
)
def test_what_cannot_be_done(project: Project, words: tuple[str, ...], said: str) -> None:
    ran = project.run("download", *words)
    assert ran.status == 2
    assert said in ran.said
    assert not (project.root / "house").exists()
