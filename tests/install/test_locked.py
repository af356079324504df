"""Whether the lock is what is asked for today is looked at first, and not again before something changes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from envsmith.host.current import this_python
from tests.commands import Ran
from tests.install.locked import locked_shop
from tests.install.made import Shop

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at bin/")


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Shop]:
    with locked_shop(tmp_path) as shop:
        yield shop


def words_for(shop: Shop) -> list[str]:
    return ["install", "own", "--offline", "--wheelhouse", str(shop.wheelhouse)]


def install(shop: Shop, *words: str) -> Ran:
    return shop.project.run(*words_for(shop), *words)


def test_a_current_lock_is_installed_and_a_stale_one_refused(locked: Shop) -> None:
    ran = install(locked)
    assert ran.status == 0, ran.said
    again = install(locked, "--json")
    assert json.loads(again.out)["data"]["how"] == "unchanged"
    profile = locked.project.root / "profiles" / "own.toml"
    text = profile.read_text("utf-8")
    profile.write_text(text.replace('["torch"]', '["torch", "six"]'), "utf-8")
    ran = install(locked)
    assert ran.status == 1, ran.said
    assert "LCK003" in ran.err
    assert install(locked, "--frozen").status == 0
    profile.write_text(text, "utf-8")
    assert install(locked).status == 0


def test_what_was_looked_at_is_not_looked_at_again(locked: Shop) -> None:
    install(locked)
    before = locked.current()
    ran = install(locked)
    assert ran.out.startswith(f"current   .venv → {before}: nothing to do"), ran.said
    code = f"import sys; sys.argv = {['envsmith', *words_for(locked)]}; import runpy\n"
    code += "try: runpy.run_module('envsmith', run_name='__main__')\nfinally: print('click' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=locked.project.root, env=locked.project.environ(),
        capture_output=True, encoding="utf-8", check=True,
    )  # fmt: skip
    assert done.stdout == f"{ran.out}False\n", done.stderr
    pyproject = locked.project.root / "pyproject.toml"
    pyproject.write_text('[project]\nname = "p"\nversion = "1"\ndependencies = ["torch", "six"]\n', "utf-8")
    assert install(locked).status == 1, "a file that was not there counts"


def test_another_distribution_than_were_proved_is_looked_into(locked: Shop) -> None:
    install(locked)
    before = locked.current()
    (site,) = locked.generations.glob(f"{before}/lib/*/site-packages")
    (site / "foreign-1.dist-info").mkdir()
    ran = install(locked)
    assert ran.status == 0, ran.said
    assert locked.current() != before


def test_after_a_killed_process_it_is_looked_into(locked: Shop) -> None:
    install(locked)
    (locked.project.root / ".envsmith" / "busy").touch()
    assert install(locked).status == 0
    assert not (locked.project.root / ".envsmith" / "busy").exists(), "the next one has tidied up"


def test_a_rollback_is_seen(locked: Shop) -> None:
    (locked.project.root / ".venv").mkdir()
    install(locked)
    before = locked.current()
    assert locked.project.run("rollback").status == 0
    assert not (locked.project.root / ".venv").is_symlink()
    assert install(locked).status == 0
    assert locked.current() == before


def test_targets_that_were_not_locked_are_not_this_ones_business(locked: Shop) -> None:
    profile = locked.project.root / "profiles" / "own.toml"
    profile.write_text(profile.read_text("utf-8").replace('["linux"]', '["linux", "windows"]'), "utf-8")
    assert locked.project.run("lock", "own", "--check", "--offline").status == 1
    ran = install(locked)
    assert ran.status == 0, ran.said


def test_a_check_of_locks_is_answered_from_memory_until_something_changes(locked: Shop) -> None:
    words = ("lock", "own", "--check", "--offline")
    assert locked.project.run(*words).out == "current: own\n"
    (answer,) = (locked.project.root / "cache" / "answers").iterdir()
    answer.write_text(answer.read_text("utf-8").replace("current: own", "from memory"), "utf-8")
    assert locked.project.run(*words).out == "from memory\n"
    assert locked.project.run(*words, "--json").status == 0
    profile = locked.project.root / "profiles" / "own.toml"
    text = profile.read_text("utf-8")
    profile.write_text(text.replace('["torch"]', '["torch", "six"]'), "utf-8")
    ran = locked.project.run(*words)
    assert ran.status == 1, ran.said
    assert locked.project.run(*words).status == 1, "only that all is well is remembered"
    profile.write_text(text, "utf-8")
    assert locked.project.run(*words).out == "current: own\n"
    for path in (locked.project.root / "lockfiles" / "own").glob("requirements.*.txt"):
        path.write_text(path.read_text("utf-8") + "\n", "utf-8")
    assert locked.project.run(*words).status == 1


def test_a_target_that_was_asked_for_on_the_command_line_alone(locked: Shop) -> None:
    profile = locked.project.root / "profiles" / "own.toml"
    profile.write_text(profile.read_text("utf-8").replace(f'["{this_python()}"]', '["3.14"]'), "utf-8")
    ran = install(locked)
    assert ran.status == 0, ran.said


def test_a_model_that_changes_makes_a_check_look_again(locked: Shop) -> None:
    model = locked.project.root / "model.pt"
    model.write_bytes(b"one")
    profile = locked.project.root / "profiles" / "own.toml"
    with profile.open("a", encoding="utf-8") as stream:
        stream.write('[[models]]\npath = "model.pt"\nformat = "state_dict"\n')
    assert locked.project.run("lock", "own", "--offline").status == 0
    words = ("lock", "own", "--check", "--offline")
    assert locked.project.run(*words).out == "current: own\n"
    model.write_bytes(b"two")
    ran = locked.project.run(*words)
    assert (ran.status, "model.pt" in ran.said) == (1, True), ran.said
