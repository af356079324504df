from __future__ import annotations

from dataclasses import replace

import pytest

from tests.index.pages import (
    AT_MIRROR,
    HEX,
    MIRROR,
    NAME,
    OTHER,
    PAGE,
    QUOTED,
    ROOT,
    URL,
    anchor,
    api,
    entry,
    page,
    read,
)


@pytest.mark.parametrize(
    "href",
    [
        f"/whl/cu128/{QUOTED}",
        f"../{QUOTED}",
        f"https://download.pytorch.org/whl/cu128/{QUOTED}",
        f"https://download-r2.pytorch.org/whl/cu128/{QUOTED}",
        f"http://download.pytorch.org/whl/cu128/{QUOTED}",
        f"https://DOWNLOAD-R2.pytorch.org:443/whl/cu128/{NAME}",
        f"//download-r2.pytorch.org/whl/cu128/{QUOTED}",
    ],
)
def test_the_host_of_the_day_is_no_part_of_the_recorded_url(href: str) -> None:
    (row,) = read(page(anchor(f"{href}#sha256={HEX}")))
    assert row.wheel.url == URL
    assert row.wheel.filename == NAME
    assert row.wheel.sha256 == HEX


def test_reads_what_a_page_of_2026_says() -> None:
    attributes = (
        f'data-dist-info-metadata="sha256={OTHER}" data-core-metadata="sha256={OTHER}" '
        'data-upload-time="2026-03-23T15:50:23Z"'
    )
    (row,) = read(page(anchor(attributes=attributes)))
    assert row.metadata_sha256 == OTHER
    assert row.has_metadata
    assert row.wheel.yanked is None
    assert row.wheel.upload_time == "2026-03-23T15:50:23Z"
    assert row.served_url == URL
    assert row.wheel.index == "cu128"


def test_old_root_wheels_are_listed_with_their_own_address() -> None:
    old = "torch-1.13.1-cp310-cp310-manylinux2014_aarch64.whl"
    rows = read(page(anchor(), anchor(f"/whl/{old}", old)))
    assert [row.wheel.url for row in rows] == [f"{ROOT}/{old}", URL]
    assert [row.wheel.folder for row in rows] == ["whl", "cu128"]


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ("", (False, None)),
        ('data-core-metadata="true"', (True, None)),
        ("data-core-metadata", (True, None)),
        ('data-core-metadata="false"', (False, None)),
        (f'data-dist-info-metadata="sha256={HEX}"', (True, HEX)),
        (f'data-core-metadata="sha256={OTHER}" data-dist-info-metadata="sha256={HEX}"', (True, OTHER)),
        ('data-core-metadata="md5=00"', (True, None)),
    ],
)
def test_metadata_attributes(attributes: str, expected: tuple[bool, str | None]) -> None:
    (row,) = read(page(anchor(attributes=attributes)))
    assert (row.has_metadata, row.metadata_sha256) == expected


@pytest.mark.parametrize(
    ("written", "recorded"),
    [
        ("2026-03-23T15:50:23Z", "2026-03-23T15:50:23Z"),
        ("2026-03-23T15:50:23.250000Z", "2026-03-23T15:50:23.250000Z"),
        ("2026-03-23T17:50:23+02:00", "2026-03-23T15:50:23Z"),
        ("2026-03-23 15:50:23+00:00", "2026-03-23T15:50:23Z"),
    ],
)
def test_upload_times_are_recorded_in_utc(written: str, recorded: str) -> None:
    (row,) = read(page(anchor(attributes=f'data-upload-time="{written}"')))
    assert row.wheel.upload_time == recorded


def test_a_label_put_behind_the_build_tag_is_no_label() -> None:
    # As it stands on the page whl/test/cu128/torch/ of January 2026.
    name = "torch-2.10.0-1+cu128-cp312-cp312-manylinux_2_28_x86_64.whl"
    (row,) = read(page(anchor(f"/whl/cu128/{name.replace('+', '%2B')}", name)))
    assert (str(row.wheel.version), row.wheel.build, row.wheel.label) == ("2.10.0", (1, "+cu128"), "")


def test_files_that_are_no_wheels_are_left_out() -> None:
    lines = [
        anchor("/whl/torch-1.0.tar.gz", "torch-1.0.tar.gz"),
        anchor(f"{URL}.metadata", f"{NAME}.metadata"),
        '<a name="top">top</a>',
        anchor("..", ".."),
    ]
    assert [row.wheel.filename for row in read(page(*lines, anchor()))] == [NAME]


def test_yanked_empty_and_hashless_rows_are_told_apart() -> None:
    (row,) = read(page(anchor(f"/whl/cu128/{QUOTED}", attributes="data-yanked")))
    assert row.wheel.yanked == ""
    (row,) = read(page(anchor(f"/whl/cu128/{QUOTED}", attributes='data-yanked="a &quot;b&quot;"')))
    assert row.wheel.yanked == 'a "b"'
    assert row.wheel.sha256 is None
    assert read(page()) == ()


def test_the_row_in_the_own_folder_wins_over_the_same_name_elsewhere() -> None:
    name = "triton-3.4.0-cp312-cp312-win_amd64.whl"
    at = replace(PAGE, project="triton", url=f"{ROOT}/cu128/triton/")
    root, own = anchor(f"/whl/{name}#sha256={OTHER}", name), anchor(f"/whl/cu128/{name}#sha256={HEX}", name)
    for lines in ((root, own), (own, root)):
        (row,) = read(page(*lines), at=at)
        assert row.wheel.url == f"{ROOT}/cu128/{name}"
        assert row.wheel.sha256 == HEX


def test_a_row_listed_twice_keeps_its_hash() -> None:
    lines = [anchor(f"/whl/cu128/{QUOTED}"), anchor(), anchor()]
    assert [row.wheel.sha256 for row in read(page(*lines))] == [HEX]


@pytest.mark.parametrize(
    ("href", "recorded"),
    [
        (f"../{QUOTED}", URL),
        (f"/py/whl/cu128/{NAME}", URL),
        (f"https://mirror.example:8443/py/whl/cu128/{QUOTED}", URL),
        (f"../../{QUOTED}", f"{ROOT}/{QUOTED}"),
        (f"https://download-r2.pytorch.org/whl/cu128/{QUOTED}", URL),
        (QUOTED, f"https://mirror.example:8443/py/whl/cu128/torch/{QUOTED}"),
        (f"/other/cu128/{QUOTED}", f"https://mirror.example:8443/other/cu128/{QUOTED}"),
        (f"../../cu126/{QUOTED}", f"https://mirror.example:8443/py/whl/cu126/{QUOTED}"),
        (f"https://cdn.example/whl/cu128/{QUOTED}", f"https://cdn.example/whl/cu128/{QUOTED}"),
        (f"https://u:p@cdn.example/a%2Fb/{QUOTED}", f"https://cdn.example/a%2Fb/{QUOTED}"),
    ],
)
def test_files_of_a_mirror_are_recorded_where_pytorch_has_them(href: str, recorded: str) -> None:
    (row,) = read(page(anchor(f"{href}#sha256={HEX}")), at=AT_MIRROR)
    assert row.wheel.url == recorded


def test_files_of_a_mirror_are_fetched_from_the_mirror() -> None:
    (row,) = read(page(anchor(f"../{QUOTED}")), at=AT_MIRROR)
    assert row.served_url == f"{MIRROR}/cu128/{QUOTED}"
    assert "secret" not in repr(row.wheel)


def test_a_base_element_moves_relative_links() -> None:
    body = page(anchor(QUOTED)).replace(
        b"<body>", b'<base href="https://download-r2.pytorch.org/whl/cu128/"><body>'
    )
    (row,) = read(body)
    assert row.wheel.url == URL


def test_json_says_the_same_as_html() -> None:
    attributes = f'data-core-metadata="sha256={OTHER}" data-upload-time="2026-03-23T15:50:23Z"'
    item = entry(**{"core-metadata": {"sha256": OTHER}, "upload-time": "2026-03-23T15:50:23Z"})
    sdist = {"filename": "torch-2.8.0.tar.gz", "url": "torch-2.8.0.tar.gz", "hashes": {}}
    for kind in ("application/vnd.pypi.simple.v1+json", "application/json; charset=utf-8"):
        assert read(api(item, sdist), kind) == read(page(anchor(attributes=attributes)))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"core-metadata": True}, (True, None, None)),
        ({"core-metadata": False}, (False, None, None)),
        ({"dist-info-metadata": {"sha256": HEX}}, (True, HEX, None)),
        ({"core-metadata": {"md5": "0"}}, (True, None, None)),
        ({"yanked": "broken"}, (False, None, "broken")),
        ({"yanked": ""}, (False, None, "")),
        ({"yanked": True}, (False, None, "")),
        ({"hashes": {}, "yanked": False}, (False, None, None)),
    ],
)
def test_json_fields(changes: dict[str, object], expected: tuple[bool, str | None, str | None]) -> None:
    (row,) = read(api(entry(**changes)), "application/json")
    assert (row.has_metadata, row.metadata_sha256, row.wheel.yanked) == expected
