from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envsmith.download.record import FetchedFile, RecordedFile, WheelhouseRecord
from envsmith.errors import ToolError
from tests.download.test_artifact import made
from tests.values import HEX, OTHER_HEX


def there(*names: str) -> list[FetchedFile]:
    return [FetchedFile(filename=name, size_bytes=3, source="fetched") for name in names]


def test_what_is_there_is_recorded_with_who_needs_it() -> None:
    first = WheelhouseRecord().with_files([made("a-1.zip"), made("b-1.zip")], there("a-1.zip"), {"a/x": "p1"})
    assert first.files == {"a-1.zip": RecordedFile(sha256=HEX, size_bytes=3, locks=("a/x",))}
    assert first.locks == {"a/x": "p1"}
    second = first.with_files([made("a-1.zip", lock="b/y")], there("a-1.zip"), {"b/y": "p2"})
    assert second.files["a-1.zip"].locks == ("a/x", "b/y")


def test_a_lock_that_moved_on_leaves_its_old_files() -> None:
    first = WheelhouseRecord().with_files([made("a-1.zip")], there("a-1.zip"), {"a/x": "p1"})
    second = first.with_files([made("a-2.zip")], there("a-2.zip"), {"a/x": "p2"})
    assert {name: held.locks for name, held in second.files.items()} == {"a-1.zip": (), "a-2.zip": ("a/x",)}
    assert second.locks == {"a/x": "p2"}


def test_bytes_that_another_lock_needs_are_not_replaced() -> None:
    first = WheelhouseRecord().with_files([made("a-1.zip")], there("a-1.zip"), {"a/x": "p1"})
    other = made("a-1.zip", OTHER_HEX, "b/y")
    with pytest.raises(ToolError) as caught:
        first.check([other], {"b/y": "p2"})
    assert caught.value.code == "TOL042"
    first.check([made("a-1.zip", OTHER_HEX, "a/x")], {"a/x": "p2"})


NAMES = st.from_regex(r"[a-z]{1,6}-[0-9]{1,3}\.(zip|tar\.gz)", fullmatch=True)
HELD = st.builds(
    RecordedFile,
    sha256=st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
    size_bytes=st.integers(0, 1 << 40),
    locks=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=9), max_size=3).map(
        lambda items: tuple(sorted(items))
    ),
)


@given(st.dictionaries(NAMES, HELD, max_size=4), st.dictionaries(NAMES, NAMES, max_size=3))
def test_written_and_read_it_is_the_same(files: dict[str, RecordedFile], locks: dict[str, str]) -> None:
    holdings = WheelhouseRecord(files=files, locks=locks)
    assert WheelhouseRecord.from_toml(holdings.to_toml(), "x") == holdings


@pytest.mark.parametrize(
    "text",
    [
        "",
        "form = 2\n[files]\n[locks]",
        "form = 1\n[locks]",
        "form = 1\nfiles = 3\n[locks]",
        "form = 1\n[locks]\n[files]\n'../a-1.zip' = {sha256 = 'x', size = 1, locks = []}",
        f"form = 1\n[locks]\n[files]\n'../a-1.zip' = {{sha256 = '{HEX}', size = 1, locks = []}}",
        "form = 1\n[locks]\n[files]\n'a-1.zip' = {sha256 = 'x', size = 1, locks = []}",
        "not toml",
    ],
)
def test_damaged_records(text: str) -> None:
    with pytest.raises(ToolError) as caught:
        WheelhouseRecord.from_toml(text, "house/wheelhouse.toml")
    assert caught.value.code == "TOL049"
