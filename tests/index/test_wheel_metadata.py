from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from envsmith.errors import CatalogError, EnvsmithError, ToolError
from envsmith.index.simple_api import PageAddress, PageRow
from envsmith.index.wheel_metadata import (
    MAX_METADATA_BYTES,
    PlatformFamily,
    Requirements,
    choose_rows,
    merge,
    parse_metadata,
    read_requirements,
)
from envsmith.model.wheel import Wheel
from envsmith.net.client import RetryPolicy, WebClient, open_client
from envsmith.net.deadline import Deadline
from tests.replay import ReplayIndex
from tests.replay_faults import Fault
from tests.replay_files import ReplayFile, make_metadata

NAME = "torch-2.20.0+cu199-cp312-cp312-win_amd64.whl"
PATH = f"/whl/cu199/{NAME}"
PAGE = PageAddress(url="https://x.example/", root="https://x.example", index="cu199", project="torch")


def row(
    filename: str = NAME,
    *,
    base: str = "https://x.example/whl",
    digest: str | None = None,
    offered: bool = True,
) -> PageRow:
    url = f"{base}/cu199/{filename.replace('+', '%2B')}"
    wheel = Wheel.from_entry(index="cu199", filename=filename, url=url, sha256=None)
    return PageRow(wheel=wheel, served_url=url, metadata_sha256=digest, has_metadata=offered)


@pytest.fixture
def replay() -> Iterator[ReplayIndex]:
    with ReplayIndex() as server:
        server.add(made())
        yield server


@pytest.fixture
def client() -> Iterator[WebClient]:
    with open_client(Deadline(20), RetryPolicy(pause_s=0.001)) as opened:
        yield opened


def made(*requires: str) -> ReplayFile:
    return ReplayFile.made(
        "torch",
        "2.20.0+cu199",
        "cp312-cp312-win_amd64",
        requires or ("sympy>=1.13", 'optree ; extra == "optree"'),
        index="cu199",
        requires_python=">=3.11",
    )


def test_the_sidecar_is_read_and_the_wheel_is_not(replay: ReplayIndex, client: WebClient) -> None:
    found = read_requirements(client, row(base=replay.base, digest=made().metadata_sha256))
    assert found == Requirements(requires_dist=("sympy>=1.13",), requires_python=">=3.11")
    assert [path for path, _ in replay.requests] == [f"{PATH}.metadata"]


def test_a_sidecar_with_another_digest_is_refused(replay: ReplayIndex, client: WebClient) -> None:
    with pytest.raises(CatalogError) as caught:
        read_requirements(client, row(base=replay.base, digest="ab" * 32))
    assert caught.value.code == "CAT035"
    assert "ab" * 32 in caught.value.message
    assert replay.count(PATH) == 0


@pytest.mark.parametrize("offered", [True, False])
def test_without_a_sidecar_the_wheel_is_read_by_ranges(
    replay: ReplayIndex, client: WebClient, *, offered: bool
) -> None:
    replay.add(replace(made(), metadata=None))
    found = read_requirements(client, row(base=replay.base, offered=offered))
    assert found.requires_dist == ("sympy>=1.13",)
    assert replay.count(f"{PATH}.metadata") == int(offered)
    assert all("range" in headers for path, headers in replay.requests if path == PATH)


def test_a_sidecar_too_large_is_refused(replay: ReplayIndex, client: WebClient) -> None:
    replay.add(replace(made(), metadata=b"x" * (MAX_METADATA_BYTES + 1)))
    with pytest.raises(ToolError) as caught:
        read_requirements(client, row(base=replay.base))
    assert caught.value.code == "TOL033"


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


INFO = "torch-2.20.0+cu199.dist-info/METADATA"
TEXT = make_metadata("torch", "2.20.0+cu199").encode()
BROKEN = {
    "no archive": b"<html>not here</html>" * 100,
    "empty": b"",
    "no metadata": zipped({"torch/__init__.py": b""}),
    "two": zipped({INFO: TEXT, "a.dist-info/METADATA": TEXT}),
    "deeper": zipped({f"x/{INFO}": TEXT}),
    "cut": zipped({INFO: TEXT})[:-30],
    "bomb": zipped({INFO: b"0" * (MAX_METADATA_BYTES + 10)}),
    "lzma": zipped({INFO: TEXT}, zipfile.ZIP_LZMA),
    "bad checksum": zipped({INFO: TEXT}, zipfile.ZIP_STORED).replace(b"Name: torch", b"Name: troch"),
    "another wheel": zipped({INFO: make_metadata("torch", "2.19.0").encode()}),
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_a_wheel_without_usable_metadata_is_refused(
    replay: ReplayIndex, client: WebClient, body: bytes
) -> None:
    replay.add(replace(made(), metadata=None, body=body))
    with pytest.raises(EnvsmithError) as caught:
        read_requirements(client, row(base=replay.base, offered=False))
    # An empty file has no range at all.
    assert caught.value.code == ("CAT036" if body else "TOL034")
    assert NAME.replace("+", "%2B") in caught.value.where


def test_a_server_that_ignores_ranges_of_a_small_wheel_serves(replay: ReplayIndex, client: WebClient) -> None:
    replay.fail(PATH, Fault.ranges_ignored())
    assert read_requirements(client, row(base=replay.base, offered=False)).requires_python == ">=3.11"


BAD_METADATA = {
    "empty": "",
    "no version": "Metadata-Version: 2.1\nName: torch\n",
    "other name": make_metadata("evil", "2.20.0+cu199"),
    "other version": make_metadata("torch", "2.20.0"),
    "bad requirement": make_metadata("torch", "2.20.0+cu199", ["sympy >>> 3"]),
    "requirement by URL": make_metadata("torch", "2.20.0+cu199", ["evil @ https://x.example/evil.whl"]),
    "deep marker": make_metadata("torch", "2.20.0+cu199", ["a ; " + "(" * 50_000]),
    "bad requires-python": make_metadata("torch", "2.20.0+cu199", [], "three"),
    "two names": "Name: evil\n" + make_metadata("torch", "2.20.0+cu199"),
}


@pytest.mark.parametrize("text", BAD_METADATA.values(), ids=BAD_METADATA)
def test_malformed_metadata_is_refused(text: str) -> None:
    with pytest.raises(CatalogError) as caught:
        parse_metadata(text.encode(), row().wheel, "here")
    assert (caught.value.code, caught.value.where) == ("CAT036", "here")


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")))
def test_any_metadata_is_read_or_refused(tail: bytes) -> None:
    try:
        parse_metadata(TEXT + b"Requires-Dist: " + tail, row().wheel, "here")
    except CatalogError as error:
        if error.code != "CAT036":
            raise


def test_markers_that_only_mention_the_word_extra_stay() -> None:
    text = make_metadata("torch", "2.20.0+cu199", ['a ; platform_version == "extra"', 'b ; "x" == extra'])
    assert parse_metadata(text.encode(), row().wheel, "here").requires_dist == (
        'a; platform_version == "extra"',
    )


@pytest.mark.parametrize(
    ("tags", "system", "machine"),
    [
        ("cp312-cp312-manylinux_2_28_x86_64", "linux", "x86_64"),
        ("cp312-cp312-manylinux2014_aarch64", "linux", "aarch64"),
        ("cp312-cp312-linux_x86_64", "linux", "x86_64"),
        ("cp312-cp312-musllinux_1_2_x86_64", "linux", "x86_64"),
        ("cp312-cp312-manylinux_2_27_x86_64.manylinux_2_28_x86_64", "linux", "x86_64"),
        ("cp312-cp312-manylinux_2_28_s390x", "linux", "s390x"),
        ("cp312-cp312-win_amd64", "win32", "AMD64"),
        ("cp312-cp312-win_arm64", "win32", "ARM64"),
        ("cp312-cp312-win32", "win32", "x86"),
        ("cp312-none-macosx_11_0_arm64", "darwin", "arm64"),
        ("cp312-none-macosx_10_9_universal2", "darwin", ""),
        ("py3-none-any", "", ""),
        ("cp312-cp312-android_24_arm64_v8a", "android_24_arm64_v8a", ""),
    ],
)
def test_families_follow_the_platform_tag(tags: str, system: str, machine: str) -> None:
    assert PlatformFamily.of(row(f"torch-2.20.0+cu199-{tags}.whl")) == PlatformFamily(
        system=system, machine=machine
    )


def test_one_wheel_per_family_is_read_those_with_a_digest_first() -> None:
    plain = row("torch-1-cp311-cp311-win_amd64.whl", offered=False)
    offered = row("torch-1-cp312-cp312-win_amd64.whl")
    proved = row("torch-1-cp313-cp313-win_amd64.whl", digest="ab" * 32)
    linux = row("torch-1-cp312-cp312-linux_x86_64.whl", offered=False)
    chosen = choose_rows((plain, offered, proved, linux))
    assert set(chosen.values()) == {proved, linux}


LINUX = PlatformFamily(system="linux", machine="x86_64")
ARM = PlatformFamily(system="linux", machine="aarch64")
WINDOWS = PlatformFamily(system="win32", machine="AMD64")
ANY = PlatformFamily(system="", machine="")


def requires(*texts: str, python: str | None = None) -> Requirements:
    return Requirements(requires_dist=texts, requires_python=python)


def test_equal_requirements_merge_to_themselves() -> None:
    same = requires("sympy", 'triton==3.4.0; sys_platform == "linux"', python=">=3.11")
    merged = merge({LINUX: same, ARM: same, WINDOWS: same}, "read")
    assert merged.requires_dist == same.requires_dist
    assert merged.requires_python == ">=3.11"
    assert (merged.confidence, merged.basis) == ("exact", "read")


def holds(text: str, name: str, **environment: str) -> bool:
    requirement = Requirement(text)
    base = {"sys_platform": "linux", "platform_machine": "x86_64", "python_version": "3.12"}
    return requirement.name == name and (
        requirement.marker is None or requirement.marker.evaluate(base | environment)
    )


def test_a_requirement_of_some_platforms_gets_a_marker_for_them() -> None:
    merged = merge(
        {
            LINUX: requires("torch==2.8.0", 'nvidia; python_version < "3.9" or python_version > "3.10"'),
            ARM: requires("torch==2.8.0"),
            WINDOWS: requires("torch==2.8.0+cu128"),
        },
        "read",
    )

    def asked(**environment: str) -> set[str]:
        return {
            text.split(";")[0].strip()
            for text in merged.requires_dist
            if holds(text, Requirement(text).name, **environment)
        }

    assert asked() == {"torch==2.8.0", "nvidia"}
    assert asked(python_version="3.9") == {"torch==2.8.0"}
    assert asked(platform_machine="aarch64") == {"torch==2.8.0"}
    assert asked(platform_machine="aarch64", python_version="3.8") == {"torch==2.8.0"}
    assert asked(sys_platform="win32", platform_machine="AMD64") == {"torch==2.8.0+cu128"}


def test_markers_name_the_machine_only_where_it_matters() -> None:
    merged = merge({LINUX: requires("a"), ARM: requires("a"), WINDOWS: requires()}, "read")
    assert merged.requires_dist == ('a; sys_platform == "linux"',)


def test_what_a_wheel_for_any_platform_requires_is_required_everywhere() -> None:
    merged = merge({ANY: requires("a"), WINDOWS: requires("b")}, "read")
    assert merged.requires_dist == ("a", 'b; sys_platform == "win32"')


def test_python_bounds_of_all_platforms_hold() -> None:
    merged = merge({LINUX: requires(python=">=3.10"), WINDOWS: requires(python="!=3.12.1,>=3.9")}, "read")
    assert merged.requires_python == "!=3.12.1,>=3.10,>=3.9"
