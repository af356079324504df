"""Faults beside the real torch, found and cured; all of them: `python -m bench.fault_page`."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bench import fault_page
from bench.fault_page import Place, made, tried
from tests.install.planted import FAULTS
from tests.install.test_real_torch import pytestmark, wheelhouse

__all__ = ["pytestmark", "wheelhouse"]
BY_NAME = {fault.name: fault for fault in FAULTS}


@pytest.fixture(scope="module")
def place(wheelhouse: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A sound environment of the real torch; `wheelhouse` says whether that can be had."""
    del wheelhouse
    root = tmp_path_factory.mktemp("faults")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ENVSMITH_BENCH_DIR", str(root / "kept"))
        try:
            return made(root / "project")
        except (subprocess.CalledProcessError, RuntimeError) as error:
            pytest.skip(f"PyPI's wheels cannot be had: {error}")


def test_a_sound_environment_is_verified(place: Place) -> None:
    status, found = place.envsmith("verify", "faulty", "--deep")
    assert (status, found["findings"]) == (0, [])
    assert found["imports"]


@pytest.mark.parametrize(
    ("name", "code", "step"),
    [
        ("half_record", "ENV018", "install"),
        ("two_opencvs", "ENV061", "remove"),
    ],
)
def test_a_fault_is_found_cured_and_well_afterwards(place: Place, name: str, code: str, step: str) -> None:
    row = tried(BY_NAME[name], place)
    assert code in row.codes
    assert any(taken.startswith(step) for taken in row.steps)
    assert (row.left, row.pip, row.uv) == ((), False, False)


def test_the_page_tells_of_every_fault() -> None:
    page = fault_page.PAGE.read_text("utf-8")
    for fault in FAULTS:
        assert f"| {fault.text} | " in page
    assert len(FAULTS) > 25
