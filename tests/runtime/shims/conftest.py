from __future__ import annotations

from pathlib import Path

import pytest

from tests.runtime.shims.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    folder = tmp_path / "packages"
    folder.mkdir()
    return Site(folder=folder)
