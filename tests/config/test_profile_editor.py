from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from envsmith.config.profiles import ProfileStore, own_profiles, set_lists
from envsmith.errors import ProfileError
from envsmith.files.edits import Edit

PLAIN = 'backend = "cpu"  # why\npython = ["3.11"]\n\n# tries\n[checks]\nimports = ["a"]\n'
LISTED = 'backend = "cpu"\nshims = [\n  # one\n  "a",  # it\n  "b",\n]\n'
PROJECT = """[project]
name = "x"

[tool.envsmith.profiles.own]
backend = "cpu"

[tool.envsmith.profiles.own.checks]
imports = ["a"]

[tool.other]
x = 1
"""


def edited(
    root: Path, text: str, lists: dict[str, tuple[str, ...] | None], file: str = "profiles/own.toml"
) -> Edit:
    path = root / file
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text.encode())
    edit = set_lists(ProfileStore.of_project(root), "own", lists)
    assert edit.file == file
    assert edit.before == text.encode()
    return edit


def test_a_new_list_stands_on_a_line_of_its_own_before_tables_and_their_comments(tmp_path: Path) -> None:
    edit = edited(tmp_path, PLAIN, {"shims": ("a", "b")})
    assert edit.after.decode() == PLAIN.replace('["3.11"]\n', '["3.11"]\nshims = ["a", "b"]\n')


def test_line_ends_are_kept(tmp_path: Path) -> None:
    edit = edited(tmp_path, PLAIN.replace("\n", "\r\n"), {"shims": ("a",)})
    assert edit.after.decode() == PLAIN.replace('["3.11"]\n', '["3.11"]\nshims = ["a"]\n').replace(
        "\n", "\r\n"
    )


def test_a_list_that_is_there_keeps_its_comments(tmp_path: Path) -> None:
    edit = edited(tmp_path, LISTED, {"shims": ("a", "c")})
    assert edit.after.decode() == LISTED.replace('"b"', '"c"')


def test_a_list_is_taken_out(tmp_path: Path) -> None:
    edit = edited(tmp_path, PLAIN + "\n", {"shims": None})
    assert not edit.has_changes
    edit = edited(tmp_path, 'shims = ["a"]\nbackend = "cpu"\n', {"shims": None, "safe-globals": ("a.B",)})
    assert edit.after.decode() == 'backend = "cpu"\nsafe-globals = ["a.B"]\n'


def test_an_empty_list_takes_back_what_an_extended_profile_says(tmp_path: Path) -> None:
    assert edited(tmp_path, 'extends = "cpu"\n', {"shims": ()}).after == b'extends = "cpu"\nshims = []\n'


def test_a_profile_inside_pyproject(tmp_path: Path) -> None:
    edit = edited(tmp_path, PROJECT, {"shims": ("a",)}, "pyproject.toml")
    assert edit.after.decode() == PROJECT.replace('backend = "cpu"\n', 'backend = "cpu"\nshims = ["a"]\n')


def test_a_profile_inside_pyproject_on_one_line(tmp_path: Path) -> None:
    text = '[tool.envsmith.profiles]\nown = { backend = "cpu" }\n[tool.other]\nx = 1\n'
    edit = edited(tmp_path, text, {"shims": ("a",)}, "pyproject.toml")
    found = tomllib.loads(edit.after.decode())
    assert found["tool"]["envsmith"]["profiles"]["own"] == {"backend": "cpu", "shims": ["a"]}
    assert found["tool"]["other"] == {"x": 1}


def test_a_profile_that_is_shipped_is_not_edited(tmp_path: Path) -> None:
    with pytest.raises(ProfileError) as caught:
        set_lists(ProfileStore.of_project(tmp_path), "cu130", {"shims": ("a",)})
    assert caught.value.code == "PRF017"
    assert 'extends = "cu130"' in caught.value.hint


def test_the_projects_own_profiles(tmp_path: Path) -> None:
    assert own_profiles(tmp_path) == ()
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "b.toml").touch()
    (tmp_path / "pyproject.toml").write_text('[tool.envsmith.profiles.a]\nbackend = "cpu"\n', "utf-8")
    assert own_profiles(tmp_path) == ("a", "b")
