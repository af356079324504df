"""What the build of a source distribution uses is locked, torch in the version of the lock."""

from __future__ import annotations

from dataclasses import replace

import pytest
from packaging.pylock import Package

from envsmith.config.build_settings import ANY, BuildSettings
from envsmith.errors import NoSolutionError, ResolveError
from envsmith.lock.resolve import ResolveTools
from envsmith.lock.source_builds import locked_builds
from envsmith.lockfile.manifest import LockedBuild
from envsmith.plan.model import Resolution, ResolutionPlan
from tests.fakes import FakeResolver, FakeSdists
from tests.values import HEX, package, plan, resolution, slice_of, source, torch

TORCH = torch("2.11.0+cu128")
NUMPY = package("numpy-1.0-py3-none-any.whl")


def locked(
    tools: ResolveTools, *settings: BuildSettings, before: LockedBuild | None = None, **more: object
) -> tuple[LockedBuild, ResolutionPlan]:
    """Lock the build of the sdist `kernels`, beside torch and numpy, and return it with the plan for it."""
    resolver = FakeResolver()
    own = replace(tools, resolver=resolver, sdists=FakeSdists())
    given = replace(plan("torch", "kernels", slice_=slice_of(TORCH)), builds=settings, **more)  # type: ignore[arg-type]
    answer = resolution(_torch(given), NUMPY, source("kernels", "1.0"))
    (build,) = locked_builds(given, answer, {"kernels": before} if before else {}, own).values()
    return build, resolver.plans[-1]


def _torch(given: ResolutionPlan) -> Package:
    (found,) = FakeResolver().resolve(replace(given, requirements=given.requirements[:1])).packages
    return found


def texts(items: object) -> list[str]:
    return sorted(str(item.requirement) for item in items)  # type: ignore[attr-defined]


def test_a_build_sees_what_it_asks_for_and_the_locked_torch(tools: ResolveTools) -> None:
    settings = BuildSettings(project="kernels", requires=("torch",), constraints=("setuptools<81",))
    build, asked = locked(tools, settings)
    assert texts(asked.requirements) == ["setuptools", "torch"]
    assert texts(asked.constraints) == ["setuptools<81", "torch==2.11.0+cu128"]
    assert asked.allow_sdist == ()
    assert build.sha256 == HEX
    assert [line.split(" ")[0] for line in build.requirements] == ["setuptools==1.0", "torch==2.11.0+cu128"]
    assert all("--hash=sha256:" in line for line in build.requirements)


def test_without_isolation_it_sees_all_wheels_of_the_lock(tools: ResolveTools) -> None:
    _, asked = locked(tools, BuildSettings(project="kernels", isolated=False))
    assert texts(asked.requirements) == ["numpy==1.0", "setuptools", "torch==2.11.0+cu128"]


def test_settings_for_all_and_for_one_are_joined(tools: ResolveTools) -> None:
    every = BuildSettings(project=ANY, env={"MAX_JOBS": "2", "A": "b"}, needs=("c++",))
    own = BuildSettings(project="kernels", env={"MAX_JOBS": "8"}, needs=("nvcc",))
    build, _ = locked(tools, own, every, architectures=("8.9", "12.0"))
    assert build.env == {"MAX_JOBS": "8", "A": "b", "TORCH_CUDA_ARCH_LIST": "8.9;12.0"}
    assert build.needs == ("c++", "nvcc")
    build, _ = locked(tools, every, architectures=("8.9",))
    assert "TORCH_CUDA_ARCH_LIST" not in build.env


def test_versions_of_the_lock_before_are_preferred(tools: ResolveTools) -> None:
    before = LockedBuild(
        sha256=HEX, requirements=(f"ninja==1.11 --hash=sha256:{HEX}", f"numpy==0.9 --hash=sha256:{HEX}")
    )
    _, asked = locked(tools, BuildSettings(project="kernels"), before=before)
    assert asked.preferences["ninja"] == "1.11"
    assert asked.preferences["numpy"] == "1.0"


def test_only_sources_with_settings_are_locked_so(tools: ResolveTools) -> None:
    own = replace(tools, resolver=FakeResolver(), sdists=FakeSdists())
    given = plan("torch", slice_=slice_of(TORCH))
    answer: Resolution = resolution(NUMPY, source("kernels", "1.0"), source("flash-attn", "2.8.3"))
    assert list(locked_builds(given, answer, {}, own)) == ["flash-attn"]


def test_a_build_without_a_solution_is_an_error_that_names_its_settings(tools: ResolveTools) -> None:
    refused = NoSolutionError("RES050", "the requirements have no solution", details=(("because", "of a"),))
    own = replace(tools, resolver=FakeResolver(fails=lambda _: refused), sdists=FakeSdists())
    given = replace(plan("torch", slice_=slice_of(TORCH)), builds=(BuildSettings(project="kernels"),))
    with pytest.raises(ResolveError) as caught:
        locked_builds(given, resolution(source("kernels", "1.0")), {}, own)
    assert caught.value.code == "RES070"
    assert caught.value.details == (("because", "of a"),)
    assert "build.kernels.constraints" in caught.value.hint


def test_settings_are_among_the_inputs_where_they_matter() -> None:
    settings = BuildSettings(project="kernels", requires=("torch",), env={"A": "b"}, isolated=False)
    given = replace(plan("torch", slice_=slice_of(TORCH)), builds=(settings,))
    assert "build" not in given.inputs()
    allowed = replace(given, allow_sdist=("kernels",))
    assert allowed.inputs()["build"] == ["kernels; torch; A=b; not isolated"]
    assert "build" not in replace(given, allow_sdist=("other",)).inputs()


def test_a_locked_build_is_read_back_as_it_is_written() -> None:
    build = LockedBuild(sha256=HEX, requirements=("a==1",), env={"A": "b=c"}, needs=("nvcc",))
    assert LockedBuild.from_plain(build.to_plain()) == build


def test_everything_that_decides_a_build_is_in_its_digest() -> None:
    build = LockedBuild(sha256=HEX, requirements=("a==1",), env={"A": "b"}, needs=("nvcc",))
    changed = [
        replace(build, sha256="0" * 64),
        replace(build, requirements=("a==2",)),
        replace(build, env={}),
        replace(build, needs=()),
    ]
    digests = {item.digest("cp312-x") for item in (build, *changed)} | {build.digest("cp311-x")}
    assert len(digests) == 6
