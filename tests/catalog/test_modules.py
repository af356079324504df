from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.catalog import Catalog
from envsmith.catalog.modules import import_names, read_modules
from envsmith.errors import CatalogError


@pytest.mark.parametrize(
    ("project", "modules"),
    [
        ("opencv-python", ["cv2"]),
        ("opencv-contrib-python-headless", ["cv2"]),
        ("Pillow", ["PIL"]),
        ("scikit_learn", ["sklearn"]),
        ("PyYAML", ["yaml"]),
        ("onnxruntime-gpu", ["onnxruntime"]),
        ("sentence-transformers", ["sentence_transformers"]),
        ("PyQt5", ["PyQt5", "pyqt5"]),
        ("zope.interface", ["zope_interface", "zope.interface"]),
    ],
)
def test_a_project_is_imported_under_its_names(project: str, modules: list[str]) -> None:
    assert [item.module for item in import_names(project)] == modules


def test_the_warning_of_torchvisions_image_extension_is_known() -> None:
    (sought,) = import_names("torchvision")
    assert sought.messages == ("Failed to load image Python extension",)


def test_members_of_a_family_share_its_folder() -> None:
    for family in Catalog.embedded().families():
        for member in family.members:
            modules = [item.module for item in import_names(member)]
            assert family.folder in modules or member.startswith("nvidia-") or family.conflict, member


def test_each_project_has_one_row() -> None:
    projects = [row.project for row in read_modules()]
    assert projects == sorted(set(projects))


def test_a_malformed_row_is_named(tmp_path: Path) -> None:
    table = tmp_path / "modules.toml"
    table.write_text('[[module]]\nproject = "a b"\nmodules = ["a"]\nsource = "x"\nretrieved = "2026-11-21"\n')
    with pytest.raises(CatalogError) as caught:
        read_modules(table)
    assert caught.value.code == "CAT022"
    assert "row 1" in caught.value.where
