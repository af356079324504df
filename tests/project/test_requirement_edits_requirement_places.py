from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.errors import ProfileError
from envsmith.project.requirement_edits import cut, requirement_places

FILES = {
    "requirements.txt": "-r requirements/base.txt\n-c constraints.txt\ntorchvision\n",
    "requirements-dev.txt": "-r ../shared.txt\n-r missing.txt\n-r requirements.txt\n",
    "requirements/base.txt": "torchvision\n",
    "requirements/limits.txt": "torchvision<1\n",
    "constraints.txt": "torchvision<1\n",
    "dev.in": "torchvision\n",
    "config.in": "@torchvision@ = 1\n",
    "MANIFEST.in": "torchvision\n",
    "notes.txt": "torchvision\n",
    "docs/requirements.txt": "torchvision\n",
    "pyproject.toml": "[project]\ndependencies = ['torchvision']\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "shared.txt").write_text("torchvision\n")
    return tmp_path / "project"


def found(root: Path, *named: str) -> dict[str, str]:
    return {place.file: place.reason for place in requirement_places(root, named)}


def test_the_usual_files_and_those_they_include(root: Path) -> None:
    assert found(root) == {
        "../shared.txt": "outside the project",
        "constraints.txt": "constraints file: it requires nothing",
        "dev.in": "",
        "pyproject.toml": "",
        "requirements-dev.txt": "",
        "requirements.txt": "",
        "requirements/base.txt": "",
        "requirements/limits.txt": "",
    }


def test_files_are_named_besides(root: Path) -> None:
    assert found(root, "docs/requirements.txt") == {**found(root), "docs/requirements.txt": ""}
    assert found(root, "constraints.txt")["constraints.txt"] == "", "who names a file means it"
    with pytest.raises(ProfileError) as caught:
        requirement_places(root, ["gone.txt"])
    assert (caught.value.code, caught.value.where) == ("PRF030", "gone.txt")


def test_what_includes_itself_ends_and_what_is_no_file_is_passed_over(root: Path) -> None:
    (root / "requirements.txt").write_text("-r requirements.txt\n-r .\n-r \0\n-c requirements/base.txt\n")
    (root / "requirements-folder.txt").mkdir()
    (root / "requirements-gone.txt").symlink_to("nowhere")
    (root / "requirements-big.txt").write_bytes(b"#" * 5_000_001)
    assert {"requirements.txt", "requirements/base.txt"} < found(root).keys()
    assert (
        not {"requirements-folder.txt", "requirements-gone.txt", "requirements-big.txt"} & found(root).keys()
    )


def test_only_files_that_may_be_edited_are_cut(root: Path) -> None:
    places = {place.file: cut(place, {"torchvision"}, ()) for place in requirement_places(root)}
    assert {name for name, change in places.items() if change.has_changes} == {
        "dev.in",
        "pyproject.toml",
        "requirements.txt",
        "requirements/base.txt",
        "requirements/limits.txt",
    }
    (line,) = places["../shared.txt"].kept
    assert (line.place, line.reason) == ("../shared.txt:1", "outside the project")
    assert places["constraints.txt"].kept[0].reason.startswith("constraints file")


def test_a_link_inside_leads_to_its_file(root: Path) -> None:
    (root / "requirements-link.txt").symlink_to("docs/requirements.txt")
    (root / "requirements-out.txt").symlink_to("../shared.txt")
    reasons = found(root)
    assert reasons["requirements-link.txt"] == ""
    assert reasons["requirements-out.txt"] == "outside the project"
