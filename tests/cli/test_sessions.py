from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.cli import sessions
from envsmith.errors import ProfileError


def test_the_only_lock_is_meant(project: Path) -> None:
    folder = project / "lockfiles" / "app"
    folder.mkdir(parents=True)
    (folder / "manifest.toml").write_text(
        'form = 1\nprofile = "app"\ncutoff-utc = "2026-11-20T09:00:00Z"\n[targets.cp311-win_amd64]\n'
        'plan = ""\ncatalog = ""\npackages = 0\nfamily = {}\nfiles = {}\n'
        'inputs = { backend = "cu118", env = ["A=x"] }\n'
    )
    found = sessions.activation("", sessions.prefix())
    assert (found.profile, found.cuda_major, dict(found.env)) == ("app", 11, {"A": "x"})


def test_nothing_says_which_is_meant(project: Path) -> None:
    with pytest.raises(ProfileError) as caught:
        sessions.activation("", project)
    assert caught.value.code == "PRF045"


def test_a_name_outside_the_folder_is_none(project: Path) -> None:
    with pytest.raises(ProfileError) as caught:
        sessions.activation("../app", project)
    assert caught.value.code == "PRF006"


def test_the_prefix_is_the_projects_or_the_one_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENVSMITH_PREFIX", raising=False)
    assert sessions.prefix() == Path(".venv")
    monkeypatch.setenv("ENVSMITH_PREFIX", str(project / "other"))
    assert sessions.prefix() == project / "other"
