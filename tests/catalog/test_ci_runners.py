from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.catalog.ci import read_runners, runners_of
from envsmith.config.pyproject_settings import SERVICES
from envsmith.errors import CatalogError
from tests.values import target


def test_each_service_lends_a_linux_machine() -> None:
    assert {row.service for row in read_runners()} == set(SERVICES)
    for row in read_runners():
        assert row.runners.find(target(backend="cpu")), row.service
        assert row.source
        assert row.retrieved


def test_how_many_jobs_a_matrix_may_have() -> None:
    assert [runners_of(name).most_jobs for name in ("github", "gitlab", "azure")] == [256, 200, None]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('service = "jenkins"', "unknown service"),
        ('service = "github"\nlabels = ["linux-x86_64"]', "MACHINE LABEL"),
        ('service = "github"\nlabels = ["linux a"]', "unknown machine"),
    ],
)
def test_a_malformed_row(line: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "runners.toml"
    path.write_text(f'[[runners]]\n{line}\nsource = "s"\nretrieved = "2026-11-21"\n', "utf-8")
    with pytest.raises(CatalogError, match=why):
        read_runners(path)
