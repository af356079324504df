import pytest

from envsmith.errors import HostError
from envsmith.host.detect import CAPABILITY, DRIVER, apply_overrides
from envsmith.host.model import Device, Driver, Host

OWN = Driver(maker="nvidia", version="535.54", cuda=(12, 2))
AMD = Driver(maker="amd")
HOST = Host(
    os="linux",
    machine="x86_64",
    drivers=(AMD, OWN),
    devices=(Device(maker="nvidia", name="NVIDIA T4", capability=(7, 5)),),
)


def test_without_variables_the_machine_is_what_it_is() -> None:
    assert apply_overrides(HOST, {}) == HOST
    assert apply_overrides(HOST, {DRIVER: "", CAPABILITY: " "}) == HOST


def test_a_driver_takes_the_place_of_the_one_found() -> None:
    assert apply_overrides(HOST, {DRIVER: "580.65.06"}).drivers == (
        AMD,
        Driver(maker="nvidia", version="580.65.06"),
    )
    assert apply_overrides(HOST, {DRIVER: "none"}).drivers == (AMD,)


@pytest.mark.parametrize(
    ("text", "devices"),
    [
        ("12.0", [("nvidia", (12, 0))]),
        ("sm_90, 8.9", [("nvidia", (9, 0)), ("nvidia", (8, 9))]),
        ("gfx1100", [("amd", "gfx1100")]),
        ("bmg", [("intel", "bmg")]),
        ("none", []),
    ],
)
def test_capabilities_take_the_place_of_the_devices_found(text: str, devices: list[object]) -> None:
    found = apply_overrides(HOST, {CAPABILITY: text})
    assert [(item.maker, item.capability) for item in found.devices] == devices
    assert {driver.maker for driver in found.drivers} == {item.maker for item in found.devices}


def test_the_driver_found_stays_for_an_overridden_device_of_its_maker() -> None:
    assert apply_overrides(HOST, {CAPABILITY: "12.0"}).driver("nvidia") == OWN
    both = apply_overrides(HOST, {CAPABILITY: "12.0", DRIVER: "572.16"})
    assert str(both) == "NVIDIA sm_120 · driver 572.16 · Linux x86_64"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (DRIVER, "12.8; rm"),
        (DRIVER, "v580"),
        (CAPABILITY, "RTX 5080"),
        (CAPABILITY, "8.9,"),
        (CAPABILITY, "12"),
    ],
)
def test_a_malformed_variable_is_named(name: str, text: str) -> None:
    with pytest.raises(HostError) as caught:
        apply_overrides(HOST, {name: text})
    assert (caught.value.code, caught.value.where) == ("HST002", name)
