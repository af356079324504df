"""Properties of the selection on every possible machine."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version

from envsmith.catalog import Catalog
from envsmith.host.model import MACHINES, Device, Driver, Host
from envsmith.model.backend import Backend
from envsmith.model.target import Python
from envsmith.select.verdicts import NO, BackendVerdict, judge
from tests.selection.test_table import MAKERS, on_record

CATALOG = Catalog.embedded()
MOST = settings(max_examples=60, deadline=None)

gpus = st.sampled_from(CATALOG.gpus())
versions = st.sampled_from(
    [
        "440.33",
        "450.80.02",
        "470.1",
        "525.60.13",
        "528.33",
        "550.54",
        "570.26",
        "570.65",
        "572.16",
        "580",
        "595.58",
    ]
)
pythons = st.integers(7, 16).map(lambda minor: Python(major=3, minor=minor))


def device(capability: tuple[int, int] | str) -> Device:
    from envsmith.model.backend import architecture, backend_family

    return Device(
        maker=MAKERS[backend_family(capability)], name=architecture(capability), capability=capability
    )


@st.composite
def hosts(draw: st.DrawFn) -> Host:
    os = draw(st.sampled_from(sorted(MACHINES)))
    libc = draw(st.sampled_from(["glibc", "glibc", "glibc", "musl"])) if os == "linux" else ""
    releases = {"linux": [(2, 17), (2, 27), (2, 28), (2, 39)], "macos": [(11, 0), (13, 6), (14, 0), (26, 1)]}
    driver = draw(st.none() | versions | st.just(""))
    drivers = () if driver is None else (Driver(maker="nvidia", version=driver or None),)
    return Host(
        os=os,
        machine=draw(st.sampled_from(MACHINES[os])),
        release=draw(st.sampled_from(releases.get(os, [(0, 0)]))),
        libc=libc,
        is_wsl=os == "linux" and draw(st.booleans()),
        drivers=drivers,
        devices=tuple(device(gpu.capability) for gpu in draw(st.lists(gpus, max_size=3))),
    )


def judged(host: Host, python: Python) -> dict[Backend, BackendVerdict]:
    return {found.backend: found for found in judge(host, python, on_record(), CATALOG)}


@MOST
@given(hosts(), pythons)
def test_what_works_has_wheel_kernels_and_driver(host: Host, python: Python) -> None:
    for backend, verdict in judged(host, python).items():
        assert verdict.reason
        assert (verdict.torch is None) == (verdict.status == NO or verdict.cause == "wheels")
        if not verdict.works or verdict.torch is None:
            continue
        accepted = set(host.platform.wheel_platforms())
        assert any(
            build.torch == verdict.torch and python.tag in build.pythons and accepted & set(build.platforms)
            for build in on_record()[backend]
        )
        assert host.libc != "musl"
        kernels = CATALOG.kernels(verdict.torch, backend, host.platform)
        own = [item.capability for item in host.of_family(backend.family) if item.capability]
        if own:
            assert kernels
            assert any(kernels.supports(capability) for capability in own)
        driver = host.driver("nvidia")
        floor = CATALOG.driver_floor(backend, host.driver_os)
        if driver and driver.version and floor and backend.family == "cuda":
            assert Version(driver.version) >= Version(floor)


@MOST
@given(hosts(), pythons, versions, versions)
def test_a_newer_driver_takes_nothing_away(host: Host, python: Python, one: str, other: str) -> None:
    older, newer = sorted((one, other), key=Version)
    before = judged(replace(host, drivers=(Driver(maker="nvidia", version=older),)), python)
    after = judged(replace(host, drivers=(Driver(maker="nvidia", version=newer),)), python)
    for backend, verdict in before.items():
        if verdict.works:
            assert after[backend].works
            assert after[backend].torch == verdict.torch


@MOST
@given(hosts(), pythons, gpus)
def test_another_gpu_takes_nothing_away(host: Host, python: Python, gpu: object) -> None:
    before = judged(host, python)
    more = replace(host, devices=(*host.devices, device(gpu.capability)))  # type: ignore[attr-defined]
    after = judged(more, python)
    for backend, verdict in before.items():
        # A driver alone is taken at its word, until a GPU is named.
        if verdict.works and (backend.family == "cpu" or host.of_family(backend.family)):
            assert after[backend].works or "driver" in after[backend].reason


@MOST
@given(hosts(), pythons)
def test_the_order_of_devices_does_not_matter(host: Host, python: Python) -> None:
    turned = replace(host, devices=host.devices[::-1])
    assert judged(host, python) == judged(turned, python)
