"""``envsmith sync``: lock if needed, install."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import Ran
from tests.install.locked import add_torch, locked_shop
from tests.install.made import Shop

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at symbolic links and bin/")


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Shop]:
    with locked_shop(tmp_path) as shop:
        yield shop


def words_for(shop: Shop) -> list[str]:
    return ["sync", "--offline", "--wheelhouse", str(shop.wheelhouse)]


def sync(shop: Shop, *words: str, folder: str = "") -> Ran:
    return shop.project.run(*words_for(shop), *words, folder=folder)


def require(shop: Shop, text: str) -> None:
    """Make the lock stale."""
    profile = shop.project.root / "profiles/own.toml"
    lines = [line for line in profile.read_text("utf-8").splitlines() if not line.startswith("overrides")]
    profile.write_text("\n".join([f'overrides = ["{text}"]', *lines, ""]), "utf-8")


def test_a_current_lock_is_installed(locked: Shop) -> None:
    before = locked.project.locks("own")
    ran = sync(locked, "own")
    assert ran.status == 0, ran.said
    assert "verified" in ran.out
    assert "wrote" not in ran.out
    assert locked.project.locks("own") == before


def test_a_missing_lock_is_made(locked: Shop) -> None:
    shutil.rmtree(locked.project.root / "lockfiles")
    ran = sync(locked, "own")
    assert ran.status == 0, ran.said
    assert "wrote     lockfiles/own" in ran.out
    assert locked.link.exists()


def test_a_stale_lock_is_made_again(locked: Shop) -> None:
    require(locked, "filelock<9")
    assert locked.project.run("lock", "--check").status == 1
    assert sync(locked).status == 0
    assert locked.project.run("lock", "--check").status == 0
    assert locked.project.run("install", "own", "--dry-run", "--offline").status == 0


def test_with_nothing_to_do_the_answer_is_remembered_until_an_input_changes(locked: Shop) -> None:
    for folder in ("", "src/deep"):
        sync(locked, folder=folder)
        ran = sync(locked, folder=folder)
        assert "nothing to do" in ran.out, ran.said
        code = f"import sys; sys.argv = {['envsmith', *words_for(locked)]}; import runpy\n"
        code += (
            "try: runpy.run_module('envsmith', run_name='__main__')\nfinally: print('click' in sys.modules)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=locked.project.root / folder, env=locked.project.environ(),
            capture_output=True, encoding="utf-8", check=True,
        )  # fmt: skip
        assert done.stdout == f"{ran.out}False\n", done.stderr
    require(locked, "filelock<9")
    assert "wrote" in sync(locked).out


def test_without_a_solution_nothing_is_installed(locked: Shop) -> None:
    before = locked.project.locks("own")
    require(locked, "torch>3")
    ran = sync(locked)
    assert ran.status == 1, ran.said
    assert "error RES" in ran.err
    assert locked.project.locks("own") == before
    assert not locked.link.exists()


def test_dry_run_changes_nothing(locked: Shop) -> None:
    ran = sync(locked, "--dry-run")
    assert "would     build own/" in ran.out, ran.said
    before = locked.project.locks("own")
    require(locked, "filelock<9")
    ran = sync(locked, "--dry-run")
    assert ran.status == 0, ran.said
    assert "nothing (dry run)" in ran.out
    assert locked.project.locks("own") == before
    assert not locked.link.exists()


def test_json_is_one_document(locked: Shop) -> None:
    require(locked, "filelock<9")
    ran = sync(locked, "--json")
    found = json.loads(ran.out)
    assert (found["command"], found["status"], found["data"]["how"]) == ("sync", "ok", "built"), ran.said
    require(locked, "torch>3")
    profile = locked.project.root / "profiles/own.toml"
    profile.write_text(profile.read_text("utf-8").replace("<2.21", ">3"), "utf-8")
    ran = sync(locked, "--json")
    assert (ran.status, json.loads(ran.out)["status"]) == (1, "no"), ran.said


def test_upgrade_locks_in_any_case(locked: Shop) -> None:
    add_torch(locked.index, "2.21.0+cu134")
    assert locked.project.run("catalog", "refresh", "cu134").status == 0
    assert sync(locked, "--dry-run").out.count("would") == 1
    ran = sync(locked, "--dry-run", "-U")
    assert "2.21.0+cu134" in ran.out, ran.said


def test_options_for_what_to_lock_are_locked_and_remembered(locked: Shop) -> None:
    root = locked.project.root
    (root / "own.in").write_text("torch\n", "utf-8")
    ran = sync(locked, "own", "-r", "own.in", "--as-of", "2026-11-28")
    assert ran.status == 0, ran.said
    assert "wrote     lockfiles/own" in ran.out
    recorded = (root / "lockfiles/own/manifest.toml").read_text("utf-8")
    assert 'requirements-files = ["own.in"]' in recorded
    assert 'as-of = "2026-11-28T23:59:59Z"' in recorded
    ran = sync(locked, "own")
    assert ran.status == 0, ran.said
    assert "wrote" not in ran.out


def test_without_profiles_a_name_is_asked_for(tmp_path: Path) -> None:
    ran = Shop.opened(tmp_path).project.run("sync")
    assert (ran.status, ran.out) == (2, "")
    assert "PRF042" in ran.err
