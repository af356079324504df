import pytest

from envsmith.errors import CatalogError
from envsmith.model.wheel import Wheel
from tests.values import HEX, HOST, wheel

NAME = "torch-2.11.0+cu128-cp312-cp312-manylinux_2_28_x86_64.whl"


def test_row_is_taken_apart() -> None:
    row = wheel(NAME)
    assert (row.name, str(row.version), row.label, row.folder) == ("torch", "2.11.0+cu128", "cu128", "cu128")
    assert row.platform_tags == "cp312-cp312-manylinux_2_28_x86_64"
    assert row.build is None


def test_build_number() -> None:
    assert wheel("triton-3.4.0-2post1-cp312-cp312-linux_x86_64.whl").build == (2, "post1")


def test_compressed_tags_are_expanded() -> None:
    tags = wheel("a-1-py2.py3-none-any.whl").tags
    assert {str(tag) for tag in tags} == {"py2-none-any", "py3-none-any"}


def test_name_is_normalised_and_label_may_be_missing() -> None:
    row = wheel("Pytorch_Triton-1.0-py3-none-any.whl")
    assert row.name == "pytorch-triton"
    assert row.label == ""


@pytest.mark.parametrize(
    "filename",
    [
        "torch.whl",
        "torch-2.11.0.tar.gz",
        "../torch-2.11.0-py3-none-any.whl",
        "torch-2.11.0-py3-none-any.whl\n",
        "torch-2.11.0-py3-none-<any>.whl",
        "torch-not!a!version-py3-none-any.whl",
    ],
)
def test_no_wheel_filename(filename: str) -> None:
    with pytest.raises(CatalogError) as caught:
        Wheel.from_entry(index="cu128", filename=filename, url=f"{HOST}/{filename}", sha256=HEX)
    assert caught.value.code == "CAT010"


@pytest.mark.parametrize("sha256", ["", "a" * 63, "A" * 64, "g" * 64])
def test_no_hash(sha256: str) -> None:
    with pytest.raises(CatalogError, match="invalid sha256"):
        wheel(NAME, sha256=sha256)


@pytest.mark.parametrize(
    "url",
    [
        f"{HOST}/cu128/other-1-py3-none-any.whl",
        f"ftp://download.pytorch.org/{NAME}",
        f"{HOST}/cu128/{NAME}\n",
        f'{HOST}/cu128/{NAME}"',
        NAME,
    ],
)
def test_no_url_of_the_file(url: str) -> None:
    with pytest.raises(CatalogError, match="invalid URL"):
        wheel(NAME, url=url)


def test_quoted_url_names_the_same_file() -> None:
    assert wheel(NAME, url=f"{HOST}/{NAME.replace('+', '%2B')}").folder == "whl"
