"""Floors that wheels need, and platforms on which a direct requirement has no wheel."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from envsmith.errors import EnvsmithError, NoSolutionError, ResolveError
from envsmith.files import atomic
from envsmith.lock.inputs.request import LockOptions, lock_requests
from envsmith.lock.lock import LockedProfile
from envsmith.lock.missing_wheels import MissingWheelsError
from envsmith.lock.output import add_command
from envsmith.lock.platforms import lowest_floor, named_together, raised_floors
from envsmith.lock.resolve import ResolveTools
from envsmith.lock.staleness import CheckTools, check_profile
from envsmith.lockfile.manifest import RememberedOptions
from envsmith.model.shell import quote_path
from envsmith.plan.model import LockRequest, ResolutionPlan
from tests.fakes import FakeListings, FakeResolver
from tests.lock.test_versions import listing
from tests.lock_tools import fake_tools, lock_profile
from tests.values import CUTOFF, asked, package, plan, profile, target, torch

OPEN3D = "open3d-0.19.0-cp312-cp312-manylinux_2_31_x86_64.whl"
LINUX, LATER, WINDOWS = "manylinux_2_28_x86_64", "manylinux_2_31_x86_64", "win_amd64"
TORCHES = [
    torch(f"{version}+cu128", platform=platform)
    for version in ("2.10.0", "2.11.0")
    for platform in (LINUX, WINDOWS)
]
NOTE = f"linux: glibc 2.31 ({LATER}), for open3d"


def needs_later_glibc(
    newest: str = "manylinux_2_35_x86_64",
) -> Callable[[ResolutionPlan], EnvsmithError | None]:
    """Refuse open3d below glibc 2.31; as uv does, name the floor of its newest version."""

    def fails(plan: ResolutionPlan) -> EnvsmithError | None:
        if plan.target.platform.floor >= (2, 31) or all(item.name != "open3d" for item in plan.requirements):
            return None
        error = NoSolutionError("RES050", "the requirements have no solution")
        error.later_platforms = (newest,)
        return error

    return fails


class Place:
    """A project with a profile for Linux and Windows, whose locks are on disk."""

    def __init__(self, root: Path, pool: ThreadPoolExecutor) -> None:
        self.root = root
        self.pool = pool
        self.resolver = FakeResolver(answers={"open3d": package(OPEN3D)}, fails=needs_later_glibc())
        found = fake_tools(resolver=self.resolver, listings=FakeListings((listing(*TORCHES),)), files=atomic)
        self.tools: ResolveTools = found

    def write(self, *requirements: str, platforms: str = '"linux", "windows"') -> None:
        (self.root / "profiles").mkdir(exist_ok=True)
        lines = 'backend = "cu128"\non-retired = "stable"\npython = ["3.12"]\n'
        texts = ", ".join(f'"{text}"' for text in requirements)
        (self.root / "profiles" / "mine.toml").write_text(
            f"{lines}platforms = [{platforms}]\nrequirements = [{texts}]\n", "utf-8"
        )

    def request(self, **more: object) -> tuple[LockOptions, LockRequest]:
        folder = self.root / "lockfiles"
        options = LockOptions(profiles=("mine",), now_utc=CUTOFF, folder=folder, **more)  # type: ignore[arg-type]
        (request,) = lock_requests(options, self.root)
        return options, request

    def lock(self, **more: object) -> LockedProfile:
        options, request = self.request(**more)
        folder = options.folder / "mine"
        return lock_profile(request, options, folder, self.tools, pool=self.pool)

    def stale(self) -> list[str]:
        options, request = self.request()
        tools = CheckTools(
            catalog=self.tools.catalog, listings=self.tools.listings, hasher=self.tools.hasher, files=atomic
        )
        return [item.message for item in check_profile(request, options.folder / "mine", tools).findings]

    @property
    def files(self) -> set[str]:
        return {path.name for path in (self.root / "lockfiles" / "mine").glob("requirements.*")}


@pytest.fixture
def place(tmp_path: Path, pool: ThreadPoolExecutor) -> Place:
    return Place(tmp_path, pool)


def files(*platforms: str) -> set[str]:
    return {f"requirements.cp312-{platform}.txt" for platform in platforms}


def notes(found: LockedProfile) -> list[str]:
    return [item.message for item in found.decisions if item.code == "RES121"]


WITH_OPEN3D = "open3d ; sys_platform == 'linux'"


def test_the_floor_is_the_lowest_that_works_and_is_kept(place: Place) -> None:
    place.write("torch")
    place.lock()
    assert place.files == files(LINUX, WINDOWS)
    place.write("torch", WITH_OPEN3D)
    found = place.lock()
    assert notes(found) == [NOTE]
    assert place.files == files(LATER, WINDOWS), "those of the earlier floor are removed"
    assert place.stale() == []
    again = place.lock()
    assert again.written == ()
    assert notes(again) == [NOTE]
    place.write("torch", "six", WITH_OPEN3D)
    place.resolver.plans.clear()
    assert notes(place.lock()) == [NOTE]
    assert {plan.target.platform.floor for plan in place.resolver.plans} == {(2, 31), (0, 0)}


def test_a_floor_that_no_package_needs_any_more_stays_until_an_upgrade(place: Place) -> None:
    place.write("torch", WITH_OPEN3D)
    place.lock()
    place.write("torch", "six")
    assert notes(place.lock()) == [f"linux: glibc 2.31 ({LATER}), as locked before"]
    assert place.stale() == []
    found = place.lock(upgrade=True)
    assert notes(found) == []
    assert place.files == files(LINUX, WINDOWS)
    assert place.stale() == []


def test_pins_stay_when_the_floor_is_raised(place: Place) -> None:
    place.write("torch<2.11 ; sys_platform == 'linux'", "torch ; sys_platform != 'linux'")
    place.lock()
    place.write("torch", WITH_OPEN3D)
    place.lock()
    (text,) = (place.root / "lockfiles" / "mine").glob(f"requirements.cp312-{LATER}.txt")
    assert "torch==2.10.0+cu128" in text.read_text("utf-8")


def test_the_alias_on_the_command_line_is_the_locked_platform(place: Place) -> None:
    place.write("torch", WITH_OPEN3D)
    place.lock()
    found = place.lock(remembered=RememberedOptions(platforms=("linux",)))
    assert [item.slug for item in found.targets] == [f"cp312-{LATER}"]
    assert place.files == files(LATER, WINDOWS)
    assert place.stale() == []


@pytest.mark.parametrize(
    ("platforms", "newest"),
    [(f'"{LINUX}", "windows"', "manylinux_2_35_x86_64"), ('"linux", "windows"', "manylinux_2_40_x86_64")],
)
def test_a_platform_by_its_tag_and_a_very_late_floor_are_refused_as_before(
    place: Place, platforms: str, newest: str
) -> None:
    place.write("torch", WITH_OPEN3D, platforms=platforms)
    if newest.endswith("2_40_x86_64"):
        place.resolver.fails = lambda plan: (
            needs_later_glibc(newest)(replace(plan, target=target()))
            if plan.target.platform.os == "linux"
            else None
        )
    with pytest.raises(NoSolutionError) as caught:
        place.lock()
    assert caught.value.where == f"mine/cp312-{LINUX}"
    assert not (place.root / "lockfiles").exists()


def test_a_profile_of_a_backend_keeps_its_raised_floor_and_an_upgrade_lowers_it(
    tmp_path: Path, pool: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("envsmith.lock.inputs.request.this_platform", lambda: target().platform)
    monkeypatch.setattr("envsmith.lock.inputs.request.this_python", lambda: target().python)
    place = Place(tmp_path, pool)
    wheels = listing(torch("2.7.0+cu118"), backend="cu118")
    place.tools = replace(place.tools, listings=FakeListings((wheels,)))
    folder = tmp_path / "lockfiles"

    def lock(text: str, **more: object) -> set[str]:
        (tmp_path / "requirements.txt").write_text(text, "utf-8")
        given = RememberedOptions(requirements_files=("requirements.txt",))
        options = LockOptions(
            profiles=("cu118",),
            now_utc=CUTOFF,
            folder=folder,
            remembered=given,
            **more,  # type: ignore[arg-type]
        )
        (request,) = lock_requests(options, tmp_path)
        lock_profile(request, options, folder / "cu118", place.tools, pool=pool)
        return {path.name for path in (folder / "cu118").glob("requirements.*")}

    assert lock("torch\nopen3d\n") == files(LATER)
    assert lock("torch\n") == files(LATER)
    assert lock("torch\n", upgrade=True) == files(LINUX)


def test_the_lowest_floor_is_found_between_those_that_the_resolver_names() -> None:
    wanted = plan("open3d")
    for enough in ("manylinux_2_35_x86_64", LATER, "manylinux_2_39_x86_64"):
        resolver = FakeResolver(answers={"open3d": package(OPEN3D)}, fails=needs_later_glibc())
        assert lowest_floor(wanted, [enough], resolver) == LATER
        assert len(resolver.plans) <= 4, "the search halves"
    mac = plan("open3d", target=target(platform="macos", backend="cpu"))
    assert lowest_floor(mac, ["macosx_15_0_arm64"], FakeResolver()) == "macosx_15_0_arm64"


def test_floors_of_several_pythons_on_one_platform() -> None:
    errors = {}
    for python, tag in (("3.11", LATER), ("3.12", "manylinux_2_34_x86_64")):
        errors[target(python)] = NoSolutionError("RES050", "none")
        errors[target(python)].later_platforms = (tag,)
    assert raised_floors(errors) == {target().platform: replace(target().platform, floor=(2, 34))}
    mac = NoSolutionError("RES050", "none")
    mac.later_platforms = ("macosx_15_0_arm64",)
    ((own, later),) = raised_floors({target(platform="macos", backend="cpu"): mac}).items()
    assert (str(own), str(later), later.is_open) == ("macosx_14_0_arm64", "macosx_15_0_arm64", True)


# Platforms without wheels of a direct requirement


THREE = profile(backend=target(backend="cpu").backend).with_overrides(
    python=["3.11", "3.12"], platforms=["linux", "macos", "windows"]
)
REQUEST = LockRequest(profile=THREE, requirements=asked("torch", "vllm", origin="requirements.in:2"))


def without_wheel(*names: str, elsewhere: bool = False) -> EnvsmithError:
    if elsewhere:
        error = NoSolutionError("RES050", "none")
        error.served_elsewhere = names
        return error
    missing = MissingWheelsError("RES061", f"{names[0]} has no wheel for this target")
    missing.names = names
    return missing


def failing(*systems: str, error: Callable[[], EnvsmithError]) -> dict[object, EnvsmithError]:
    return {item: error() for item in THREE.targets() if item.platform.os in systems}


@pytest.mark.parametrize("elsewhere", [False, True])
def test_platforms_without_a_wheel_are_named_together(elsewhere: bool) -> None:
    errors = failing("macos", "windows", error=lambda: without_wheel("vllm", "xgrammar", elsewhere=elsewhere))
    (found,) = named_together(REQUEST, errors)  # type: ignore[arg-type]
    assert (found.code, found.message) == ("RES061", "vllm has no wheel for macosx_14_0_arm64 and win_amd64")
    assert dict(found.details)["required at"] == "requirements.in:2: vllm"
    assert [text for label, text in found.details if label == "or"] == [
        'set platforms = ["linux"] in the profile',
        "limit it: vllm ; sys_platform == 'linux'",
    ]
    assert found.hint == "lock the other platforms only: --platform linux"
    words = [
        "lock",
        "mine",
        "--platform",
        "macos",
        "--platform=windows",
        "--platform",
        "linux",
        "-r",
        "a b.txt",
    ]
    add_command(found, words)
    assert found.hint == f"envsmith lock mine -r {quote_path('a b.txt')} --platform linux"


@pytest.mark.parametrize(
    "errors",
    [
        failing("macos", "windows", error=lambda: without_wheel("xgrammar")),
        failing("linux", "macos", "windows", error=lambda: without_wheel("vllm")),
        {THREE.targets()[0]: without_wheel("vllm")},
        failing("windows", error=lambda: ResolveError("RES051", "unstable")),
    ],
    ids=["transitive", "on all platforms", "for one Python", "another error"],
)
def test_other_errors_are_told_per_target(errors: dict[object, EnvsmithError]) -> None:
    assert named_together(REQUEST, errors) == tuple(errors.values())  # type: ignore[arg-type]


def test_a_platform_by_its_tag_is_named_by_it() -> None:
    tagged = profile(name="mine").with_overrides(platforms=["manylinux_2_34_x86_64", "windows"])
    request = LockRequest(profile=tagged, requirements=asked("vllm"))
    windows = next(item for item in tagged.targets() if item.platform.os == "windows")
    (found,) = named_together(request, {windows: without_wheel("vllm")})
    assert isinstance(found, MissingWheelsError)
    assert found.platforms == ("manylinux_2_34_x86_64",)


def test_errors_of_other_platforms_stay_beside() -> None:
    other = without_wheel("argbind")
    errors = failing("windows", error=lambda: without_wheel("vllm")) | {THREE.targets()[0]: other}
    found = named_together(REQUEST, errors)  # type: ignore[arg-type]
    assert found[1:] == (other,)
    assert found[0].message == "vllm has no wheel for win_amd64"
    whole = ResolveError("RES002", "2 targets could not be locked", parts=found)
    add_command(whole, ["lock", "mine"])
    assert found[0].hint == "envsmith lock mine --platform linux --platform macos"
    assert whole.hint == "envsmith lock mine --allow-sdist argbind"


def test_a_project_of_the_torch_family_without_builds_for_a_platform(
    tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    both = profile(name="mine", on_retired="stable").with_overrides(platforms=["linux", "windows"])
    only_linux = [torch("2.10.0+cu128"), torch("2.10.0+cu128", "cp311")]
    tools = fake_tools(listings=FakeListings((listing(*only_linux),)))
    request = LockRequest(profile=both, requirements=asked("torch"))
    with pytest.raises(MissingWheelsError) as caught:
        lock_profile(request, LockOptions(now_utc=CUTOFF), tmp_path / "mine", tools, pool=pool)
    assert caught.value.message == "torch has no wheel for win_amd64"
    assert caught.value.platforms == ("linux",)
