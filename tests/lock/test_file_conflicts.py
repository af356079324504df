"""No two owners of one file in a lock: seen by the families, and file by file."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from contextlib import nullcontext

import pytest
from packaging.pylock import Package

from envsmith.catalog import Catalog
from envsmith.errors import LockError
from envsmith.lock.admission import admit
from envsmith.lock.file_conflicts import check_files, check_groups, possible_conflicts, unchecked
from envsmith.lockfile.pylock import Lock
from envsmith.model.wheel import WheelContents
from tests.fakes import FakeContents
from tests.plan.made import as_source, package, plan, resolution, with_sdists

CATALOG = Catalog.embedded()


def sha256(name: str) -> str:
    return f"{zlib.crc32(name.encode()):064x}"


def lock(*packages: Package, **requirers: tuple[str, ...]) -> Lock:
    named = {name.replace("_", "-"): askers for name, askers in requirers.items()}
    names = tuple(str(item.name) for item in packages)
    return admit(with_sdists(plan(names[0]), *names), resolution(*packages, requirers=named), "embedded")


def wheels(*names: str, **requirers: tuple[str, ...]) -> Lock:
    return lock(*(package(name, "1.0", sha256=sha256(name)) for name in names), **requirers)


def contents(**files: Mapping[str, bytes]) -> dict[str, WheelContents]:
    return {
        sha256(name.replace("_", "-")): WheelContents(
            size_bytes=1,
            members={path: len(body) for path, body in held.items()},
            checksums={path: zlib.crc32(body) for path, body in held.items()},
        )
        for name, held in files.items()
    }


@pytest.mark.parametrize("family", CATALOG.families(), ids=lambda family: str(family.folder))
def test_no_two_members_of_any_family_pass(family: object) -> None:
    first, second = family.members[:2]  # type: ignore[attr-defined]
    with pytest.raises(LockError) as caught:
        check_groups(wheels(first, second, **{second.replace("-", "_"): ("whoever",)}), CATALOG)
    assert caught.value.code == "LCK021"
    assert first in caught.value.message
    assert second in caught.value.message
    assert dict(caught.value.details) == {
        first: "required by requirements.in:1",
        second: "required by whoever",
    }


def test_one_member_of_each_family_passes() -> None:
    check_groups(wheels(*(family.members[0] for family in CATALOG.families())), CATALOG)


def test_two_owners_of_one_path_are_refused_with_paths_and_askers() -> None:
    found = contents(
        left={f"cv/{number}.py": b"left" for number in range(5)},
        right={f"cv/{number}.py": b"other" for number in range(5)},
        third={"else.py": b""},
    )
    with pytest.raises(LockError) as caught:
        check_files(wheels("left", "right", "third", right=("third",)), found, FakeContents())
    assert caught.value.code == "LCK022"
    assert caught.value.message == (
        "left 1.0 and right 1.0 both install cv/0.py, cv/1.py, cv/2.py and 2 more with different contents"
    )
    assert dict(caught.value.details) == {
        "left": "required by requirements.in:1",
        "right": "required by third",
    }


def test_further_fights_are_named_too() -> None:
    found = contents(
        a={"x.py": b"1", "y.so": b"1"}, b={"x.py": b"2", "y.so": b"1"}, c={"y.so": b"9"}, d={"z.py": b""}
    )
    with pytest.raises(LockError) as caught:
        check_files(wheels("a", "b", "c", "d"), found, FakeContents())
    assert "a 1.0 and b 1.0 both install x.py with different contents" in caught.value.message
    assert ("likewise", "c") in caught.value.details


def test_files_of_one_size_are_told_apart_by_their_checksum() -> None:
    with pytest.raises(LockError):
        check_files(wheels("a", "b"), contents(a={"x.py": b"one"}, b={"x.py": b"two"}), FakeContents())


def test_without_checksums_files_are_not_taken_as_equal() -> None:
    bare = {sha256(name): WheelContents(size_bytes=1, members={"x.py": 3}) for name in ("a", "b")}
    with pytest.raises(LockError):
        check_files(wheels("a", "b"), bare, FakeContents())


@pytest.mark.parametrize(
    ("path", "one", "other"),
    [
        ("google/__init__.py", b"same", b"same"),
        ("nvidia/__init__.py", b"", b""),
        ("LICENSE", b"MIT", b"BSD"),
        ("README.md", b"a", b"b"),
        ("tests/__init__.py", b"a", b"b"),
        ("docs/conf.py", b"a", b"b"),
        ("<data>/share/doc/mkl/licensing/third-party-programs.txt", b"a", b"b"),
    ],
)
def test_what_does_no_harm_is_no_conflict(path: str, one: bytes, other: bytes) -> None:
    check_files(wheels("a", "b"), contents(a={path: one}, b={path: other}), FakeContents())


@pytest.mark.parametrize("path", ["x.py", "x.pth", "pkg/data.txt", "tests.py", "<scripts>/run"])
def test_what_is_loaded_or_run_is_one(path: str) -> None:
    with pytest.raises(LockError):
        check_files(wheels("a", "b"), contents(a={path: b"1"}, b={path: b"2"}), FakeContents())


LEFTOVER = {"a/__init__.py": b"import os\n# from build_backend import x\n", "build_backend.py": b"1"}


@pytest.mark.parametrize(
    ("other", "is_conflict"),
    [
        ({"b/__init__.py": b"import build_backends", "build_backend.py": b"2"}, False),
        ({"b/__init__.py": b"def late():\n    from build_backend import x", "build_backend.py": b"2"}, True),
        ({"b/__init__.py": b"import os, build_backend", "build_backend.py": b"2"}, True),
        ({"build_backend.py": b"2"}, True),  # its only module
    ],
)
def test_a_leftover_of_the_build_is_no_conflict(other: Mapping[str, bytes], *, is_conflict: bool) -> None:
    """As in flashinfer-python 0.6.18 and torch-c-dlpack-ext 0.1.5."""
    held = lock(package("a", "1.0", sha256=sha256("a")), package("b", "1.0", sha256=sha256("b")))
    names = [item.wheels[0].filename for item in held.pylock.packages if item.wheels]
    reader = FakeContents(members=dict(zip(names, (LEFTOVER, other), strict=True)))
    with pytest.raises(LockError, match="LCK022") if is_conflict else nullcontext():
        check_files(held, contents(a=LEFTOVER, b=other), reader)


def test_what_could_not_be_looked_into_is_named() -> None:
    held = lock(package("a", "1.0", sha256=sha256("a")), package("b", "1.0"), as_source("c", "1.0"))
    found = contents(a={"a/x.py": b""})
    assert unchecked(held, found) == ("b", "c")
    assert possible_conflicts(held, found) == ()


def test_folders_are_compared_where_files_cannot_be() -> None:
    held = wheels("python-multipart", "multipart", "six")
    assert possible_conflicts(held, {}) == ("multipart and python-multipart may share the folder multipart",)
    seen = contents(multipart={"multipart.py": b""}, python_multipart={"python_multipart/x.py": b""})
    assert possible_conflicts(held, seen) == ()
    half = contents(multipart={"multipart.py": b""})
    assert possible_conflicts(held, half) == (
        "multipart and python-multipart may share the folder multipart",
    )
