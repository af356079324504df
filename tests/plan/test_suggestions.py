from packaging.requirements import Requirement

from envsmith.catalog import Catalog
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing, Metadata, group_releases
from envsmith.plan.suggestions import builds, with_kernels
from tests.values import target, torch

KNOWN = Metadata(requires_dist=(), requires_python=None, confidence="exact", basis="made up")


def listing(backend: str, *rows: tuple[str, str], sha256: str | None = "a" * 64) -> IndexListing:
    wheels = [torch(f"{version}+{backend}", python, sha256=sha256) for version, python in rows]
    return IndexListing(
        channel="stable",
        backend=Backend.parse(backend),
        retrieved="2026-11-20",
        source="made up",
        projects=group_releases(wheels, {("torch", str(item.version)): KNOWN for item in wheels}),
    )


CU130 = listing("cu130", ("2.14.0", "cp312"), ("2.14.0", "cp39"), ("2.14.0", "cp311"), ("2.13.0", "cp310"))
CU132 = listing("cu132", ("2.15.0", "cp311"), ("2.15.0", "cp312"))


def said(
    text: str, *found: IndexListing, python: str = "3.10", backend: str = "cu130"
) -> tuple[list[str], str]:
    details, hint = builds(found, Requirement(text), target(python, backend=backend), "mine")
    return [line for _, line in details], hint


def test_newest_version_and_newest_for_this_python() -> None:
    lines, _ = said("torch==2.14.0", CU130)
    assert lines == ["cu130 · torch 2.14.0: cp39 cp311 cp312; newest for cp310: 2.13.0"]


def test_own_backend_comes_first_and_the_way_is_named() -> None:
    lines, hint = said("torch>=2.15", CU132, CU130, python="3.12")
    assert [line.split(" ")[0] for line in lines] == ["cu130", "cu132"]
    assert "use torch==2.14.0" in hint
    assert "envsmith lock mine --backend cu132" in hint


def test_another_python_is_the_way() -> None:
    _, hint = said("torch==2.14.0", CU130)
    assert hint.startswith("drop 3.10 from `python`")


def test_rows_without_hash_do_not_count() -> None:
    assert said("torch", listing("cu130", ("2.15.0", "cp310"), sha256=None)) == ([], "")


def test_gpu_names_the_backends_that_have_its_kernels() -> None:
    catalog = Catalog.embedded()
    rows = [listing("cu126", ("2.8.0", "cp312")), listing("cu128", ("2.8.0", "cp312"), ("2.11.0", "cp312"))]
    gpu = catalog.gpu("RTX 5080")
    details, hint = with_kernels(rows, gpu, target(backend="cu126"), catalog, "cu126")
    assert details == (("has them", "cu128 up to torch 2.11.0"),)
    assert hint == "envsmith lock cu128"


def test_gpu_nobody_builds_for() -> None:
    catalog = Catalog.embedded()
    details, hint = with_kernels([CU132], catalog.gpu("5.0"), target(backend="cu132"), catalog, "mine")
    assert details[0][1].startswith("no known build")
    assert hint == ""
