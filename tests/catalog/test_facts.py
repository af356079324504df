import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from envsmith.catalog.facts import FamilyProject, KernelRow, Kernels, Pairing, Wheels
from envsmith.model.backend import Backend, Capability, architecture
from envsmith.model.target import Platform

LINUX, AARCH64, WINDOWS = (Platform.parse(name) for name in ("linux", "linux-aarch64", "windows"))


def kernels(*capabilities: Capability) -> Kernels:
    return Kernels(capabilities=capabilities, source="x", retrieved="2026-11-20")


@pytest.mark.parametrize(
    ("built", "gpu", "runs"),
    [
        ((6, 0), (6, 1), True),
        ((8, 6), (8, 9), True),
        ((10, 0), (10, 3), True),
        ((12, 0), (12, 1), True),
        ((8, 6), (8, 0), False),
        ((9, 0), (12, 0), False),
        ((12, 0), (9, 0), False),
        ((7, 5), (8, 0), False),
        ("gfx1100", "gfx1100", True),
        ("gfx1100", "gfx1101", False),
        ("gfx1100", (11, 0), False),
        ((11, 0), "gfx1100", False),
    ],
)
def test_machine_code_runs_on_the_same_major_and_a_later_minor(
    built: Capability, gpu: Capability, *, runs: bool
) -> None:
    assert kernels(built).supports(gpu) is runs


def test_no_kernels_support_nothing() -> None:
    assert not kernels().supports((8, 0))
    assert str(kernels()) == ""


def test_kernels_read_as_people_write_them() -> None:
    assert str(kernels((7, 5), (12, 0))) == "sm_75 sm_120"
    assert architecture("gfx90a") == "gfx90a"


def row(torch: str) -> KernelRow:
    return KernelRow(
        backends=(Backend.parse("cu128"),),
        platforms=(Wheels(os="linux", machine="x86_64"), Wheels(os="windows")),
        torch=SpecifierSet(torch),
        capabilities=((8, 0),),
        source="x",
        retrieved="2026-11-20",
    )


@pytest.mark.parametrize(
    ("torch", "backend", "platform", "described"),
    [
        ("2.8.0+cu128", "cu128", LINUX, True),
        ("2.8.0", "cu128", WINDOWS, True),
        ("2.8.0", "cu128", AARCH64, False),
        ("2.8.0", "cu126", LINUX, False),
        ("2.11.0", "cu128", LINUX, False),
        ("2.8.0.dev20250602+cu128", "cu128", LINUX, True),
        ("2.11.0.dev20260212+cu128", "cu128", LINUX, False),
    ],
)
def test_a_row_describes_versions_backends_and_platforms(
    torch: str, backend: str, platform: Platform, *, described: bool
) -> None:
    assert row(">=2.8,<2.11").describes(Version(torch), Backend.parse(backend), platform) is described


def pairing(**limits: object) -> Pairing:
    values = {"family": None, "cuda_major": None, "os": None} | limits
    return Pairing(when=Requirement("torch"), reason="x", source="x", retrieved="2026-11-20", **values)  # type: ignore[arg-type]


def test_a_pairing_holds_where_it_says() -> None:
    cu128, rocm, cpu = Backend.parse("cu128"), Backend.parse("rocm6.4"), Backend.parse("cpu")
    assert pairing().holds_for(cpu, LINUX)
    assert pairing(family="cuda").holds_for(cu128, LINUX)
    assert not pairing(family="cuda").holds_for(rocm, LINUX)
    assert pairing(cuda_major=12).holds_for(cu128, LINUX)
    assert not pairing(cuda_major=13).holds_for(cu128, LINUX)
    assert not pairing(cuda_major=6).holds_for(rocm, LINUX)
    assert not pairing(cuda_major=12).holds_for(cpu, LINUX)
    assert pairing(os="windows").holds_for(cpu, WINDOWS)
    assert not pairing(os="windows").holds_for(cpu, LINUX)


def test_a_project_of_pypi_can_be_in_the_slice_for_some() -> None:
    triton = FamilyProject(
        name=canonicalize_name("triton"),
        origin="pypi",
        backends=("cuda",),
        has_label=False,
        slice_torch=SpecifierSet(">=2.7,<2.9"),
        slice_machine="aarch64",
        source="x",
        retrieved="2026-11-20",
    )
    assert triton.is_in_slice(Version("2.8.0+cu129"), AARCH64)
    assert not triton.is_in_slice(Version("2.8.0+cu129"), LINUX)
    assert not triton.is_in_slice(Version("2.9.0"), AARCH64)
