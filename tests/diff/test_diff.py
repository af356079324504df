from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from envsmith.catalog import Catalog
from envsmith.diff.diff import DiffTools, _name_of, _parse_operand, diff_locks
from envsmith.errors import EnvsmithError
from envsmith.files import atomic
from envsmith.files.git import GitRevisions
from envsmith.lockfile.pins import Pin
from envsmith.model.license import PackageLicense
from tests import repositories
from tests.locks import LINUX, WINDOWS, folder_files, sha256


def below(profile: str, torch: str, *slugs: str) -> dict[str, bytes]:
    locks = dict.fromkeys(slugs or (LINUX,), (f"torch=={torch}+cu128",))
    return {f"lockfiles/{profile}/{name}": content for name, content in folder_files(profile, locks).items()}


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> DiffTools:
    """A project whose profile `a` was torch 2.9 at `one`, 2.10 at `two`, and is 2.11 now; `b` came with `two`."""
    root = tmp_path_factory.mktemp("diff_locks") / "project"
    repositories.make(root)
    repositories.commit(root, below("a", "2.9.0"), "one")
    repositories.commit(root, {**below("a", "2.10.0"), **below("b", "2.10.0", LINUX, WINDOWS)}, "two")
    for name, content in below("a", "2.11.0").items():
        (root / name).write_bytes(content)
    return DiffTools(
        project=root,
        folder=PurePosixPath("lockfiles"),
        files=atomic,
        revisions=GitRevisions(project=root),
        catalog=Catalog.embedded(),
        licences=licences,
    )


def licences(pins: Iterable[Pin]) -> dict[str, PackageLicense]:
    """Return licences named for the hash of each file."""
    return {sha256: PackageLicense(name=f"L-{sha256[:4]}") for pin in pins for sha256 in pin.sha256}


def test_licences_of_both_sides_are_asked_for(tools: DiffTools) -> None:
    (found, same) = diff_locks((), tools)
    (change,) = found.licences
    one, other = (f"torch=={torch}+cu128" for torch in ("2.10.0", "2.11.0"))
    assert change.packages == ("torch",)
    assert (change.before, change.after) == (f"L-{sha256(one)[:4]}", f"L-{sha256(other)[:4]}")
    assert same.licences == ()


def told(tools: DiffTools, *words: str) -> list[tuple[str, str, str, str]]:
    """Return title and torch of both sides of each difference."""
    rows = []
    for found in diff_locks(words, tools):
        torch = found.torch[0] if found.torch else None
        rows.append(
            (
                found.before,
                found.after,
                torch.before.torch.partition("+")[0] if torch else "",
                torch.after.torch.partition("+")[0] if torch else "",
            )
        )
    return rows


def test_all_profiles_since_a_revision(tools: DiffTools) -> None:
    assert told(tools) == [("a at HEAD", "a", "2.10.0", "2.11.0"), ("b at HEAD", "b", "", "")]
    assert told(tools, "one") == [("a at one", "a", "2.9.0", "2.11.0"), ("b at one", "b", "", "")]
    assert told(tools, "one", "two") == [
        ("a at one", "a at two", "2.9.0", "2.10.0"),
        ("b at one", "b at two", "", ""),
    ]
    assert diff_locks(("one", "two"), tools)[1].added == (LINUX, WINDOWS)


@pytest.mark.parametrize(
    ("words", "row"),
    [
        (("a",), ("a at HEAD", "a", "2.10.0", "2.11.0")),
        (("one:a",), ("a at one", "a", "2.9.0", "2.11.0")),
        (("one:a", "two"), ("a at one", "a at two", "2.9.0", "2.10.0")),
        (("one", "a"), ("a at one", "a", "2.9.0", "2.11.0")),
        (("one:a", "two:b"), ("a at one", "b at two", "2.9.0", "2.10.0")),
        (("a", "b"), ("a", "b", "2.11.0", "2.10.0")),
        (("lockfiles/b", "lockfiles/a/manifest.toml"), ("b", "a", "2.10.0", "2.11.0")),
        (("one", "lockfiles/a"), ("a at one", "a", "2.9.0", "2.11.0")),
        (
            (f"lockfiles/b/requirements.{WINDOWS}.txt", f"lockfiles/a/requirements.{LINUX}.txt"),
            (f"b/{WINDOWS}", f"a/{LINUX}", "2.10.0", "2.11.0"),
        ),
    ],
)
def test_two_things(tools: DiffTools, words: tuple[str, ...], row: tuple[str, ...]) -> None:
    assert told(tools, *words) == [row]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("nothing",), "USE012"),
        (("nowhere:a",), "USE012"),
        (("one:b", "a"), "USE012"),
        (("HEAD:typo",), "USE012"),
        (("one:typo", "two:typo"), "USE012"),
        (("HEAD", "HEAD:typo"), "USE012"),
        (("lockfiles/a",), "USE013"),
        (("lockfiles/a/manifest.toml",), "USE013"),
    ],
)
def test_what_means_nothing(tools: DiffTools, words: tuple[str, ...], code: str) -> None:
    with pytest.raises(EnvsmithError) as caught:
        diff_locks(words, tools)
    assert caught.value.code == code


def test_what_is_not_locked_names_what_is(tools: DiffTools) -> None:
    with pytest.raises(EnvsmithError) as caught:
        diff_locks(("two:typo",), tools)
    assert caught.value.details == (("locked", "a b"),)


def test_a_lock_that_is_malformed_at_a_revision_says_so(tools: DiffTools, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    repositories.git(tmp_path, "clone", "--quiet", str(tools.project), str(clone))
    repositories.commit(clone, {"lockfiles/a/manifest.toml": b"<<<<<<< HEAD"}, "damaged")
    tools = replace(tools, project=clone, revisions=GitRevisions(project=clone))
    with pytest.raises(EnvsmithError) as caught:
        diff_locks(("damaged:a", "a"), tools)
    assert caught.value.where.startswith("damaged:lockfiles/a/manifest.toml")


def test_a_profile_that_is_locked_no_longer(tools: DiffTools, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    repositories.git(tmp_path, "clone", "--quiet", str(tools.project), str(clone))
    shutil.rmtree(clone / "lockfiles/a")
    tools = replace(tools, project=clone, revisions=GitRevisions(project=clone))
    for words in (("a",), ("HEAD:a",)):
        (found,) = diff_locks(words, tools)
        assert (found.before, found.after) == ("a at HEAD", "a")
        assert (found.common, found.added, found.removed) == ((), (), (LINUX,))
    (found,) = diff_locks(("one:b", "two:b"), tools)
    assert (found.added, found.removed) == ((LINUX, WINDOWS), ()), "it was not locked before"


def test_a_file_that_is_in_no_lock_folder(tools: DiffTools, tmp_path: Path) -> None:
    other = tmp_path / "requirements.txt"
    other.write_text("torch\n", "utf-8")
    for words in ((str(other), "a"), (str(tmp_path), "a"), (".", "a"), ("a", ".")):
        with pytest.raises(EnvsmithError) as caught:
            diff_locks(words, tools)
        assert caught.value.code == "USE012"
        assert "''" not in str(caught.value)
    folder = tools.project / "lockfiles/a"
    inside = replace(tools, project=folder)
    assert _parse_operand(".", inside).path is not None
    assert _name_of(Path()) == "."
