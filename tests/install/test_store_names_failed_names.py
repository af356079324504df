from __future__ import annotations

from pathlib import Path

from envsmith.install.store_names import asides_in, failed_in, failed_name, free_aside, is_failed


def test_a_name_is_known_again() -> None:
    assert is_failed(failed_name("cu128-7c1e2a"))


def test_a_profile_may_have_the_word_in_its_name(tmp_path: Path) -> None:
    mine, failed = "jobs-failed-late-7c1e2a", failed_name("jobs-failed-late-7c1e2a")
    other = failed_name("cu128-7c1e2a")
    for name in (mine, failed, other):
        (tmp_path / name).mkdir()
    assert [path.name for path in failed_in(tmp_path)] == sorted([failed, other])
    assert [path.name for path in failed_in(tmp_path, mine)] == [failed]
    assert not is_failed(mine)
    assert failed_in(tmp_path / "nowhere") == ()


def test_names_of_what_is_aside_are_free_and_known_again(tmp_path: Path) -> None:
    assert asides_in(tmp_path / "aside", ".venv") == ()
    made = []
    for _ in range(3):
        made.append(tmp_path / free_aside(tmp_path, ".venv"))
        made[-1].symlink_to("nowhere")
    for name in (".venv-dev", ".venv-20261121T120000Z-exchanged", free_aside(tmp_path, ".venv-dev")):
        (tmp_path / name).mkdir()
    assert asides_in(tmp_path, ".venv") == tuple(made)
