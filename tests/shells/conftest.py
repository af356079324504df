from __future__ import annotations

from pathlib import Path

import pytest

from tests.shells.drivers import REQUIRED, Driver, wanted
from tests.shells.places import made_around


@pytest.fixture(scope="session")
def around(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with environments and toolkits of others."""
    return made_around(tmp_path_factory.mktemp("around"))


@pytest.fixture
def driver(request: pytest.FixtureRequest) -> Driver:
    """A shell that is installed."""
    found: Driver = request.param
    if found.program() is None:
        if wanted():
            pytest.fail(f"{found.name} is not installed, and {REQUIRED}=required asks for it")
        pytest.skip(f"{found.name} is not installed")
    return found
