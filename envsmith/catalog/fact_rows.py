"""Row readers: one function per table."""

from __future__ import annotations

import re
from collections.abc import Callable

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from envsmith.catalog.facts import (
    BackendFacts,
    DriverFloor,
    Fact,
    FamilyProject,
    Gpu,
    KernelRow,
    Pairing,
    PypiBuild,
    PypiWheels,
    TorchRelease,
    Wheels,
)
from envsmith.catalog.table_reader import Row, date
from envsmith.model.backend import INTEL, Backend, Capability
from envsmith.model.shim import check_shim
from envsmith.model.target import Python

OPERATING_SYSTEMS = ("linux", "macos", "windows")
BACKEND_FAMILIES = ("cpu", "cuda", "rocm", "xpu")


def snapshot(row: Row) -> Fact:
    """Read the row of snapshot.toml, which has the snapshot's date."""
    return Fact(**row.origin())


def backend(row: Row) -> BackendFacts:
    """Read a row of backends.toml."""
    return BackendFacts(
        backend=row.read("backend", Backend.parse),
        first_torch=row.maybe("first_torch", Version),
        last_torch=row.maybe("last_torch", Version),
        stable_end=row.maybe("stable_end", date),
        nightly_end=row.maybe("nightly_end", date),
        successor=row.maybe("successor", Backend.parse),
        is_advertised=row.flag("advertised") if row.has("advertised") else True,
        note=row.text("note", ""),
        **row.origin(),
    )


def release(row: Row) -> TorchRelease:
    """Read a row of releases.toml."""
    return TorchRelease(
        torch=row.read("torch", Version),
        date=row.read("date", date),
        torchvision=row.each("torchvision", Version),
        torchaudio=row.maybe("torchaudio", Version),
        torchcodec=row.maybe("torchcodec", SpecifierSet),
        triton=row.maybe("triton", SpecifierSet),
        requires_python=row.read("requires_python", SpecifierSet),
        **row.origin(),
    )


def kernels(row: Row) -> KernelRow:
    """Read a row of kernels.toml."""
    return KernelRow(
        backends=row.each("backends", Backend.parse),
        platforms=row.each("platforms", wheels),
        torch=row.read("torch", SpecifierSet),
        capabilities=row.each("capabilities", capability),
        is_complete=row.flag("complete") if row.has("complete") else True,
        note=row.text("note", ""),
        **row.origin(),
    )


def driver(row: Row) -> DriverFloor:
    """Read a row of drivers.toml."""
    return DriverFloor(
        cuda_major=row.number("cuda_major"),
        capability_from=row.maybe("capability_from", cuda_capability),
        cuda=row.maybe("cuda", cuda_capability),
        linux=row.text("linux"),
        windows=row.text("windows"),
        **row.origin(),
    )


def gpus(row: Row) -> tuple[Gpu, ...]:
    """Read a row of gpus.toml: all names of one compute capability."""
    found, origin = row.read("capability", capability), row.origin()
    pci = tuple(sorted(row.each("pci", _pci)))
    return tuple(Gpu(name=name, capability=found, pci=pci, **origin) for name in row.each("names", str))


def pairing(row: Row) -> Pairing:
    """Read a row of pairings.toml."""
    return Pairing(
        when=row.read("when", Requirement),
        family=row.maybe("family", _one_of(BACKEND_FAMILIES)),
        cuda_major=row.number("cuda_major"),
        os=row.maybe("os", _one_of(OPERATING_SYSTEMS)),
        needs=row.each("needs", Requirement),
        same_cuda=row.each("same_cuda", _name),
        same_cuda_parts=row.number("same_cuda_parts") or 2,
        shim=row.maybe("shim", check_shim) or "",
        shim_serves=row.maybe("shim_serves", Requirement),
        reason=row.text("reason"),
        **row.origin(),
    )


def pypi_build(row: Row) -> PypiBuild:
    """Read a row of pypi_builds.toml."""
    return PypiBuild(
        project=row.read("project", _name),
        versions=row.read("versions", SpecifierSet),
        platforms=row.each("platforms", wheels),
        backend=row.read("backend", Backend.parse),
        note=row.text("note", ""),
        **row.origin(),
    )


def pypi_wheels(row: Row) -> PypiWheels:
    """Read a row of pypi_wheels.toml."""
    return PypiWheels(
        torch=row.read("torch", SpecifierSet),
        platforms=row.each("platforms", str),
        pythons=row.each("pythons", lambda text: Python.parse(text).tag),
        **row.origin(),
    )


def project(row: Row) -> FamilyProject:
    """Read a row of projects.toml."""
    return FamilyProject(
        name=row.read("name", _name),
        origin=row.read("origin", _one_of(("slice", "pypi"))),
        backends=row.each("backends", _one_of(BACKEND_FAMILIES)),
        has_label=row.flag("label"),
        slice_torch=row.maybe("slice_torch", SpecifierSet),
        slice_machine=row.maybe("slice_machine", str),
        pypi=row.each("pypi", Version),
        cpu_serves_all=row.has("cpu_serves_all") and row.flag("cpu_serves_all"),
        note=row.text("note", ""),
        **row.origin(),
    )


def capability(text: str) -> Capability:
    """Read ``8.9``, ``gfx1100`` or ``bmg``.

    Raises:
        ValueError: when it is malformed.
    """
    return text if text.startswith("gfx") or text in INTEL else cuda_capability(text)


def cuda_capability(text: str) -> tuple[int, int]:
    """Read ``8.9``.

    Raises:
        ValueError: when it is malformed.
    """
    major, minor = text.split(".")
    return int(major), int(minor)


def wheels(text: str) -> Wheels:
    """Read a pattern for wheels: ``linux x86_64`` or ``macos``.

    Raises:
        ValueError: when the operating system is unknown.
    """
    os, _, machine = text.partition(" ")
    return Wheels(os=_one_of(OPERATING_SYSTEMS)(os), machine=machine or None)


def _pci(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{4}:[0-9a-f]{4}", text):
        raise ValueError("expected a PCI id such as 8086:56a0")
    return text


def _name(text: str) -> NormalizedName:
    return canonicalize_name(text, validate=True)


def _one_of(allowed: tuple[str, ...]) -> Callable[[str], str]:
    def accept(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"allowed are {', '.join(allowed)}")
        return text

    return accept
