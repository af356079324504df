"""The comparison against real environments is in tests/cli/test_verify.py."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pytest

from envsmith.config.profile import SmokeTest
from envsmith.environment.distributions import Wheels
from envsmith.environment.installed_state import InstalledState, Overlap
from envsmith.environment.interpreter import VerifyingProbe
from envsmith.environment.model import Environment, EnvironmentLayout, Import
from envsmith.errors import LockError
from envsmith.files import atomic
from envsmith.install.request import InstallRequest
from envsmith.install.smoke_tests import SmokeTests
from envsmith.model.target import Platform, Python
from envsmith.verify.verify import VerifyTools, verify
from tests.environment.test_lock_comparison import distribution
from tests.environment.test_model_interpreter import LINUX, interpreter
from tests.install.made import Shop, made
from tests.site_packages import layout_of


@dataclass
class FakeProbe:
    """An environment that holds what a test says."""

    found: Environment
    seen: InstalledState = field(default_factory=InstalledState)
    asked: list[str] = field(default_factory=list)

    def layout(self, prefix: Path) -> EnvironmentLayout:
        self.asked.append(f"{prefix} layout")
        return replace(layout_of(prefix), interpreter=self.found.interpreter)

    def environment(
        self, prefix: Path, *, deep: bool, wheels: Wheels, layout: EnvironmentLayout
    ) -> Environment:
        assert (wheels, layout.prefix) == ({}, str(prefix))
        self.asked.append(f"{prefix} {deep}")
        return self.found

    def imports(self, prefix: Path, name: str, env: object, timeout_s: float) -> Import:
        self.asked.append(f"{prefix} import {name} {env} {timeout_s}")
        return Import(name=name, error="ImportError: no" if name == "bad" else "")

    def condition(self, layout: EnvironmentLayout, before: tuple[str, ...] = ()) -> InstalledState:
        self.asked.append(f"{layout.prefix} after {before}")
        return self.seen

    def runs(self, prefix: Path, order: str, env: object, timeout_s: float) -> Import:
        self.asked.append(f"{prefix} run {order} {env} {timeout_s}")
        return Import(name=order, error="status 1")


def environment(*found: str, python: str = "3.11.7") -> Environment:
    items = tuple(distribution(*item.split("==")) for item in found)
    own = interpreter(**{**LINUX, "version": python})
    return Environment(prefix="/env", site="lib", interpreter=own, distributions=items)


def order(shop: Shop, checks: SmokeTests | None = None) -> InstallRequest:
    return InstallRequest(
        profile="small",
        folder=shop.project.root / "lockfiles" / "small",
        this_platform=Platform.parse("manylinux_2_28_x86_64"),
        this_python=Python(major=3, minor=11),
        smoke_tests=checks or SmokeTests(),
    )


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop.opened(tmp_path)
    shop.lock(made("beside"), slugs=("cp311-manylinux_2_28_x86_64",))
    slug = "cp311-manylinux_2_28_x86_64"
    (locked,) = (shop.project.root / "lockfiles" / "small").glob("requirements.*.txt")
    locked.rename(locked.with_name(f"requirements.{slug}.txt"))
    return shop


def tools(probe: FakeProbe) -> VerifyTools:
    return VerifyTools(probe=cast("VerifyingProbe", probe), files=atomic)


def test_all_that_is_found_is_one_report(shop: Shop) -> None:
    overlap = Overlap(owners=("a", "b"), count=1, paths=("x",))
    probe = FakeProbe(found=environment("other==1"), seen=InstalledState(overlaps=(overlap,)))
    checks = SmokeTests(tests=(SmokeTest("import", "bad", 5.0), SmokeTest("run", "python -m a", 6.0)))
    done = verify(order(shop, checks), Path("/env"), tools(probe), before=("/p",))
    assert [item.code for item in done.report.findings] == ["ENV010", "ENV011", "ENV017", "ENV061", "ENV064"]
    assert probe.asked == [
        "/env layout",
        "/env False",
        "/env import bad {} 5.0",
        "/env run python -m a {} 6.0",
        "/env after ('/p',)",
    ]


def test_nothing_is_found_where_all_is_as_locked(shop: Shop) -> None:
    done = verify(order(shop), Path("/env"), tools(FakeProbe(found=environment("beside==1.0"))))
    assert (done.report.findings, done.target) == ((), "cp311-manylinux_2_28_x86_64")


def test_a_lock_for_another_python(shop: Shop) -> None:
    with pytest.raises(LockError) as caught:
        verify(order(shop), Path("/env"), tools(FakeProbe(found=environment(python="3.12.1"))))
    assert caught.value.code == "LCK004"


def test_a_profile_that_was_never_locked(tmp_path: Path) -> None:
    with pytest.raises(LockError) as caught:
        verify(order(Shop.opened(tmp_path)), Path("/env"), tools(FakeProbe(found=environment())))
    assert caught.value.code == "LCK005"
