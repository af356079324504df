from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from envsmith.cli.main import main

FILES = {
    "src/app.py": "import torchaudio\nimport warnings\nwarnings.filterwarnings('ignore', module='torchvision')\n",
    "requirements.txt": "torchvision==0.16.2  # required by torch\ntorchaudio\nscikit-learn\n",
}


@pytest.fixture
def app(project: Path) -> Path:
    for name, text in FILES.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    return project


def data(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    assert main(["scan", "--json", *words]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["command"], document["status"]) == ("scan", "ok")
    return document["data"]


def answers(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, str]:
    return {item["project"]: item["answer"] for item in data(capsys, *words)["answers"]}


@pytest.mark.usefixtures("app")
def test_people_read_the_answer_its_places_and_what_is_left_over(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scan"]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "torchvision · unused · not used (2 files scanned)" in out
    assert (
        "src/app.py:3 unused warning filter: warnings.filterwarnings('ignore', module='torchvision')" in out
    )
    assert "requirements.txt:1 unused requirement: torchvision==0.16.2 # required by torch" in out
    assert "torchaudio · used · used src/app.py:1 import: torchaudio" in out


@pytest.mark.usefixtures("app")
def test_packages_are_asked_by_name_or_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert answers(capsys) == {"torchvision": "unused", "torchaudio": "used"}
    assert answers(capsys, "-n", "Scikit_Learn") == {"scikit-learn": "unused"}
    files = answers(capsys, "-r", "requirements.txt")
    assert files == {"torchvision": "unused", "torchaudio": "used", "scikit-learn": "unused"}


def test_unused_requirements_are_listed(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answers(capsys, "--unused") == {"torchvision": "unused", "scikit-learn": "unused"}
    (app / "pyproject.toml").write_text("[project]\nname = 'a'\ndependencies = ['torchaudio']\n")
    assert main(["scan", "--unused"]) == 0
    assert "every requirement is used or may be used" in capsys.readouterr().out


def test_a_path_is_a_project_or_some_of_its_sources(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (app / "other").mkdir()
    (app / "other/x.py").write_text("import torchvision\n")
    assert answers(capsys, "other") == {"torchvision": "used", "torchaudio": "unused"}
    assert answers(capsys, "src/app.py") == {"torchvision": "unused", "torchaudio": "used"}
    assert answers(capsys, "src", "other") == {"torchvision": "used", "torchaudio": "used"}


def test_the_project_says_where_its_sources_lie(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (app / "train.py").write_text("import torchvision\n")
    assert answers(capsys)["torchvision"] == "beside"
    (app / "pyproject.toml").write_text("[tool.envsmith]\nsources = ['src']\n")
    assert answers(capsys)["torchvision"] == "unused"


def test_files_that_cannot_be_read_are_listed(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (app / "src/old.py").write_text("import torchvision\nprint 'x'\n")
    found = data(capsys)
    assert [item["file"] for item in found["unread"]] == ["src/old.py"]
    assert main(["scan"]) == 0
    assert "torchvision · unproven" in capsys.readouterr().out


def test_many_places_are_shortened(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (app / "src/many.py").write_text("import torchvision\n" * 9)
    assert main(["scan", "-n", "torchvision"]) == 0
    assert "and 4 more (--json lists all)" in capsys.readouterr().out
    (app / "src/more.py").write_text("import torchvision\n")
    assert len(data(capsys, "-n", "torchvision")["answers"][0]["uses"]) == 10
    assert len(data(capsys, "-n", "torchvision", "--quick")["answers"][0]["uses"]) == 9


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nowhere"], "nowhere"),
        (["..", "src"], "outside the current folder"),
        (["-r", "gone.txt"], "PRF030"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_what_cannot_be_done_is_said(
    app: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.is_dir()
    assert main(["scan", *words]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert "Traceback" not in captured.err
