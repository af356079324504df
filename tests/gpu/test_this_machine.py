"""Where this machine has an NVIDIA GPU: what is found out about it agrees with what its own tools say."""

from __future__ import annotations

import pytest

from envsmith.catalog import Catalog
from envsmith.host.current import this_python
from envsmith.host.detect import detect
from envsmith.host.model import Host
from envsmith.host.nvidia import NvidiaTools
from envsmith.index.sources import ListingWithSource
from envsmith.model.backend import Backend
from envsmith.model.listing import IndexListing
from envsmith.process.runner import Processes
from envsmith.select.select import select

CATALOG = Catalog.embedded()


class Snapshot:
    def get(self, channel: str, backend: Backend) -> ListingWithSource | None:
        raise AssertionError((channel, backend))

    def known(self, channel: str, backend: Backend) -> IndexListing | None:
        return CATALOG.listing(channel, backend)


@pytest.fixture(scope="module")
def host() -> Host:
    found = detect()
    if not found.of_family("cuda") or found.driver("nvidia") is None:
        pytest.skip("this machine has no NVIDIA GPU with a driver")
    return found


def test_the_devices_are_named_with_their_compute_capability(host: Host) -> None:
    driver = host.driver("nvidia")
    assert driver
    assert driver.version
    assert driver.cuda
    assert all(device.name and device.capability and device.memory_bytes for device in host.of_family("cuda"))


def test_the_libraries_and_nvidia_smi_say_the_same(host: Host) -> None:
    tools = NvidiaTools(Processes())
    asked, printed = tools.ask_libraries(), tools.ask_smi()
    if not asked or not printed:
        pytest.skip("only one of the libraries and nvidia-smi answers here")
    assert asked.devices
    assert host.of_family("cuda") == asked.devices
    assert asked.driver == printed.driver
    assert [(item.name, item.capability) for item in asked.devices] == [
        (item.name, item.capability) for item in printed.devices
    ]


def test_the_table_knows_the_gpu_by_its_name(host: Host) -> None:
    for device in host.of_family("cuda"):
        assert CATALOG.gpu(device.name).capability == device.capability


def test_a_cuda_backend_is_chosen_for_it(host: Host) -> None:
    found = select(host, this_python(), catalog=CATALOG, listings=Snapshot())
    assert found.choice
    assert found.choice.backend.family == "cuda"
    assert found.choice.reach[0] == len(host.of_family("cuda"))
