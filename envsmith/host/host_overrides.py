"""Variables that stand for a driver or a GPU that this machine does not have, as on machines that only build."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from envsmith.errors import HostError
from envsmith.host.model import FAMILIES, Device, Driver, Host, is_version
from envsmith.model.capability import architecture, backend_family, read_capability

DRIVER = "ENVSMITH_OVERRIDE_CUDA_DRIVER"
CAPABILITY = "ENVSMITH_OVERRIDE_COMPUTE_CAPABILITY"
NONE = "none"
_MAKERS = {family: maker for maker, family in FAMILIES.items()}


def overridden(host: Host, variables: Mapping[str, str]) -> Host:
    """Return the machine with what the variables say instead of what was found; empty ones say nothing.

    Raises:
        HostError: HST002 when one is malformed.
    """
    if text := variables.get(CAPABILITY, "").strip():
        host = _with_devices(host, text)
    if text := variables.get(DRIVER, "").strip():
        host = _with_driver(host, text)
    return host


def _with_devices(host: Host, text: str) -> Host:
    if text == NONE:
        return replace(host, devices=(), drivers=())
    devices = tuple(_device(part) for part in text.split(","))
    makers = {device.maker for device in devices}
    kept = {driver.maker: driver for driver in host.drivers if driver.maker in makers}
    drivers = tuple(kept.get(maker, Driver(maker=maker)) for maker in sorted(makers))
    return replace(host, devices=devices, drivers=drivers)


def _device(text: str) -> Device:
    capability = read_capability(text)
    if capability is None:
        raise HostError(
            "HST002",
            f"{text.strip()!r} is no compute capability",
            where=CAPABILITY,
            hint="write 12.0, gfx1100 or bmg, several with commas between, or none",
        )
    return Device(
        maker=_MAKERS[backend_family(capability)], name=architecture(capability), capability=capability
    )


def _with_driver(host: Host, text: str) -> Host:
    others = tuple(driver for driver in host.drivers if driver.maker != "nvidia")
    if text == NONE:
        return replace(host, drivers=others)
    if not is_version(text):
        raise HostError(
            "HST002",
            f"{text!r} is no driver version",
            where=DRIVER,
            hint="write it as nvidia-smi prints it, such as 572.16, or none",
        )
    return replace(host, drivers=(*others, Driver(maker="nvidia", version=text)))
