"""packaging, the reference reader of PEP 751, validates every lock and selects from it on its target."""

from __future__ import annotations

import tomllib

import pytest
from packaging.pylock import Pylock, PylockSelectError
from packaging.utils import parse_wheel_filename

from tests.truth.judged import PROFILES, Judged


def _read(lock: Judged) -> Pylock:
    pylock = Pylock.from_dict(tomllib.loads(lock.pylock.read_text("utf-8")))
    pylock.validate()
    return pylock


def test_every_shipped_profile_has_locks(locks: list[Judged]) -> None:
    assert {lock.profile for lock in locks} == set(PROFILES)


def test_each_package_has_one_wheel_that_runs_on_the_target(locks: list[Judged]) -> None:
    for lock in locks:
        pylock = _read(lock)
        tags = frozenset(lock.target.tags())
        chosen = list(pylock.select(environment=lock.target.marker_environment(), tags=lock.target.tags()))
        assert [package.name for package, _ in chosen] == [package.name for package in pylock.packages], (
            lock.name
        )
        assert len(chosen) == lock.entry.packages, lock.name
        for package, _ in chosen:
            (wheel,) = package.wheels or ()
            name, version, _, own_tags = parse_wheel_filename(wheel.filename)
            assert (name, version) == (package.name, package.version), lock.name
            assert own_tags & tags, (lock.name, wheel.filename)
            assert len(wheel.hashes["sha256"]) == 64, (lock.name, wheel.filename)
            assert package.index, (lock.name, package.name)


def test_a_lock_is_refused_on_another_target(locks: list[Judged]) -> None:
    for lock, other in zip(locks, [*locks[1:], locks[0]], strict=True):
        if lock.target.slug != other.target.slug:
            with pytest.raises(PylockSelectError):
                list(
                    _read(lock).select(
                        environment=other.target.marker_environment(), tags=other.target.tags()
                    )
                )


def test_nothing_but_the_torch_family_comes_from_pytorch(locks: list[Judged]) -> None:
    for lock in locks:
        for package in _read(lock).packages:
            (wheel,) = package.wheels or ()
            is_theirs = "pytorch.org" in (wheel.url or "")
            assert is_theirs == ("download.pytorch.org" in (package.index or "")), (lock.name, package.name)
            assert not is_theirs or package.name in lock.entry.family, (lock.name, package.name)
