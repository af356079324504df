"""What works on a machine, and which lock fits it: over the real catalog and the committed locks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest
from packaging.version import Version

from envsmith.catalog import Catalog
from envsmith.errors import HostError
from envsmith.host.model import Device, Driver, Host
from envsmith.index.sources import ListingWithSource
from envsmith.lockfile.manifest import FamilyPin, Manifest, TargetRecord
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing
from envsmith.model.target import Platform, Python
from envsmith.select.select import choose_lock, completed, select

CATALOG = Catalog.embedded()
LOCKS = Path(__file__).parents[2] / "lockfiles"
RTX = Device(maker="nvidia", name="NVIDIA GeForce RTX 5080", capability=(12, 0))
PYTHON = Python.parse("3.12")


class Snapshot:
    """The rows that came with the package."""

    def get(self, channel: str, backend: Backend) -> ListingWithSource | None:
        raise AssertionError((channel, backend, "a selection asks no server"))

    def known(self, channel: str, backend: Backend) -> IndexListing | None:
        return CATALOG.listing(channel, backend)


def host(*devices: Device, platform: str = "linux", driver: str | None = None) -> Host:
    drivers = (Driver(maker="nvidia", version=driver),) if driver else ()
    return Host.of_platform(Platform.parse(platform), drivers, devices)


def committed(*names: str) -> list[Manifest]:
    places = [LOCKS / name / "manifest.toml" for name in names] or sorted(LOCKS.glob("*/manifest.toml"))
    return [Manifest.from_toml(place.read_text("utf-8"), place.parent.name) for place in places]


def test_a_machine_is_judged_for_every_backend() -> None:
    found = select(host(RTX, driver="572.16"), PYTHON, catalog=CATALOG, listings=Snapshot())
    assert {verdict.backend for verdict in found.verdicts} == {facts.backend for facts in CATALOG.backends()}
    assert found.choice
    assert str(found.choice.backend) == "cu128"
    assert found.choice.torch == Version("2.11.0")


def test_where_nothing_works_there_is_no_choice() -> None:
    found = select(
        host(platform="macosx_14_0_x86_64"), Python.parse("3.14"), catalog=CATALOG, listings=Snapshot()
    )
    assert found.choice is None


def test_a_device_is_completed_before_it_is_judged() -> None:
    unnamed = Device(maker="nvidia", name="NVIDIA GeForce RTX 5080")
    found = select(host(unnamed, driver="572.16"), PYTHON, catalog=CATALOG, listings=Snapshot())
    assert found.host.devices[0].capability == (12, 0)


def test_devices_are_known_by_name_or_pci_id() -> None:
    found = completed(
        Host.of_platform(
            Platform.parse("linux"),
            devices=(
                Device(maker="nvidia", name="NVIDIA GeForce RTX 3060 Laptop GPU"),
                Device(maker="intel", name="", pci="8086:e20b"),
                Device(maker="intel", name="", pci="8086:46a6"),
                Device(maker="amd", name="Strange 1", capability="gfx1100"),
            ),
        ),
        CATALOG,
    )
    assert [item.capability for item in found.devices] == [(8, 6), "bmg", None, "gfx1100"]


@pytest.mark.parametrize(
    ("on", "python", "profile", "slug"),
    [
        (host(RTX, driver="572.16"), "3.12", "cu128", "cp312-manylinux_2_28_x86_64"),
        (host(RTX, driver="572.16", platform="windows"), "3.12", "cu128", "cp312-win_amd64"),
        (host(RTX, driver="580.65.06"), "3.12", "cu132", "cp312-manylinux_2_28_x86_64"),
        (host(RTX, driver="580.97", platform="windows"), "3.13", "cu130", "cp313-win_amd64"),
        (
            host(Device(maker="nvidia", name="GTX 1080", capability=(6, 1)), driver="550.54"),
            "3.13",
            "cu126",
            "cp313-manylinux_2_28_x86_64",
        ),
        (
            host(Device(maker="amd", name="", capability="gfx1100")),
            "3.11",
            "rocm",
            "cp311-manylinux_2_28_x86_64",
        ),
        (
            host(Device(maker="intel", name="", capability="bmg")),
            "3.12",
            "xpu",
            "cp312-manylinux_2_28_x86_64",
        ),
        (host(platform="macosx_15_1_arm64"), "3.13", "cpu-minimal", "cp313-macosx_14_0_arm64"),
        (host(platform="manylinux_2_39_aarch64"), "3.13", "cpu-minimal", "cp313-manylinux_2_28_aarch64"),
    ],
)
def test_the_lock_that_fits_is_chosen(on: Host, python: str, profile: str, slug: str) -> None:
    found = choose_lock(
        on, Python.parse(python), committed(), catalog=CATALOG, order=("cpu-minimal", "cu128")
    )
    assert (found.best.profile, found.best.target.slug) == (profile, slug)
    assert found.best.verdict.works
    assert all(item.verdict.reason for item in found.others)


def test_equals_are_told_apart_by_the_order_given_then_by_name() -> None:
    names = ("cpu-minimal", "ai-no-vision")
    on = host(platform="windows")
    for order, expected in ((names, "cpu-minimal"), (names[::-1], "ai-no-vision"), ((), "ai-no-vision")):
        found = choose_lock(on, PYTHON, committed(*names), catalog=CATALOG, order=order)
        assert found.best.profile == expected
        assert names[0] in found.best.profile or names[1] in found.best.profile


def test_a_lock_of_pypis_torch_says_so() -> None:
    found = choose_lock(host(RTX, driver="580.65.06"), PYTHON, committed("cu132"), catalog=CATALOG)
    assert found.best.title == "cu132 · torch 2.15.0, from PyPI"


def test_where_no_lock_fits_each_profile_says_why() -> None:
    with pytest.raises(HostError) as caught:
        choose_lock(host(RTX, driver="550.54"), PYTHON, committed("cu126", "cu130", "macos"), catalog=CATALOG)
    assert caught.value.code == "HST010"
    assert dict(caught.value.details) == {
        "cu130": "cp312-manylinux_2_28_x86_64: needs driver ≥ 580",
        "cu126": "cp312-manylinux_2_28_x86_64: no kernels for sm_120",
        "macos": "cp312-macosx_14_0_arm64: the lock is for macosx_14_0_arm64",
    }


def test_where_nothing_is_locked_nothing_fits() -> None:
    with pytest.raises(HostError, match="HST010"):
        choose_lock(host(), PYTHON, [], catalog=CATALOG)


def entry(family: Iterable[str]) -> TargetRecord:
    inputs: dict[str, str | list[str]] = {"backend": "cpu"}
    pin = FamilyPin(version="1.0", filename="x.whl", sha256="a" * 64)
    return TargetRecord(
        plan="",
        inputs=inputs,
        catalog="",
        packages=1,
        files={},
        family=dict.fromkeys(family, pin),
    )


def test_a_lock_without_torch_is_no_choice() -> None:
    made = Manifest(profile="made", cutoff_utc="", targets={"cp312-manylinux_2_28_x86_64": entry(["triton"])})
    with pytest.raises(HostError, match="HST010") as caught:
        choose_lock(host(), PYTHON, [made], catalog=CATALOG)
    assert "contains no torch" in dict(caught.value.details)["made"]
