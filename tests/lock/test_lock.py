from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from envsmith.config.profile import Profile
from envsmith.errors import EnvsmithError, LockError, NoSolutionError, ResolveError, ToolError
from envsmith.lock.inputs.request import LockOptions
from envsmith.lock.lock import LockedProfile
from envsmith.lock.resolve import ResolveTools
from envsmith.lockfile.manifest import FILENAME, Manifest
from envsmith.lockfile.store import sha256_of
from envsmith.model.shell import SHELLS
from envsmith.plan.model import LockRequest, ResolutionPlan
from tests.fakes import FakeFiles, FakeResolver, RecordedProgress
from tests.lock_tools import lock_profile
from tests.values import CUTOFF, asked, of_row, profile, torch

FOLDER = Path("lockfiles/mine")
LATER = "2026-11-21T00:00:00Z"
TWO = profile(on_retired="stable").with_overrides(python=("3.11", "3.12"), platforms=("linux",))
SLUGS = ["cp311-manylinux_2_28_x86_64", "cp312-manylinux_2_28_x86_64"]
Locks = Callable[..., LockedProfile]


@pytest.fixture
def lock(tools: ResolveTools, pool: ThreadPoolExecutor) -> Locks:
    def run(*texts: str, of: Profile = TWO, own: ResolveTools = tools, **options: Any) -> LockedProfile:
        as_of = options.pop("as_of", "")
        request = LockRequest(profile=of, requirements=asked(*(texts or ("torch",))), as_of=as_of)
        return lock_profile(request, LockOptions(**{"now_utc": CUTOFF, **options}), FOLDER, own, pool=pool)

    return run


def resolver(tools: ResolveTools) -> FakeResolver:
    assert isinstance(tools.resolver, FakeResolver)
    return tools.resolver


def on_disk(tools: ResolveTools) -> dict[str, bytes]:
    return tools.files.read_files(FOLDER)


def test_every_target_is_locked_and_written(lock: Locks, tools: ResolveTools) -> None:
    done = lock()
    assert [target.slug for target in done.targets] == SLUGS
    assert [target.entry.family["torch"].version for target in done.targets] == ["2.11.0+cu128"] * 2
    expected = {
        f"{kind}.{slug}.{end}"
        for slug in SLUGS
        for kind, end in (("pylock", "toml"), ("requirements", "txt"))
    }
    scripts = {shell.file for shell in SHELLS}
    assert set(on_disk(tools)) == set(done.written) == {*expected, *scripts, FILENAME}
    manifest = Manifest.from_toml(on_disk(tools)[FILENAME].decode(), FILENAME)
    assert manifest.scripts == {name: sha256_of(on_disk(tools)[name]) for name in scripts}
    assert manifest.cutoff_utc == CUTOFF
    assert list(manifest.targets) == SLUGS
    assert done.decisions[0].code == "RES104"


def test_scripts_are_written_anew_without_resolving(lock: Locks, tools: ResolveTools) -> None:
    lock()
    before = on_disk(tools)
    tools.files.write_files(FOLDER, {"activate.sh": b"changed"}, remove=["activate.fish"])
    done = lock()
    assert set(done.written) == {"activate.sh", "activate.fish"}
    assert all(target.lock is None for target in done.targets)
    assert on_disk(tools) == before


def test_a_script_that_is_written_no_more_is_removed(lock: Locks, tools: ResolveTools) -> None:
    done = lock()
    older = replace(done.manifest, scripts={**done.manifest.scripts, "activate.old": "0" * 64})
    tools.files.write_files(FOLDER, {FILENAME: older.to_toml().encode(), "activate.old": b"", "mine.sh": b""})
    lock()
    assert "activate.old" not in on_disk(tools)
    assert "mine.sh" in on_disk(tools)


def test_nothing_to_do_resolves_nothing(lock: Locks, tools: ResolveTools) -> None:
    lock()
    before = on_disk(tools)
    resolver(tools).plans.clear()
    done = lock(now_utc=LATER)
    assert resolver(tools).plans == []
    assert done.written == ()
    assert on_disk(tools) == before
    assert all(target.lock is None for target in done.targets)


def test_only_the_changed_target_is_solved_again(lock: Locks, tools: ResolveTools) -> None:
    lock("torch", "colorama; python_version < '3.12'")
    resolver(tools).plans.clear()
    lock("torch", "colorama>=1; python_version < '3.12'")
    assert resolver(tools).plans == [], "the pins satisfy it"
    lock("torch", "colorama>=1; python_version < '3.12'", "six; python_version < '3.12'")
    assert [plan.target.slug for plan in resolver(tools).plans] == SLUGS[:1]


def test_touched_file_is_written_again(lock: Locks, tools: ResolveTools) -> None:
    lock()
    before = on_disk(tools)
    name = f"requirements.{SLUGS[1]}.txt"
    assert isinstance(tools.files, FakeFiles)
    tools.files.folders[FOLDER][name] += b"# by hand\n"
    assert lock().written == (name,)
    assert on_disk(tools) == before


def test_target_no_longer_asked_for_is_removed(lock: Locks, tools: ResolveTools) -> None:
    lock()
    lock(of=TWO.with_overrides(python=("3.12",)))
    assert not [name for name in on_disk(tools) if SLUGS[0] in name]


def test_dry_run_writes_nothing(lock: Locks, tools: ResolveTools) -> None:
    assert lock(dry_run=True).written == ()
    assert on_disk(tools) == {}


@pytest.mark.parametrize(
    ("options", "cutoff", "moved"),
    [
        ({}, CUTOFF, {}),
        ({"upgrade": True}, LATER, {}),
        ({"as_of": "2026-11-01T23:59:59Z"}, "2026-11-01T23:59:59Z", {}),
        ({"upgrade_packages": ("torch",)}, LATER, {}),
        ({"upgrade_packages": ("torch",), "as_of": CUTOFF}, CUTOFF, {"torch": LATER}),
    ],
)
def test_the_cutoff_is_that_asked_for_or_the_time_of_the_last_resolution(
    options: dict[str, Any], cutoff: str, moved: dict[str, str], lock: Locks
) -> None:
    lock()
    manifest = lock(now_utc=LATER, **options).manifest
    assert (manifest.cutoff_utc, dict(manifest.moved)) == (cutoff, moved)


def test_one_failure_is_told_as_it_is_and_nothing_is_written(lock: Locks, tools: ResolveTools) -> None:
    def fails(plan: ResolutionPlan) -> EnvsmithError | None:
        return NoSolutionError("RES050", "no solution") if plan.target.slug == SLUGS[0] else None

    resolver(tools).fails = fails
    with pytest.raises(ResolveError) as caught:
        lock()
    assert caught.value.code == "RES050"
    assert caught.value.where.startswith(f"mine/{SLUGS[0]}")
    assert on_disk(tools) == {}


@pytest.mark.parametrize(
    ("error", "kind"), [(LockError("LCK012", "m"), ResolveError), (ToolError("TOL022", "m"), ToolError)]
)
def test_several_failures_are_told_together(
    error: EnvsmithError, kind: type[EnvsmithError], lock: Locks, tools: ResolveTools
) -> None:
    resolver(tools).fails = lambda _: type(error)(error.code, error.message)
    with pytest.raises(kind) as caught:
        lock()
    assert caught.value.code == "RES002"
    assert [part.code for part in caught.value.parts] == [error.code] * 2


def test_untrue_answer_is_no_lock(lock: Locks, tools: ResolveTools) -> None:
    wrong = replace(tools, resolver=FakeResolver(answers={"torch": of_row(torch("2.12.0+cu130"))}))
    with pytest.raises(EnvsmithError) as caught:
        lock(own=wrong, of=TWO.with_overrides(python=("3.12",)))
    assert caught.value.code == "LCK015"


def test_progress_hears_each_target(lock: Locks, tools: ResolveTools) -> None:
    lock()
    assert isinstance(tools.progress, RecordedProgress)
    assert sorted(tools.progress.ended_with) == [(f"mine/{slug}", "2 packages") for slug in SLUGS]
