"""Packages that are not from an index, in the manifest and in a lock."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envsmith.errors import LockError
from envsmith.lock.admission import admit
from envsmith.lockfile.manifest import Manifest
from envsmith.lockfile.provided import ProvidedPackage
from tests.values import package, plan, resolution

BROUGHT = ProvidedPackage(
    name="torch", version="2.6.0a0+ecf3bae40a.nv25.1", requires_dist=("six",), provides_extra=("opt",)
)


def test_the_manifest_holds_them() -> None:
    manifest = Manifest(profile="p", cutoff_utc="2026-11-01T00:00:00Z", provided=(BROUGHT,))
    text = manifest.to_toml().replace("form = 2", "form = 2\ntargets = {}")
    assert Manifest.from_toml(text, "m").provided == (BROUGHT,)
    for wrong in ("surprise = 1", "name = 3", 'version = "not one"', 'requires-dist = "six"'):
        key = wrong.partition(" ")[0]
        row = {"name": 'name = "torch"', "version": 'version = "1"', key: wrong}
        head = text.partition("[[provided]]")[0]
        lines = "\n".join(row.values())
        with pytest.raises(LockError, match=r"invalid manifest: (?!'targets')"):
            Manifest.from_toml(f"{head}[[provided]]\n{lines}\n", "m")


def test_those_that_the_environment_has_are_not_in_the_lock() -> None:
    """They count as requirers no more than as packages."""
    given = replace(plan("uses-torch"), provided=(BROUGHT,))
    found = resolution(
        package("uses_torch-1.0-py3-none-any.whl"),
        BROUGHT.package(),
        package("six-1.0-py3-none-any.whl"),
        requirers={"uses-torch": (), "torch": ("uses-torch",), "six": ("torch",)},
    )
    lock = admit(given, found, "test")
    assert [item.name for item in lock.pylock.packages] == ["six", "uses-torch"]
    assert lock.requirers["six"] == ("torch",)
    assert all(item.dependencies is None for item in lock.pylock.packages)
    assert given.inputs()["provided"] != replace(given, provided=()).inputs().get("provided")
