"""Names that resemble those of the torch family."""

from __future__ import annotations

import pytest

from envsmith.catalog import Catalog

CATALOG = Catalog.embedded()


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("torch-vision", "torchvision"),
        ("torch-audio", "torchaudio"),
        ("pytorch-vision", "torchvision"),
        ("pytorchvision", "torchvision"),
        ("pytorch-audio", "torchaudio"),
        ("py-torch", "torch"),
        ("torch-ao", "torchao"),
        ("x-formers", "xformers"),
        ("torch-codec", "torchcodec"),
        ("torchvison", "torchvision"),
        ("torchvisoin", "torchvision"),
        ("torchvisions", "torchvision"),
        ("torchvisiom", "torchvision"),
        ("torch-vison", "torchvision"),
        ("torchaudoi", "torchaudio"),
        ("orchaudio", "torchaudio"),
        ("xformer", "xformers"),
        ("tritonrocm", "triton-rocm"),
    ],
)
def test_misspellings(name: str, meant: str) -> None:
    assert CATALOG.meant_project(name) == meant


@pytest.mark.parametrize(
    "name",
    ["torchx", "torchtext", "torchmetrics", "torchdata", "torchrl", "torchgeo", "torch-geometric", "torchcoder",
     "torch-audit", "cformers", "transformers", "torch-scatter", "pytorch-lightning", "torchvideo", "tritonclient",
     "trition", "torc", "numpy", "opencv-python", "a", ""],
)  # fmt: skip
def test_other_names(name: str) -> None:
    assert CATALOG.meant_project(name) == ""


def test_no_project_of_the_catalog_is_taken_for_a_misspelling() -> None:
    names = {item.name for item in CATALOG.projects()} | {item.project for item in CATALOG.extensions()}
    names |= {item.project for item in CATALOG.unbuilt()} | {item.project for item in CATALOG.placeholders()}
    assert {name: CATALOG.meant_project(name) for name in names if CATALOG.meant_project(name)} == {}


def test_placeholders_name_a_project_of_the_family() -> None:
    assert {item.project: item.meant for item in CATALOG.placeholders()} == {"pytorch": "torch"}
