"""Two of a family never come to a lock, however they are asked for: the one that stays serves all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from envsmith.config.profile import Profile
from envsmith.errors import LockError, NoSolutionError, ProfileError, ResolveError
from envsmith.lock.inputs.request import LockOptions
from envsmith.lock.lock import LockedProfile
from envsmith.lock.resolve import ResolveTools
from envsmith.lockfile.pylock import Lock
from envsmith.plan.model import LockRequest, ResolutionPlan
from tests.fakes import FakeRequires, FakeResolver
from tests.lock_tools import lock_profile
from tests.values import CUTOFF, OTHER_HEX, asked, package, profile, source

ONE = profile(on_retired="stable")
GPU, CPU = "onnxruntime-gpu", "onnxruntime"


def locked(
    tools: ResolveTools,
    pool: ThreadPoolExecutor,
    *texts: str,
    of: Profile = ONE,
    constraints: tuple[str, ...] = (),
) -> LockedProfile:
    wanted = LockRequest(profile=of, requirements=asked(*texts), constraints=asked(*constraints))
    return lock_profile(wanted, LockOptions(now_utc=CUTOFF), Path("mine"), tools, pool=pool)


def names(done: LockedProfile) -> set[str]:
    lock = done.targets[0].lock
    assert isinstance(lock, Lock)
    return {str(package.name) for package in lock.pylock.packages}


@pytest.mark.parametrize(
    ("texts", "more"),
    [
        ((CPU, GPU), {}),
        (("chromadb", GPU), {}),
        (("chromadb", "other"), {}),
        (("app[gpu]", "chromadb"), {}),
        ((f"{CPU}; sys_platform == 'linux'", GPU), {}),
        ((CPU, GPU), {"constraints": (f"{CPU}==1.0", f"{GPU}==1.0")}),
        ((CPU, GPU), {"of": replace(ONE, overrides=(f"{CPU}==1.0", f"{GPU}==1.0"))}),
        (("chromadb",), {}),
    ],
    ids=["requirement", "dependency", "dependencies", "extra", "marker", "constraint", "override", "alone"],
)
def test_one_of_a_family_is_locked_however_they_are_asked_for(
    tools: ResolveTools, pool: ThreadPoolExecutor, texts: tuple[str, ...], more: dict[str, Any]
) -> None:
    resolver = FakeResolver(extra={"chromadb": (CPU,), "other": (GPU,), "app": (GPU,)})
    done = locked(replace(tools, resolver=resolver), pool, *texts, **more)
    assert {CPU, GPU} & names(done) == {GPU}
    (told,) = [item for item in done.decisions if item.code == "RES111"]
    assert told.subject == CPU


def test_one_that_comes_as_source_is_no_way_around(tools: ResolveTools, pool: ThreadPoolExecutor) -> None:
    resolver = FakeResolver(answers={CPU: source(CPU, "1.0")}, extra={"chromadb": (CPU,)})
    of = replace(ONE, allow_sdist=(CPU,))
    own = replace(tools, resolver=resolver)
    own.sdists.requires = {CPU: ()}  # type: ignore[attr-defined]
    assert {CPU, GPU} & names(locked(own, pool, "chromadb", GPU, of=of)) == {GPU}


@pytest.mark.parametrize(
    "texts",
    [("nvidia-cudnn-cu12", "nvidia-cudnn-cu13"), ("tensorflow-like", "torch-like"), ("jax-a", "jax-b")],
    ids=["requirement", "dependency", "plugins"],
)
def test_what_cannot_stand_in_for_another_is_refused_with_both_names(
    tools: ResolveTools, pool: ThreadPoolExecutor, texts: tuple[str, ...]
) -> None:
    extra = {
        "tensorflow-like": ("nvidia-cudnn-cu12",),
        "torch-like": ("nvidia-cudnn-cu13",),
        "jax-a": ("jax-cuda12-plugin",),
        "jax-b": ("jax-cuda13-plugin",),
    }
    with pytest.raises(LockError) as caught:
        locked(replace(tools, resolver=FakeResolver(extra=extra)), pool, *texts)
    assert caught.value.code == "LCK021"
    assert len(caught.value.details) == 2
    assert tools.files.read_files(Path("mine")) == {}


def test_the_bounds_of_those_it_serves_are_kept(tools: ResolveTools, pool: ThreadPoolExecutor) -> None:
    wheel = package("chromadb-1.0-py3-none-any.whl", sha256=OTHER_HEX)
    resolver = FakeResolver(extra={"chromadb": (CPU,)}, answers={"chromadb": wheel})
    requires = FakeRequires({"chromadb-1.0-py3-none-any.whl": (f"{CPU}>=0.9", f"{CPU}<0.1; extra == 'no'")})
    locked(replace(tools, resolver=resolver, requires=requires), pool, "chromadb")
    bound = [str(item.requirement) for item in resolver.plans[-1].all_constraints()]
    assert f"{GPU}>=0.9" in bound
    assert f"{GPU}<0.1" not in bound


def test_where_the_fitting_one_goes_with_nothing_the_other_stays(
    tools: ResolveTools, pool: ThreadPoolExecutor
) -> None:
    def fails(plan: ResolutionPlan) -> ResolveError | None:
        wanted = any(item.name == GPU for item in plan.all_requirements())
        return NoSolutionError("RES050", "no solution") if wanted else None

    resolver = FakeResolver(extra={"chromadb": (CPU,)}, fails=fails)
    done = locked(replace(tools, resolver=resolver), pool, "chromadb")
    assert {CPU, GPU} & names(done) == {CPU}
    (told,) = [item for item in done.decisions if item.code == "RES116"]
    assert told.message == f"no version of {GPU} fits the other requirements; {CPU} stays"


def test_the_profile_chooses(tools: ResolveTools, pool: ThreadPoolExecutor) -> None:
    own = replace(tools, resolver=FakeResolver(extra={"chromadb": (CPU,)}))
    done = locked(own, pool, "chromadb", GPU, of=replace(ONE, family={"onnxruntime": CPU}))
    assert {CPU, GPU} & names(done) == {CPU}
    with pytest.raises(ProfileError) as caught:
        locked(own, pool, "chromadb", of=replace(ONE, family={"onnx": CPU}))
    assert caught.value.code == "PRF050"
