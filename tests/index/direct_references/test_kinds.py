"""Every kind of requirement: locked, installed, verified, rolled back, rebuilt elsewhere, and read by other tools."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from packaging.pylock import Package

from envsmith.errors import EnvsmithError
from envsmith.host.current import this_platform, this_python
from envsmith.lockfile.manifest import Manifest
from envsmith.lockfile.whole import NO_RULES, problems
from envsmith.uv.command import find_uv
from tests.commands import Project, Ran
from tests.index.direct_references.packages import commit, make_archive, make_package, make_repository
from tests.install.made import made

SLUG = f"{this_python().tag}-{this_platform()}"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder over loopback, and yield its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def done(ran: Ran) -> Ran:
    assert ran.status == 0, ran.said
    return ran


def opened(root: Path) -> Project:
    root.mkdir(parents=True, exist_ok=True)
    return Project(root=root, env={"UV_CACHE_DIR": str(root.parent / "uv"), "GIT_CONFIG_GLOBAL": os.devnull})


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return opened(tmp_path / "one")


def imported(project: Project, *modules: str) -> list[str]:
    """Return the versions of modules in the environment."""
    python = project.root / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    code = "".join(f"import {name}; print({name}.version)\n" for name in modules)
    return subprocess.run(
        [python, "-c", code], capture_output=True, text=True, check=True, cwd=project.root.parent
    ).stdout.split()


@dataclass(frozen=True, kw_only=True)
class Kinds:
    """A project with every kind of requirement, and their sources."""

    project: Project
    folder: Path
    address: str
    by_file: str
    """Commit of the first repository."""
    by_http: str
    wheel: str

    @classmethod
    def made(cls, folder: Path, address: str) -> Kinds:
        """Write all of them into a folder of which `files` is served."""
        project, files = opened(folder / "one"), folder / "files"
        by_file = make_repository(make_package(folder / "by-file", "by-file", requires=["member"]))
        by_http = make_repository(make_package(files / "by-http/lib", "by-http").parent)
        make_package(folder / "archived", "archived", "3.0")
        (files / "archived-3.0.tar.gz").write_bytes(make_archive(folder / "archived", "archived-3.0"))
        wheel = made("wheeled", files={"wheeled.py": b"version = '1.0'\n"})
        (files / wheel.filename).write_bytes(wheel.body)
        make_package(project.root / "libs/member", "member", requires=["plain[more]"],
                     more='[tool.uv.sources]\nplain = {path = "../../../plain"}\n')  # fmt: skip
        make_package(
            folder / "plain", "plain", "", more='[project.optional-dependencies]\nmore = ["edited"]\n'
        )
        make_package(project.root / "apps/the edited", "edited")
        sources = f"""[tool.uv.workspace]
members = ["libs/*"]
[tool.uv.sources]
member = {{workspace = true}}
edited = {{path = "apps/the edited", editable = true}}
by-file = {{git = "{(folder / "by-file").as_uri()}", branch = "main"}}
by-http = {{git = "{address}/by-http/.git", subdirectory = "lib"}}
archived = {{url = "{address}/archived-3.0.tar.gz"}}
wheeled = {{url = "{address}/{wheel.filename}"}}
"""
        requires = ["by-file", "by-http", "archived", "wheeled", "member", "edited"]
        make_package(project.root, "mine", requires=requires, more=sources)
        return cls(
            project=project,
            folder=folder,
            address=address,
            by_file=by_file,
            by_http=by_http,
            wheel=wheel.filename,
        )

    def packages(self) -> dict[str, Package]:
        """Return the packages of the pylock."""
        return {str(item.name): item for item in self.project.pylock("cpu", SLUG).packages}

    def moved(self) -> str:
        """Add a commit to the first repository."""
        (self.folder / "by-file/by_file.py").write_text("version = '9'\n", "utf-8")
        return commit(self.folder / "by-file")


@pytest.fixture
def kinds(tmp_path: Path) -> Iterator[Kinds]:
    (tmp_path / "files").mkdir()
    with served(tmp_path / "files") as address:
        found = Kinds.made(tmp_path, address)
        assert "8 packages" in done(found.project.run("lock", "cpu")).said
        yield found


def test_each_kind_is_an_entry_of_the_pylock_and_the_requirements(kinds: Kinds) -> None:
    """A commit, a folder or a hash: nothing is looked for by its name."""
    found = kinds.packages()
    vcs = found["by-file"].vcs, found["by-http"].vcs
    assert [item and (item.commit_id, item.requested_revision, item.subdirectory) for item in vcs] == [
        (kinds.by_file, "main", None),
        (kinds.by_http, None, "lib"),
    ]
    folders = {
        name: (item.directory.path, item.directory.editable, item.version)
        for name, item in found.items()
        if item.directory
    }
    assert folders == {
        "edited": ("../../apps/the edited", True, None),
        "member": ("../../libs/member", True, None),
        "mine": ("../..", True, None),
        "plain": ("../../../plain", None, None),
    }
    assert [bool(found[name].archive) for name in ("archived", "wheeled")] == [True, True]
    unhashed = kinds.project.locks("cpu")[f"unhashed.{SLUG}.txt"].decode()
    assert [line for line in unhashed.splitlines() if not line.lstrip().startswith("#")] == [
        f"by-file @ git+{(kinds.folder / 'by-file').as_uri()}@{kinds.by_file}",
        f"by-http @ git+{kinds.address}/by-http/.git@{kinds.by_http}#subdirectory=lib",
        "-e file:./apps/the%20edited",
        "-e ./libs/member",
        "-e .",
        "../plain",
    ]
    done(kinds.project.run("lock", "--check"))
    locks = kinds.project.locks("cpu")
    kinds.moved()
    done(kinds.project.run("lock"))
    assert kinds.project.locks("cpu") == locks  # a later commit moves no pin


def test_all_kinds_are_installed_verified_and_rolled_back(kinds: Kinds) -> None:
    project, before = kinds.project, kinds.packages()
    said = project.run("install", "cpu").said
    assert "USE016" in said
    assert "by-http git+" in said
    done(project.run("install", "cpu", "--trust"))
    modules = ("by_file", "by_http", "archived", "wheeled", "member", "edited", "mine")
    assert imported(project, *modules) == ["1.0", "1.0", "3.0", "1.0", "1.0", "1.0", "1.0"]
    assert "matches" in done(project.run("verify")).said
    assert "nothing to do" in done(project.run("install", "cpu")).said

    later = kinds.moved()
    done(project.run("lock", "-P", "by-file"))
    after = kinds.packages()
    moved = after.pop("by-file").vcs
    assert moved
    assert moved.commit_id == later
    assert after == {name: item for name, item in before.items() if name != "by-file"}
    assert "USE016" in project.run("install", "cpu").said  # of another commit
    done(project.run("install", "cpu", "--trust"))
    assert imported(project, "by_file") == ["9"]
    done(project.run("rollback"))
    assert imported(project, "by_file", "member") == ["1.0", "1.0"]


def test_a_second_machine_and_another_tool_install_the_same(kinds: Kinds, tmp_path: Path) -> None:
    """The second machine has the sources and the files of the lock, without the pylock."""
    project, locks = kinds.project, kinds.project.locks("cpu")
    second = opened(tmp_path / "two/one")
    shutil.copytree(project.root, second.root, dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns("pylock.*", "cache"))  # fmt: skip
    shutil.copytree(tmp_path / "plain", tmp_path / "two/plain")
    done(second.run("install", "cpu", "--trust"))
    done(second.run("verify"))
    done(second.run("lock"))
    assert second.locks("cpu") == locks

    other, pylock = str(tmp_path / "other"), project.root / f"lockfiles/cpu/pylock.{SLUG}.toml"
    env = {**os.environ, **project.env}
    for words in (
        ["venv", "--quiet", other],
        ["pip", "sync", "--preview-features", "pylock", "--python", other, str(pylock)],
    ):
        ran = subprocess.run(
            [str(find_uv()), "--no-config", *words], env=env, capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr


def test_a_changed_folder_makes_the_lock_stale_by_name(project: Project) -> None:
    folder = make_package(project.root / "libs/member", "member")
    (project.root / "requirements.txt").write_text("-e ./libs/member\n", "utf-8")
    done(project.run("lock", "cpu", "-r", "requirements.txt"))
    (folder / "member.py").write_text("version = '2'\n", "utf-8")
    make_package(folder, "member", "1.1")
    done(project.run("lock", "--check"))  # neither code nor version decide what is locked
    make_package(folder, "member", requires=["absent-thing"])
    said = project.run("lock", "--check").said
    assert "LCK033" in said
    assert "provided member ./libs/member#editable=true" in said
    shutil.rmtree(folder)
    assert "`libs/member` does not exist where requirements.txt:1" in project.run("lock", "--check").said


def test_what_only_a_build_tells_is_named_at_once_and_built_only_if_allowed_and_trusted(
    project: Project,
) -> None:
    for name in ("first", "second"):
        folder = make_package(project.root / name, name)
        text = (folder / "pyproject.toml").read_text("utf-8")
        text = text.replace("dependencies = []", 'dynamic = ["dependencies"]').replace(
            "version =", "version="
        )
        (folder / "pyproject.toml").write_text(text, "utf-8")
    make_package(project.root / "other", "other")
    (project.root / "requirements.txt").write_text("-e ./first\n./second\n./other\n", "utf-8")
    words = ("lock", "cpu", "-r", "requirements.txt")
    said = project.run(*words).said
    assert "RES151" in said
    assert "the requirements of first and second are known only after a build" in said
    assert "--allow-build first --allow-build second" in said
    assert "RES151" in project.run(*words, "--allow-build", "first", "--trust").said
    allowed = (*words, "--allow-build", "first", "--allow-build", "second")
    refused = project.run(*allowed)
    assert "USE016" in refused.said
    assert "--allow-build first --allow-build second --trust" in refused.said
    assert not project.locks("cpu")
    done(project.run(*allowed, "--trust"))
    assert [item.name for item in project.pylock("cpu", SLUG).packages] == ["first", "other", "second"]
    done(project.run("lock", "--check"))


def test_the_project_itself(project: Project) -> None:
    """By the rule of uv, and by our options; each spelling is remembered."""
    folder = make_package(project.root / "libs/member", "member")
    base = f'dependencies = ["member"]\n[tool.uv.sources]\nmember = {{path = "{folder.as_posix()}"}}\n'
    head = '[project]\nname = "mine"\nversion = "1"\n'
    built = '[build-system]\nrequires = []\nbuild-backend = "tiny"\nbackend-path = ["."]\n'
    for text, words, itself in (
        (head + base, (), False),
        (head + base + built, (), True),
        (head + base + built, ("--no-project",), False),
        (head + base + built, (), False),  # remembered
        (head + base + "[tool.uv]\npackage = true\n", (), True),
        (head + base + built + "[tool.uv]\npackage = false\n", (), False),
        (head + base + built + "[tool.envsmith]\nproject = false\n", (), False),
        (head + base + built + "[tool.pdm]\ndistribution = false\n", (), False),
    ):
        if not words and itself:
            shutil.rmtree(project.root / "lockfiles", ignore_errors=True)
        (project.root / "pyproject.toml").write_text(text, "utf-8")
        done(project.run("lock", "cpu", *words))
        names = [item.name for item in project.pylock("cpu", SLUG).packages]
        assert names == (["member", "mine"] if itself else ["member"]), (text, words)
    path = project.pylock("cpu", SLUG).packages[0].directory
    assert path
    assert path.path == "../../libs/member"  # not the absolute path of this machine


def test_a_change_in_one_file_of_the_lock_is_noticed(project: Project, tmp_path: Path) -> None:
    """A commit, an address, a path or `-e`, in the requirements, the pylock or the manifest, with its digest redone."""
    locked = make_repository(make_package(tmp_path / "r", "r"))
    make_package(project.root / "libs/member", "member")
    lines = f"-e ./libs/member\nr @ git+{(tmp_path / 'r').as_uri()}@main\n"
    (project.root / "requirements.txt").write_text(lines, "utf-8")
    done(project.run("lock", "cpu", "-r", "requirements.txt"))
    files, second = project.locks("cpu"), f"unhashed.{SLUG}.txt"
    url = (tmp_path / "r").as_uri()
    for name in (second, f"pylock.{SLUG}.toml", "manifest.toml"):
        path = {second: "./libs/member", "manifest.toml": 'source = "./libs/member'}.get(
            name, "../../libs/member"
        )
        for old, new in (
            (locked, "b" * 40),
            (url, f"{url}x"),
            (url, "ext::sh"),
            (path, path.replace("libs", "others")),
            *(((f"-e {path}", path), (f"\n-e {path}\n", "\n")) if name == second else ()),
        ):
            text = files[name].decode()
            assert old in text
            changed = {**files, name: text.replace(old, new).encode()}
            was, now = (hashlib.sha256(held[second]).hexdigest() for held in (files, changed))
            changed["manifest.toml"] = changed["manifest.toml"].replace(was.encode(), now.encode())
            try:
                manifest = Manifest.from_toml(changed["manifest.toml"].decode(), "manifest.toml")
                codes = {
                    error.code for error in problems(SLUG, manifest, changed, Path("lockfiles/cpu"), NO_RULES)
                }
            except EnvsmithError as error:
                codes = {error.code}
            assert codes & {"LCK006", "LCK060", "PRF020"}, (name, old, new)
    assert not problems(SLUG, project.manifest("cpu"), files, Path("lockfiles/cpu"), NO_RULES)


def test_add_and_remove_a_repository(project: Project, tmp_path: Path) -> None:
    make_repository(make_package(tmp_path / "r", "r"))
    make_package(project.root / "libs/member", "member")
    text = '[project]\nname = "mine"\nversion = "1"\ndependencies = ["member"]\n'
    text += '[tool.uv.sources]\nmember = {path = "libs/member"}\n'
    (project.root / "pyproject.toml").write_text(text, "utf-8")
    done(project.run("lock", "cpu"))
    assert "PRF021" in project.run("add", "git+https://host.invalid/r").said
    done(project.run("add", f"r @ git+{(tmp_path / 'r').as_uri()}"))
    assert [item.name for item in project.pylock("cpu", SLUG).packages] == ["member", "r"]
    done(project.run("remove", "r"))
    assert (project.root / "pyproject.toml").read_text("utf-8") == text
    assert [item.name for item in project.pylock("cpu", SLUG).packages] == ["member"]
