from __future__ import annotations

import pytest

from tests.faults.lock_states import LockStates


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> LockStates:
    return LockStates.made(tmp_path_factory.mktemp("states") / "project")
