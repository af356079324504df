import pytest

from envsmith.errors import ProfileError
from envsmith.model.backend import Backend

NAMES = ("cpu", "xpu", "cu92", "cu118", "cu128", "cu130", "rocm6.4", "rocm7.14", "rocm6.2.4")


@pytest.mark.parametrize("name", NAMES)
def test_name_is_read_and_written(name: str) -> None:
    assert str(Backend.parse(name)) == Backend.parse(name).label == name


@pytest.mark.parametrize(
    "text", ["", "cuda", "CU128", "cu12.8", "cu1", "cu1280", "rocm6", "rocm", "mps", "cpu "]
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ProfileError) as caught:
        Backend.parse(text)
    assert caught.value.code == "PRF010"
    assert f"`{text}`" in caught.value.message


@pytest.mark.parametrize(
    ("name", "toolkit", "title"),
    [
        ("cu128", "12.8", "CUDA 12.8"),
        ("cu92", "9.2", "CUDA 9.2"),
        ("rocm6.2.4", "6.2.4", "ROCm 6.2.4"),
        ("cpu", "", "CPU"),
        ("xpu", "", "XPU"),
    ],
)
def test_toolkit_and_title(name: str, toolkit: str, title: str) -> None:
    assert Backend.parse(name).toolkit_version == toolkit
    assert Backend.parse(name).title == title


def test_order_within_a_family() -> None:
    assert Backend.parse("cu92") < Backend.parse("cu118") < Backend.parse("cu128") < Backend.parse("cu130")
    assert Backend.parse("rocm7.2") < Backend.parse("rocm7.14")


def test_no_order_between_families() -> None:
    with pytest.raises(TypeError, match="different compute libraries"):
        assert Backend.parse("cpu") < Backend.parse("cu128")
