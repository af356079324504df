from __future__ import annotations

from pathlib import Path

from envsmith.install.store_names import append_history, history_of, last_uses, links_with, read_history


def test_what_stays_current_is_noted_once(tmp_path: Path) -> None:
    mine = history_of(tmp_path, ".venv")
    for id_ in ("a", "a", "", "b", "a"):
        append_history(mine, id_)
    assert [id_ for id_, _ in read_history(mine)] == ["a", "b", "a"]


def test_half_a_line_is_passed_over(tmp_path: Path) -> None:
    mine = history_of(tmp_path, ".venv")
    append_history(mine, "a")
    with mine.open("a", encoding="utf-8") as stream:
        stream.write('{"id": "b"')
    assert [id_ for id_, _ in read_history(mine)] == ["a"]
    assert read_history(history_of(tmp_path, "nothing")) == ()


def test_the_last_use_is_that_of_any_link(tmp_path: Path) -> None:
    for link, day in (("other", 22), (".venv", 21)):
        line = f'{{"id": "a", "utc": "2026-11-{day}T12:00:00Z"}}\n'
        history_of(tmp_path, link).write_text(line, "utf-8")
    assert links_with(tmp_path) == (".venv", "other")
    assert last_uses(tmp_path) == {"a": "2026-11-22T12:00:00Z"}
    assert last_uses(tmp_path / "nothing") == {}
