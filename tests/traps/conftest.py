from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import Project
from tests.replay import ReplayIndex


@pytest.fixture
def replay() -> Iterator[ReplayIndex]:
    with ReplayIndex() as server:
        yield server


@pytest.fixture
def case(tmp_path: Path, replay: ReplayIndex) -> Project:
    """A project with access to the replayed index only: PyPI is unreachable for uv."""
    return Project(root=tmp_path / "project", index=replay.base, env={"HTTPS_PROXY": "http://127.0.0.1:9"})
