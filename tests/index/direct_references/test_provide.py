"""Reading of packages at their places: odd and hostile sources, by their own files and real git."""

from __future__ import annotations

import io
import os
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from envsmith.config.direct_references import read_direct
from envsmith.config.requirement import SourcedRequirement
from envsmith.errors import EnvsmithError
from envsmith.index.direct_references.git_repositories import GitRepositories
from envsmith.index.direct_references.provide import ProvidedRequirements, Provider
from envsmith.lockfile.provided import ProvidedPackage
from envsmith.process.runner import Processes
from tests.index.direct_references.packages import commit, git, make_package, make_repository
from tests.systems import posix_only

LOCKS = Path("lockfiles/p")
Provide = Callable[..., ProvidedRequirements]


@pytest.fixture
def provide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Provide:
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)

    def run(
        *lines: str, offline: bool = False, kept: tuple[ProvidedPackage, ...] = ()
    ) -> ProvidedRequirements:
        repositories = GitRepositories(processes=Processes(), folder=tmp_path / "cache", offline=offline)
        items = [SourcedRequirement(requirement=read_direct(line)[0], origin="r.txt:1") for line in lines]
        return Provider(project=Path(), git=repositories).provide(items, LOCKS, kept)

    return run


def refused(provide: Provide, *lines: str, **more: object) -> EnvsmithError:
    with pytest.raises(EnvsmithError) as caught:
        provide(*lines, **more)
    return caught.value


def test_branches_tags_and_commits(provide: Provide, tmp_path: Path) -> None:
    """A branch comes before a tag of its name, as in uv; a tag with a message is its commit."""
    repository = make_package(tmp_path / "r", "r")
    first = make_repository(repository)
    git(repository, "tag", "-a", "v1", "-m", "one")
    git(repository, "tag", "both")
    (repository / "more").write_text("1", "utf-8")
    second = commit(repository)
    git(repository, "branch", "both")
    url = f"r @ git+{repository.as_uri()}"
    wanted = {
        "": second,
        "@v1": first,
        "@both": second,
        "@main": second,
        f"@{first}": first,
        f"@{first[:9]}": first,
    }
    for revision, found in wanted.items():
        (package,) = provide(f"{url}{revision}").provided
        assert package.source.partition("@")[2] == found, revision
    error = refused(provide, f"{url}@absent")
    assert (error.code, error.where) == ("RES150", "r.txt:1")
    assert refused(provide, f"{url}@{'0' * 40}").code == "RES150"
    assert refused(provide, f"r @ git+{(tmp_path / 'absent').as_uri()}").code == "TOL066"
    assert provide(f"{url}@{first}", offline=True).provided
    assert refused(provide, "r @ git+https://host.invalid/r", offline=True).code == "TOL066"


def test_no_code_of_a_repository_runs(provide: Provide, tmp_path: Path) -> None:
    """Not its hooks, filters or attributes, nor what its configuration names; options are data."""
    repository, mark = make_package(tmp_path / "r", "r"), tmp_path / "mark"
    (repository / ".gitattributes").write_text("* filter=evil diff=evil\n", "utf-8")
    (repository / "setup.py").write_text(f"open({str(mark)!r}, 'w')\n", "utf-8")
    make_repository(repository)
    for name in ("post-checkout", "reference-transaction", "post-upload-pack"):
        hook = repository / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch '{mark}'\n", "utf-8")
        hook.chmod(0o755)
    git(repository, "config", "filter.evil.smudge", f"touch {mark}")
    provide(f"r @ git+{repository.as_uri()}")
    for line in (
        f"r @ git+{repository.as_uri()}@--upload-pack=touch${{IFS}}{mark}",
        f"r @ git+ext::sh -c touch% {mark}",
        f"r @ git+--upload-pack=touch {mark}",
        f"r @ git+ssh://-oProxyCommand=touch/{mark}",
    ):
        with pytest.raises(EnvsmithError):
            provide(line)
    assert not mark.exists()


def test_settings_of_a_repository_around_the_cache_do_not_count(provide: Provide, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "config", "core.sshCommand", f"touch '{tmp_path / 'mark'}'; false")
    assert refused(provide, "r @ git+ssh://git@127.0.0.1/r").code == "TOL066"
    assert not (tmp_path / "mark").exists()


def test_a_package_of_another_name_is_refused(provide: Provide, tmp_path: Path) -> None:
    repository = make_package(tmp_path / "r", "y")
    make_repository(repository)
    error = refused(provide, f"x @ git+{repository.as_uri()}")
    assert (error.code, error.where) == ("PRF061", "r.txt:1")
    assert "that is y" in error.message
    (package,) = provide(f"git+{repository.as_uri()}").provided
    assert package.name == "y"  # which the repository decides without a given name
    assert refused(provide, f"y @ git+{repository.as_uri()}", "y @ ../r").code == "PRF062"


@posix_only("links")
def test_links_and_paths_do_not_leave_the_project_in_silence(provide: Provide, tmp_path: Path) -> None:
    make_package(tmp_path / "secret", "secret")
    Path("link").symlink_to(tmp_path / "secret")
    Path("up").symlink_to("..")
    for line in ("./link", "./up/secret", "../project/link", "../project/up/up/secret"):
        assert refused(provide, line).code == "PRF060", line
    (package,) = provide("../secret").provided  # said as it is
    assert (package.source, package.place) == ("../secret", "../../../secret")
    assert refused(provide, "./absent").code == "PRF060"
    Path("empty").mkdir()
    assert refused(provide, "./empty").code == "PRF060"


def test_sources_from_elsewhere_name_no_folder_of_this_machine(provide: Provide, tmp_path: Path) -> None:
    make_package(tmp_path / "mine", "inner")
    for place in (
        'path = "../mine"',
        f'path = "{(tmp_path / "mine").as_posix()}"',
        f'git = "{(tmp_path / "x").as_uri()}"',
    ):
        repository = tmp_path / f"r{len(place)}"
        make_package(repository, "r", requires=["inner"], more=f"[tool.uv.sources]\ninner = {{{place}}}\n")
        make_repository(repository)
        error = refused(provide, f"r @ git+{repository.as_uri()}")
        assert error.code == "PRF060", place
        assert "outside of" in error.message


def test_a_workspace_of_a_repository(provide: Provide, tmp_path: Path) -> None:
    """Members are found by their patterns, by the names in their files, and in that commit only."""
    root = tmp_path / "r"
    more = '[tool.uv.workspace]\nmembers = ["libs/*"]\nexclude = ["libs/old"]\n'
    more += "[tool.uv.sources]\nutils = {workspace = true}\n"
    make_package(root, "r", requires=["utils[x]"], more=more)
    make_package(root / "libs/any", "Utils", more='[project.optional-dependencies]\nx = ["six"]\n')
    made = make_repository(root)
    found = {item.name: item for item in provide(f"r @ git+{root.as_uri()}").provided}
    assert found["utils"].source == f"git+{root.as_uri()}@{made}#subdirectory=libs/any"
    assert found["utils"].requires_dist == ('six; extra == "x"',)
    assert found["r"].requires_dist == ("utils[x]",)
    (root / "libs/any").rename(root / "libs/old")
    commit(root)
    assert "no member of the workspace is named utils" in refused(provide, f"r @ git+{root.as_uri()}").message


def test_folders_that_name_each_other(provide: Provide) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        make_package(
            Path(name), name, requires=[other], more=f'[tool.uv.sources]\n{other} = {{path = "../{other}"}}\n'
        )
    assert [item.name for item in provide("./a").provided] == ["a", "b"]


def test_a_virtual_package_is_what_it_requires(provide: Provide) -> None:
    more = '[project.optional-dependencies]\nx = ["rich"]\ny = ["attrs"]\n[tool.uv]\npackage = false\n'
    make_package(Path("v"), "v", requires=["six"], more=more)
    found = provide("v[x] @ ./v ; python_version > '3'")
    assert [str(item.requirement) for item in found.requirements] == [
        'six; python_version > "3"',
        'rich; python_version > "3"',
    ]
    assert not found.provided


def test_large_declarations(provide: Provide) -> None:
    """10,000 entries take seconds; a file that is no declaration of a human is not read."""
    make_package(Path("x"), "x", requires=[f"package-{number}" for number in range(10_000)])
    begin = time.process_time()
    (package,) = provide("./x").provided
    assert len(package.requires_dist) == 10_000
    assert time.process_time() - begin < 20


def test_archives(provide: Provide) -> None:
    """Core metadata that is final comes before the project's files; damaged and false ones are refused."""

    def packed(name: str, **files: str) -> None:
        with tarfile.open(name, "w:gz") as archive:
            for path, text in files.items():
                info = tarfile.TarInfo(
                    path.replace("__", "/").replace("_toml", ".toml").replace("_INFO", "-INFO")
                )
                info.size = len(text.encode())
                archive.addfile(info, io.BytesIO(text.encode()))

    project = '[project]\nname = "x"\nversion = "1"\ndependencies = ["six"]\n'
    info = "Metadata-Version: 2.2\nName: X\nVersion: 2\nProvides-Extra: e\n"
    info += "Requires-Dist: rich\nRequires-Dist: attrs; extra == 'e'\n"
    packed("x-1.tar.gz", top__pyproject_toml=project)
    packed("x-2.tar.gz", top__pyproject_toml=project, top__PKG_INFO=info)
    with zipfile.ZipFile("x-3.zip", "w") as archive:
        archive.writestr("pyproject.toml", project)
    found = {name: provide(f"./{name}").provided[0] for name in ("x-1.tar.gz", "x-2.tar.gz", "x-3.zip")}
    assert [(item.version, item.requires_dist) for item in found.values()] == [
        ("1", ("six",)),
        ("2", ('attrs; extra == "e"', "rich")),
        ("1", ("six",)),
    ]
    assert found["x-2.tar.gz"].sha256[0] in found["x-2.tar.gz"].source
    assert refused(provide, f"x @ ./x-1.tar.gz#sha256={'0' * 64}").code == "RES152"
    Path("y-1.zip").write_bytes(b"PK not one")
    assert refused(provide, "./y-1.zip").code == "TOL027"
    packed("z-1.tar.gz", top__empty="")
    assert refused(provide, "./z-1.tar.gz").code == "PRF060"


def test_poetry_and_setuptools_packages(provide: Provide) -> None:
    Path("p").mkdir()
    Path("p/pyproject.toml").write_text(
        '[tool.poetry]\nname = "p"\nversion = "1"\n[tool.poetry.dependencies]\npython = ">=3.9"\nsix = "^1.2"\n'
        'rich = {version = "*", optional = true}\n[tool.poetry.extras]\nmore = ["rich"]\n', "utf-8"
    )  # fmt: skip
    Path("s").mkdir()
    Path("s/setup.py").write_text(
        "from setuptools import setup\nsetup(name='s', version='2', install_requires=['six'])\n", "utf-8"
    )
    dynamic = '[project]\nname = "d"\ndynamic = ["version", "dependencies"]\n'
    Path("d").mkdir()
    Path("d/pyproject.toml").write_text(dynamic, "utf-8")
    Path("d/setup.py").write_text(Path("s/setup.py").read_text("utf-8"), "utf-8")
    Path("c").mkdir()
    Path("c/setup.cfg").write_text(
        "[metadata]\nname = c\nversion = 3\n[options]\ninstall_requires =\n  six\n", "utf-8"
    )
    found = [
        (item.name, item.version, item.requires_dist) for item in provide("./p", "./s", "./c", "./d").provided
    ]
    assert found == [
        ("c", "3", ("six",)),
        ("d", "2", ("six",)),
        ("p", "1", ('rich; extra == "more"', "six<2.0,>=1.2")),
        ("s", "2", ("six",)),
    ]


def test_a_kept_commit_needs_neither_git_nor_network(provide: Provide) -> None:
    """With what it brought; a changed requirement is no kept one."""
    url = "git+https://host.invalid/r@main"
    inner = ProvidedPackage(
        name="inner", version="1", source=f"git+https://host.invalid/i@{'b' * 40}", requested="x"
    )
    package = ProvidedPackage(
        name="r",
        version="1",
        requires_dist=("inner",),
        source=f"git+https://host.invalid/r@{'a' * 40}",
        requested=url,
    )
    given = ProvidedPackage(name="torch", version="2")
    assert provide(f"r @ {url}", kept=(inner, package, given), offline=True).provided == (inner, package)
    assert refused(provide, f"r @ {url}2", kept=(inner, package), offline=True).code == "TOL066"


def test_a_wheel_with_older_metadata_has_its_requirements(provide: Provide) -> None:
    """Metadata 2.1 is open in a source distribution alone: that of a wheel is final."""
    wheel = Path("old-1.0-py3-none-any.whl")

    def make(required: str) -> None:
        with zipfile.ZipFile(wheel, "w") as archive:
            text = f"Metadata-Version: 2.1\nName: old\nVersion: 1.0\nRequires-Dist: {required}\n"
            archive.writestr("old-1.0.dist-info/METADATA", text)

    make("idna>=3")
    (package,) = provide(f"./{wheel}").provided
    assert package.requires_dist == ("idna>=3",)
    make('idna @ https://user:secret@host.invalid/idna-1-py3-none-any.whl ; extra == "x"')
    assert refused(provide, f"./{wheel}").code == "PRF056"
    make("idna >=")
    error = refused(provide, f"./{wheel}")
    assert (error.code, error.where) == ("PRF060", "r.txt:1")


def test_a_stale_build_beside_the_sources_does_not_count(provide: Provide, tmp_path: Path) -> None:
    for folder in (Path("lib"), tmp_path / "r"):
        make_package(folder, "a", "2.0", ("idna",))
        (folder / "PKG-INFO").write_text("Metadata-Version: 2.2\nName: a\nVersion: 1.0\n", "utf-8")
    make_repository(tmp_path / "r")
    for line in ("./lib", f"a @ git+{(tmp_path / 'r').as_uri()}"):
        (package,) = provide(line).provided
        assert (package.version, package.requires_dist) == ("2.0", ("idna",))


def test_a_package_that_requires_the_project_itself_does_not_get_it_from_an_index(provide: Provide) -> None:
    make_package(Path("lib"), "lib", requires=("six",))
    root = Path("pyproject.toml")
    root.write_text('[project]\nname = "Six"\nversion = "1"\n', "utf-8")
    error = refused(provide, "./lib")
    assert (error.code, error.where) == ("PRF060", "./lib")
    assert "the name of this project" in error.message
    root.write_text('[project]\nname = "other"\nversion = "1"\n', "utf-8")
    assert [item.name for item in provide("./lib").provided] == ["lib"]


WORKSPACE = '[project]\nname = "root"\n[tool.uv.workspace]\nmembers = ["libs/*"]\n[tool.uv.sources]\n'


def test_a_member_of_the_workspace_never_comes_from_an_index(
    provide: Provide, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sources of the root hold for all members, as in uv; without one it refuses, as uv does."""
    make_package(Path("libs/one"), "one", requires=("one", "two", "idna"))
    make_package(Path("libs/two"), "two")
    root = Path("pyproject.toml")
    root.write_text(f"{WORKSPACE}two = {{ workspace = true }}\n", "utf-8")
    packages = {item.name: item.source for item in provide("./libs/one").provided}
    assert packages == {"one": "./libs/one", "two": "./libs/two#editable=true"}
    make_repository(Path())
    provided = provide(f"one @ git+{Path.cwd().as_uri()}#subdirectory=libs/one").provided
    assert [item.name for item in provided] == ["one", "two"]

    required = SourcedRequirement(requirement=read_direct("two")[0], origin="pyproject.toml:3")
    project = Path.cwd()
    monkeypatch.chdir("libs/one")  # a project below the root
    (package,) = Provider(project=Path()).provide([required], LOCKS).provided
    assert package.source == "../two#editable=true"
    monkeypatch.chdir(project)
    for source in ("", 'two = { path = "libs/two", marker = "os_name == \'nt\'" }\n'):
        root.write_text(f"{WORKSPACE}{source}", "utf-8")
        error = refused(provide, "./libs/one")
        assert (error.code, error.where) == ("PRF060", "./libs/one/pyproject.toml:8")
        if not source:
            with pytest.raises(EnvsmithError, match="two is a member of the workspace without a source"):
                Provider(project=Path()).provide([required], LOCKS)
    root.write_text(f'{WORKSPACE}two = {{ index = "mine" }}\n', "utf-8")
    assert [item.name for item in provide("./libs/one").provided] == ["one"]
