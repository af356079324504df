from __future__ import annotations

import sys
from pathlib import Path

import pytest

from envsmith.activate.model import CONSTRAINTS
from envsmith.activate.session import RECORD, calling_shell, environment_paths, has_file, installed_profile
from envsmith.errors import EnvsmithError

PROGRAMS = "Scripts" if sys.platform == "win32" else "bin"


def environment(folder: Path) -> Path:
    (folder / PROGRAMS).mkdir(parents=True)
    return folder


def test_an_environment_is_found(tmp_path: Path) -> None:
    prefix = environment(tmp_path / "env")
    place = environment_paths(prefix)
    assert (place.prefix, place.bin, place.constraints) == (str(prefix), str(prefix / PROGRAMS), "")
    (prefix / CONSTRAINTS).write_text("torch==2.13.0\n")
    assert environment_paths(prefix).constraints == str(prefix / CONSTRAINTS)


def test_a_link_to_the_current_generation_stays_one(tmp_path: Path) -> None:
    (tmp_path / ".venv").symlink_to(environment(tmp_path / "generation"), target_is_directory=True)
    assert environment_paths(tmp_path / ".venv").prefix == str(tmp_path / ".venv")


def test_constraints_in_a_path_with_a_space_are_named_by_a_url(tmp_path: Path) -> None:
    prefix = environment(tmp_path / "a b#%20")
    (prefix / CONSTRAINTS).write_text("torch==2.13.0\n")
    assert environment_paths(prefix).constraints.endswith(f"/a%20b%23%2520/{CONSTRAINTS}")


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(EnvsmithError) as caught:
        environment_paths(tmp_path)
    assert caught.value.code == "ENV050"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such folders")
def test_a_folder_that_path_cannot_name(tmp_path: Path) -> None:
    with pytest.raises(EnvsmithError) as caught:
        environment_paths(environment(tmp_path / "a:b"))
    assert caught.value.code == "ENV051"


@pytest.mark.parametrize(
    ("record", "profile"),
    [('{"profile": "cu128"}', "cu128"), ("{}", ""), ("[]", ""), ("no JSON", ""), (None, "")],
)
def test_an_environment_says_what_it_was_built_for(tmp_path: Path, record: str | None, profile: str) -> None:
    if record is not None:
        (tmp_path / RECORD).write_text(record)
    assert installed_profile(tmp_path) == profile


def test_files_are_looked_for_beside_an_entry(tmp_path: Path) -> None:
    (tmp_path / "pyvenv.cfg").write_text("")
    (tmp_path / "bin").mkdir()
    assert has_file(f"{tmp_path}/bin/../pyvenv.cfg")
    assert not has_file(f"{tmp_path}/lib/../pyvenv.cfg/x")


def test_an_unknown_shell_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    import shellingham

    def fails() -> None:
        raise shellingham.ShellDetectionFailure

    monkeypatch.setattr(shellingham, "detect_shell", fails)
    with pytest.raises(EnvsmithError) as caught:
        calling_shell()
    assert caught.value.code == "ENV052"
