from __future__ import annotations

from pathlib import Path

from envsmith.usage.module_names import KnownModules
from envsmith.usage.scan import ScanResult, scan


def scanned(root: Path, *projects: str, uses: str, enough: int | None = None) -> ScanResult:
    """Scan a project of one file, without cached wheels."""
    (root / "a.py").write_text(uses, "utf-8")
    return scan(root, projects, installed=KnownModules(lambda *_: None), enough=enough)


def install(root: Path, project: str, module: str) -> None:
    """Install a package of one module in the project's environment."""
    folder = root / ".venv" / "Lib" / "site-packages" / f"{project}-1.dist-info"
    folder.mkdir(parents=True)
    (folder / "RECORD").write_text(f"{module}.py,,\n", "utf-8")
    (root / ".venv" / "pyvenv.cfg").touch()


def test_each_package_has_its_answer_by_name(tmp_path: Path) -> None:
    uses = "import cv2\nimport yaml.nodes\n"
    found = scanned(tmp_path, "PyYAML", "opencv_python", "torchaudio", uses=uses)
    assert {item.project: (item.modules, item.verdict.answer) for item in found.answers} == {
        "opencv-python": (("cv2",), "used"),
        "pyyaml": (("yaml",), "used"),
        "torchaudio": (("torchaudio",), "unused"),
    }
    assert found.usage.files_read == 1


def test_all_uses_are_found_unless_some_are_enough(tmp_path: Path) -> None:
    for name in "bcd":
        (tmp_path / f"{name}.py").write_text("import yaml\n", "utf-8")
    uses = "import yaml\n"
    (answer,) = scanned(tmp_path, "pyyaml", uses=uses).answers
    assert len(answer.uses) == 4
    (answer,) = scanned(tmp_path, "pyyaml", uses=uses, enough=2).answers
    assert [use.file for use in answer.uses] == ["a.py", "b.py"]


def test_folders_limit_the_search(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "a.py").write_text("import yaml\n", "utf-8")
    known = KnownModules(lambda *_: None)
    (answer,) = scan(tmp_path, ["pyyaml"], installed=known, folders=["src"]).answers
    assert answer.verdict.answer == "unused"


def test_what_is_installed_knows_better_than_the_name(tmp_path: Path) -> None:
    install(tmp_path, "odd", "strange")
    (answer,) = scanned(tmp_path, "odd", uses="import strange\n").answers
    assert (answer.modules, answer.verdict.answer) == (("strange",), "used")


def test_messages_stay_known_where_the_modules_come_from_an_environment(tmp_path: Path) -> None:
    install(tmp_path, "torchvision", "torchvision")
    uses = "import warnings\nwarnings.filterwarnings('ignore', 'Failed to load image Python extension')\n"
    (answer,) = scanned(tmp_path, "torchvision", uses=uses).answers
    assert (answer.verdict.answer, [item.line for item in answer.leftovers]) == ("unused", [2])


def test_a_project_is_sought_by_its_own_name_where_its_modules_have_another(tmp_path: Path) -> None:
    install(tmp_path, "odd", "strange")
    (tmp_path / "run.sh").write_text("pip install scikit-learn odd\n", "utf-8")
    found = scanned(tmp_path, "Scikit.Learn", "odd", uses="")
    leftovers = {item.project: [one.module for one in item.leftovers] for item in found.answers}
    assert leftovers == {"odd": ["strange"], "scikit-learn": ["sklearn"]}


def test_an_answer_is_plain_values(tmp_path: Path) -> None:
    (answer,) = scanned(tmp_path, "torch", uses="import torch.nn\n").answers
    values = answer.to_json()
    assert (values["project"], values["answer"], values["modules"]) == ("torch", "used", ["torch"])
