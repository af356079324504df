import pytest

from envsmith.catalog import Catalog
from envsmith.errors import EnvsmithError
from envsmith.host.current import this_platform
from envsmith.host.model import Device, Driver, Host
from envsmith.select.cli import described_host

CATALOG = Catalog.embedded()


def machine(**words: object) -> Host:
    return described_host(CATALOG, **words)  # type: ignore[arg-type]


def test_another_machine_is_what_is_said_of_it() -> None:
    host = machine(gpus=("RTX 5080", "gfx1100", "Arc B580"), driver="572.16", platform="windows")
    assert [(device.maker, device.name) for device in host.devices] == [
        ("nvidia", "GeForce RTX 5080"),
        ("amd", "gfx1100"),
        ("intel", "Arc B580"),
    ]
    assert host.driver("nvidia") == Driver(maker="nvidia", version="572.16")
    assert host.driver("amd") == Driver(maker="amd")
    assert str(host.platform) == "win_amd64"


def test_a_platform_alone_has_no_gpu_and_a_gpu_alone_is_on_this_platform() -> None:
    assert machine(platform="linux-aarch64").devices == ()
    host = machine(gpus=("H200",))
    assert (host.os, host.machine) == (this_platform().os, this_platform().machine)
    assert host.drivers == (Driver(maker="nvidia"),)
    assert machine(gpus=("none",)).devices == ()


def test_a_driver_alone_takes_the_place_of_this_machines() -> None:
    host = machine(driver="550.54")
    assert host.driver("nvidia") == Driver(maker="nvidia", version="550.54")
    assert machine(driver="550.54", platform="linux").drivers == (Driver(maker="nvidia", version="550.54"),)


def test_a_series_stands_for_its_members_where_all_are_alike() -> None:
    assert machine(gpus=("RX 7900",), platform="linux").devices == (
        Device(maker="amd", name="RX 7900", capability="gfx1100"),
    )


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"driver": "new"}, "HST001"),
        ({"driver": "572.16; rm", "platform": "linux"}, "HST001"),
        ({"gpus": ("RTX 5081",)}, "CAT021"),
        ({"platform": "plan9"}, "PRF011"),
    ],
)
def test_what_is_malformed_is_refused(words: dict[str, object], code: str) -> None:
    with pytest.raises(EnvsmithError) as caught:
        machine(**words)
    assert caught.value.code == code
