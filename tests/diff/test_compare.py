from __future__ import annotations

from dataclasses import replace

import pytest

from envsmith.catalog import Catalog
from envsmith.diff.compare import CompareFacts, compare
from envsmith.diff.model import DiffSide, LockDiff
from envsmith.lockfile.pins import Pin, Pins
from envsmith.lockfile.saved import SavedLock
from envsmith.model.finding import Decision
from envsmith.model.license import PackageLicense
from tests.locks import LINUX, WINDOWS, kept, pin, sha256

CATALOG = Catalog.embedded()
OLDER = "cp311-manylinux_2_28_x86_64"


def difference(before: list[SavedLock], after: list[SavedLock]) -> LockDiff:
    return compare(DiffSide(title="a", locks=tuple(before)), DiffSide(title="b", locks=tuple(after)), CATALOG)


def test_nothing() -> None:
    found = difference([kept(f"p/{LINUX}"), kept(f"p/{WINDOWS}")], [kept(f"q/{LINUX}"), kept(f"q/{WINDOWS}")])
    assert found.is_empty
    assert found.common == (LINUX, WINDOWS)


def test_torch_and_what_it_takes() -> None:
    before = [kept(f"p/{slug}", "torch==2.11.0+cu126", backend="cu126") for slug in (LINUX, WINDOWS)]
    after = [kept(f"p/{slug}", "torch==2.11.0+cu130", backend="cu130") for slug in (LINUX, WINDOWS)]
    linux, windows = difference(before, after).torch
    assert (linux.before.torch, linux.after.torch) == ("2.11.0+cu126", "2.11.0+cu130")
    assert (linux.before.backend, linux.after.backend) == ("CUDA 12.6", "CUDA 13.0")
    assert (linux.before.driver, linux.after.driver) == ("525.60.13", "580")
    assert "sm_50" in linux.lost
    assert "sm_120" in linux.gained
    assert (linux.targets, windows.targets) == ((LINUX,), (WINDOWS,))


def test_kernels_that_are_not_known() -> None:
    (change,) = difference([kept(f"p/{LINUX}", "torch==1.0+cu128")], [kept(f"p/{LINUX}")]).torch
    assert change.before.kernels is None
    assert (change.lost, change.gained) == ((), ())


def test_torch_that_comes_and_goes() -> None:
    (change,) = difference([kept(f"p/{LINUX}", "numpy==2")], [kept(f"p/{LINUX}")]).torch
    assert (change.before.torch, change.after.torch) == ("", "2.11.0+cu128")


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ("x==1.9", "x==1.10", "up"),
        ("x==1.10", "x==1.9", "down"),
        ("x==1.0+cu126", "x==1.0+cu130", "build"),
        ("x==2.15.0.dev20260801+cu130", "x==2.15.0.dev20260815+cu130", "up"),
        ("x==1.0rc1", "x==1.0", "up"),
        ("other==1", "x==1", "added"),
    ],
)
def test_kinds_of_changes(before: str, after: str, kind: str) -> None:
    found = difference([kept(f"p/{LINUX}", before)], [kept(f"p/{LINUX}", after)])
    change = next(item for item in found.packages if item.name == "x")
    assert change.kind == kind


def test_other_files_of_one_version() -> None:
    lock = kept(f"p/{LINUX}", "x==1")
    other = replace(lock, pins=Pins(packages=(replace(pin("x==1"), sha256=("0" * 64,)),)))
    (change,) = difference([lock], [other]).packages
    assert (change.kind, change.before, change.after) == ("files", "1", "1")


def test_packages_of_repositories_and_folders() -> None:
    """By their commits and paths; a folder has no version."""
    lock = kept(f"p/{LINUX}", "y==1")
    one = Pin(name="x", version="1", sha256=(), source="git+https://host.invalid/x@a")
    two = replace(one, source="git+https://host.invalid/x@b")
    folder = replace(one, version="", source="./x")
    sides = {key: replace(lock, pins=Pins(packages=(*lock.pins.packages, item)))
             for key, item in (("one", one), ("two", two), ("folder", folder))}  # fmt: skip
    assert difference([sides["one"]], [sides["one"]]).is_empty
    for before, after, texts in (
        (sides["one"], sides["two"], ("files", one.source, two.source)),
        (sides["one"], sides["folder"], ("files", "1", "./x")),
        (lock, sides["folder"], ("added", "", "./x")),
        (sides["folder"], lock, ("removed", "./x", "")),
    ):
        (change,) = difference([before], [after]).packages
        assert (change.kind, change.before, change.after) == texts
    assert len({side.digest() for side in (lock, *sides.values())}) == 4


def test_one_change_of_several_targets_is_told_once() -> None:
    before = [kept(f"p/{slug}", "torch==2.11.0+cu128", "x==1") for slug in (OLDER, LINUX, WINDOWS)]
    after = [
        kept(f"p/{OLDER}", "torch==2.11.0+cu128", "x==2"),
        kept(f"p/{LINUX}", "torch==2.11.0+cu128", "x==2"),
        kept(f"p/{WINDOWS}", "torch==2.11.0+cu128", "x==3"),
    ]
    found = difference(before, after)
    assert [(item.after, item.targets) for item in found.packages] == [
        ("2", (OLDER, LINUX)),
        ("3", (WINDOWS,)),
    ]


def test_targets_that_come_and_go() -> None:
    found = difference([kept(f"p/{OLDER}"), kept(f"p/{LINUX}")], [kept(f"p/{LINUX}"), kept(f"p/{WINDOWS}")])
    assert (found.common, found.added, found.removed) == ((LINUX,), (WINDOWS,), (OLDER,))
    new = difference([], [kept(f"p/{LINUX}")])
    assert (new.common, new.added) == ((), (LINUX,))


def test_two_locks_of_different_targets() -> None:
    found = difference([kept(f"p/{OLDER}", "x==1")], [kept(f"p/{LINUX}", "x==2")])
    assert found.common == (f"{OLDER} → {LINUX}",)
    assert (found.added, found.removed) == ((), ())
    assert found.packages[0].targets == found.common


def test_decisions() -> None:
    old = Decision(subject="a", kind="dropped", message="a dropped", evidence=("12 files",))
    told = replace(old, evidence=("13 files",))
    new = Decision(subject="b", kind="noted", message="b noted")
    found = difference([kept(f"p/{LINUX}", decisions=(old,))], [kept(f"p/{LINUX}", decisions=(told, new))])
    assert [(item.is_new, item.decision) for item in found.decisions] == [(True, new)]
    found = difference([kept(f"p/{LINUX}", decisions=(old,))], [kept(f"p/{LINUX}")])
    assert [(item.is_new, item.decision) for item in found.decisions] == [(False, old)]


def sized(*sizes: tuple[str, int | None]) -> SavedLock:
    """Return a lock of packages, each with the size that its pylock tells."""
    pins = tuple(pin(text, size_bytes=size) for text, size in sizes)
    return replace(kept(f"p/{LINUX}"), pins=Pins(packages=pins))


def downloaded(
    before: SavedLock, after: SavedLock, **sizes: int
) -> tuple[tuple[int, int] | None, tuple[str, ...]]:
    known = CompareFacts(sizes={sha256(name.replace("_", "==")): size for name, size in sizes.items()})
    one, other = (DiffSide(title="s", locks=(lock,)) for lock in (before, after))
    found = compare(one, other, CATALOG, known)
    return found.download_bytes, found.download_without


def test_bytes_where_all_are_known() -> None:
    assert downloaded(sized(("x==1", 7)), sized(("x==2", 9))) == ((7, 9), ())
    assert downloaded(sized(("x==1", None)), sized(("x==2", 9))) == (None, ())
    assert downloaded(sized(("x==1", None)), sized(("x==2", 9)), x_1=5) == ((5, 9), ())


def test_bytes_without_what_is_not_known() -> None:
    before, after = sized(("x==1", 7), ("y==1", 100)), sized(("x==2", 9), ("y==2", None))
    assert downloaded(before, after) == ((7, 9), ("y",)), "y is left out of both"
    same = sized(("x==1", 7), ("z==1", None))
    assert downloaded(same, sized(("x==2", 9), ("z==1", None))) == ((7, 9), ()), "z stays: it changes nothing"
    assert downloaded(sized(("x==1", 7)), sized(("x==1", 7), ("new==1", None))) == ((7, 7), ("new",))


def licensed(
    before: tuple[str, ...], after: tuple[str, ...], **said: str
) -> list[tuple[tuple[str, ...], str, str]]:
    """Return the changes of licences; said: package with its version → licence, ``x_1="MIT"``."""
    known = {sha256(name.replace("_", "==")): PackageLicense(name=text) for name, text in said.items()}
    one, other = (DiffSide(title="s", locks=(kept(f"p/{LINUX}", *pins),)) for pins in (before, after))
    return [
        (item.packages, item.before, item.after)
        for item in compare(one, other, CATALOG, CompareFacts(licences=known)).licences
    ]


def test_licences_that_change() -> None:
    assert licensed(("x==1",), ("x==2",), x_1="BSD", x_2="MIT") == [(("x",), "BSD", "MIT")]
    assert licensed(("x==1",), ("x==2",), x_1="BSD", x_2="BSD") == []
    assert licensed(("x==1",), ("x==2",), x_2="MIT") == [], "what it was is not known"
    assert licensed(("x==1",), ("x==2",), x_1="BSD", x_2="") == [], "what it is is not known"


def test_licences_that_are_new() -> None:
    found = licensed(("x==1",), ("x==1", "y==1", "z==1"), x_1="BSD", y_1="Own", z_1="Own")
    assert found == [(("y", "z"), "", "Own")]
    assert licensed(("x==1",), ("x==1", "y==1"), x_1="BSD", y_1="BSD") == []
    assert licensed(("x==1", "y==1"), ("x==1",), x_1="BSD", y_1="Own") == []
