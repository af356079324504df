from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from envsmith.cli.main import main

REQUIREMENTS = "torch\r\ntorchvision==0.16.2  # required by torch\r\npydub\r\n"
SOURCE = "import pydub\nimport warnings\nwarnings.filterwarnings('ignore', module='torchvision')\n"
PYPROJECT = "[project]\nname = 'a'\ndependencies = [\n  'torchvision',  # why\n  'pydub',\n]\n"


@pytest.fixture
def app(project: Path) -> Path:
    (project / "src").mkdir()
    (project / "src/app.py").write_text(SOURCE)
    (project / "requirements.txt").write_bytes(REQUIREMENTS.encode())
    (project / "pyproject.toml").write_text(PYPROJECT)
    return project


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def as_json(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> Any:
    assert main(["scan", "--fix", "--json", *words]) == status
    document = json.loads(capsys.readouterr().out)
    assert document["status"] == ("no" if status else "ok")
    return document["data"]["fix"]


def test_the_diff_is_shown_and_only_its_lines_go(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", "--fix", "--yes"]) == 0
    out = capsys.readouterr().out
    assert "-torchvision==0.16.2  # required by torch" in out
    assert "-  'torchvision',  # why" in out
    assert (
        "by hand   src/app.py:3  warning filter: warnings.filterwarnings('ignore', module='torchvision')"
        in out
    )
    assert "`envsmith lock` lists it" in out
    assert "wrote     pyproject.toml: removed 1 line\nwrote     requirements.txt: removed 1 line\n" in out
    assert contents(app) == {
        "src/app.py": SOURCE.encode(),
        "requirements.txt": b"torch\r\npydub\r\n",
        "pyproject.toml": b"[project]\nname = 'a'\ndependencies = [\n  'pydub',\n]\n",
    }


def test_a_second_time_changes_nothing(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan", "--fix", "-y"]) == 0
    before = contents(app)
    capsys.readouterr()
    assert main(["scan", "--fix"]) == 0
    assert "nothing to remove" in capsys.readouterr().out
    assert contents(app) == before


def test_without_a_terminal_and_without_yes_nothing_is_written(
    app: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = contents(app)
    assert main(["scan", "--fix"]) == 2
    captured = capsys.readouterr()
    assert "-torchvision==0.16.2" in captured.out
    assert "USE002" in captured.err
    assert "--yes" in captured.err
    assert contents(app) == before


def test_programs_get_the_edits(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(app)
    fix = as_json(capsys, status=1)
    assert contents(app) == before
    assert (fix["projects"], fix["written"]) == (["torchaudio", "torchvision"], [])
    assert [(edit["file"], [line["line"] for line in edit["lines"]]) for edit in fix["edits"]] == [
        ("pyproject.toml", [4]),
        ("requirements.txt", [2]),
    ]
    assert fix["edits"][1]["diff"].splitlines(keepends=True)[-1] == " pydub\r\n"
    assert [(item["file"], item["line"], item["kind"]) for item in fix["by_hand"]] == [
        ("src/app.py", 3, "warning filter")
    ]
    assert as_json(capsys, "--yes")["written"] == ["pyproject.toml", "requirements.txt"]
    assert as_json(capsys, "--yes")["written"] == []


@pytest.mark.parametrize(
    "source",
    [
        "import torchvision\n",
        "try:\n    import torchvision\nexcept ImportError:\n    pass\n",
        "x = 'torchvision.io.read_image'\n",
        "import torchvision as\n",
    ],
)
def test_what_is_or_may_be_used_stays(app: Path, source: str, capsys: pytest.CaptureFixture[str]) -> None:
    (app / "src/more.py").write_text(source)
    before = contents(app)
    assert main(["scan", "--fix", "--yes"]) == 0
    assert "nothing to remove" in capsys.readouterr().out
    assert contents(app) == before


def test_other_packages_go_by_name_or_by_a_profile_alone(
    app: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (app / "requirements.txt").write_text("torch\nxformers\nscikit-learn\nsetuptools<81\n")
    (app / "pyproject.toml").unlink()
    assert main(["scan", "--fix", "--yes", "-r", "requirements.txt"]) == 0
    assert "nothing to remove" in capsys.readouterr().out
    (app / "profiles").mkdir()
    (app / "profiles/mine.toml").write_text(
        "backend = 'cpu'\npython = ['3.12']\nplatforms = ['linux']\nprune = ['XFormers']\n"
    )
    assert main(["scan", "--fix", "--yes"]) == 0
    assert (app / "requirements.txt").read_text() == "torch\nscikit-learn\nsetuptools<81\n"
    (app / "Dockerfile").write_text("RUN pip install scikit-learn\n")
    assert main(["scan", "--fix", "--yes", "-n", "Scikit_Learn"]) == 0
    assert "Dockerfile:1  requirement: RUN pip install scikit-learn" in capsys.readouterr().out
    assert (app / "requirements.txt").read_text() == "torch\nsetuptools<81\n"


def test_files_elsewhere_are_edited_where_they_are_named(
    app: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (app / "docker").mkdir()
    (app / "docker/requirements.txt").write_text("torchvision\n")
    assert main(["scan", "--fix", "--yes"]) == 0
    assert "docker/requirements.txt:1  requirement: torchvision" in capsys.readouterr().out
    assert (app / "docker/requirements.txt").read_text() == "torchvision\n"
    assert main(["scan", "--fix", "--yes", "-r", "docker/requirements.txt"]) == 0
    assert (app / "docker/requirements.txt").read_text() == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--yes"], "--fix"),
        (["--fix", "--unused"], "only lists packages"),
        (["--fix", "src", "tests"], "whole project"),
        (["--fix", "src/app.py"], "whole project"),
        (["--fix", "-r", "gone.txt"], "PRF030"),
    ],
)
def test_words_that_do_not_fit(
    app: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (app / "tests").mkdir()
    before = contents(app)
    assert main(["scan", *words]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert contents(app) == before


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(("typed", "status", "goes"), [("y\n", 0, True), ("n\n", 1, False), ("\n", 1, False)])
def test_people_are_asked(app: Path, typed: str, status: int, goes: bool) -> None:
    import pty

    ours, theirs = pty.openpty()
    os.write(ours, typed.encode())
    with subprocess.Popen(
        [sys.executable, "-m", "envsmith", "scan", "--fix"],
        cwd=app,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    ) as process:
        out, _ = process.communicate(timeout=60)
    os.close(theirs)
    told = os.read(ours, 10_000).decode()
    os.close(ours)
    assert "remove 2 lines from pyproject.toml, requirements.txt? [y/N]" in " ".join(told.split())
    assert process.returncode == status
    assert b"-torchvision==0.16.2" in out
    assert (b"torchvision" not in contents(app)["requirements.txt"]) == goes
