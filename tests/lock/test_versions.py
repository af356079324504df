"""Profiles with common versions, and with the versions of another profile."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from envsmith.config.profile import Profile
from envsmith.config.profile_reader import parse
from envsmith.errors import EnvsmithError, NoSolutionError, ProfileError
from envsmith.lock.inputs.request import LockOptions
from envsmith.lock.lock import LockedProfile, lock_profiles
from envsmith.lock.resolve import ResolveTools
from envsmith.lock.staleness import CheckTools, check_profile
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing, group_releases
from envsmith.plan import candidates
from envsmith.plan.model import Cutoffs, LockRequest, Resolution, ResolutionPlan
from envsmith.plan.planner import plan_profile
from tests.fakes import FakeListings, FakeResolver
from tests.lock_tools import KNOWN, fake_tools
from tests.values import CUTOFF, asked, profile, torch

LINUX, WINDOWS = "manylinux_2_28_x86_64", "win_amd64"
ROWS = (
    torch("2.10.0+cu128"),
    torch("2.10.0+cu128", platform=WINDOWS),
    torch("2.11.0+cu128"),
)
BOTH = replace(profile(on_retired="stable"), versions="common").with_overrides(platforms=("linux", "windows"))


def listing(*rows: object, backend: str = "cu128") -> IndexListing:
    metadata = {(row.name, str(row.version)): KNOWN for row in rows}  # type: ignore[attr-defined]
    return IndexListing(
        channel="stable",
        backend=Backend.parse(backend),
        retrieved="2026-11-20",
        source="made up",
        projects=group_releases(rows, metadata),  # type: ignore[arg-type]
    )


def lock(
    tools: ResolveTools, *profiles: Profile, requirements: tuple[str, ...] = ("torch",)
) -> list[LockedProfile | EnvsmithError]:
    requests = [LockRequest(profile=item, requirements=asked(*requirements)) for item in profiles]
    with ThreadPoolExecutor(2) as pool:
        results = lock_profiles(requests, LockOptions(now_utc=CUTOFF), tools, pool=pool)
        found = {request.profile.name: result for request, result in results}
    return [found[item.name] for item in profiles]


def locked(tools: ResolveTools, *profiles: Profile, **more: tuple[str, ...]) -> list[LockedProfile]:
    found = lock(tools, *profiles, **more)
    for item in found:
        if isinstance(item, EnvsmithError):
            raise item
    return [item for item in found if isinstance(item, LockedProfile)]


def plans_of(tools: ResolveTools) -> tuple[ResolutionPlan, ...]:
    request = LockRequest(profile=BOTH, requirements=asked("torch"))
    cutoffs = Cutoffs(cutoff_utc=CUTOFF)
    return plan_profile(
        request, cutoffs, catalog=tools.catalog, listings=tools.listings, hasher=tools.hasher
    ).plans


def torches(done: LockedProfile) -> list[str]:
    return [target.entry.family["torch"].version for target in done.targets]


def test_all_targets_get_the_newest_torch_that_all_of_them_have() -> None:
    tools = fake_tools(listings=FakeListings((listing(*ROWS),)))
    (done,) = locked(tools, BOTH)
    assert torches(done) == ["2.10.0+cu128"] * 2
    (held,) = (item for item in done.decisions if item.code in ("RES108", "RES119", "RES120"))
    assert held.code == "RES120"
    assert (
        held.message
        == "torch 2.10.0 for all targets; some have a newer one: 2.11.0 (cp312-manylinux_2_28_x86_64)"
    )


def test_the_newest_of_each_target_can_be_asked_for() -> None:
    tools = fake_tools(listings=FakeListings((listing(*ROWS),)))
    (done,) = locked(tools, replace(BOTH, versions="newest"))
    assert torches(done) == ["2.11.0+cu128", "2.10.0+cu128"]
    assert not {"RES119", "RES120"} & {item.code for item in done.decisions}


def test_without_a_torch_for_all_targets_each_gets_its_newest_and_it_is_said() -> None:
    tools = fake_tools(listings=FakeListings((listing(ROWS[1], ROWS[2]),)))
    (done,) = locked(tools, BOTH)
    assert torches(done) == ["2.11.0+cu128", "2.10.0+cu128"]
    assert [item.message for item in done.decisions if item.code == "RES119"] == [
        "torch differs by target: 2.11.0 (cp312-manylinux_2_28_x86_64), 2.10.0 (cp312-win_amd64)"
    ]


def test_a_kept_torch_is_not_taken_away_for_a_common_one() -> None:
    tools = fake_tools(listings=FakeListings((listing(*ROWS),)))
    plans = plans_of(tools)
    kept = [replace(plans[0], preferences={"torch": "2.11.0+cu128"}), plans[1]]
    assert [plan.slice for plan in candidates.narrow(kept)] == [plan.slice for plan in plans]
    older = [replace(plans[0], preferences={"torch": "2.10.0+cu128"}), plans[1]]
    found = [
        wheel.version.public for plan in candidates.narrow(older) for wheel in plan.slice.projects["torch"]
    ]
    assert found == ["2.10.0", "2.10.0"]


class Needing(FakeResolver):
    """Has no solution with torch 2.10."""

    def resolve(self, plan: ResolutionPlan) -> Resolution:
        if not any(wheel.version.minor == 11 for wheel in plan.slice.projects["torch"]):
            self.plans.append(plan)
            raise NoSolutionError("RES050", "no solution", hint="relax")
        return super().resolve(plan)

    def resolve_together(self, plans: tuple[ResolutionPlan, ...]) -> tuple[Resolution, ...] | None:  # type: ignore[override]
        try:
            return super().resolve_together(plans)
        except NoSolutionError:
            return None


def test_a_common_version_that_the_requirements_exclude_is_given_up() -> None:
    resolver = Needing()
    rows = (*ROWS, torch("2.11.0+cu128", "cp311"), torch("2.10.0+cu128", "cp311"))
    tools = fake_tools(listings=FakeListings((listing(*rows),)), resolver=resolver)
    linux = BOTH.with_overrides(platforms=("linux",))
    (done,) = locked(tools, linux)
    assert torches(done) == ["2.11.0+cu128"]
    (failed,) = lock(tools, BOTH)
    assert isinstance(failed, NoSolutionError), "Windows has no torch 2.11"
    assert "cp312-win_amd64" in failed.where


def test_an_amended_plan_goes_on_from_the_last_answer() -> None:
    resolver = FakeResolver(extra={"a": ("opencv-python", "opencv-contrib-python")})
    tools = fake_tools(listings=FakeListings((listing(*ROWS),)), resolver=resolver)
    locked(tools, BOTH, requirements=("torch", "a"))
    first, second = resolver.plans[0], resolver.plans[-1]
    assert not first.preferences
    assert second.preferences["torch"] == "2.10.0+cu128"
    assert second.preferences["opencv-contrib-python"] == "1.0"


CPU = (torch("2.10.0+cpu"), torch("2.10.0+cpu", "cp311"), torch("2.11.0+cpu"), torch("2.11.0+cpu", "cp311"))
PROD = replace(profile(on_retired="stable"), name="prod")
CI = replace(profile(), name="ci", backend=Backend.parse("cpu"), versions_of="prod")


def pinned(done: LockedProfile) -> dict[str, str]:
    (target,) = done.targets
    assert target.lock
    return {item.name: str(item.version).split("+")[0] for item in target.lock.pylock.packages}


@pytest.fixture
def two() -> ResolveTools:
    return fake_tools(listings=FakeListings((listing(*ROWS), listing(*CPU, backend="cpu"))))


def test_another_profile_s_versions_are_locked_label_aside(two: ResolveTools) -> None:
    (prod,) = locked(two, PROD, requirements=("torch<2.11",))
    (ci,) = locked(two, CI)
    assert pinned(ci) == pinned(prod)
    assert torches(ci) == ["2.10.0+cpu"]


def test_both_can_be_locked_at_once(two: ResolveTools) -> None:
    ci, prod = locked(two, CI, PROD, requirements=("torch<2.11",))
    assert torches(prod) == ["2.10.0+cu128"]
    assert torches(ci) == ["2.10.0+cpu"]


def test_a_profile_that_is_not_locked_is_named(two: ResolveTools) -> None:
    (failed,) = lock(two, CI)
    assert isinstance(failed, EnvsmithError)
    assert failed.code == "RES029"
    assert "prod is not locked" in failed.message
    assert failed.hint == "envsmith lock prod ci"


def test_a_version_that_the_backend_lacks_is_named_with_its_origin(two: ResolveTools) -> None:
    locked(two, PROD, requirements=("torch<2.11",))
    without = replace(two, listings=FakeListings((listing(*ROWS), listing(*CPU[2:], backend="cpu"))))
    (failed,) = lock(without, CI)
    assert isinstance(failed, EnvsmithError)
    assert failed.code == "RES021"
    assert "no torch==2.10.0 for cp312" in failed.message
    assert "lockfiles/prod (versions-of)" in failed.where


def test_a_lock_is_stale_when_the_other_one_changes(two: ResolveTools) -> None:
    locked(two, PROD, requirements=("torch<2.11",))
    locked(two, CI)
    check = CheckTools(catalog=two.catalog, listings=two.listings, hasher=two.hasher, files=two.files)
    request = LockRequest(profile=CI, requirements=asked("torch"))
    assert not check_profile(request, Path("lockfiles/ci"), check).findings
    locked(two, PROD, requirements=("torch==2.11.0",))
    stale = check_profile(request, Path("lockfiles/ci"), check).findings
    assert "LCK033" in {item.code for item in stale}
    assert "torch==2.10.0 → torch==2.11.0" in " ".join(item.message for item in stale)


def test_a_profile_cannot_take_its_own_versions() -> None:
    text = 'backend = "cpu"\npython = ["3.12"]\nplatforms = ["linux"]\nversions-of = "mine"\n'
    with pytest.raises(ProfileError) as caught:
        parse(text, "profiles/mine.toml", "mine")
    assert caught.value.code == "PRF013"
    assert "profiles/mine.toml:4" in caught.value.where
