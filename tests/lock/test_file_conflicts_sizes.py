"""The same lock from both forms of an index's page: JSON pages say sizes, HTML pages do not."""

from __future__ import annotations

from dataclasses import replace

from packaging.pylock import Package

from envsmith.lock.admission import admit
from envsmith.lock.file_conflicts import with_sizes
from envsmith.lockfile.pylock import Lock
from tests.plan.made import HEX, as_source, of_row, package, plan, resolution, row, with_sdists

HASHES = {"torch": "c" * 64, "six": "b" * 64, "opuslib": HEX}
SIZES = {HASHES["torch"]: 11, HASHES["six"]: 22, HASHES["opuslib"]: 33}
TORCH = row("torch-2.11.0+cu128-cp312-cp312-manylinux_2_28_x86_64.whl", sha256=HASHES["torch"])


def lock(*, told: bool) -> Lock:
    """A lock of torch from PyTorch's index, and of a wheel and a source of PyPI."""
    six = package("six", "1.17.0", sha256=HASHES["six"])
    opuslib = as_source("opuslib", "3.0.1")
    if told:
        six, opuslib = _told(six), _told(opuslib)
    asked = plan("torch", "six", "opuslib", rows=(TORCH,))
    return admit(with_sdists(asked, "opuslib"), resolution(of_row(TORCH), six, opuslib), "embedded")


def _told(one: Package) -> Package:
    wheels = [replace(wheel, size=SIZES[wheel.hashes["sha256"]]) for wheel in one.wheels or ()]
    sdist = replace(one.sdist, size=SIZES[one.sdist.hashes["sha256"]]) if one.sdist else None
    return replace(one, wheels=wheels or None, sdist=sdist)


def test_the_form_of_the_page_makes_no_difference() -> None:
    assert lock(told=False).to_toml() != lock(told=True).to_toml()
    assert with_sizes(lock(told=False), SIZES).to_toml() == lock(told=True).to_toml()
    assert with_sizes(lock(told=True), SIZES) == lock(told=True)


def test_what_the_index_says_stays() -> None:
    assert with_sizes(lock(told=True), dict.fromkeys(SIZES, 99)) == lock(told=True)


def test_what_was_not_looked_into_stays_without() -> None:
    assert with_sizes(lock(told=False), {}) == lock(told=False)


def test_files_of_pytorchs_index_stay_without() -> None:
    torch = with_sizes(lock(told=False), SIZES).package("torch")
    assert torch
    assert torch.wheels
    assert torch.wheels[0].size is None
