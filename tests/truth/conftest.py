from __future__ import annotations

import pytest

from tests.commands import Project
from tests.truth.judged import PROFILES, Judged


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Lock the ten shipped profiles, as people get them."""
    project = Project(root=tmp_path_factory.mktemp("shipped") / "project")
    ran = project.run_online("lock", *PROFILES, "--catalog", "embedded", "--as-of", "2026-11-20")
    assert ran.status == 0, ran.said
    return project


@pytest.fixture(scope="session")
def locks(shipped: Project) -> list[Judged]:
    """Return each lock with its target."""
    found = [judged for profile in PROFILES for judged in Judged.of_profile(shipped, profile)]
    assert len(found) == 54
    return found
