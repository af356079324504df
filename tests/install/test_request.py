from __future__ import annotations

import pytest

from envsmith.errors import LockError
from envsmith.install.request import LockedInstall, read_lock
from envsmith.lockfile.manifest import FILENAME, Manifest
from tests.fakes import FakeFiles
from tests.install.install_values import FOLDER, locked, order

SLUG = "cp312-manylinux_2_28_x86_64"
PYLOCK, REQUIREMENTS = f"pylock.{SLUG}.toml", f"requirements.{SLUG}.txt"


def read(files: FakeFiles, **asked: str) -> LockedInstall:
    found = files.folders[FOLDER]
    return read_lock(order(**asked), Manifest.from_toml(found[FILENAME].decode(), "m"), found, SLUG)


def test_the_pylock_is_given_where_it_is_at_hand() -> None:
    found = read(locked())
    assert found.source.is_pylock
    assert all(pin.url for pin in found.pins.packages)
    assert found.entry.family["torch"].version == "2.19.0+cpu"
    assert str(found.entry.backend) == "cpu"


def test_without_a_pylock_or_with_one_that_was_changed_the_requirements_are_given() -> None:
    files = locked()
    whole = read(files)
    files.folders[FOLDER][PYLOCK] += b"# by hand\n"
    changed = read(files)
    del files.folders[FOLDER][PYLOCK]
    assert read(files) == changed
    assert not changed.source.is_pylock
    assert changed.sha256 == whole.sha256, "both are one lock"


def test_a_wheelhouse_is_used_by_names_and_hashes() -> None:
    found = read(locked(), wheelhouse="/wheels")
    assert not found.source.is_pylock
    assert found.source.wheelhouse == "/wheels"


def test_missing_requirements_are_told() -> None:
    files = locked()
    del files.folders[FOLDER][REQUIREMENTS]
    with pytest.raises(LockError, match="LCK005"):
        read(files)
