from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from envsmith.install import links


@pytest.fixture(params=["one step", "moved aside"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to replace a link: that of POSIX, and that of Windows, which can be walked anywhere."""
    way = str(request.param)
    if way == "moved aside":
        monkeypatch.setattr(links, "_rename_replaces", lambda: False)
    elif sys.platform == "win32":
        pytest.skip("a rename does not replace a junction")
    return way


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in ("a", "b", "keep"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    return tmp_path


def names(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


@pytest.mark.usefixtures("way")
def test_a_link_is_made_and_pointed_elsewhere(place: Path) -> None:
    link, spare = place / "link", place / "keep" / "spare"
    assert links.read(link) is None
    for target in ("a", "b", "b"):
        links.point(link, place / target, spare)
        found = links.read(link)
        assert found is not None
        assert found.resolve() == place / target
        assert (link / target).exists()
    assert names(place) == ["a", "b", "keep", "link"]
    assert names(place / "keep") == ["keep"]


@pytest.mark.usefixtures("way")
def test_leftovers_of_a_killed_process_go(place: Path) -> None:
    link, spare = place / "link", place / "keep" / "spare"
    links.point(link, place / "a", spare)
    links.make(spare, place / "b", place)
    links.recover(link, spare)
    assert (link / "a").exists()
    assert names(place / "keep") == ["keep"]


def test_where_a_rename_cannot_replace_it_a_missing_link_is_put_back(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "_rename_replaces", lambda: False)
    link, spare = place / "link", place / "keep" / "spare"
    links.point(link, place / "a", spare)
    links.make(spare, place / "b", place)
    link.rename(place / "keep" / "spare-old")  # killed here: the new link is whole
    links.recover(link, spare)
    assert (link / "b").exists()
    link.rename(place / "keep" / "spare-old")
    links.recover(link, spare)
    assert (link / "b").exists()
    assert names(place / "keep") == ["keep"]


@pytest.mark.parametrize("is_one_step", [True, False])
def test_two_names_change_places(place: Path, monkeypatch: pytest.MonkeyPatch, *, is_one_step: bool) -> None:
    if not is_one_step:
        monkeypatch.setattr(links, "_exchange_atomically", lambda *_: False)
    links.make(place / "link", place / "b", place)
    links.exchange(place / "a", place / "link")
    assert (place / "a" / "b").exists()
    assert (place / "link" / "a").exists()
    assert names(place) == ["a", "b", "keep", "link"]


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
def test_linux_exchanges_in_one_step(place: Path) -> None:
    assert links._exchange_atomically(place / "a", place / "b")
    assert (place / "a" / "b").exists()
    with pytest.raises(FileNotFoundError):
        links._exchange_atomically(place / "a", place / "none")


@pytest.mark.parametrize("killed_after", [1, 2])
def test_an_exchange_in_several_steps_is_ended_later(place: Path, killed_after: int) -> None:
    one, other = place / "a", place / "b"
    third = place / f"b{links.EXCHANGED}"
    one.rename(third)
    if killed_after == 2:
        other.rename(one)
    links.recover_exchange(one, other)
    assert (one / "b").exists()
    assert (other / "a").exists()
    assert not os.path.lexists(third)
    links.recover_exchange(one, other)
    assert (one / "b").exists()


def test_removing_a_link_leaves_what_it_points_to(place: Path) -> None:
    links.make(place / "link", place / "a", place)
    links.unlink(place / "link")
    links.unlink(place / "link")
    assert names(place) == ["a", "b", "keep"]
    assert (place / "a" / "a").exists()


class Junctions:
    """Windows's `_winapi` on a file system without junctions: the folder is created, then the link refused."""

    def __init__(self, number: int) -> None:
        self.number = number

    def CreateJunction(self, _target: str, link: str) -> None:  # noqa: N802 - Windows's name
        Path(link).mkdir()
        error = OSError(22, "Unzulässige Funktion", link)
        error.winerror = self.number  # type: ignore[attr-defined,unused-ignore]
        raise error


@pytest.mark.parametrize(
    ("number", "reason"), [(1, "no junctions"), (50, "no junctions"), (87, "no junctions"), (1314, "Unzul")]
)
def test_a_refused_junction_leaves_no_folder_that_becomes_the_environment(
    place: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: str
) -> None:
    link, spare = place / "link", place / "keep" / "spare"
    monkeypatch.setattr(links, "_rename_replaces", lambda: False)
    monkeypatch.setitem(sys.modules, "_winapi", Junctions(number))
    with monkeypatch.context() as windows:
        windows.setattr(sys, "platform", "win32")
        spare.mkdir()  # left by a killed process
        links.recover(link, spare)
        assert not link.exists()
        with pytest.raises(OSError, match=reason):
            links.point(link, place / "a", spare)
    links.recover(link, spare)
    assert names(place) == ["a", "b", "keep"]
    assert names(place / "keep") == ["keep"]


def test_a_link_that_cannot_be_switched_stays(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link, spare = place / "link", place / "keep" / "spare"
    links.point(link, place / "a", spare)
    monkeypatch.setattr(links, "_rename_replaces", lambda: False)
    real = os.rename

    def rename(old: Path, new: Path) -> None:
        if Path(old) == spare:
            raise PermissionError(13, "Permission denied")
        real(old, new)

    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(PermissionError):
        links.point(link, place / "b", spare)
    assert (link / "a").exists()
    monkeypatch.setattr(links, "_exchange_atomically", lambda *_: False)
    with pytest.raises(PermissionError):
        links.exchange(place / "b", spare)
    assert (place / "b" / "b").exists()


@pytest.mark.parametrize("number", [5, 32])
def test_a_link_in_use_for_a_moment_is_switched(
    place: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    link, spare = place / "link", place / "keep" / "spare"
    links.point(link, place / "a", spare)
    monkeypatch.setattr(links, "_rename_replaces", lambda: False)
    real, calls = os.rename, list[Path]()

    def rename(old: Path, new: Path) -> None:
        calls.append(old)
        if len(calls) % 3:
            error = PermissionError(13, "Permission denied")
            error.winerror = number  # type: ignore[attr-defined,unused-ignore]
            raise error
        real(old, new)

    monkeypatch.setattr(os, "rename", rename)
    links.point(link, place / "b", spare)
    assert (link / "b").exists()
