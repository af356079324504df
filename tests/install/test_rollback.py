from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from envsmith.environment.prefix import interpreter_path
from envsmith.errors import InstallError
from envsmith.install.generation_store import GenerationStore
from envsmith.install.rollback import list_generations, prune, rollback
from tests.environment.test_model_generation import generation

A, B, C, D = "aaaaaa", "aabbbb", "cccccc", "dddddd"


@pytest.fixture
def environments(tmp_path: Path) -> GenerationStore:
    """Three generations; A was current, then B."""
    found = GenerationStore(link=tmp_path / ".venv")
    with found.lock("testing"):
        for number, id_ in enumerate((A, B, C)):
            python = interpreter_path(found.prefix(id_))
            python.parent.mkdir(parents=True)
            python.write_text("x" * 10, "utf-8")
            folder = found.prefix(id_) / "lib" / "a-1.dist-info"
            folder.mkdir(parents=True)
            (folder / "RECORD").write_text("a.py,,\na-1.dist-info/RECORD,,\n", "utf-8")
            (folder.parent / "a.py").touch()
            found.record(
                generation(id_, site="lib", folders=(folder.name,), built_utc=f"2026-11-21T12:00:0{number}Z")
            )
        found.switch(A)
        found.switch(B)
    return found


def test_back_to_the_one_before_and_forth(environments: GenerationStore) -> None:
    done = rollback("", environments)
    assert (done.id, done.before, done.is_foreign) == (A, B, False)
    assert done.generation is not None
    assert environments.current() == A
    assert rollback("", environments).id == B


def test_to_any_by_name_or_its_beginning(environments: GenerationStore) -> None:
    assert rollback(C, environments).id == C
    assert rollback("aaa", environments).id == A
    assert rollback("", environments).id == C
    with pytest.raises(InstallError, match=r"ENV030: .*'aa' is ambiguous: aaaaaa or aabbbb"):
        rollback("aa", environments)
    with pytest.raises(InstallError, match="environment 'none' not found") as caught:
        rollback("none", environments)
    assert [name for _, name in caught.value.details] == [A, B, C]
    assert environments.current() == C


def test_to_the_only_one_of_a_profile(environments: GenerationStore) -> None:
    environments.record(generation(C, profile="other", site="lib", folders=("a-1.dist-info",)))
    assert rollback("other", environments).id == C
    with pytest.raises(InstallError, match=r"ENV030: .* is ambiguous: aaaaaa or aabbbb"):
        rollback("cu128", environments)


def test_what_others_made_comes_back_and_goes_again(environments: GenerationStore) -> None:
    environments.link.unlink()
    environments.link.mkdir()
    (environments.link / "theirs").touch()
    aside = environments.switch(A)
    done = rollback("", environments)
    assert (done.id, done.is_foreign, done.before) == (aside, True, A)
    assert (environments.link / "theirs").exists()
    again = rollback("", environments)
    assert (again.id, again.before) == (A, "")
    assert environments.asides() == (again.aside,)
    assert rollback(again.aside, environments).is_foreign
    assert (environments.link / "theirs").exists()


def test_without_history_the_newest_other_one(environments: GenerationStore) -> None:
    (environments.root / "history-.venv.jsonl").unlink()
    assert rollback("", environments).id == C


def test_nothing_to_return_to(tmp_path: Path) -> None:
    with pytest.raises(InstallError, match="no previous environment found"):
        rollback("", GenerationStore(link=tmp_path / ".venv"))


def test_one_without_interpreter_is_not_returned_to(environments: GenerationStore) -> None:
    interpreter_path(environments.prefix(A)).unlink()
    with pytest.raises(InstallError, match="ENV031"):
        rollback("", environments)
    assert environments.current() == B


def test_one_that_is_damaged_is_refused_unless_that_is_wanted(environments: GenerationStore) -> None:
    (environments.prefix(A) / "lib" / "a.py").unlink()
    (environments.prefix(A) / "lib" / "more.py").touch()
    with pytest.raises(InstallError, match=r"ENV034: .*: 1 file is missing or changed: a\.py"):
        rollback("", environments)
    assert environments.current() == B
    assert rollback("", environments, is_forced=True).id == A


def test_the_list_tells_use_and_cost(environments: GenerationStore) -> None:
    environments.set_failed(environments.create(D).name)
    (environments.root / "aside").mkdir()
    (environments.root / "aside" / ".venv-20261121T110000Z").mkdir()
    found = list_generations(environments, lambda path: (len(path.name), 7))
    assert [(item.id, item.kind, item.is_current) for item in found] == [
        (C, "proved", False),
        (A, "proved", False),
        (B, "proved", True),
        (D, "failed", False),
        (".venv-20261121T110000Z", "foreign", False),
    ]
    assert [bool(item.used_utc) for item in found] == [False, True, True, False, False]
    assert (found[0].own_bytes, found[0].shared_bytes) == (len(C), 7)


def test_those_used_last_are_kept_and_the_current_one_always(environments: GenerationStore) -> None:
    environments.set_failed(environments.create(D).name)
    assert prune(2, environments) == (C, D)
    assert prune(2, environments) == ()
    assert prune(1, environments) == (A,)
    assert [one.id for one in environments.generations()] == [B]


def test_what_another_link_beside_used_last_counts(environments: GenerationStore) -> None:
    other = GenerationStore(link=environments.link.with_name("other"))
    for id_ in (C, B):
        other.switch(id_)
    assert all(item.used_utc for item in list_generations(environments, lambda _: (0, 0)))
    history = environments.root / "history-other.jsonl"
    history.write_text(history.read_text("utf-8").replace('"20', '"21'), "utf-8")  # long after the others
    assert prune(2, environments) == (A,)


def test_what_another_link_beside_uses_is_kept(environments: GenerationStore) -> None:
    second = replace(environments, link=environments.link.with_name(".venv-second"))
    second.switch(C)
    assert prune(1, environments) == (A,)
    assert [one.id for one in environments.generations()] == [B, C]
