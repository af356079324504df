"""A lock is written only if it is true: each condition broken once, and what a whole one looks like."""

from __future__ import annotations

from dataclasses import replace

import pytest
from packaging.pylock import Package, PackageVcs, PackageWheel
from packaging.utils import canonicalize_name
from packaging.version import Version

from envsmith.errors import LockError
from envsmith.lock.admission import admit
from envsmith.plan.model import ResolutionPlan
from tests.plan.made import (
    HEX,
    as_source,
    asked,
    of_row,
    package,
    plan,
    resolution,
    row,
    target,
    with_sdists,
)

TORCH = row("torch-2.11.0+cu128-cp312-cp312-manylinux_2_28_x86_64.whl")
OTHER = row("torch-2.11.0+cu126-cp312-cp312-manylinux_2_28_x86_64.whl")
PLAN = plan("torch", "six", rows=(TORCH,))
SIX = package("six", "1.17.0")


def test_a_true_lock() -> None:
    answer = resolution(of_row(TORCH), SIX, requirers={"six": ("torch",)})
    lock = admit(PLAN, answer, "embedded 2026-11-20")
    assert (lock.version("torch"), lock.version("six"), lock.version("nope")) == (
        "2.11.0+cu128",
        "1.17.0",
        "",
    )
    assert lock.family == ("torch",)
    assert lock.indexes == ("https://download.pytorch.org/whl/cu128",)
    assert lock.requirers == {"six": ("requirements.in:2", "torch"), "torch": ("requirements.in:1",)}
    assert str(lock.pylock.requires_python) == "==3.12.*"
    assert lock.pylock.environments
    assert lock.pylock.environments[0].evaluate({k: str(v) for k, v in target().marker_environment().items()})
    torch = lock.package("torch")
    assert torch
    assert (torch.index, torch.dependencies) == ("https://download.pytorch.org/whl/cu128", [{"name": "six"}])
    assert lock.pylock.tool
    assert lock.pylock.tool["envsmith"]["catalog"] == "embedded 2026-11-20"


def _with_given(given: ResolutionPlan, *hashes: str, is_constraint: bool = False) -> ResolutionPlan:
    """Give hashes of six, in requirements.in:2 or as a constraint on it."""
    torch, six = given.requirements
    six = replace(six, hashes=hashes)
    return replace(
        given,
        requirements=(torch, *(() if is_constraint else (six,))),
        constraints=(six,) if is_constraint else (),
    )


@pytest.mark.parametrize("is_constraint", [False, True])
def test_a_file_must_have_a_given_hash(*, is_constraint: bool) -> None:
    answer = resolution(of_row(TORCH), SIX)
    for fine in ((), (f"sha256:{HEX}",), (f"sha256:{'0' * 64}", f"sha256:{HEX}"), (f"sha512:{'0' * 128}",)):
        assert admit(_with_given(PLAN, *fine, is_constraint=is_constraint), answer, "embedded").package("six")
    assert admit(_with_given(PLAN, f"other-1-py3-none-any.whl sha256:{'0' * 64}"), answer, "embedded")
    for wrong in ((f"sha256:{'0' * 64}",), (f"six-1.17.0-py3-none-any.whl sha256:{'0' * 64}", "sha512:aa")):
        with pytest.raises(LockError) as caught:
            admit(_with_given(PLAN, *wrong, is_constraint=is_constraint), answer, "embedded")
        assert (caught.value.code, caught.value.where) == ("LCK024", "requirements.in:2")
        assert HEX in caught.value.message
        assert "0" * 64 in caught.value.message
        assert caught.value.hint
    with pytest.raises(LockError) as caught:
        admit(_with_given(PLAN, *(f"sha256:{digit * 64}" for digit in "01")), answer, "embedded")
    assert [text for _, text in caught.value.details] == ["0" * 64, "1" * 64]


def test_the_hash_of_a_package_that_is_not_locked_does_not_matter() -> None:
    given = _with_given(PLAN, f"sha256:{'0' * 64}", is_constraint=True)
    assert admit(given, resolution(of_row(TORCH)), "embedded").version("torch") == "2.11.0+cu128"


def test_given_hashes_of_torch_and_of_sources_count_too() -> None:
    torch, six = PLAN.requirements
    wrong = (f"sha256:{'0' * 64}",)
    with pytest.raises(LockError, match=r"torch-2\.11\.0") as caught:
        admit(
            replace(PLAN, requirements=(replace(torch, hashes=wrong), six)),
            resolution(of_row(TORCH), SIX),
            "embedded",
        )
    assert (caught.value.code, caught.value.where) == ("LCK024", "requirements.in:1")
    answer = resolution(of_row(TORCH), as_source("six", "1.17.0"))
    with pytest.raises(LockError, match=r"six-1\.17\.0\.tar\.gz") as caught:
        admit(with_sdists(_with_given(PLAN, *wrong), "six"), answer, "embedded")
    assert caught.value.code == "LCK024"


def test_given_hashes_select_among_the_wheels_for_the_target() -> None:
    tags = ("manylinux_2_17_x86_64", "manylinux_2_28_x86_64", "win_amd64")
    wheels = [
        PackageWheel(
            url=f"https://files.example/six-1.17.0-cp312-cp312-{tag}.whl", hashes={"sha256": digit * 64}
        )
        for digit, tag in zip("123", tags, strict=True)
    ]
    several = Package(name=SIX.name, version=SIX.version, wheels=wheels)
    lock = admit(_with_given(PLAN, f"sha256:{'1' * 64}"), resolution(of_row(TORCH), several), "embedded")
    assert [wheel.filename for wheel in (lock.package("six") or several).wheels or ()] == [wheels[0].filename]
    with pytest.raises(LockError) as caught:
        admit(_with_given(PLAN, f"sha256:{'3' * 64}"), resolution(of_row(TORCH), several), "embedded")
    assert caught.value.code == "LCK024"


def test_a_lock_without_the_family_names_no_index() -> None:
    assert admit(plan("six"), resolution(SIX), "embedded").indexes == ()


def test_the_best_of_several_wheels_is_the_one() -> None:
    several = Package(
        name=canonicalize_name("numpy"),
        version=Version("2.4.6"),
        wheels=[
            PackageWheel(
                url=f"https://files.example/numpy-2.4.6-cp312-cp312-{tag}.whl", hashes={"sha256": HEX}
            )
            for tag in ("manylinux_2_17_x86_64", "manylinux_2_28_x86_64", "win_amd64")
        ],
    )
    numpy = admit(plan("numpy"), resolution(several), "embedded").package("numpy")
    assert numpy
    assert [wheel.filename for wheel in numpy.wheels or ()] == [
        "numpy-2.4.6-cp312-cp312-manylinux_2_28_x86_64.whl"
    ]


def _vcs() -> Package:
    return Package(
        name=canonicalize_name("six"),
        version=Version("1"),
        vcs=PackageVcs(type="git", url="https://git.example/six", commit_id="0" * 40),
    )


def _hashed(value: str) -> Package:
    return package("six", "1.17.0", sha256=value)


MOVED = replace(TORCH, url=TORCH.url.replace("/whl/cu128/", "/whl/cu126/"))


@pytest.mark.parametrize(
    ("given", "pinned", "code"),
    [
        (PLAN, _vcs(), "LCK010"),
        (PLAN, package("six", "1.0", "six-1.0-cp311-cp311-win_amd64.whl"), "LCK011"),
        (PLAN, package("six", "1.0", "seven-1.0-py3-none-any.whl"), "LCK019"),
        (PLAN, package("six", "1.0", "six-1.1-py3-none-any.whl"), "LCK019"),
        (PLAN, as_source("six", "1.0"), "LCK012"),
        (PLAN, _hashed("abc"), "LCK013"),
        (PLAN, _hashed(HEX + "\nevil==1"), "LCK013"),
        (PLAN, of_row(replace(TORCH, sha256="b" * 64)), "LCK016"),
        (PLAN, of_row(OTHER), "LCK015"),
        (PLAN, of_row(MOVED), "LCK015"),
        (PLAN, package("torch", "2.11.0", "torch-2.11.0-cp312-none-any.whl"), "LCK015"),
        # A slice that holds another build's row: the label is looked at as well.
        (plan("torch", rows=(OTHER,)), of_row(OTHER), "LCK017"),
        (
            PLAN,
            package("filelock", "1.0", url="https://download.pytorch.org/whl/filelock-1.0-py3-none-any.whl"),
            "LCK018",
        ),
        (
            PLAN,
            package(
                "filelock", "1.0", url="https://download-r2.pytorch.org/whl/filelock-1.0-py3-none-any.whl"
            ),
            "LCK018",
        ),
    ],
)
def test_a_condition_broken(given: ResolutionPlan, pinned: Package, code: str) -> None:
    with pytest.raises(LockError) as caught:
        admit(given, resolution(pinned), "embedded")
    assert caught.value.code == code
    assert caught.value.where == pinned.name
    assert caught.value.hint


def test_pypi_s_own_build_must_be_the_one_known() -> None:
    made = plan("torch")
    given = replace(made, slice=made.slice.without(["torch"]), pypi_builds={"torch": "2.15.0"})
    assert admit(given, resolution(package("torch", "2.15.0")), "embedded").version("torch") == "2.15.0"
    with pytest.raises(LockError) as caught:
        admit(given, resolution(package("torch", "2.14.1")), "embedded")
    assert caught.value.code == "LCK014"


def test_a_source_distribution_that_was_allowed() -> None:
    lock = admit(
        with_sdists(plan("opuslib"), "opuslib"), resolution(as_source("opuslib", "3.0.1")), "embedded"
    )
    opuslib = lock.package("opuslib")
    assert opuslib
    assert opuslib.sdist
    assert opuslib.sdist.filename == "opuslib-3.0.1.tar.gz"


def test_a_line_break_in_a_place_begins_no_line() -> None:
    given = replace(plan(), requirements=asked("six", origin="a\nevil==1.0\n"))
    lines = admit(given, resolution(SIX), "embedded").to_requirements().splitlines()
    assert not [line for line in lines if line.startswith("evil")]
