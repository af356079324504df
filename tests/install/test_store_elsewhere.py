"""Environments in a store outside the project: --store DIR and ENVSMITH_STORE."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from envsmith.cli.main import main
from envsmith.errors import InstallError
from envsmith.install.generation_store import GenerationStore
from envsmith.install.rollback import prune, rollback
from tests.install.test_generation_store import A, B, built

pytestmark = pytest.mark.skipif(os.name == "nt", reason="makes symbolic links")


@pytest.fixture
def stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[GenerationStore, GenerationStore]:
    """Two projects with one store and two generations each, the first of them current."""
    found = []
    for name in ("one", "two"):
        project = tmp_path / name / "app"
        project.mkdir(parents=True)
        monkeypatch.chdir(project)
        store = GenerationStore(link=Path(".venv"), store=tmp_path / "store")
        with store.lock("testing"):
            for id_ in (B, A):
                built(store, id_)
                store.switch(id_)
        found.append(store)
    return found[0], found[1]


def test_each_project_has_its_own_generations_and_nothing_else_in_the_project(
    tmp_path: Path, stores: tuple[GenerationStore, GenerationStore]
) -> None:
    one, two = stores
    assert one.link.readlink() == one.prefix(A)
    assert [path.name for path in one.link.parent.iterdir()] == [".venv"]
    assert one.root.parent == two.root.parent == tmp_path / "store"
    assert one.root != two.root
    assert prune(1, one) == (B,)
    assert two.prefix(B).is_dir()
    assert rollback("", two, is_forced=True).id == B
    assert one.current() == A


def test_each_project_has_a_lock_of_its_own(stores: tuple[GenerationStore, GenerationStore]) -> None:
    with stores[0].lock("installing"), stores[1].lock("installing"):
        assert (stores[0].root / "busy").exists()
    assert not (stores[0].root / "busy").exists()


def test_a_foreign_environment_is_moved_aside_in_the_project(
    stores: tuple[GenerationStore, GenerationStore],
) -> None:
    one, _ = stores
    one.link.unlink()
    one.link.mkdir()
    (one.link / "theirs").touch()
    aside = one.switch(A)
    assert (one.link.parent / ".envsmith" / "aside" / aside / "theirs").exists()
    assert one.asides() == (aside,)
    one.restore(aside)
    assert (one.link / "theirs").exists()


def test_the_named_command_works_although_the_link_stays(
    tmp_path: Path, stores: tuple[GenerationStore, GenerationStore]
) -> None:
    one, _ = stores
    (tmp_path / "scratch").mkdir()
    (one.link.parent / ".envsmith").symlink_to(tmp_path / "scratch")
    with pytest.raises(InstallError, match="ENV035"):
        GenerationStore(link=one.link)
    store = GenerationStore(link=one.link, store=tmp_path / "scratch")
    with store.lock("testing"):
        built(store, A)
    one.link.unlink()
    store.switch(A)
    assert store.current() == A
    store.link.unlink()
    store.link.mkdir()
    with pytest.raises(InstallError, match="ENV035"):
        store.switch(A)
    assert store.asides() == ()


@pytest.mark.parametrize("at", ["", "g", "generations"])
def test_a_link_in_the_store_is_refused(
    tmp_path: Path, stores: tuple[GenerationStore, GenerationStore], at: str
) -> None:
    root = stores[0].root
    (root / at).mkdir(exist_ok=True)
    (root / at).rename(tmp_path / "moved")
    (root / at).symlink_to(tmp_path / "moved")
    with pytest.raises(InstallError, match="ENV035"):
        GenerationStore(link=stores[0].link, store=tmp_path / "store")


def test_a_store_that_is_a_link_is_refused_with_a_command_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    Path("store").symlink_to("elsewhere")
    for words in (("--store", "store"), ("--store=store",)):
        with pytest.raises(InstallError, match="ENV035") as caught:
            GenerationStore(link=Path(".venv"), store=Path("store"), words=("install", "cpu", *words))
        assert f"`ENVSMITH_STORE={tmp_path / 'elsewhere'} envsmith install cpu`" in caught.value.hint


def test_the_home_of_an_unknown_user_is_a_plain_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = GenerationStore(link=Path(".venv"), store=Path("~nobody-of-this-name"))
    assert store.root.parent == tmp_path / "~nobody-of-this-name"


def test_a_killed_switch_leaves_no_link_beside_the_environment(
    stores: tuple[GenerationStore, GenerationStore],
) -> None:
    one, _ = stores
    spare = one.link.with_name("..venv.envsmith-new")
    spare.symlink_to(one.prefix(B))
    with one.lock("testing"):
        assert not spare.is_symlink()


def test_commands_find_the_store_by_option_and_variable(
    stores: tuple[GenerationStore, GenerationStore],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(stores[0].link.parent)
    store = str(stores[0].root.parent)
    assert main(["generations", "--store", store, "--json"]) == 0
    assert len(json.loads(capfd.readouterr().out)["data"]["generations"]) == 2
    monkeypatch.setenv("ENVSMITH_STORE", store)
    assert main(["rollback", "--force"]) == 0
    assert stores[0].current() == B
    monkeypatch.delenv("ENVSMITH_STORE")
    assert main(["rollback"]) == 2
    assert "ENV030" in capfd.readouterr().err
