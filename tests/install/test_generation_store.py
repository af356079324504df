from __future__ import annotations

import os
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from envsmith.environment import kept_digests
from envsmith.environment.generation import RECORD, Generation
from envsmith.errors import InstallError
from envsmith.files.own_folder import make_marked
from envsmith.install.generation_store import GenerationStore
from envsmith.install.rollback import prune
from tests.environment.test_model_generation import generation

A, B, C, D = "aaaaaa", "bbbbbb", "cccccc", "dddddd"


@pytest.fixture
def environments(tmp_path: Path) -> GenerationStore:
    """Two generations, neither current."""
    found = GenerationStore(link=tmp_path / ".venv")
    with found.lock("testing"):
        for id_ in (A, B):
            built(found, id_)
    return found


def built(environments: GenerationStore, id_: str, *, is_made: bool = False) -> Generation:
    """Make a generation; without a mark, as earlier versions did, or made by us with one."""
    if is_made:
        environments.create(id_)
    site = environments.prefix(id_) / "lib"
    (site / "a-1.dist-info").mkdir(parents=True)
    python = environments.prefix(id_) / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    python.parent.mkdir()
    python.touch()
    one = generation(id_, site="lib", folders=("a-1.dist-info",), built_utc=f"2026-11-21T12:00:{len(id_)}Z")
    environments.record(one)
    return one


def names(environments: GenerationStore) -> list[str]:
    return sorted(path.name for path in environments.folder.iterdir())


def test_nothing_is_current_at_first(environments: GenerationStore) -> None:
    assert environments.current() == ""
    assert not environments.is_foreign()
    assert environments.uses() == ()
    assert [one.id for one in environments.generations()] == [A, B]


def test_switching_is_seen_and_remembered(environments: GenerationStore) -> None:
    for id_ in (A, B, B, A):
        assert environments.switch(id_) == ""
        assert environments.current() == id_
        assert (environments.link / RECORD).exists()
    assert [id_ for id_, _ in environments.uses()] == [A, B, A]


def test_the_link_is_relative_so_that_a_project_can_be_moved(
    environments: GenerationStore, tmp_path: Path
) -> None:
    environments.switch(A)
    assert environments.link.readlink() == Path(".envsmith", "g", A)
    assert (tmp_path / ".envsmith" / ".gitignore").read_text("utf-8") == "*\n"


def test_what_others_made_is_moved_aside_and_put_back(environments: GenerationStore) -> None:
    environments.link.mkdir()
    (environments.link / "theirs").write_text("theirs", "utf-8")
    assert environments.is_foreign()
    aside = environments.switch(A)
    assert environments.current() == A
    assert environments.asides() == (aside,)
    assert [id_ for id_, _ in environments.uses()] == [aside, A]
    environments.restore(aside)
    assert environments.is_foreign()
    assert (environments.link / "theirs").read_text("utf-8") == "theirs"
    assert environments.asides() == ()
    assert list((environments.root / "aside").iterdir()) == []


def test_a_link_that_others_made_is_moved_aside_as_a_link(
    environments: GenerationStore, tmp_path: Path
) -> None:
    (tmp_path / "theirs").mkdir()
    environments.link.symlink_to("theirs", target_is_directory=True)
    aside = environments.switch(A)
    with environments.lock("testing"):
        pass
    assert environments.asides() == (aside,)
    environments.restore(aside)
    assert environments.link.readlink() == Path("theirs")


def test_what_others_made_makes_way_for_what_others_had_made_and_nothing_is_lost(
    environments: GenerationStore, tmp_path: Path
) -> None:
    """One after the other within a second, where names made of the time alone are one."""
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
        environments.link.symlink_to(name, target_is_directory=True)
        environments.switch(A)
        environments.link.unlink()
    (tmp_path / "last").mkdir()
    environments.link.symlink_to("last", target_is_directory=True)
    found = environments.asides()
    assert [(environments.root / "aside" / name).readlink().name for name in found] == ["one", "two", "three"]
    made_way = environments.restore(found[1])
    assert environments.link.readlink() == Path("two")
    assert (environments.root / "aside" / made_way).readlink() == Path("last")
    assert set(environments.asides()) == {found[0], found[2], made_way}
    assert [id_ for id_, _ in environments.uses()][-2:] == [made_way, found[1]]


def test_what_stood_in_another_links_place_is_not_offered(environments: GenerationStore) -> None:
    other = GenerationStore(link=environments.link.with_name(".venv-[dev]"))
    other.link.mkdir()
    aside = other.switch(A)
    assert (other.asides(), environments.asides()) == ((aside,), ())


def test_what_was_moved_aside_comes_back_where_nothing_stands_any_more(environments: GenerationStore) -> None:
    environments.link.mkdir()
    aside = environments.switch(A)
    environments.link.unlink()
    environments.restore(aside)
    assert environments.link.is_dir()
    assert not environments.link.is_symlink()


def test_a_process_killed_while_it_set_aside_leaves_no_trace(environments: GenerationStore) -> None:
    environments.link.mkdir()
    place = environments.root / "aside" / ".venv-20261121T120000Z"
    place.parent.mkdir()
    place.symlink_to(Path(".envsmith", "g", A))
    with environments.lock("testing"):
        pass
    assert list(place.parent.iterdir()) == []
    assert environments.is_foreign()


def test_half_built_folders_are_removed_by_the_next(environments: GenerationStore) -> None:
    (environments.create(C) / "lib").mkdir()
    environments.set_failed(environments.create(D).name)
    with environments.lock("testing") as is_crashed:
        assert is_crashed
    assert names(environments) == [A, B, D]
    with environments.lock("testing") as is_crashed:
        assert not is_crashed


def test_what_is_built_has_no_name_that_a_link_points_to(environments: GenerationStore) -> None:
    other = environments.free_id(A)
    assert other != A
    environments.switch(A)
    environments.discard(A)  # as by hand: the link leads nowhere, and must not lead to what is half-built
    assert environments.free_id(A) == other


def test_a_process_that_vanished_is_noticed_by_its_note(environments: GenerationStore) -> None:
    (environments.root / "busy").write_text("process 1: installing\n", "utf-8")
    with environments.lock("testing") as is_crashed:
        assert is_crashed


def test_a_damaged_record_makes_no_generation(environments: GenerationStore) -> None:
    (environments.prefix(B) / RECORD).write_text("{", "utf-8")
    assert [one.id for one in environments.generations()] == [A]
    assert environments.generation(B) is None


def test_a_place_below_a_file_has_no_history(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    nowhere = GenerationStore(link=tmp_path / "file" / ".venv")
    assert (nowhere.uses(), nowhere.generations(), nowhere.failed(), nowhere.asides()) == ((), (), (), ())
    assert nowhere.current() == ""


def test_half_a_line_of_history_is_passed_over(environments: GenerationStore) -> None:
    environments.switch(A)
    with (environments.root / "history-.venv.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"id": "any')
    environments.switch(B)
    assert next(iter(environments.uses()))[0] == A
    assert environments.current() == B
    environments.switch(A)
    assert environments.uses()[-1][0] == A


def test_ids_are_others_where_they_are_taken(environments: GenerationStore) -> None:
    assert environments.free_id(f"{C}00") == C
    taken = {A}
    for _ in range(20):
        taken.add(id_ := environments.free_id(f"{A}00"))
        environments.create(id_)
    assert len(taken) == 21
    assert all(environments.prefix(id_) == environments.root / "g" / id_ for id_ in taken)


@pytest.mark.parametrize("name", ["envsmith.json", "envsmith-failed"])
def test_a_package_cannot_say_that_its_environment_is_verified_or_failed(
    environments: GenerationStore, name: str
) -> None:
    (environments.create(C) / name).write_text(generation(C).to_json(), "utf-8")
    environments.set_failed(C)
    assert environments.generation(C) is None
    assert environments.failed() == (C,)
    built(environments, C)
    assert environments.failed() == ()
    assert environments.generation(C) is not None


def test_what_earlier_versions_built_is_found_switched_to_and_removed(tmp_path: Path) -> None:
    store = GenerationStore(link=tmp_path / ".venv")
    old, failed, removing = "cu128-aaaaaa-2", "cu128-aaaaaa-failed-20261121T120000Z", ".removing-cu128-bbbbbb"
    built(store, old, is_made=True)
    for name in (failed, removing):
        make_marked(
            store.root / "generations" / name, name.removeprefix(".removing-").partition("-failed")[0]
        )
    store.switch(old)
    assert store.prefix(old) == store.root / "generations" / old
    assert [one.id for one in store.generations()] == [old]
    store.keep_digests(old, {"pyvenv.cfg": "1"})
    assert kept_digests.changes(store.prefix(old)) not in (None, ())
    with store.lock("testing") as is_crashed:
        assert is_crashed
    assert not (store.root / "generations" / removing).exists()
    assert store.failed() == (failed,)
    (store.root / "generations" / A).mkdir()  # a name of new ones, in the folder of old ones
    built(store, A, is_made=True)
    store.switch(A)
    assert prune(1, store) == (old, failed)
    assert [path.name for path in (store.root / "generations").iterdir()] == [A]
    assert store.current() == A


@pytest.mark.parametrize("folder", ["g", "generations"])
def test_a_link_in_the_place_of_a_folder_of_generations_is_refused(tmp_path: Path, folder: str) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / ".envsmith").mkdir()
    (tmp_path / ".envsmith" / folder).symlink_to(tmp_path / "theirs")
    with pytest.raises(InstallError, match="ENV035"):
        GenerationStore(link=tmp_path / ".venv")


def test_a_generation_is_intact_while_its_distributions_and_interpreter_are_there(
    environments: GenerationStore,
) -> None:
    one = environments.generation(A)
    assert one is not None
    assert environments.is_intact(one)
    (environments.prefix(A) / "lib" / "b-1.dist-info").mkdir()
    assert not environments.is_intact(one)
    (environments.prefix(A) / "lib" / "b-1.dist-info").rmdir()
    (environments.prefix(A) / "bin" / "python").unlink()
    assert not environments.is_intact(one)


def test_a_generation_is_not_intact_where_it_was_not_built(
    environments: GenerationStore, tmp_path: Path
) -> None:
    one = environments.generation(A)
    assert one is not None
    prefix = environments.prefix(A)
    other = tmp_path / "by another name"
    other.symlink_to(prefix)
    assert environments.is_intact(replace(one, place=str(prefix)))
    assert environments.is_intact(replace(one, place=str(other)))
    assert not environments.is_intact(replace(one, place=str(tmp_path)))
    assert not environments.is_intact(replace(one, place=str(tmp_path / "gone")))


def test_one_that_failed_keeps_its_name_until_its_lock_is_built_again(environments: GenerationStore) -> None:
    environments.create(C)
    assert environments.set_failed(C) == environments.prefix(C)
    with environments.lock("testing"):
        assert environments.failed() == (C,)
    assert environments.free_id(f"{C}00") == C
    assert names(environments) == [A, B]


def test_one_is_discarded_whole(environments: GenerationStore) -> None:
    environments.discard(A)
    environments.discard(C)
    assert names(environments) == [B]


def test_others_wait_and_hear_for_whom(environments: GenerationStore) -> None:
    heard: list[str] = []
    entered = threading.Event()

    def hear(text: str) -> None:
        heard.append(text)
        entered.set()

    second = GenerationStore(link=environments.link, notify=hear)

    def enter() -> None:
        with second.lock("second"):
            heard.append("in")

    thread = threading.Thread(target=enter)
    with environments.lock("installing any"):
        thread.start()
        assert entered.wait(30)
        assert heard == [f"waiting for process {os.getpid()}: installing any"]
    thread.join()
    assert heard[-1] == "in"


@pytest.mark.skipif(sys.platform == "win32", reason="a file in a folder's place is refused otherwise there")
def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / ".envsmith").write_text("a file", "utf-8")
    with (
        pytest.raises(InstallError, match="ENV024"),
        GenerationStore(link=tmp_path / ".venv").lock("testing"),
    ):
        pass


def test_a_profile_may_be_named_like_what_failed(environments: GenerationStore) -> None:
    mine = "jobs-failed-late-aaaaaa"
    built(environments, mine)
    environments.switch(mine)
    (environments.create("jobs-failed-late-bbbbbb") / "lib").mkdir()
    with environments.lock("testing") as is_crashed:
        assert is_crashed
    assert environments.failed() == ()
    assert names(environments) == [A, B]
    assert environments.prefix(mine).is_dir()
