"""One profile with several backends: each target from its own index, with common versions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from envsmith.activate.scripts import activation_of
from envsmith.config.profile_reader import parse
from envsmith.environment.model import choose_target
from envsmith.errors import ResolveError
from envsmith.lock.inputs.remembered_options import combine
from envsmith.lock.inputs.request import LockOptions
from envsmith.lock.staleness import CheckTools, check_profile
from envsmith.lockfile.manifest import Manifest, RememberedOptions
from envsmith.plan.model import LockRequest
from tests.fakes import FakeListings, FakeResolver
from tests.lock.test_versions import listing
from tests.lock_tools import fake_tools, lock_profile
from tests.machines import interpreter
from tests.values import CUTOFF, asked, torch

ARM, LINUX, MAC, WINDOWS = "manylinux_2_28_aarch64", "manylinux_2_28_x86_64", "macosx_14_0_arm64", "win_amd64"
TEXT = """
on-retired = "stable"
backend = "cu128"
python = ["3.12"]
platforms = ["linux"]
target = [
    {platform = "linux-aarch64", backend = "cu130"},
    {platform = "macos", backend = "cpu"},
    {platform = "windows", backend = "cu126"},
]
"""
MIXED = parse(TEXT, "mixed.toml", "mixed")
LISTINGS = (
    listing(
        *(torch(f"{version}+cu128", platform=LINUX) for version in ("2.9.0", "2.10.0", "2.11.0")),
        torch("2.10.0+cu128", platform=WINDOWS),
    ),
    listing(
        *(torch(f"{version}+cu130", platform=ARM) for version in ("2.9.0", "2.10.0", "2.13.0")),
        backend="cu130",
    ),
    listing(
        *(torch(version, platform=MAC, index="cpu") for version in ("2.9.0", "2.10.0", "2.13.0")),
        backend="cpu",
    ),
    listing(
        *(torch(f"{version}+cu126", platform=WINDOWS) for version in ("2.9.0", "2.10.0", "2.14.0")),
        backend="cu126",
    ),
)
EXPECTED = {
    f"cp312-{ARM}": "2.10.0+cu130",
    f"cp312-{LINUX}": "2.10.0+cu128",
    f"cp312-{MAC}": "2.10.0",
    f"cp312-{WINDOWS}": "2.10.0+cu126",
}
REQUEST = LockRequest(profile=MIXED, requirements=asked("torch"))


@pytest.fixture
def manifest(tmp_path: Path, pool: ThreadPoolExecutor) -> Manifest:
    tools = fake_tools(listings=FakeListings(LISTINGS))
    return lock_profile(REQUEST, LockOptions(now_utc=CUTOFF), tmp_path / "mixed", tools, pool=pool).manifest


def torches(manifest: Manifest) -> dict[str, str]:
    return {slug: entry.family["torch"].version for slug, entry in manifest.targets.items()}


def test_each_target_has_its_backend_and_all_have_one_version(manifest: Manifest) -> None:
    assert torches(manifest) == EXPECTED
    inputs = {slug: entry.inputs for slug, entry in manifest.targets.items()}
    assert inputs[f"cp312-{ARM}"]["backend"] == "cu130"
    assert inputs[f"cp312-{ARM}"]["asked"] == "cu130 stable"
    (note,) = {str(item["message"]) for entry in manifest.targets.values() for item in entry.decisions}
    assert note.startswith("torch 2.10.0 for all targets; some have a newer one: 2.14.0 (cp312-win_amd64)")


def test_a_second_lock_and_the_check_find_it_current(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    tools, options = fake_tools(listings=FakeListings(LISTINGS)), LockOptions(now_utc=CUTOFF)
    lock_profile(REQUEST, options, tmp_path / "mixed", tools, pool=pool)
    again = lock_profile(REQUEST, options, tmp_path / "mixed", tools, pool=pool)
    assert again.written == ()
    assert [target.lock for target in again.targets] == [None] * 4
    check = CheckTools(catalog=tools.catalog, listings=tools.listings, hasher=tools.hasher, files=tools.files)
    assert check_profile(REQUEST, tmp_path / "mixed", check).findings == ()
    other = parse(TEXT.replace("cu126", "cu128"), "mixed.toml", "mixed")
    found = check_profile(LockRequest(profile=other, requirements=asked("torch")), tmp_path / "mixed", check)
    assert [(item.code, item.subject, item.message) for item in found.findings[:1]] == [
        ("LCK033", f"mixed/cp312-{WINDOWS}", "backend  cu126 → cu128")
    ]


def test_other_backends_prefer_a_kept_version_with_their_own_label(
    tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    """A pin of one backend is none of another: its version is, with the label of that one."""
    resolver = FakeResolver()
    tools = fake_tools(listings=FakeListings(LISTINGS), resolver=resolver)
    options = LockOptions(now_utc=CUTOFF)
    lock_profile(
        LockRequest(profile=MIXED.with_overrides(platforms=["linux"]), requirements=asked("torch<2.10")),
        options,
        tmp_path / "mixed",
        tools,
        pool=pool,
    )
    resolver.plans.clear()
    found = lock_profile(REQUEST, options, tmp_path / "mixed", tools, pool=pool)
    preferred = {plan.target.slug: plan.preferences.get("torch") for plan in resolver.plans}
    assert preferred[f"cp312-{ARM}"] == "2.9.0+cu130"
    assert {version.partition("+")[0] for version in torches(found.manifest).values()} == {"2.9.0"}


def test_a_backend_without_an_index_is_named(tmp_path: Path, pool: ThreadPoolExecutor) -> None:
    tools = fake_tools(listings=FakeListings(LISTINGS[:1]))
    with pytest.raises(ResolveError, match=r"RES012.*cu130"):
        lock_profile(REQUEST, LockOptions(now_utc=CUTOFF), tmp_path / "mixed", tools, pool=pool)


def test_install_chooses_by_the_machine(manifest: Manifest) -> None:
    here = interpreter("3.12.4", "windows", "C:\\Python312")
    assert choose_target(manifest.targets, here, profile="mixed") == f"cp312-{WINDOWS}"


def test_activation_prefers_no_cuda_of_two(manifest: Manifest) -> None:
    assert activation_of("mixed", manifest, lambda _: MIXED).cuda_major is None
    one = parse(TEXT.replace("cu130", "cu128"), "mixed.toml", "mixed")
    assert activation_of("mixed", None, lambda _: one).cuda_major == 12


def test_an_option_is_forgotten_when_the_entries_change(manifest: Manifest) -> None:
    given = combine(RememberedOptions(backend="cpu"), manifest, MIXED, is_implied=False)
    locked = Manifest(profile="mixed", cutoff_utc=CUTOFF, targets=manifest.targets, remembered=given)
    again = combine(RememberedOptions(), locked, MIXED, is_implied=False)
    assert again.backend == "cpu"
    other = parse(TEXT.replace("cu126", "cu128"), "mixed.toml", "mixed")
    assert combine(RememberedOptions(), locked, other, is_implied=False).backend == ""


def test_a_platform_of_an_entry_chooses_its_target_and_adds_none(manifest: Manifest) -> None:
    given = RememberedOptions(platforms=("linux-aarch64",))
    assert combine(given, manifest, MIXED, is_implied=False).platforms == ()
