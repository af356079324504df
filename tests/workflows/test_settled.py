from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from envsmith.adapters.environments import Environments
from envsmith.model.generation import Generation
from envsmith.workflows.installing import install
from envsmith.workflows.ordering import InstallTools
from envsmith.workflows.settled import settled
from tests.fakes import FakeFiles
from tests.workflows.install_values import FOLDER, TORCH, locked, order, tools


@pytest.fixture
def at_hand(tmp_path: Path) -> InstallTools:
    found = tools(tmp_path)
    install(order(), found)
    return found


def asked(
    at_hand: InstallTools,
    *,
    profile: str = "any",
    python: str = "",
    guard: bool = True,
    files: FakeFiles | None = None,
) -> Generation | None:
    return settled(
        profile, FOLDER, python, guard=guard, environments=at_hand.environments, files=files or at_hand.files
    )


def test_what_an_install_would_lead_to_is_there(at_hand: InstallTools) -> None:
    one = asked(at_hand)
    assert one is not None
    assert one.id == at_hand.environments.current()
    assert all(asked(at_hand, python=text) for text in ("3", "3.12", "3.12.4"))


def test_anything_else_must_be_looked_into(at_hand: InstallTools) -> None:
    assert not asked(at_hand, profile="other")
    assert not asked(at_hand, guard=False)
    assert not asked(at_hand, python="3.1")
    assert not asked(at_hand, python="/usr/bin/python3")
    assert not asked(at_hand, files=locked(TORCH))
    assert not asked(at_hand, files=FakeFiles())
    environments = at_hand.environments
    assert isinstance(environments, Environments)
    (environments.root / "busy").touch()
    assert not asked(at_hand), "a process was killed"


def test_another_distribution_than_were_proved_must_be_looked_into(at_hand: InstallTools) -> None:
    one = asked(at_hand)
    assert one is not None
    (at_hand.environments.prefix(one.id) / one.site / "foreign-1.dist-info").mkdir()
    assert not asked(at_hand)


def test_it_imports_no_packaging() -> None:
    code = (
        "import sys; import envsmith.workflows.settled, envsmith.workflows.switching, "
        "envsmith.adapters.environments, envsmith.adapters.check_stamp, envsmith.adapters.files, "
        "envsmith.cli.install, envsmith.cli.install_render, envsmith.cli.switch_render; "
        "print([name for name in ('packaging', 'subprocess', 'tomllib', 'rich') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == "[]"
