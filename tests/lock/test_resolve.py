from __future__ import annotations

from dataclasses import replace

import pytest

from envsmith.errors import ResolveError
from envsmith.lock.resolve import MAX_ROUNDS, ResolveTools, resolve
from envsmith.plan.model import Cutoffs, LockRequest, Resolution, ResolutionPlan
from envsmith.plan.planner import plan_profile
from tests.fakes import FakeResolver, FakeSdists
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


def test_rules_that_never_agree_end_in_an_error(tools: ResolveTools) -> None:
    class Stubborn(FakeResolver):
        """Gives both members of a family whatever the plan excludes."""

        def resolve(self, plan: ResolutionPlan) -> Resolution:
            return super().resolve(replace(plan, amendments=()))

    own = replace(tools, resolver=Stubborn(extra={"a": ("opencv-python", "opencv-contrib-python")}))
    with pytest.raises(ResolveError, match=f"after {MAX_ROUNDS} rounds") as caught:
        resolve(plan(tools, "a"), own)
    assert caught.value.code == "RES051"
