import pytest
from packaging.markers import Marker
from packaging.tags import parse_tag

from envsmith.errors import ProfileError
from envsmith.model.target import ALIASES, Platform, Python, parse_slug
from tests.values import target


@pytest.mark.parametrize(
    "tag", sorted(set(ALIASES.values()) | {"manylinux_2_34_aarch64", "win_arm64", "macosx_11_0_x86_64"})
)
def test_platform_is_read_and_written(tag: str) -> None:
    assert str(Platform.parse(tag)) == tag


@pytest.mark.parametrize(("alias", "tag"), sorted(ALIASES.items()))
def test_alias_stands_for_a_tag(alias: str, tag: str) -> None:
    assert Platform.parse(alias) == Platform.parse(tag)


@pytest.mark.parametrize(
    "text", ["", "win32", "manylinux_2_28", "manylinux_3_28_x86_64", "musllinux_1_2_x86_64", "macos_14"]
)
def test_other_platforms_are_refused(text: str) -> None:
    with pytest.raises(ProfileError) as caught:
        Platform.parse(text)
    assert caught.value.code == "PRF011"


@pytest.mark.parametrize("text", ["3", "2.7", "3.12.1", "312", "3.x", "", "3.123", "3.12t", "3.9t", "3.13tt"])
def test_other_pythons_are_refused(text: str) -> None:
    with pytest.raises(ProfileError) as caught:
        Python.parse(text)
    assert caught.value.code == "PRF012"


def test_there_are_no_builds_for_musl() -> None:
    for text in ("musllinux_1_2_x86_64", "musl", "alpine"):
        with pytest.raises(ProfileError, match="not for musl") as caught:
            Platform.parse(text)
        assert "linux" in caught.value.hint


def test_pythons_are_ordered_by_number() -> None:
    assert Python.parse("3.9") < Python.parse("3.10") < Python.parse("3.14")
    assert Python.parse("3.14").tag == "cp314"


def test_free_threaded_python() -> None:
    python = Python.parse("3.13t")
    assert (str(python), python.version, python.tag) == ("3.13t", "3.13", "cp313t")
    assert Python.parse("3.13") < python < Python.parse("3.14")
    found = target(python="3.13t")
    assert found.slug == "cp313t-manylinux_2_28_x86_64"
    assert parse_slug(found.slug) == (python, found.platform)
    tags = set(map(str, found.tags()))
    assert {
        "cp313-cp313t-manylinux_2_28_x86_64",
        "cp313-none-manylinux_2_17_x86_64",
        "py3-none-any",
        "cp313-none-any",
    } <= tags
    assert not {"cp313-cp313-manylinux_2_28_x86_64", "cp311-abi3-manylinux_2_28_x86_64"} & tags
    assert found.marker_environment() == target(python="3.13").marker_environment()


def test_slug_names_python_and_platform() -> None:
    assert target().slug == "cp312-manylinux_2_28_x86_64"
    assert str(target()) == "cp312-manylinux_2_28_x86_64 (cu128)"


@pytest.mark.parametrize(
    ("platform", "tag", "runs"),
    [
        ("linux", "cp312-cp312-manylinux_2_28_x86_64", True),
        ("linux", "cp312-cp312-manylinux1_x86_64", True),
        ("linux", "cp312-cp312-linux_x86_64", True),
        ("linux", "cp312-cp312-manylinux_2_34_x86_64", False),
        ("linux", "cp312-cp312-manylinux_2_28_aarch64", False),
        ("linux-aarch64", "cp312-cp312-manylinux2014_aarch64", True),
        ("linux-aarch64", "cp312-cp312-manylinux1_aarch64", False),
        ("linux", "cp311-abi3-manylinux_2_28_x86_64", True),
        ("linux", "cp313-cp313-manylinux_2_28_x86_64", False),
        ("linux", "cp312-cp312t-manylinux_2_28_x86_64", False),
        ("windows", "cp312-cp312-win_amd64", True),
        ("windows", "py3-none-any", True),
        ("macos", "cp312-cp312-macosx_11_0_arm64", True),
        ("macos", "cp312-cp312-macosx_15_0_arm64", False),
        ("macos", "cp312-cp312-macosx_11_0_universal2", True),
    ],
)
def test_wheel_tags(platform: str, tag: str, runs: bool) -> None:
    assert bool(parse_tag(tag) & set(target(platform=platform).tags())) == runs


@pytest.mark.parametrize(
    ("platform", "marker", "holds"),
    [
        ("linux", "sys_platform == 'linux' and platform_machine == 'x86_64'", True),
        ("linux-aarch64", "platform_machine == 'aarch64'", True),
        ("windows", "os_name == 'nt' and platform_machine == 'AMD64'", True),
        ("windows", "platform_system == 'Linux'", False),
        ("macos", "sys_platform == 'darwin' and platform_machine == 'arm64'", True),
        ("linux", "python_version < '3.12'", False),
        ("linux", "python_full_version >= '3.12.1'", False),
    ],
)
def test_markers(platform: str, marker: str, holds: bool) -> None:
    environment = {key: str(value) for key, value in target(platform=platform).marker_environment().items()}
    assert Marker(marker).evaluate(environment) == holds


def test_satisfies() -> None:
    windows = target(python="3.12", platform="windows", backend="cpu")
    assert windows.satisfies(None)
    assert windows.satisfies(Marker("sys_platform == 'win32' and python_version >= '3.12'"))
    assert not windows.satisfies(Marker("sys_platform == 'linux'"))
    assert not windows.satisfies(Marker("extra == 'dev'"))
