"""Real uv on PyTorch's real index entries: torch and compiled packages match, whichever is pinned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from envsmith.catalog import Catalog
from envsmith.errors import ResolveError
from envsmith.model.backend import Backend
from envsmith.model.target import Platform, Python, Target
from envsmith.plan import candidates, extension_constraints
from envsmith.plan.model import Cutoffs, TorchIndexSlice
from envsmith.process.runner import Processes
from envsmith.uv.command import find_uv
from envsmith.uv.resolver import UvResolver
from tests.pairs import PAIRS, fits
from tests.values import plan

CATALOG = Catalog.embedded()
BACKENDS = ("cu118", "cu121", "cu124", "cu126", "cu128", "cu130", "cpu")
WANTED = {(project, version): torch for project, version, torch in PAIRS}


def target(backend: str) -> Target:
    return Target(
        python=Python.parse("3.11"), platform=Platform.parse("linux"), backend=Backend.parse(backend)
    )


@cache
def cut(backend: str) -> TorchIndexSlice:
    """Return the plan's index entries without requirements on PyPI, so that no network is needed."""
    listing = CATALOG.listing("stable", Backend.parse(backend))
    assert listing is not None
    cutoffs = Cutoffs(cutoff_utc="2026-11-20T00:00:00Z")
    offered = candidates.offered_wheels(listing, [target(backend)], CATALOG, cutoffs)
    found = candidates.select_candidates(offered, target(backend), CATALOG).slice
    names = ("torch", "torchaudio", "torchcodec", "xformers")
    bonds = tuple(
        replace(
            item,
            requires_dist=tuple(text for text in item.requires_dist if Requirement(text).name == "torch"),
        )
        for item in found.metadata
        if item.name in names
    )
    return replace(found, projects={name: found.projects[name] for name in names}, metadata=bonds)


def compiled(backend: str) -> Iterator[tuple[str, str]]:
    for project in ("xformers", "torchcodec", "torchaudio"):
        versions = {wheel.version.public for wheel in cut(backend).projects[project]}
        yield from ((project, version) for version in sorted(versions) if (project, version) in WANTED)


CASES = [(backend, project, version) for backend in BACKENDS for project, version in compiled(backend)]


@pytest.fixture(scope="module")
def uv(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UvResolver]:
    folder = tmp_path_factory.mktemp("uv")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UV_CACHE_DIR", str(folder / "cache"))
        yield UvResolver(Processes(), executable=find_uv(), slices=folder / "slices", offline=True)


def pins(uv: UvResolver, backend: str, *requirements: str) -> dict[str, str]:
    given = plan(*requirements, slice_=cut(backend), target=target(backend))
    answer = uv.resolve(extension_constraints.bind(given, CATALOG))
    extension_constraints.check(answer, CATALOG)
    return {item.name: Version(str(item.version)).public for item in answer.packages}


def test_there_is_something_to_test() -> None:
    assert len(CASES) > 60
    assert {project for _, project, _ in CASES} == {"xformers", "torchcodec", "torchaudio"}


@pytest.mark.parametrize(("backend", "project", "version"), CASES)
def test_a_pinned_package_binds_torch_and_that_torch_binds_it(
    uv: UvResolver, backend: str, project: str, version: str
) -> None:
    torches = {wheel.version.public for wheel in cut(backend).projects["torch"]}
    fitting = sorted(torch for torch in torches if fits(WANTED[project, version], torch))
    if not fitting:
        with pytest.raises(ResolveError) as caught:
            pins(uv, backend, f"{project}=={version}", "torch")
        assert caught.value.code == "RES023"
        return
    found = pins(uv, backend, f"{project}=={version}", "torch")
    assert found[project] == version
    assert found["torch"] in fitting
    back = pins(uv, backend, project, f"torch=={found['torch']}")
    wanted = WANTED.get((project, back[project]))
    assert wanted
    assert fits(wanted, found["torch"])
