"""``envsmith install --dry-run``: the changes that an install would make, and none is made."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.install.made import Shop, made, made_torch

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at symbolic links and bin/")


def tree(root: Path) -> dict[str, tuple[int, int]]:
    """Return each path below a folder with its size and time of change; not those of caches."""
    found = {}
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        if name.split("/")[0] != "cache":
            found[name] = (path.lstat().st_size, path.lstat().st_mtime_ns)
    return found


def test_before_the_first_install(shop: Shop) -> None:
    before = tree(shop.project.root)
    ran = shop.install("--dry-run")
    assert ran.status == 0, ran.said
    first, second, third = ran.out.splitlines()
    assert first.startswith("would     build small/cp3")
    assert first.endswith("and switch .venv to it")
    assert second.startswith("download  2 of 2 packages (1")
    assert third.split() == ["beside,", "torch"]
    assert tree(shop.project.root) == before


def test_with_the_lock_installed(shop: Shop) -> None:
    shop.install()
    before = tree(shop.project.root)
    ran = shop.install("--dry-run")
    assert ran.out.startswith(f"would     change nothing: .venv → {shop.current()}"), ran.said
    assert tree(shop.project.root) == before


def test_after_the_lock_was_changed_and_changed_back(shop: Shop) -> None:
    shop.install()
    old = shop.current()
    shop.lock(made_torch("2.20.0+cpu"))
    assert json.loads(shop.install("--dry-run", "--json").out)["data"]["how"] == "built"
    shop.install()
    shop.lock(made_torch("2.19.0+cpu"), made("beside"))
    before = tree(shop.project.root)
    found = json.loads(shop.install("--dry-run", "--json").out)["data"]
    assert (found["how"], found["generation"], found["is_dry_run"]) == ("switched", old, True)
    assert tree(shop.project.root) == before


def test_only_packages_missing_from_the_cache_are_listed(shop: Shop) -> None:
    shop.install()
    shop.lock(made_torch("2.20.0+cpu"), made("beside"))
    found = json.loads(shop.install("--dry-run", "--json").out)["data"]
    assert found["downloads"] == ["torch"]
    assert found["packages"] == 2


def test_what_install_refuses_is_refused(shop: Shop) -> None:
    told = shop.project.run("install", "small")
    ran = shop.project.run("install", "small", "--dry-run")
    assert told.status == ran.status == 2
    assert ran.err.startswith(told.err.splitlines()[0])
