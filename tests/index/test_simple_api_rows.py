from __future__ import annotations

import pytest

from envsmith.errors import CatalogError
from envsmith.index.simple_api import PageAddress, RowParts, canonical_url, one_per_file, read_row

ROOT = "https://download.pytorch.org/whl"
NIGHTLY = PageAddress(url=f"{ROOT}/nightly/cu130/torch/", root=ROOT, index="nightly/cu130", project="torch")
NAME = "torch-2.15.0.dev20260815+cu130-cp312-cp312-win_amd64.whl"
QUOTED = NAME.replace("+", "%2B")


def parts(href: str, sha256: str | None = None) -> RowParts:
    return RowParts(
        place="line 1",
        filename=NAME,
        href=href,
        base=NIGHTLY.url,
        sha256=sha256,
        upload_time=None,
        metadata=None,
        yanked=None,
    )


def test_nightly_files_lie_in_the_folder_of_their_index() -> None:
    row = read_row(parts(f"https://download-r2.pytorch.org/whl/nightly/cu130/{QUOTED}"), NIGHTLY)
    assert row.wheel.url == f"{ROOT}/nightly/cu130/{QUOTED}"
    assert row.wheel.index == "nightly/cu130"
    assert row.wheel.sha256 is None


def test_an_upper_case_hash_is_the_same_hash() -> None:
    row = read_row(parts(QUOTED, "AB" * 32), NIGHTLY)
    assert row.wheel.sha256 == "ab" * 32


def test_pytorch_hosts_outside_the_wheel_folder_are_kept() -> None:
    url = f"https://download.pytorch.org/models/{QUOTED}"
    assert canonical_url(url, NIGHTLY, NAME) == url


def test_another_port_is_another_server() -> None:
    url = f"https://download.pytorch.org:8443/whl/nightly/cu130/{QUOTED}"
    assert canonical_url(url, NIGHTLY, NAME) == url


def test_equal_files_of_two_places_give_one_row() -> None:
    sha256 = "ab" * 32
    first = read_row(parts(f"https://a.example/{QUOTED}", sha256), NIGHTLY)
    second = read_row(parts(f"https://b.example/{QUOTED}", sha256), NIGHTLY)
    assert one_per_file([first, second], NIGHTLY) == (first,)


def test_unequal_files_of_two_places_give_none() -> None:
    first = read_row(parts(f"https://a.example/{QUOTED}", "ab" * 32), NIGHTLY)
    second = read_row(parts(f"https://b.example/{QUOTED}", "cd" * 32), NIGHTLY)
    with pytest.raises(CatalogError, match=r"abab.*cdcd"):
        one_per_file([first, second], NIGHTLY)
