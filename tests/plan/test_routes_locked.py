"""Which pages are read, which are remembered, and what a check says without them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from envsmith.config.profile import Profile
from envsmith.errors import LockError, ResolveError
from envsmith.lock.inputs.request import LockOptions
from envsmith.lock.lock import LockedProfile
from envsmith.lock.resolve import ResolveTools
from envsmith.lock.staleness import CheckTools, check_profile
from envsmith.model.route import RouteEntry, RoutePage
from envsmith.model.wheel import Wheel
from envsmith.plan.model import LockRequest
from envsmith.plan.routes import changes, read
from tests.fakes import FakeHasher
from tests.lock_tools import lock_profile
from tests.values import CUTOFF, HEX, asked, profile, wheel

URL = "https://wheels.example/links.html"
NAME = "flash_attn-2.8.3+cu12torch2.10cxx11abiTRUE-cp312-cp312-linux_x86_64.whl"
ONE = profile(on_retired="stable").with_overrides(python=("3.12",), platforms=("linux",))
FOLDER = Path("lockfiles/mine")


@dataclass
class FakeRoutes:
    """Has one wheel at every address."""

    asked: list[tuple[str, str]] = field(default_factory=list)
    filename: str = NAME
    yanked: str | None = None

    def read(self, project: str, url: str, is_wanted: Callable[[Wheel], bool]) -> RoutePage:
        self.asked.append((project, url))
        address = f"https://wheels.example/{self.filename.replace('+', '%2B')}"
        found = replace(wheel(self.filename, index=url, url=address, sha256=None), yanked=self.yanked)
        row = RouteEntry(wheel=found)
        rows = (row,) if is_wanted(row.wheel) else ()
        return RoutePage(project=project, url=url, is_flat=True, read_at="2026-11-20T00:00:00Z", entries=rows)


@pytest.fixture
def routes() -> FakeRoutes:
    return FakeRoutes()


@pytest.fixture
def routed(tools: ResolveTools, routes: FakeRoutes) -> ResolveTools:
    return replace(tools, routes=routes, hasher=FakeHasher({NAME: HEX}))


def wanting(url: str = URL, base: Profile = ONE, **more: str) -> LockRequest:
    routes = {"flash-attn": url, **more}
    return LockRequest(
        profile=replace(base, routes=routes), requirements=asked("torch==2.10.0", "flash-attn")
    )


def lock(
    wanted: LockRequest, tools: ResolveTools, pool: ThreadPoolExecutor, **timing: object
) -> LockedProfile:
    words = LockOptions(now_utc=CUTOFF, **timing)  # type: ignore[arg-type]
    return lock_profile(wanted, words, FOLDER, tools, pool=pool)


def test_a_page_is_read_once_and_remembered(
    routed: ResolveTools, routes: FakeRoutes, pool: ThreadPoolExecutor
) -> None:
    first = lock(wanting(), routed, pool)
    assert routes.asked == [("flash-attn", URL)]
    (page,) = first.manifest.routes
    assert [row.computed for row in page.entries] == [HEX]
    (pin,) = (pin for name, pin in first.targets[0].entry.family.items() if name == "flash-attn")
    assert str(pin) == f"2.8.3+cu12torch2.10cxx11abitrue {NAME} sha256:{HEX}"
    again = lock(wanting(), replace(routed, hasher=FakeHasher()), pool)
    assert again.targets[0].lock is None
    assert again.manifest == first.manifest
    assert len(routes.asked) == 1


def test_a_yanked_wheel_is_locked_by_an_exact_pin_and_noted(
    routed: ResolveTools, routes: FakeRoutes, pool: ThreadPoolExecutor
) -> None:
    routes.yanked = "bad kernels"
    with pytest.raises(ResolveError, match="only yanked wheels of flash-attn"):
        lock(wanting(), routed, pool)
    pinned = replace(wanting(), requirements=asked("torch==2.10.0", "flash-attn==2.8.3"))
    first = lock(pinned, routed, pool)
    (note,) = [item for item in first.targets[0].entry.decisions if item["code"] == "RES117"]
    assert str(note["message"]).startswith("flash-attn 2.8.3+")
    assert str(note["message"]).endswith("is yanked: bad kernels")
    again = lock(pinned, replace(routed, hasher=FakeHasher(), routes=None), pool)
    assert (again.targets[0].lock, again.manifest) == (None, first.manifest)


def test_an_answer_against_the_label_is_not_admitted(routed: ResolveTools, pool: ThreadPoolExecutor) -> None:
    """The fake resolver knows no metadata, and takes the newest torch."""
    free = replace(wanting(), requirements=asked("torch", "flash-attn"))
    with pytest.raises(LockError) as caught:
        lock(free, routed, pool)
    assert caught.value.code == "LCK023"


def test_pages_are_read_again_when_the_cutoff_moves(
    routed: ResolveTools, routes: FakeRoutes, pool: ThreadPoolExecutor
) -> None:
    lock(wanting(), routed, pool)
    lock(wanting(), routed, pool, upgrade=True)
    assert len(routes.asked) == 2
    lock(wanting(), routed, pool, upgrade_packages=("torch",))
    assert len(routes.asked) == 2
    lock(wanting(), routed, pool, upgrade_packages=("flash-attn",))
    assert len(routes.asked) == 3


def test_another_address_or_target_is_read(
    routed: ResolveTools, routes: FakeRoutes, pool: ThreadPoolExecutor
) -> None:
    lock(wanting(), routed, pool)
    other = "https://wheels.example/other.html"
    lock(wanting(other), routed, pool)
    assert routes.asked[-1] == ("flash-attn", other)
    more = wanting(other, x_y="https://x.example/")
    read(more.profile, lock(wanting(other), routed, pool).manifest, routes, again=frozenset())
    assert [project for project, _ in routes.asked[2:]] == ["x_y"]


def test_without_the_network_only_what_is_remembered_serves(
    routed: ResolveTools, pool: ThreadPoolExecutor
) -> None:
    with pytest.raises(ResolveError) as caught:
        lock(wanting(), replace(routed, routes=None), pool)
    assert caught.value.code == "RES026"
    assert URL in caught.value.message
    manifest = lock(wanting(), routed, pool).manifest
    assert read(wanting().profile, manifest, None, again=None) == manifest.routes
    offline = replace(routed, routes=None, hasher=FakeHasher())
    assert lock(wanting(), offline, pool, upgrade=True).manifest == manifest


def test_a_wheel_without_a_hash_is_refused_where_nothing_may_be_fetched(
    routed: ResolveTools, pool: ThreadPoolExecutor
) -> None:
    with pytest.raises(ResolveError) as caught:
        lock(wanting(), replace(routed, hasher=FakeHasher()), pool)
    assert caught.value.code == "RES041"


def test_a_check_uses_what_is_remembered(
    routed: ResolveTools, check_tools: CheckTools, pool: ThreadPoolExecutor
) -> None:
    lock(wanting(), routed, pool)
    bare = replace(check_tools, hasher=FakeHasher())
    assert check_profile(wanting(), FOLDER, bare).findings == ()
    (found,) = check_profile(wanting("https://wheels.example/other.html"), FOLDER, bare).findings
    assert found.code == "LCK033"
    assert found.message == f"route  flash-attn: {URL} → https://wheels.example/other.html"
    (gone,) = check_profile(LockRequest(profile=ONE, requirements=asked("torch")), FOLDER, bare).findings
    assert gone.message == f"route  flash-attn: {URL} → (none)"
    wider = ONE.with_overrides(python=("3.11", "3.12"))
    (new,) = check_profile(wanting(base=wider), FOLDER, bare).findings
    assert (new.code, new.subject) == ("LCK033", "mine/cp311-manylinux_2_28_x86_64")


def test_another_kind_of_backend_is_a_change_another_version_is_not(
    routed: ResolveTools, pool: ThreadPoolExecutor
) -> None:
    manifest = lock(wanting(), routed, pool).manifest
    assert list(changes(wanting().profile, manifest)) == []
    assert list(changes(wanting().profile.with_overrides(backend="cu130"), manifest)) == []
    ((_, why),) = changes(wanting().profile.with_overrides(backend="cpu"), manifest)
    assert why == "backend  cu128 → cpu"
