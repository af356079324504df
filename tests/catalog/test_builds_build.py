import pytest
from packaging.version import Version

from envsmith.catalog.builds import TorchWheels
from envsmith.model.backend import Backend


def build(*platforms: str) -> TorchWheels:
    return TorchWheels(
        backend=Backend.parse("cpu"),
        torch=Version("2.13.0"),
        platforms=platforms,
        pythons=frozenset({"cp312"}),
    )


@pytest.mark.parametrize(
    ("tag", "os", "machine", "floor"),
    [
        ("manylinux_2_28_x86_64", "linux", "x86_64", "glibc 2.28"),
        ("manylinux1_x86_64", "linux", "x86_64", ""),
        ("linux_x86_64", "linux", "x86_64", ""),
        ("manylinux_2_28_aarch64", "linux", "aarch64", "glibc 2.28"),
        ("win_amd64", "windows", "amd64", ""),
        ("win_arm64", "windows", "arm64", ""),
        ("macosx_14_0_arm64", "macos", "arm64", "macOS 14.0"),
    ],
)
def test_a_build_knows_its_system(tag: str, os: str, machine: str, floor: str) -> None:
    found = build(tag)
    systems = [("linux", "x86_64"), ("linux", "aarch64"), ("windows", "amd64"), ("windows", "arm64")]
    systems += [("macos", "arm64"), ("macos", "x86_64")]
    assert [pair for pair in systems if found.is_for(*pair)] == [(os, machine)]
    assert found.floor() == floor


def test_one_tag_of_several_is_enough() -> None:
    found = build("manylinux_2_17_aarch64", "manylinux2014_aarch64")
    assert found.accepts({"manylinux2014_aarch64"})
    assert not found.accepts({"manylinux_2_28_aarch64"})
    assert found.has("cp312")
    assert not found.has("cp313")
