from dataclasses import replace

import pytest
from packaging.specifiers import SpecifierSet

from envsmith.config.requirement import RequiresPython
from envsmith.errors import ResolveError
from envsmith.lock.resolve import ResolveTools
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing, group_releases
from envsmith.plan.model import Cutoffs, LockRequest, ProfilePlan
from envsmith.plan.planner import plan_profile
from tests.fakes import FakeHasher, FakeListings
from tests.lock_tools import KNOWN
from tests.values import CUTOFF, HEX, asked, profile, torch

NOW = Cutoffs(cutoff_utc=CUTOFF)
ONE = profile(on_retired="stable")


def planned(tools: ResolveTools, *texts: str, of: object = ONE, times: Cutoffs = NOW) -> ProfilePlan:
    wanted = LockRequest(profile=of, requirements=asked(*texts))  # type: ignore[arg-type]
    return plan_profile(wanted, times, catalog=tools.catalog, listings=tools.listings, hasher=tools.hasher)


def test_one_plan_per_target(tools: ResolveTools) -> None:
    of = ONE.with_overrides(python=("3.11", "3.12"), platforms=("linux", "windows"))
    found = planned(tools, "torch", of=of)
    assert [plan.target.slug for plan in found.plans] == [target.slug for target in of.targets()]
    assert found.catalog_name == "made up 2026-11-20"
    assert [decision.code for decision in found.decisions] == ["RES104"]


def test_unknown_index_is_refused(tools: ResolveTools) -> None:
    with pytest.raises(ResolveError) as caught:
        planned(tools, "torch", of=replace(ONE, backend=Backend.parse("cu130")))
    assert caught.value.code == "RES012"
    assert "envsmith catalog refresh cu130" in caught.value.hint


def test_one_refusal_names_profile_and_target(tools: ResolveTools) -> None:
    with pytest.raises(ResolveError) as caught:
        planned(tools, "torch>=2.12")
    assert caught.value.code == "RES021"
    assert caught.value.where.startswith("mine: cp312-manylinux_2_28_x86_64: ")


def test_several_refusals_are_told_together(tools: ResolveTools) -> None:
    with pytest.raises(ResolveError) as caught:
        planned(tools, "torch>=2.12", of=ONE.with_overrides(python=("3.11", "3.12")))
    assert caught.value.code == "RES001"
    assert [part.code for part in caught.value.parts] == ["RES021"] * 2


def test_refusal_says_what_exists(tools: ResolveTools) -> None:
    with pytest.raises(ResolveError) as caught:
        planned(tools, "torch", of=ONE.with_overrides(python=("3.14",), platforms=("windows",)))
    assert ("exists", "cu128 · torch 2.11.0: cp311 cp312; none for cp314") in caught.value.details


def bare(tools: ResolveTools, hashes: dict[str, str]) -> ResolveTools:
    row = torch("2.11.0+cu128", sha256=None)
    listing = IndexListing(
        channel="stable",
        backend=Backend.parse("cu128"),
        retrieved="2026-11-20",
        source="made up",
        projects=group_releases([row], {("torch", "2.11.0+cu128"): KNOWN}),
    )
    return replace(tools, listings=FakeListings((listing,)), hasher=FakeHasher(hashes))


def test_wheel_without_hash_is_hashed(tools: ResolveTools) -> None:
    own = bare(tools, {torch("2.11.0+cu128").filename: HEX})
    (plan,) = planned(own, "torch").plans
    assert [row.sha256 for row in plan.slice.projects["torch"]] == [HEX]
    assert "RES109" in {decision.code for decision in plan.decisions}


def test_wheel_that_cannot_be_hashed_is_refused(tools: ResolveTools) -> None:
    with pytest.raises(ResolveError) as caught:
        planned(bare(tools, {}), "torch")
    assert caught.value.code == "RES041"


def test_refusal_names_the_cutoff_where_that_is_its_cause(tools: ResolveTools) -> None:
    early = Cutoffs(cutoff_utc="2016-07-20T23:59:59Z")
    with pytest.raises(ResolveError) as caught:
        planned(tools, "torch", times=early)
    assert caught.value.code == "RES021"
    assert caught.value.message.endswith("by the cutoff 2016-07-20T23:59:59Z")
    assert "--as-of" in caught.value.hint
    assert "drop" not in caught.value.hint
    for times in (early, NOW):
        with pytest.raises(ResolveError) as caught:
            planned(tools, "torch>=99", times=times)
        assert "cutoff" not in caught.value.message, "no time would help"


def test_a_python_the_project_does_not_run_on_is_refused(tools: ResolveTools) -> None:
    bound = RequiresPython(specifier=SpecifierSet(">=3.12"), where="pyproject.toml:4")
    wanted = LockRequest(
        profile=ONE.with_overrides(python=("3.11", "3.12")),
        requirements=asked("torch"),
        requires_python=bound,
    )

    def plan(wanted: LockRequest) -> ProfilePlan:
        return plan_profile(wanted, NOW, catalog=tools.catalog, listings=tools.listings, hasher=tools.hasher)

    with pytest.raises(ResolveError) as caught:
        plan(wanted)
    assert (caught.value.code, caught.value.where) == ("RES027", "mine: pyproject.toml:4")
    assert caught.value.message.startswith("Python 3.11 is outside")
    assert "--python" in caught.value.hint
    only = frozenset({"cp312-manylinux_2_28_x86_64"})
    assert len(plan(replace(wanted, only=only)).plans) == 1, "a target that does not count is not judged"


def test_a_name_like_one_of_the_torch_family_gives_a_warning(tools: ResolveTools) -> None:
    (found,) = planned(tools, "torch", "torch_vision", "torchaudoi>=2", "torchmetrics").plans
    warnings = [item for item in found.decisions if item.code == "RES118"]
    assert [(item.subject, item.message.partition("did you mean ")[2]) for item in warnings] == [
        ("torch-vision", "`torchvision`?"),
        ("torchaudoi", "`torchaudio`?"),
    ]
    assert warnings[0].evidence == ("requirements.in:1",)
    (elsewhere,) = planned(tools, "torch", "torch-vision; sys_platform == 'darwin'").plans
    assert "RES118" not in {item.code for item in elsewhere.decisions}


def test_a_placeholder_is_refused(tools: ResolveTools) -> None:
    for of in (ONE, replace(ONE, allow_sdist=("pytorch",))):
        with pytest.raises(ResolveError) as caught:
            planned(tools, "PyTorch>=1", of=of)
        assert (caught.value.code, caught.value.exit_code) == ("RES028", 1)
        assert caught.value.where.endswith("requirements.in:1")
        assert "did you mean `torch`?" in caught.value.hint
        assert "allow-sdist" not in str(caught.value) + caught.value.hint


def test_a_routed_project_is_meant_as_written(tools: ResolveTools) -> None:
    url = "https://wheels.example/simple"
    for name in ("pytorch", "torch-vision"):
        (found,) = planned(tools, "torch", name, of=replace(ONE, routes={name: url})).plans
        assert "RES118" not in {item.code for item in found.decisions}
