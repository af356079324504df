"""The profile of installed packages, without an environment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from envsmith.catalog import Catalog
from envsmith.environment.installed_state import InstalledState
from envsmith.environment.model import Environment, Interpreter, TorchBuild
from envsmith.errors import InstallError
from envsmith.project.adopt.draft import Draft, draft_of
from envsmith.project.adopt.installed import InstalledPackage, InstalledPackages
from tests.environment.test_model_interpreter import LINUX

CATALOG = Catalog.embedded()
HERE = Interpreter.from_json(LINUX)


def package(name: str, version: str = "1.0", *requires: str, **values: Any) -> InstalledPackage:
    needed = tuple(map(Requirement, requires))
    return InstalledPackage(name=name, version=Version(version), requires=needed, **values)


def drafted(
    *packages: InstalledPackage,
    build: TorchBuild | None = None,
    state: InstalledState | None = None,
    interpreter: Interpreter = HERE,
) -> Draft:
    environment = Environment(
        prefix="/env", site="lib", interpreter=interpreter, distributions=(), torch=build
    )
    found = InstalledPackages(
        environment=environment,
        state=state or InstalledState(),
        packages=packages,
        local={},
        from_conda=frozenset(),
        findings=(),
    )
    return draft_of(found, CATALOG, name="", allow_sdist=(), now_utc="2026-11-20T00:00:00Z")


def test_requirements_are_the_packages_that_no_other_one_requires() -> None:
    found = drafted(
        package("a", "1.0", "b[more]", "Under_Score"),
        package("b", "1.0", 'c ; extra == "more"', 'd ; extra == "other"', 'e ; sys_platform == "win32"'),
        package("c", "1.0", "loop"),
        package("d"),
        package("e"),
        package("loop", "1.0", "pool"),
        package("pip"),
        package("pool", "1.0", "loop"),
        package("ring", "1.0", "ring"),
        package("setuptools"),
        package("uses-wheel", "1.0", "wheel"),
        package("under-score"),
        package("wheel"),
        package("x", "1.0", "y"),
        package("y", "1.0", "x"),
    )
    assert found.requirements() == ("a", "d", "e", "ring", "uses-wheel", "x")
    assert {"wheel"} == {item.name for item in found.packages} & {"pip", "setuptools", "wheel"}


def test_packages_with_a_url_are_required_by_it() -> None:
    git = "git+https://host.example/b@0123"
    found = drafted(package("a", "1.0", "b"), package("b", "1.0", url=git))
    assert found.requirements() == ("a", f"b @ {git}")
    assert found.constraints() == ("a==1.0",)


@pytest.mark.parametrize(
    ("version", "build", "backend", "index", "channel", "pin"),
    [
        ("2.11.0+cu128", None, "cu128", "", "", "torch==2.11.0"),
        ("2.11.0", TorchBuild(version="2.11.0+cu130", cuda="13.0"), "cu130", "pypi", "", "torch==2.11.0"),
        ("2.11.0", TorchBuild(version="2.11.0", cuda="12.8"), "cu128", "", "", "torch==2.11.0"),
        ("2.10.0", None, "cu128", "pypi", "", "torch==2.10.0"),
        ("2.9.1+rocm6.4", None, "rocm6.4", "", "", "torch==2.9.1"),
        ("2.9.1", TorchBuild(version="2.9.1", hip="6.4.43482"), "rocm6.4", "", "", "torch==2.9.1"),
        ("2.9.1+cpu", None, "cpu", "", "", "torch==2.9.1"),
        ("2.13.0.dev20260101+cu130", None, "cu130", "", "nightly", "torch==2.13.0.dev20260101"),
    ],
)
def test_backend(
    version: str, build: TorchBuild | None, backend: str, index: str, channel: str, pin: str
) -> None:
    values = drafted(package("torch", version), build=build).values()
    assert (values["backend"], values.get("index", ""), values.get("channel", "")) == (
        backend,
        index,
        channel,
    )
    assert values["constraints"] == (pin,)


def test_an_ended_backend_is_kept() -> None:
    assert drafted(package("torch", "2.4.0+cu118")).values()["on-retired"] == "stable"


def test_platform_is_the_lowest_that_the_wheels_run_on() -> None:
    new = replace(HERE, release=(2, 39))
    old = replace(HERE, release=(2, 17))
    assert drafted(package("a"), interpreter=new).values()["platforms"] == ("linux",)
    assert drafted(package("a"), interpreter=old).values()["platforms"] == ("manylinux_2_17_x86_64",)
    with pytest.raises(InstallError, match="ENV080"):
        drafted(package("a"), interpreter=replace(HERE, libc="musl"))
    mac = replace(HERE, os="macos", machine="arm64", libc="", release=(15, 2))
    assert drafted(package("a"), interpreter=mac).values()["platforms"] == ("macos",)
    windows = replace(HERE, os="windows", machine="amd64", libc="", release=(0, 0))
    assert drafted(package("a"), interpreter=windows).values()["platforms"] == ("windows",)
