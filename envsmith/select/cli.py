"""The machine a command is about: this one as found, or another as described."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import click

from envsmith.catalog import Catalog
from envsmith.errors import HostError
from envsmith.host.detect import detect
from envsmith.host.model import FAMILIES, Device, Driver, Host, is_version
from envsmith.model.capability import backend_family
from envsmith.model.target import Platform

NO_GPU = "none"
_MAKERS = {family: maker for maker, family in FAMILIES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What the command line says of a machine; what is empty is taken from this one, or left open."""

    gpus: tuple[str, ...] = ()
    """Names or compute capabilities; ``none`` for a machine without."""
    driver: str = ""
    platform: str = ""


def described(words: Description, catalog: Catalog) -> Host:
    """Return this machine, or the one that is described.

    Of another machine, with its own GPU or platform, nothing of this one is taken but the platform.

    Raises:
        UsageError: when no GPU is named beside one.
        HostError: HST001 when the driver's version is none, HST002 when a variable is malformed.
        CatalogError: CAT021 when a GPU is unknown.
        ProfileError: PRF011 when the platform is none.
    """
    if words.driver and not is_version(words.driver):
        raise HostError(
            "HST001",
            f"{words.driver!r} is no driver version",
            where="--driver",
            hint="write it as nvidia-smi prints it, such as 572.16",
        )
    if not words.gpus and not words.platform:
        return _with_driver(detect(), words.driver) if words.driver else detect()
    if NO_GPU in words.gpus and set(words.gpus) != {NO_GPU}:
        raise click.UsageError("--gpu none is a machine without a GPU: name no other beside it")
    platform = Platform.parse(words.platform) if words.platform else None
    devices = _devices(words.gpus, catalog)
    makers = {device.maker for device in devices} | ({"nvidia"} if words.driver else set())
    drivers = [
        Driver(maker=maker, version=(words.driver or None) if maker == "nvidia" else None)
        for maker in sorted(makers)
    ]
    host = Host.of_platform(platform) if platform else detect(is_bare=True)
    return replace(host, drivers=tuple(drivers), devices=devices)


def _devices(names: Sequence[str], catalog: Catalog) -> tuple[Device, ...]:
    found = (catalog.gpu(name) for name in names if name != NO_GPU)
    return tuple(
        Device(maker=_MAKERS[backend_family(gpu.capability)], name=gpu.name, capability=gpu.capability)
        for gpu in found
    )


def _with_driver(host: Host, version: str) -> Host:
    others = (driver for driver in host.drivers if driver.maker != "nvidia")
    return replace(host, drivers=(*others, Driver(maker="nvidia", version=version)))
