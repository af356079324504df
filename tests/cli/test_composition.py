from pathlib import Path

import pytest

from envsmith.adapters.live_index import LivePyTorch
from envsmith.catalog import Catalog
from envsmith.cli.composition import (
    INDEX_VARIABLE,
    CatalogChoice,
    LaterIndex,
    cache_folder,
    index_base,
    live_index,
    parse_time,
    utc_now,
)
from envsmith.errors import ProfileError
from envsmith.model.backend import Backend


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-01", "2026-11-01T23:59:59Z"),
        ("2026-11-01T09:00:00Z", "2026-11-01T09:00:00Z"),
        ("2026-11-01T09:00:00+02:00", "2026-11-01T07:00:00Z"),
        ("2026-11-01 09:00:00.5Z", "2026-11-01T09:00:00Z"),
    ],
)
def test_times(text: str, utc: str) -> None:
    assert parse_time(text) == utc


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "2026-11-01T09:00:00", "01.11.2026"])
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(ProfileError) as caught:
        parse_time(text)
    assert (caught.value.code, caught.value.where) == ("PRF040", "--as-of")


def test_now_is_a_time_that_can_be_read() -> None:
    now = utc_now()
    assert parse_time(now) == now


def test_mirror_by_option_before_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(INDEX_VARIABLE, raising=False)
    assert index_base(CatalogChoice()) == "https://download.pytorch.org/whl"
    monkeypatch.setenv(INDEX_VARIABLE, "https://one.example/whl")
    assert index_base(CatalogChoice()) == "https://one.example/whl"
    assert index_base(CatalogChoice(index_base="https://two.example")) == "https://two.example"


def test_cache_folder_is_the_users_choice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ENVSMITH_CACHE_DIR", str(tmp_path))
    assert cache_folder() == tmp_path


def test_live_index_is_made_when_it_is_asked_and_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ENVSMITH_CACHE_DIR", str(tmp_path))
    made: list[int] = []

    def make() -> LivePyTorch:
        made.append(1)
        return live_index(Catalog.embedded(), CatalogChoice(index_base="http://127.0.0.1:9/whl"), made.append)  # type: ignore[arg-type]

    later = LaterIndex(make)
    assert made == []
    assert later.kept("stable", Backend.parse("cu128")) is None
    assert not later.was_silent_lately()
    assert made == [1]
