"""Line by line: on each machine the backend, torch and reason worked out by hand are those envsmith chooses."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from envsmith.catalog import Catalog
from envsmith.catalog.builds import TorchWheels, builds, of_pypi
from envsmith.host.model import FAMILIES, Device, Driver, Host
from envsmith.model.backend import Backend, backend_family
from envsmith.model.target import Platform, Python
from envsmith.select.verdicts import NO, UNKNOWN, WORKS, BackendVerdict, judge
from tests.selection.machines import MACHINES, NOTHING, Machine

CATALOG = Catalog.embedded()
MAKERS = {family: maker for maker, family in FAMILIES.items()}


@cache
def on_record() -> dict[Backend, tuple[TorchWheels, ...]]:
    found = {}
    for facts in CATALOG.backends():
        listing = CATALOG.listing("stable", facts.backend)
        known = builds(CATALOG, listing) if listing else of_pypi(CATALOG, facts.backend)
        found[facts.backend] = tuple(known)
    return found


def host(machine: Machine) -> Host:
    known = [CATALOG.gpu(name) for name in machine.gpus]
    devices = tuple(
        Device(maker=MAKERS[backend_family(gpu.capability)], name=gpu.name, capability=gpu.capability)
        for gpu in known
    )
    drivers = (Driver(maker="nvidia", version=machine.driver),) if machine.driver else ()
    described = Host.of_platform(Platform.parse(machine.platform), drivers, devices)
    return replace(described, is_wsl=machine.is_wsl, libc="musl" if machine.has_musl else described.libc)


@cache
def verdicts(number: int) -> tuple[BackendVerdict, ...]:
    machine = MACHINES[number]
    return judge(host(machine), Python.parse(machine.python), on_record(), CATALOG)


@pytest.mark.parametrize("number", range(len(MACHINES)), ids=lambda number: str(MACHINES[number]))
def test_the_choice_is_the_one_worked_out(number: int) -> None:
    machine, best = MACHINES[number], verdicts(number)[0]
    if machine.choice == NOTHING:
        assert not best.works
        return
    served = " pypi" if best.index == "pypi" else ""
    assert f"{best.backend} {best.torch}{served}" == machine.choice
    assert best.status == WORKS
    assert best.reason.startswith(machine.reason)


@pytest.mark.parametrize("number", range(len(MACHINES)), ids=lambda number: str(MACHINES[number]))
def test_the_others_get_the_answers_worked_out(number: int) -> None:
    machine = MACHINES[number]
    found = {str(verdict.backend): verdict for verdict in verdicts(number)}
    working = {name: str(found[name].torch) for name in machine.works if found[name].status == WORKS}
    failing = {name: found[name].reason for name in machine.fails if found[name].status == NO}
    assert working == machine.works
    assert failing == machine.fails
    assert {found[name].status for name in machine.unknown} <= {UNKNOWN}


def test_the_table_is_wide_enough() -> None:
    assert len({str(machine) + str(machine.has_musl) for machine in MACHINES}) == len(MACHINES) >= 60
    assert all(machine.reason or machine.fails for machine in MACHINES)
    chosen = {machine.choice.partition(" ")[0] for machine in MACHINES}
    assert chosen >= {
        "cpu",
        "cu118",
        "cu124",
        "cu126",
        "cu128",
        "cu130",
        "cu132",
        "rocm7.2",
        "rocm6.4",
        "xpu",
    }
    for name in (
        "GTX 1080",
        "V100",
        "RTX 5080",
        "MX450",
        "H200",
        "GB10",
        "Jetson Thor",
        "RX 7900",
        "Arc B580",
    ):
        assert any(name in machine.gpus for machine in MACHINES), name
