from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from envsmith.activate import fast_run
from envsmith.errors import ProfileError

MANIFEST = (
    'form = 1\nprofile = "app"\ncutoff-utc = "2026-11-20T09:00:00Z"\n[targets.cp311-win_amd64]\n'
    'plan = ""\ncatalog = ""\npackages = 0\nfamily = {}\nfiles = {}\n'
    'inputs = { backend = "cu118", env = ["A=x"] }\n'
)


def test_the_only_lock_is_meant(project: Path) -> None:
    folder = project / "lockfiles" / "app"
    folder.mkdir(parents=True)
    (folder / "manifest.toml").write_text(MANIFEST, "utf-8")
    found = fast_run.activation("", fast_run.prefix())
    assert (found.profile, found.cuda_major, dict(found.env)) == ("app", 11, {"A": "x"})


def test_nothing_says_which_is_meant(project: Path) -> None:
    with pytest.raises(ProfileError) as caught:
        fast_run.activation("", project)
    assert caught.value.code == "PRF045"


def test_a_name_outside_the_folder_is_none(project: Path) -> None:
    with pytest.raises(ProfileError) as caught:
        fast_run.activation("../app", project)
    assert caught.value.code == "PRF006"


def test_the_prefix_is_the_projects_or_the_one_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ENVSMITH_PREFIX", raising=False)
    assert fast_run.prefix() == Path(".venv")
    monkeypatch.setenv("ENVSMITH_PREFIX", str(project / "other"))
    assert fast_run.prefix() == project / "other"


def test_a_plain_run_starts_without_click(project: Path) -> None:
    (project / ".venv" / "bin").mkdir(parents=True)
    folder = project / "lockfiles" / "app"
    folder.mkdir(parents=True)
    (folder / "manifest.toml").write_text(MANIFEST, "utf-8")
    words = [
        sys.executable,
        "-X",
        "importtime",
        "-m",
        "envsmith",
        "run",
        "--",
        "sh",
        "-c",
        "echo $ENVSMITH_PROFILE",
    ]
    done = subprocess.run(words, capture_output=True, encoding="utf-8", check=True, cwd=project)
    assert done.stdout == "app\n"
    assert "envsmith.activate.fast_run" in done.stderr
    assert not {"click", "subprocess", "tomlkit", "packaging"} & set(re.findall(r"\w+", done.stderr))


@pytest.mark.parametrize(
    "words", [[], ["app"], ["--"], ["-h", "--", "true"], ["a", "b", "--", "true"], ["--", "true"]]
)
def test_what_is_not_plain_is_left_to_the_whole_command_line(project: Path, words: list[str]) -> None:
    assert not (project / ".venv").exists()
    assert fast_run.exec_command(words) is None
