import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envsmith.errors import HostError
from envsmith.host.model import FAMILIES, MACHINES, Device, Driver, Host, is_version
from envsmith.model.backend import INTEL, read_capability
from envsmith.model.target import Platform

RTX = Device(maker="nvidia", name="NVIDIA GeForce RTX 5080", capability=(12, 0), memory_bytes=17_094_934_528)
HOST = Host(
    os="linux",
    machine="x86_64",
    release=(2, 36),
    libc="glibc",
    drivers=(Driver(maker="nvidia", version="572.16", cuda=(12, 8)),),
    devices=(RTX,),
)

numbers = st.integers(0, 999)
pairs = st.tuples(numbers, numbers)
makers = st.sampled_from(sorted(FAMILIES))
capabilities = st.one_of(
    st.none(), st.tuples(st.integers(3, 19), st.integers(0, 9)), st.sampled_from(("gfx1100", *INTEL))
)
versions = st.none() | st.lists(numbers, min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
drivers = st.builds(Driver, maker=makers, version=versions, cuda=st.none() | pairs)
devices = st.builds(
    Device,
    maker=makers,
    name=st.text(),
    capability=capabilities,
    memory_bytes=st.none() | st.integers(0),
    pci=st.sampled_from(("", "8086:56a0")),
)


@st.composite
def hosts(draw: st.DrawFn) -> Host:
    os = draw(st.sampled_from(sorted(MACHINES)))
    return Host(
        os=os,
        machine=draw(st.sampled_from(MACHINES[os])),
        release=draw(pairs),
        libc=draw(st.sampled_from(("", "glibc", "musl"))),
        is_wsl=draw(st.booleans()),
        drivers=tuple(draw(st.lists(drivers, max_size=2))),
        devices=tuple(draw(st.lists(devices, max_size=3))),
    )


@given(hosts())
def test_a_host_is_read_back_as_written(host: Host) -> None:
    assert Host.from_json(json.dumps(host.to_json())) == host
    assert str(host)


def test_a_host_reads_as_on_the_screen() -> None:
    assert str(HOST) == "NVIDIA GeForce RTX 5080 (sm_120) · driver 572.16 · Linux x86_64 (glibc 2.36)"
    assert HOST.driver_os == "linux"
    assert str(HOST.platform) == "manylinux_2_36_x86_64"


@pytest.mark.parametrize(
    ("device", "text"),
    [
        (
            Device(maker="amd", name="Radeon RX 7900 XTX", capability="gfx1100"),
            "AMD Radeon RX 7900 XTX (gfx1100)",
        ),
        (Device(maker="nvidia", name="sm_90", capability=(9, 0)), "NVIDIA sm_90"),
        (Device(maker="intel", name="", pci="8086:46a6"), "Intel PCI 8086:46a6"),
        (Device(maker="intel", name=""), "Intel GPU"),
    ],
)
def test_a_device_is_named_by_what_is_known(device: Device, text: str) -> None:
    assert str(device) == text


@pytest.mark.parametrize(
    ("platform", "text"),
    [
        ("windows", "no GPU · Windows amd64"),
        ("macosx_14_5_arm64", "no GPU · macOS 14.5 arm64"),
        ("linux-aarch64", "no GPU · Linux aarch64 (glibc 2.28)"),
    ],
)
def test_a_platform_alone_makes_a_host(platform: str, text: str) -> None:
    host = Host.of_platform(Platform.parse(platform))
    assert str(host) == text
    assert host.platform == Platform.parse(platform)
    assert host.driver("nvidia") is None


def test_equal_devices_are_counted_and_wsl_uses_the_drivers_of_windows() -> None:
    host = Host(os="linux", machine="x86_64", release=(2, 39), libc="glibc", is_wsl=True, devices=(RTX, RTX))
    assert str(host) == "2 × NVIDIA GeForce RTX 5080 (sm_120) · Linux x86_64 (WSL, glibc 2.39)"
    assert host.driver_os == "windows"
    assert host.of_family("cuda") == (RTX, RTX)
    assert host.of_family("rocm") == ()


@pytest.mark.parametrize(
    "change",
    [
        {"os": "plan9"},
        {"machine": "arm 64"},
        {"machine": ""},
        {"libc": "bionic"},
        {"release": [2]},
        {"release": [2, True]},
        {"release": "2.36"},
        {"drivers": [{"maker": "matrox", "version": None, "cuda": None}]},
        {"drivers": [{"maker": "nvidia", "version": "new", "cuda": None}]},
        {"drivers": [{"maker": "nvidia"}]},
        {"devices": [{"maker": "nvidia", "name": "", "capability": "1", "memory_bytes": None, "pci": ""}]},
        {"devices": [{"maker": "nvidia", "name": "", "capability": None, "memory_bytes": "1", "pci": ""}]},
        {"devices": None},
    ],
)
def test_what_is_no_host_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(HostError) as caught:
        Host.from_json(json.dumps(HOST.to_json() | change))
    assert caught.value.code == "HST003"


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_no_text_does_harm(text: str) -> None:
    with pytest.raises(HostError):
        Host.from_json(text)


@given(st.text())
def test_no_text_does_harm_as_a_version_or_capability(text: str) -> None:
    assert is_version(text) in (True, False)
    found = read_capability(text)
    assert found is None or isinstance(found, (tuple, str))


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("572.16", True),
        ("580", True),
        ("580.65.06", True),
        ("580.", False),
        ("v580", False),
        ("", False),
        ("\uff11", False),
    ],
)
def test_versions_of_drivers(text: str, answer: bool) -> None:
    assert is_version(text) is answer
