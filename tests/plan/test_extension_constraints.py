"""Compiled packages: whichever is pinned binds the other, contradictions are refused, and no wrong pair passes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envsmith.catalog import Catalog
from envsmith.errors import LockError, ResolveError
from envsmith.plan.extension_constraints import bind, check, explain
from envsmith.plan.model import ResolutionPlan
from tests.pairs import PAIRS, TORCHES, fits
from tests.values import asked, package, plan, resolution, slice_of, torch, wheel

CATALOG = Catalog.embedded()
ANY = "py3-none-manylinux_2_28_x86_64"
ROWS = tuple(torch(f"{version}+cu128") for version in TORCHES)


def of(*requirements: str, rows: tuple[str, ...] = (), **more: object) -> ResolutionPlan:
    wheels = [wheel(f"{name}-{ANY}.whl") for name in rows]
    return plan(*requirements, slice_=slice_of(*ROWS, *wheels), **more)


def constraints(given: ResolutionPlan) -> list[str]:
    return [str(item.requirement) for item in given.constraints]


@pytest.mark.parametrize(("project", "version", "wanted"), PAIRS)
def test_a_pinned_pair_is_refused_exactly_where_it_does_not_fit(
    project: str, version: str, wanted: str
) -> None:
    rows = () if project == "vllm" else (f"{project}-{version}",)
    for other in TORCHES:
        given = of(f"{project}=={version}", f"torch=={other}", rows=rows)
        if fits(wanted, other):
            assert bind(given, CATALOG).slice == given.slice
            continue
        with pytest.raises(ResolveError) as caught:
            bind(given, CATALOG)
        assert caught.value.code == "RES023"
        assert f"{project}=={version}" in caught.value.message
        assert f"torch=={other}" in caught.value.message


@pytest.mark.parametrize(("project", "version", "wanted"), PAIRS)
def test_no_answer_passes_with_a_wrong_pair(project: str, version: str, wanted: str) -> None:
    for other in TORCHES:
        answer = resolution(
            package(f"{project}-{version}-{ANY}.whl"), package(f"torch-{other}+cu128-{ANY}.whl")
        )
        if fits(wanted, other):
            check(answer, CATALOG)
            continue
        with pytest.raises(LockError, match=f"torch {other}") as caught:
            check(answer, CATALOG)
        assert caught.value.code == "LCK020"


def test_what_stands_alone_or_is_unknown_passes() -> None:
    check(resolution(package(f"xformers-0.0.33-{ANY}.whl")), CATALOG)
    check(resolution(package(f"xformers-9.0-{ANY}.whl"), package(f"torch-2.8.0-{ANY}.whl")), CATALOG)


def test_a_pinned_extension_binds_torch_where_the_slice_does_not_say_it() -> None:
    assert constraints(bind(of("vllm==0.11.0", "torch"), CATALOG)) == ["torch==2.8.0"]
    assert constraints(bind(of("vllm==0.11.0"), CATALOG)) == ["torch==2.8.0"]
    assert constraints(bind(of("xformers==0.0.33", rows=("xformers-0.0.33",)), CATALOG)) == []


def test_what_was_chosen_on_pypi_already_goes_with_torch() -> None:
    builds = {"torch": "2.8.0", "torchaudio": "2.8.0"}
    given = of("torch==2.8.0", "torchaudio==2.8.0", pypi_builds=builds)
    assert bind(given, CATALOG) == given


def test_a_pinned_torch_binds_the_extension() -> None:
    (bound,) = bind(of("vllm", "torch==2.8.0"), CATALOG).constraints
    assert bound.requirement.specifier.contains("0.11.0")
    assert not bound.requirement.specifier.contains("0.11.1")
    assert bound.origin == "catalog: torch==2.8.0"


def test_what_is_newer_than_the_catalog_stays_free() -> None:
    assert constraints(bind(of("vllm", "torch==2.14.0"), CATALOG)) == []
    assert constraints(bind(of("vllm", "torch"), CATALOG)) == []
    assert constraints(bind(of("vllm==99", "torch==2.8.0"), CATALOG)) == []


def test_a_range_is_refused_when_none_of_what_exists_fits() -> None:
    rows = ("xformers-0.0.33", "xformers-0.0.34", "xformers-0.0.30")
    with pytest.raises(ResolveError) as caught:
        bind(of("xformers>=0.0.33", "torch==2.8.0", rows=rows), CATALOG)
    error = caught.value
    assert error.message == (
        "xformers>=0.0.33 was compiled against torch ==2.9.0 or torch ==2.10.0; required is torch==2.8.0"
    )
    assert error.where == "requirements.in:1"
    assert ("pair", "torch 2.8.0: xformers <0.0.33,>=0.0.32.post1") in error.details
    assert bind(of("xformers", "torch==2.7.0", rows=rows), CATALOG).constraints == ()


def test_a_constraint_counts_as_a_requirement_does_and_an_override_in_their_place() -> None:
    rows = ("xformers-0.0.33",)
    with pytest.raises(ResolveError) as caught:
        bind(of("xformers", "torch", rows=rows, constraints=asked("torch<2.9")), CATALOG)
    assert caught.value.code == "RES023"
    given = of("xformers", "torch==2.8.0", rows=rows, overrides=asked("torch==2.9.0"))
    assert bind(given, CATALOG) == given


def test_a_backend_that_has_no_such_torch_is_named() -> None:
    given = plan(
        "xformers==0.0.33", slice_=slice_of(torch("2.11.0+cu128"), wheel(f"xformers-0.0.33-{ANY}.whl"))
    )
    with pytest.raises(ResolveError, match="cu128 has no such build"):
        bind(given, CATALOG)


@pytest.mark.parametrize("name", ["flash-attn", "torch-scatter", "pyg-lib", "mamba-ssm"])
def test_a_project_without_wheels_is_refused_with_the_way_to_them(name: str) -> None:
    with pytest.raises(ResolveError) as caught:
        bind(of("torch==2.8.0", name), CATALOG)
    assert caught.value.code == "RES024"
    assert f"[routes] {name} = " in caught.value.hint
    assert "torch 2.8.0 and cu128" in caught.value.hint


def test_the_page_of_a_project_s_own_wheels_is_named() -> None:
    with pytest.raises(ResolveError) as caught:
        bind(of("torch==2.8.0", "torch-scatter"), CATALOG)
    assert "https://data.pyg.org/whl/torch-2.8.0+cu128.html" in caught.value.hint


def test_a_project_without_wheels_may_come_as_source_or_from_the_slice() -> None:
    given = of("flash-attn", allow_sdist=("flash-attn",))
    assert bind(given, CATALOG) == given
    routed = of("flash-attn", rows=("flash_attn-2.8.3",))
    assert bind(routed, CATALOG) == routed


def test_a_failed_resolution_is_told_with_what_is_known() -> None:
    said = "Because a==1.0 depends on flash-attn and all versions of flash-attn have no usable wheels, we conclude"
    error = explain(ResolveError("RES050", "no", details=(("because", said),)), of("a"), CATALOG)
    assert "[routes] flash-attn" in error.hint
    said = "Because vllm==0.33.0 depends on torch==2.14.0 and you require torch==2.8.0, we conclude"
    error = explain(
        ResolveError("RES050", "no", details=(("because", said),)), of("torch==2.8.0", "b"), CATALOG
    )
    assert ("pair", "torch 2.8.0: vllm <0.11.1,>=0.10.2") in error.details
    untouched = replace(of("a"), slice=slice_of())
    assert explain(ResolveError("RES050", "no", hint="h"), untouched, CATALOG).details == ()


def test_torch_that_comes_from_pypi_is_the_one_judged() -> None:
    given = of("torch", "vllm==0.11.0", pypi_builds={"torch": "2.8.0"})
    assert constraints(bind(given, CATALOG)) == ["torch==2.8.0"]
    with pytest.raises(ResolveError):
        bind(of("torch", "vllm==0.11.0", pypi_builds={"torch": "2.9.0"}), CATALOG)
