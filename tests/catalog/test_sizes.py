"""Sizes of wheels: the table, the tool that writes it, and the difference between PyPI's builds and PyTorch's."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from packaging.utils import parse_wheel_filename

from envsmith.catalog import Catalog
from envsmith.catalog.sizes import read_sizes, size_of
from envsmith.errors import CatalogError
from envsmith.model.backend import Backend
from envsmith.model.target import Platform
from tests.catalog.tool_modules import REPOSITORY, load

SHARED = REPOSITORY.parent / "shared"


def test_a_known_wheel_has_its_size_and_another_none() -> None:
    name = "torchvision-0.16.2-cp311-cp311-win_amd64.whl"
    assert size_of(name, "pypi") == 1_137_940
    assert size_of(name, "pytorch") is None
    assert size_of("torchvision-9.9-cp311-cp311-win_amd64.whl", "pypi") is None


def test_where_both_are_known_the_same_build_is_nearly_as_large() -> None:
    (theirs,) = (row.files for row in read_sizes() if row.index == "pytorch")
    windows, catalog, compared = Platform.parse("win_amd64"), Catalog.embedded(), 0
    for filename, size in theirs.items():
        name, version, _, _ = parse_wheel_filename(filename)
        near = size_of(filename.replace(f"+{version.local}", ""), "pypi")
        if near is None or not filename.endswith("-win_amd64.whl"):
            continue
        if catalog.pypi_build(name, version, windows) == Backend.parse(version.local or ""):
            compared += 1
            assert abs(near - size) < 0.02 * size, filename
    assert compared >= 4


@pytest.mark.parametrize(
    "file", ["torch 12", "torch-1.0-cp311-cp311-win_amd64.whl", "x-1-py3-none-any.whl ²"]
)
def test_a_malformed_row_is_refused(tmp_path: Path, file: str) -> None:
    path = tmp_path / "sizes.toml"
    path.write_text(
        f'[[size]]\nindex = "pypi"\nsource = "x"\nretrieved = "2026-11-20"\nfiles = ["{file}"]\n', "utf-8"
    )
    with pytest.raises(CatalogError) as caught:
        read_sizes(path)
    assert caught.value.code == "CAT022"


@pytest.mark.skipif(not SHARED.is_dir(), reason="the gathered facts (../shared) are not here")
def test_the_tool_writes_the_committed_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "sizes.toml"
    words = ["--facts", SHARED / "pytorch-facts", "--rows", SHARED / "pytorch-index", "--out", out]
    monkeypatch.setattr(sys, "argv", ["build_sizes.py", *map(str, words)])
    load("build_sizes").main()
    assert out.read_bytes() == (REPOSITORY / "envsmith/catalog/sizes.toml").read_bytes()
