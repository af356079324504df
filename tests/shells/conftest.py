from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.shells.drivers import REQUIRED, Driver, wanted
from tests.shells.places import made_around
from tests.shells.wine import CMD, wine_started


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
    return replace(found, base=request.getfixturevalue("wine")) if found.name == CMD.name else found


@pytest.fixture(scope="session")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Wine's own environment, with a fresh C: drive."""
    if shutil.which("wine") is None:
        if wanted():
            pytest.fail(f"wine is not installed, and {REQUIRED}=required asks for it")
        pytest.skip("wine is not installed")
    with wine_started(tmp_path_factory.mktemp("wine")) as env:
        yield env
