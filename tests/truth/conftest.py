from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.commands import Project
from tests.index_recording import Recording
from tests.index_server import IndexReplay
from tests.truth.judged import PROFILES, Judged


@pytest.fixture(scope="session")
def index() -> Iterator[IndexReplay]:
    """Replay the package index as of the shipped locks."""
    with IndexReplay(Recording.read("shipped"), adds_sidecars=True) as replay:
        yield replay


@pytest.fixture(scope="session")
def index_environ(tmp_path_factory: pytest.TempPathFactory, index: IndexReplay) -> dict[str, str]:
    """Return environment variables with the address of the index."""
    return index.environ(cache=tmp_path_factory.mktemp("uv"))


@pytest.fixture(scope="session")
def shipped(
    tmp_path_factory: pytest.TempPathFactory, index: IndexReplay, index_environ: dict[str, str]
) -> Project:
    """Lock the ten shipped profiles."""
    project = Project(root=tmp_path_factory.mktemp("shipped") / "project", env=index_environ)
    before = len(index.missed)
    ran = project.run("lock", *PROFILES, "--catalog", "embedded", "--as-of", "2026-11-20T09:00:00Z")
    assert ran.status == 0, ran.said
    # pip asks for more: it looks for the torch family in every index.
    assert not index.missed[before:]
    return project


@pytest.fixture(scope="session")
def locks(shipped: Project) -> list[Judged]:
    """Return each lock with its target."""
    found = [judged for profile in PROFILES for judged in Judged.of_profile(shipped, profile)]
    assert len(found) == 54
    return found
