"""Whether the lock is what is asked for today is looked at first, and not again before something changes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import Ran
from tests.install.locked import locked_shop
from tests.install.made import Shop

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at bin/")


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Shop]:
    with locked_shop(tmp_path) as shop:
        yield shop


def install(shop: Shop, *words: str) -> Ran:
    return shop.project.run("install", "own", "--offline", "--wheelhouse", str(shop.wheelhouse), *words)


def test_a_current_lock_is_installed_and_a_stale_one_refused(locked: Shop) -> None:
    ran = install(locked)
    assert ran.status == 0, ran.said
    again = install(locked, "--json")
    assert json.loads(again.out)["data"]["how"] == "unchanged"
    profile = locked.project.root / "profiles" / "own.toml"
    text = profile.read_text("utf-8")
    profile.write_text(text.replace('["torch"]', '["torch<2.21"]'), "utf-8")
    ran = install(locked)
    assert ran.status == 1, ran.said
    assert "LCK003" in ran.err
    assert install(locked, "--frozen").status == 0
    profile.write_text(text, "utf-8")
    assert install(locked).status == 0


def test_what_was_looked_at_is_not_looked_at_again(locked: Shop) -> None:
    install(locked)
    stamp = locked.project.root / ".envsmith" / "checked-own.json"
    assert stamp.exists()
    ran = locked.project.run("-vv", "install", "own")
    assert "nothing to do" in ran.out, ran.said
    assert "envsmith.adapters.process" not in ran.err, "no program was started"
    pyproject = locked.project.root / "pyproject.toml"
    pyproject.write_text('[project]\nname = "p"\nversion = "1"\ndependencies = ["torch<2.21"]\n', "utf-8")
    assert install(locked).status == 1, "a file that was not there counts"
