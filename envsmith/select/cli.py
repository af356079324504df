"""The machine a command is about: this one as found, or another as described.

``envsmith select``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
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


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineDescription:
    """What the command line says of a machine; what is empty is taken from this one, or left open."""

    gpus: tuple[str, ...] = ()
    """Names or compute capabilities; ``none`` for a machine without."""
    driver: str = ""
    platform: str = ""


def described(words: MachineDescription, catalog: Catalog) -> Host:
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


@click.command(name="select", short_help="Say which backends and torch versions work on a machine.")
@click.option(
    "--gpu",
    "gpus",
    multiple=True,
    metavar="NAME",
    help="GPU by name or compute capability, or none; may be repeated.",
)
@click.option("--driver", metavar="VERSION", default="", help="Version of the NVIDIA driver, such as 572.16.")
@click.option("--python", metavar="X.Y", default="", help="Python that torch is wanted for.")
@click.option("--platform", default="", help="linux, linux-aarch64, macos, windows or a platform tag.")
@click.option("--explain", is_flag=True, help="Say it of every backend, with the reason.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def select_command(
    gpus: tuple[str, ...], driver: str, python: str, platform: str, *, explain: bool, as_json: bool
) -> int:
    """Say which backends and torch versions work on this machine, or on the one described, and why others do not."""
    from envsmith.catalog import Catalog
    from envsmith.console import printer
    from envsmith.host.current import this_python
    from envsmith.model.target import Python

    # MERGED
    from envsmith.select.select import select
    from envsmith.wiring import CatalogOptions, listing_sources

    catalog = Catalog.embedded()
    host = described(MachineDescription(gpus=gpus, driver=driver, platform=platform), catalog)
    wanted = Python.parse(python) if python else this_python()
    listings = listing_sources(catalog, CatalogOptions(), is_online=False)
    found = select(host, wanted, catalog=catalog, listings=listings)
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
    if strange := [device for device in found.host.of_family("cuda") if device.capability is None]:
        ask = "say its compute capability with --gpu, or ENVSMITH_OVERRIDE_COMPUTE_CAPABILITY"
        printer.say(f"hint: {strange[0]} is not in the table of GPUs; {ask}", err=True)
    if explain:
        printer.say("")
        printer.table(("backend", "torch", "answer", "why"), all_lines(found.verdicts), indent=0)
