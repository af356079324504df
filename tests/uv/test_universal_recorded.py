"""Joint answers over the recorded index, beside those of each target by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.version import Version

from envsmith.catalog import Catalog
from envsmith.config.profiles import ProfileStore
from envsmith.errors import NoSolutionError
from envsmith.index.hashing import NoDownloads
from envsmith.plan import candidates
from envsmith.plan.model import Cutoffs, LockRequest, Resolution, ResolutionPlan
from envsmith.plan.planner import plan_profile
from envsmith.process.runner import Processes
from envsmith.uv import joint
from envsmith.uv.command import find_uv
from envsmith.uv.resolver import UvResolver
from envsmith.wiring import CatalogOptions, listing_sources
from tests.index_recording import Recording
from tests.index_server import IndexReplay

CUTOFF = "2026-11-20T09:00:00Z"


def plans(name: str, *pythons: str) -> tuple[ResolutionPlan, ...]:
    catalog = Catalog.embedded()
    profile = ProfileStore(folder=Path(__file__).parent / "nowhere").resolve(name)
    if pythons:
        profile = profile.with_overrides(python=pythons, platforms=["linux"])
    request = LockRequest(
        profile=replace(profile, versions="common"), requirements=profile.sourced_requirements()
    )
    listings = listing_sources(catalog, CatalogOptions(mode="embedded"), lambda _: None, is_online=False)
    cutoffs = Cutoffs(cutoff_utc=CUTOFF, is_asked=True)
    return plan_profile(request, cutoffs, catalog=catalog, listings=listings, hasher=NoDownloads()).plans


@pytest.fixture(scope="module")
def uv(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UvResolver]:
    folder = tmp_path_factory.mktemp("universal")
    with IndexReplay(Recording.read("shipped")) as index, pytest.MonkeyPatch.context() as patch:
        for name, value in index.environ(cache=folder / "uv").items():
            patch.setenv(name, value)
        yield UvResolver(Processes(), executable=find_uv(), slices=folder / "slices")
    assert not index.missed


def told(answer: Resolution) -> dict[str, object]:
    """What of an answer goes into a lock: version, requirers, index and the files to choose from."""
    return {
        package.name: (
            package.version,
            answer.requirers[package.name],
            answer.indexes[package.name].startswith("https://"),
            {(wheel.url, wheel.upload_time, wheel.size) for wheel in package.wheels or ()},
        )
        for package in answer.packages
    }


@pytest.mark.parametrize("name", ["cpu-minimal", "cu128", "ai-no-vision", "rocm"])
def test_a_joint_answer_is_that_of_each_target_for_the_same_versions(uv: UvResolver, name: str) -> None:
    """Files, requirers and what is left out by markers are equal; the versions are handed over as preferences."""
    (group,) = joint.groups(candidates.narrow(plans(name)))
    answers = uv.resolve_together(group)
    assert answers is not None
    for plan, answer in zip(group, answers, strict=True):
        alone = uv.resolve(replace(plan, preferences=answer.versions()))
        assert told(answer) == told(alone), plan.target.slug


@pytest.mark.parametrize("name", ["macos", "rocm"])
def test_where_all_targets_have_the_newest_it_is_taken(uv: UvResolver, name: str) -> None:
    (group,) = joint.groups(candidates.narrow(plans(name)))
    newest = max(
        (wheel.version for plan in group for wheel in plan.slice.projects["torch"]),
        key=lambda item: item.release,
    )
    answers = uv.resolve_together(group) or ()
    assert {Version(answer.versions()["torch"]).public for answer in answers} == {newest.public}


def test_the_targets_of_a_profile_have_the_same_versions(uv: UvResolver) -> None:
    (group,) = joint.groups(candidates.narrow(plans("cpu-minimal")))
    answers = uv.resolve_together(group) or ()
    assert len(answers) == 12
    versions: dict[str, set[str]] = {}
    for answer in answers:
        for name, version in answer.versions().items():
            versions.setdefault(name, set()).add(Version(version).public)
    assert [name for name, found in versions.items() if len(found) > 1] == []
    assert versions["torch"] == {"2.13.0"}


def test_free_threaded_pythons_get_wheels_of_their_own(uv: UvResolver) -> None:
    """MarkupSafe 3.0.4, the only version on record, has a wheel for 3.14t and none for 3.13t."""
    old, new = plans("cpu-minimal", "3.13t", "3.14t")
    files = {
        str(item.name): [wheel.filename for wheel in item.wheels or ()] for item in uv.resolve(new).packages
    }
    assert files["torch"] == ["torch-2.13.0+cpu-cp314-cp314t-manylinux_2_28_x86_64.whl"]
    assert {name.rsplit("-", 2)[1] for name in files["markupsafe"]} == {"cp314t"}
    assert files["sympy"] == ["sympy-1.14.0-py3-none-any.whl"]
    with pytest.raises(NoSolutionError) as caught:
        uv.resolve(old)
    assert caught.value.without_wheel == ("markupsafe",)


@pytest.mark.parametrize("name", ["cpu-minimal", "cu128"])
def test_an_answer_for_one_target_is_equal_either_way(uv: UvResolver, name: str) -> None:
    plan = plans(name)[0]
    (together,) = uv.resolve_together([plan]) or ()
    assert told(together) == told(uv.resolve(plan))
