from __future__ import annotations

from dataclasses import replace

import pytest
from packaging.pylock import Package, PackageSdist, PackageWheel
from packaging.utils import canonicalize_name
from packaging.version import Version

from envsmith.catalog import Catalog
from envsmith.lock import savings
from envsmith.model.finding import Decision, UnmetRequirement
from envsmith.plan.model import Amendment, Resolution, ResolutionPlan
from tests.plan.made import HEX, package, plan, row, target

CATALOG = Catalog.embedded()
WINDOWS = target(backend="cpu", platform="windows", python="3.11")


def sized(filename: str, size: int | None = None) -> Package:
    name, version = filename.split("-")[:2]
    wheel = PackageWheel(url=f"https://x.example/{filename}", size=size, hashes={"sha256": HEX})
    return Package(name=canonicalize_name(name), version=Version(version), wheels=[wheel])


@pytest.mark.parametrize(
    ("made", "size", "is_near"),
    [
        (sized("pillow-1.0-py3-none-any.whl", 77), 77, False),
        (sized("pillow-1.0-py3-none-any.whl"), None, False),
        (sized("torch-2.5.1+cpu-cp311-cp311-win_amd64.whl"), 205_462_169, False),
        (sized("torchvision-0.16.2+cpu-cp311-cp311-win_amd64.whl"), 1_137_940, True),
        (sized("torchvision-0.16.2+cu121-cp311-cp311-win_amd64.whl"), 1_137_940, True),
    ],
)
def test_the_index_is_believed_first_then_the_catalog(made: Package, size: int | None, is_near: bool) -> None:
    found = savings.size_of_package(made, plan(where=WINDOWS), CATALOG)
    assert (found.size_bytes, found.is_near) == (size, is_near)


def test_another_build_on_pypi_tells_nothing() -> None:
    cuda = plan(where=target(platform="windows"))
    found = savings.size_of_package(
        sized("torchvision-0.16.2+cu128-cp311-cp311-win_amd64.whl"), cuda, CATALOG
    )
    assert found.size_bytes is None


def test_a_source_distribution_weighs_what_its_index_says() -> None:
    sdist = PackageSdist(
        name="a-1.tar.gz", url="https://x.example/a-1.tar.gz", size=5, hashes={"sha256": HEX}
    )
    made = Package(name=canonicalize_name("a"), version=Version("1"), sdist=sdist)
    assert savings.size_of_package(made, plan(), CATALOG).size_bytes == 5


def decided(code: str, subject: str, *evidence: str) -> Decision:
    return Decision(
        subject=subject,
        kind="noted" if code == "RES112" else "dropped",
        code=code,
        message="x",
        evidence=evidence,
    )


def dropping(*decisions: Decision) -> ResolutionPlan:
    return replace(plan("a"), decisions=decisions, excludes=("torchaudio", "torchvision"))


def test_only_what_would_have_come_counts_as_dropped() -> None:
    made = dropping(
        decided("RES114", "xformers", "uses: 0"),
        decided("RES101", "torchvision", "required at requirements.in:2"),
        decided("RES101", "torchaudio"),
        decided("RES112", "opuslib", "x"),
    )
    assert savings.dropped(made) == ("torchvision", "xformers")
    missing = UnmetRequirement(requirer=canonicalize_name("pyannote-audio"), requirement="torchaudio")
    needed = made.amended(Amendment(decisions=(), unsatisfied=(missing,)))
    assert savings.dropped(needed) == ("torchaudio", "torchvision", "xformers")


def test_the_plan_without_drops_asks_for_them_again() -> None:
    made = savings.without_drops(dropping(decided("RES114", "x")), ["torchvision"])
    assert [item.name for item in made.requirements] == ["a", "torchvision"]
    assert made.excludes == ("torchaudio",)


def test_what_pypi_serves_is_asked_without_pytorchs_index() -> None:
    ours = plan("torch", "numpy", rows=(row("torch-2.14.1+cpu-cp312-cp312-win_amd64.whl", index="cpu"),))
    found = savings.from_pypi(
        ours, Resolution(packages=(package("torch", "2.14.1+cpu"),), requirers={}, indexes={})
    )
    assert found
    assert [str(item.requirement) for item in found.requirements] == ["torch==2.14.1"]
    assert not found.slice.projects
    assert savings.from_pypi(ours, Resolution(packages=(), requirers={}, indexes={})) is None
