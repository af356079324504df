from __future__ import annotations

from pathlib import Path

from envsmith.install.store_names import asides_in, free_aside, id_in, is_failed


def test_names_of_earlier_versions_are_known_with_their_ids() -> None:
    failed = "jobs-failed-late-7c1e2a-failed-20261121T120000Z"
    assert is_failed(failed)
    assert not is_failed("jobs-failed-late-7c1e2a")
    for name in (failed, f".removing-{failed}", ".removing-jobs-failed-late-7c1e2a~2"):
        assert id_in(name) == "jobs-failed-late-7c1e2a"


def test_names_of_what_is_aside_are_free_and_known_again(tmp_path: Path) -> None:
    assert asides_in(tmp_path / "aside", ".venv") == ()
    made = []
    for _ in range(3):
        made.append(tmp_path / free_aside(tmp_path, ".venv"))
        made[-1].symlink_to("nowhere")
    for name in (".venv-dev", ".venv-20261121T120000Z-exchanged", free_aside(tmp_path, ".venv-dev")):
        (tmp_path / name).mkdir()
    assert asides_in(tmp_path, ".venv") == tuple(made)
