"""Case A: what the sources do not use goes, with evidence; what speaks of it is named; one command cleans it up."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.commands import Project, decisions
from tests.index_recording import Recording
from tests.index_server import IndexReplay

EXAMPLE = Path(__file__).parents[2] / "examples/speech-server"
SLUG = "cp311-win_amd64"
LINES = {
    "torchaudio": [("requirements-ai.txt", 4, "requirement")],
    "torchvision": [
        ("requirements-ai.txt", 3, "requirement"),
        ("src/main.py", 5, "warning filter"),
        ("src/main.py", 6, "warning filter"),
    ],
}


def git(folder: Path, *words: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "core.autocrlf=false")
    done = subprocess.run(
        ["git", *identity, *words], cwd=folder, capture_output=True, encoding="utf-8", check=True
    )
    return done.stdout


@pytest.fixture
def copy(tmp_path: Path) -> Project:
    """The example as a repository of its own, its locks included."""
    folder = tmp_path / "speech-server"
    shutil.copytree(EXAMPLE, folder)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "as it was")
    return Project(root=folder, env={"ENVSMITH_CACHE_DIR": str(tmp_path / "cache")})


def shown(command: str) -> str:
    """Return what the README shows of a command, from its first line to the end of the block."""
    text = (EXAMPLE / "README.md").read_text("utf-8")
    return text.partition(f"$ {command}\n")[2].partition("```")[0]


def test_the_scan_names_every_line_as_the_readme_shows(copy: Project) -> None:
    ran = copy.run("scan")
    assert ran.status == 0, ran.said
    assert ran.out == shown("envsmith scan")
    places = [f"{file}:{line}   unused {kind}" for rows in LINES.values() for file, line, kind in rows]
    assert all(place in ran.out for place in places)


def test_the_fix_leaves_a_clean_diff(copy: Project) -> None:
    ran = copy.run("scan", "--fix", "--yes")
    assert ran.status == 0, ran.said
    assert ran.out + ran.err == shown("envsmith scan --fix --yes")
    difference = git(copy.root, "diff")
    assert git(copy.root, "diff", "--numstat").split() == ["0", "2", "requirements-ai.txt"]
    assert difference.partition("@@")[2].rstrip("\n") in ran.out
    gone = [line for line in difference.splitlines() if line.startswith("-") and not line.startswith("---")]
    assert gone == ["-torchvision==0.16.2  # required by torch", "-torchaudio==2.1.2"]
    assert git(copy.root, "status", "--porcelain") == " M requirements-ai.txt\n", "nothing else is left"
    again = copy.run("scan", "--fix", "--yes")
    assert "nothing to remove" in again.out
    assert git(copy.root, "diff") == difference


def test_the_committed_lock_holds_the_evidence() -> None:
    manifest = Project(root=EXAMPLE).manifest("speech-server")
    found = {str(item["subject"]): item for item in decisions(manifest, SLUG) if item["kind"] == "dropped"}
    assert sorted(found) == ["torchaudio", "torchvision"]
    for item in found.values():
        assert {"files read: 6", "uses: 0", "required by: 0 packages"} <= set(item["evidence"])


def test_the_fixed_project_locks_to_the_same_pins(copy: Project, tmp_path: Path) -> None:
    words = ("lock", "speech-server", "--catalog", "embedded")
    stale = copy.run(*words, "--check")
    assert (stale.status, copy.run("scan", "--fix", "--yes").status) == (0, 0), stale.said
    before = (copy.root / f"lockfiles/speech-server/requirements.{SLUG}.txt").read_text("utf-8")
    assert copy.run(*words, "--check").status == 0, "the pins satisfy it, and nothing of it is left over"
    with IndexReplay(Recording.read("speech-server")) as index:
        copy.env |= index.environ(cache=tmp_path / "uv")
        ran = copy.run(*words, "-U", "--as-of", "2026-11-20")
    assert ran.status == 0, ran.said
    assert not index.missed
    after = (copy.root / f"lockfiles/speech-server/requirements.{SLUG}.txt").read_text("utf-8")
    plan = "# plan "
    assert [line for line in after.splitlines() if not line.startswith(plan) and "# via" not in line] == [
        line for line in before.splitlines() if not line.startswith(plan) and "# via" not in line
    ]
    assert not decisions(copy.manifest("speech-server"), SLUG)[0]["subject"].startswith("torchv")
    assert copy.run(*words, "--check").status == 0
