from __future__ import annotations

from dataclasses import replace

import pytest

from envsmith.errors import EnvsmithError, NoSolutionError, ResolveError
from envsmith.lock.resolve import MAX_ROUNDS, ResolveTools, resolve_all
from envsmith.model.listing import IndexListing, VersionMetadata
from envsmith.plan.model import Cutoffs, LockRequest, Resolution, ResolutionPlan
from envsmith.plan.planner import plan_profile
from tests.fakes import FakeListings, FakeResolver, FakeSdists
from tests.values import CUTOFF, asked, profile, source

ONE = profile(on_retired="stable").with_overrides(python=("3.12",), platforms=("linux",))


def plan(tools: ResolveTools, *texts: str, allow_sdist: tuple[str, ...] = ()) -> ResolutionPlan:
    wanted = LockRequest(profile=replace(ONE, allow_sdist=allow_sdist), requirements=asked("torch", *texts))
    (found,) = plan_profile(
        wanted,
        Cutoffs(cutoff_utc=CUTOFF),
        catalog=tools.catalog,
        listings=tools.listings,
        hasher=tools.hasher,
    ).plans
    return found


def resolve(given: ResolutionPlan, tools: ResolveTools) -> tuple[ResolutionPlan, Resolution]:
    (answer,) = resolve_all([given], tools).values()
    if isinstance(answer, EnvsmithError):
        raise answer
    return answer


def test_rules_amend_until_they_agree(tools: ResolveTools) -> None:
    own = replace(tools, resolver=FakeResolver(extra={"a": ("opencv-python", "opencv-contrib-python")}))
    settled, resolution = resolve(plan(tools, "a"), own)
    assert "RES111" in {decision.code for decision in settled.all_decisions()}
    names = {package.name for package in resolution.packages}
    assert "opencv-contrib-python" in names
    assert "opencv-python" not in names


def test_source_distributions_are_read_and_resolved_again(tools: ResolveTools) -> None:
    resolver = FakeResolver(answers={"opuslib": source("opuslib", "3.0.1")})
    reader = replace(tools, resolver=resolver, sdists=FakeSdists({"opuslib": ("numpy",)}))
    settled, _ = resolve(plan(tools, "opuslib", allow_sdist=("opuslib",)), reader)
    assert "RES112" in {decision.code for decision in settled.all_decisions()}
    assert len(resolver.plans) == 2


def test_what_the_profile_says_of_a_source_is_not_read(tools: ResolveTools) -> None:
    resolver = FakeResolver(answers={"opuslib": source("opuslib", "3.0.1")})
    own = replace(tools, resolver=resolver, sdists=FakeSdists())  # reading would be an error
    said = VersionMetadata(name="opuslib", version="", requires_dist=("numpy",))
    given = replace(plan(own, "opuslib", allow_sdist=("opuslib",)), described=(said,))
    settled, _ = resolve(given, own)
    assert [(item.version, item.requires_dist) for item in settled.sdist_metadata()] == [
        ("3.0.1", ("numpy",))
    ]
    assert given.inputs()["described"] == ["opuslib * numpy"]


def test_rules_that_never_agree_end_in_an_error(tools: ResolveTools) -> None:
    class Stubborn(FakeResolver):
        """Gives both members of a family whatever the plan excludes."""

        def resolve(self, plan: ResolutionPlan) -> Resolution:
            return super().resolve(replace(plan, amendments=()))

    own = replace(tools, resolver=Stubborn(extra={"a": ("opencv-python", "opencv-contrib-python")}))
    with pytest.raises(ResolveError, match=f"after {MAX_ROUNDS} rounds") as caught:
        resolve(plan(tools, "a"), own)
    assert caught.value.code == "RES051"


def test_yanked_versions_are_noted_with_the_reason(tools: ResolveTools, listing: IndexListing) -> None:
    class Warned(FakeResolver):
        """Knows of a yank, as uv does from the page of the index."""

        def resolve(self, plan: ResolutionPlan) -> Resolution:
            return replace(super().resolve(plan), yanked={"six": "broken\x1b[31m\n  build", "idna": ""})

    release = listing.projects["torch"]["2.10.0+cu128"]
    entries = tuple((*entry[:5], "wrong CUDA") for entry in release.entries)
    projects = {**listing.projects, "torch": {"2.10.0+cu128": replace(release, entries=entries)}}
    own = replace(tools, resolver=Warned(), listings=FakeListings((replace(listing, projects=projects),)))
    settled, _ = resolve(plan(own, "torch==2.10.0", "six==1.0", "idna"), own)
    notes = [item for item in settled.all_decisions() if item.code == "RES117"]
    assert [item.message for item in notes] == [
        "idna 1.0 is yanked: no reason given",
        "six 1.0 is yanked: broken [31m build",
        "torch 2.10.0+cu128 is yanked: wrong CUDA",
    ]
    assert notes[1].evidence == ("requirements.in:1",)


@pytest.mark.parametrize(
    ("texts", "cause", "meant"),
    [
        (("a",), "Because pytorch==1.0.2 has no usable wheels and a==1.0 depends on pytorch==1.0.2", "torch"),
        (("torchvison",), "Because torchvison was not found in the package registry", "torchvision"),
    ],
)
def test_a_failed_resolution_names_the_project_that_is_meant(
    tools: ResolveTools, texts: tuple[str, ...], cause: str, meant: str
) -> None:
    error = NoSolutionError(
        "RES050", "no solution", details=(("because", cause),), hint="--allow-sdist pytorch"
    )
    own = replace(tools, resolver=FakeResolver(fails=lambda _: error))
    with pytest.raises(NoSolutionError) as caught:
        resolve(plan(own, *texts), own)
    assert f"did you mean `{meant}`?" in caught.value.hint
    assert "allow-sdist" not in caught.value.hint
