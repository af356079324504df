"""``envsmith select``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from envsmith.catalog import Catalog
from envsmith.errors import NO, OK, HostError
from envsmith.host.detect import detect
from envsmith.host.model import FAMILIES, Device, Driver, Host, is_version
from envsmith.model.backend import backend_family
from envsmith.model.target import Platform

if TYPE_CHECKING:
    from envsmith.select.select import Selection


NO_GPU = "none"
_MAKERS = {family: maker for maker, family in FAMILIES.items()}


def described_host(
    catalog: Catalog, *, gpus: Sequence[str] = (), driver: str = "", platform: str = ""
) -> Host:
    """Return this machine, or the one described by the options.

    With a GPU or a platform given, only the platform of this machine is used, and only if none is given.

    Args:
        catalog: names of GPUs.
        gpus: names or compute capabilities; ``none`` for a machine without GPU.
        driver: version of the NVIDIA driver.
        platform: alias or platform tag.

    Raises:
        UsageError: when ``none`` is given together with a GPU.
        HostError: HST001 for an invalid driver version, HST002 when an override variable is malformed.
        CatalogError: CAT021 for an unknown GPU.
        ProfileError: PRF011 for an invalid platform.
    """
    if driver and not is_version(driver):
        raise HostError(
            "HST001",
            f"invalid driver version `{driver}`",
            where="--driver",
            hint="use the format of nvidia-smi, such as 572.16",
        )
    if not gpus and not platform:
        return _with_driver(detect(), driver) if driver else detect()
    if NO_GPU in gpus and set(gpus) != {NO_GPU}:
        raise click.UsageError("--gpu none cannot be combined with another --gpu")
    host = Host.of_platform(Platform.parse(platform)) if platform else detect(is_bare=True)
    devices = _devices(gpus, catalog)
    makers = {device.maker for device in devices} | ({"nvidia"} if driver else set())
    drivers = [
        Driver(maker=maker, version=(driver or None) if maker == "nvidia" else None)
        for maker in sorted(makers)
    ]
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


@click.command(name="select", short_help="Show the backends and torch versions that work on a machine.")
@click.option(
    "--gpu",
    "gpus",
    multiple=True,
    metavar="NAME",
    help="GPU by name or compute capability, or none; may be repeated.",
)
@click.option("--driver", metavar="VERSION", default="", help="NVIDIA driver version, such as 572.16.")
@click.option("--python", metavar="X.Y", default="", help="Python version [default: this one].")
@click.option("--platform", default="", help="linux, linux-aarch64, macos, windows or a platform tag.")
@click.option("--explain", is_flag=True, help="Show every backend with the reason.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def select_command(
    gpus: tuple[str, ...], driver: str, python: str, platform: str, *, explain: bool, as_json: bool
) -> int:
    """Show the backends and torch versions that work on this machine, or on a described one, and why others do not."""
    from envsmith.console import printer
    from envsmith.host.current import this_python
    from envsmith.model.target import Python
    from envsmith.select.select import select
    from envsmith.wiring import CatalogOptions, listing_sources

    catalog = Catalog.embedded()
    host = described_host(catalog, gpus=gpus, driver=driver, platform=platform)
    interpreter = Python.parse(python) if python else this_python()
    listings = listing_sources(catalog, CatalogOptions(), is_online=False)
    found = select(host, interpreter, catalog=catalog, listings=listings)
    if as_json:
        printer.envelope("select", "ok" if found.choice else "no", _data(found))
    else:
        _show(found, explain=explain)
    return OK if found.choice else NO


def _data(found: Selection) -> dict[str, object]:
    return {
        "host": found.host.to_json(),
        "python": str(found.python),
        "choice": found.choice.to_json() if found.choice else None,
        "verdicts": [verdict.to_json() for verdict in found.verdicts],
    }


def _show(found: Selection, *, explain: bool) -> None:
    from envsmith.console import printer
    from envsmith.select.output import all_lines, selection_lines

    for label, text in selection_lines(found):
        printer.labelled(label, text)
    if unknown := [device for device in found.host.of_family("cuda") if device.capability is None]:
        advice = "set its compute capability with --gpu or ENVSMITH_OVERRIDE_COMPUTE_CAPABILITY"
        printer.say(f"hint: {unknown[0]} is not in the table of GPUs; {advice}", err=True)
    if explain:
        printer.say("")
        printer.table(("backend", "torch", "answer", "why"), all_lines(found.verdicts), indent=0)
