"""The library and the registry as Windows has them, laid out in a folder."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from envsmith.host.system_probes import CPP_LIBRARY, file_version, find_visual_cpp
from tests.host.recorded import RECORDED, nothing, registry


def library(*version: int) -> bytes:
    major, minor, build, private = version
    words = struct.pack("<IIII", 0xFEEF04BD, 0x10000, major << 16 | minor, build << 16 | private)
    return b"MZ\x90\0some code" + "VS_VERSION_INFO".encode("utf-16-le") + words + b"\0" * 40


@pytest.mark.parametrize(
    ("data", "version"),
    [
        (library(14, 36, 32532, 0), (14, 36, 32532)),
        (library(14, 44, 35211, 0), (14, 44, 35211)),
        (b"MZ no version", None),
        (library(14, 44, 35211, 0)[:56], None),
        (b"", None),
    ],
)
def test_the_version_in_a_file(data: bytes, version: tuple[int, ...] | None) -> None:
    assert file_version(data) == version


def test_the_version_of_a_real_library() -> None:
    (recorded,) = RECORDED["library"]
    data = b"MZ" + bytes(300) + bytes.fromhex(recorded["bytes"]) + bytes(100)
    assert file_version(data) == tuple(recorded["version"])


def test_the_file_s_version_goes_before_the_registry_s(tmp_path: Path) -> None:
    place = tmp_path / "System32" / CPP_LIBRARY
    place.parent.mkdir()
    place.write_bytes(library(14, 44, 35211, 0))
    found = find_visual_cpp(registry("library too old"), {"SystemRoot": str(tmp_path)}, "amd64", ())
    assert found.registered == (14, 36, 32532)
    assert found.version == (14, 44, 35211)


@pytest.mark.parametrize(
    ("name", "version"), [("library too old", (14, 36, 32532)), ("library new enough", (14, 50, 35719))]
)
def test_either_key_of_the_registry(tmp_path: Path, name: str, version: tuple[int, ...]) -> None:
    assert find_visual_cpp(registry(name), {"SYSTEMROOT": str(tmp_path)}, "amd64", ()).version == version


def test_where_there_is_none(tmp_path: Path) -> None:
    found = find_visual_cpp(nothing, {"SYSTEMROOT": str(tmp_path)}, "amd64", ())
    assert (found.version, found.system, found.copies) == (None, None, ())


def test_copies_of_the_interpreter_and_of_packages(tmp_path: Path) -> None:
    base, site = tmp_path / "python", tmp_path / "site-packages"
    for place in (base / CPP_LIBRARY, site / "thing/lib" / CPP_LIBRARY, site / "deep/a/b/c" / CPP_LIBRARY):
        place.parent.mkdir(parents=True)
        place.write_bytes(library(14, 29, 30133, 0))
    found = find_visual_cpp(nothing, {"SYSTEMROOT": str(tmp_path / "no")}, "amd64", (base, site))
    assert [item.path for item in found.copies] == [
        str(base / CPP_LIBRARY),
        str(site / "thing/lib" / CPP_LIBRARY),
    ]
    assert {item.version for item in found.copies} == {(14, 29, 30133)}
