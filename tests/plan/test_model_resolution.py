import pytest

from envsmith.errors import ToolError
from envsmith.plan.model import Resolution, parse_annotations, parse_packages
from tests.values import HEX

PYLOCK = f"""
lock-version = "1.0"
created-by = "uv"
[[packages]]
name = "torch"
version = "2.11.0+cu128"
[[packages.wheels]]
url = "https://files.example/torch-2.11.0%2Bcu128-cp312-cp312-win_amd64.whl"
hashes = {{ sha256 = "{HEX}" }}
[[packages]]
name = "filelock"
version = "3.20.0"
[[packages.wheels]]
url = "https://files.example/filelock-3.20.0-py3-none-any.whl"
hashes = {{ sha256 = "{HEX}" }}
"""
ANNOTATED = """\
filelock==3.20.0
    # via
    #   huggingface-hub
    #   torch
    # from https://registry.example/simple
Jinja2==3.1.6 ; sys_platform == 'win32'
    # via torch
torch==2.11.0+cu128
    # via
    #   -r /somewhere/requirements.in
    #   torchvision[extra]
    # from file:///slice
numpy==2.3.0
    # via -r /somewhere/requirements.in
"""


def test_packages_are_sorted_and_askers_named() -> None:
    found = Resolution.of(parse_packages(PYLOCK), ANNOTATED)
    assert [package.name for package in found.packages] == ["filelock", "torch"]
    assert found.requirers["filelock"] == ("huggingface-hub", "torch")
    assert found.indexes["torch"] == "file:///slice"


def test_annotations() -> None:
    requirers, indexes = parse_annotations(ANNOTATED)
    assert requirers == {
        "filelock": ("huggingface-hub", "torch"),
        "jinja2": ("torch",),
        "torch": ("torchvision",),
        "numpy": (),
    }
    assert indexes == {"filelock": "https://registry.example/simple", "torch": "file:///slice"}


@pytest.mark.parametrize(
    "text", ["", "[", 'lock-version = "9.0"', "packages = 3", PYLOCK.replace('"3.20.0"', "3")]
)
def test_another_form_is_the_tools_error(text: str) -> None:
    with pytest.raises(ToolError) as caught:
        parse_packages(text)
    assert caught.value.code == "TOL020"
