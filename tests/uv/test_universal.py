"""Real uv resolves several targets at once: from slices alone, and from recorded pages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from packaging.pylock import Package

from envsmith.errors import ToolError
from envsmith.model.listing import VersionMetadata
from envsmith.model.target import Target
from envsmith.model.wheel import Wheel
from envsmith.plan.model import Resolution, ResolutionPlan
from envsmith.process.runner import Processes
from envsmith.uv.command import find_uv
from envsmith.uv.resolver import UvResolver
from envsmith.uv.universal import PROJECT, parse_lock
from tests.plan.made import asked, plan, row, target

LINUX, WINDOWS = target(), target(platform="windows")
NAMES = (
    "torch-2.11.0+cu128-cp312-cp312-manylinux_2_28_x86_64.whl",
    "torch-2.10.0+cu128-cp312-cp312-manylinux_2_28_x86_64.whl",
    "torch-2.10.0+cu128-cp312-cp312-win_amd64.whl",
    "torchvision-0.25.0+cu128-cp312-cp312-manylinux_2_28_x86_64.whl",
    "torchvision-0.25.0+cu128-cp312-cp312-win_amd64.whl",
    "triton-3.6.0-cp312-cp312-manylinux_2_27_x86_64.whl",
)
# uv takes equal hashes for the same file.
ROWS = tuple(row(name, sha256=str(number) * 64) for number, name in enumerate(NAMES))
TRITON = "triton==3.6.0; sys_platform == 'linux'"


def sliced(where: Target, *requirements: str) -> ResolutionPlan:
    given = plan(*requirements, rows=ROWS, where=where)
    own = (wheel for wheel in ROWS if not wheel.tags.isdisjoint(where.tag_set()))
    projects: dict[str, tuple[Wheel, ...]] = {"torch": (), "torchvision": (), "triton": ()}
    for wheel in own:
        projects[wheel.name] = (*projects[wheel.name], wheel)
    metadata = tuple(
        VersionMetadata(name=name, version=version, requires_dist=needs)
        for name, version, needs in (
            ("torch", "2.11.0+cu128", (TRITON,)),
            ("torch", "2.10.0+cu128", (TRITON,)),
            ("torchvision", "0.25.0+cu128", ("torch>=2.10",)),
            ("triton", "3.6.0", ()),
        )
    )
    slice_ = replace(given.slice, projects=projects, metadata=metadata)
    return replace(given, slice=slice_, versions="common")


@pytest.fixture
def uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UvResolver:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    return UvResolver(Processes(), executable=find_uv(), slices=tmp_path / "slices", offline=True)


def pins(answers: tuple[Resolution, ...] | None) -> list[dict[str, str]]:
    assert answers is not None
    return [answer.versions() for answer in answers]


def wheels(package: Package) -> list[str]:
    return [wheel.filename for wheel in package.wheels or ()]


def test_each_target_gets_its_packages_wheels_and_requirers(uv: UvResolver) -> None:
    found = uv.resolve_together([sliced(where, "torchvision", "torch<2.11") for where in (LINUX, WINDOWS)])
    assert pins(found) == [
        {"torch": "2.10.0+cu128", "torchvision": "0.25.0+cu128", "triton": "3.6.0"},
        {"torch": "2.10.0+cu128", "torchvision": "0.25.0+cu128"},
    ]
    linux, windows = found or ()
    assert linux.requirers == {"torch": ("torchvision",), "torchvision": (), "triton": ("torch",)}
    assert windows.requirers == {"torch": ("torchvision",), "torchvision": ()}
    assert [wheels(package) for package in windows.packages] == [[NAMES[2]], [NAMES[4]]]


def test_requirements_of_one_target_bind_it_alone(uv: UvResolver) -> None:
    plans = [sliced(LINUX, "torch"), sliced(WINDOWS, "torchvision")]
    assert pins(uv.resolve_together(plans))[0] == {"torch": "2.11.0+cu128", "triton": "3.6.0"}
    bound = [replace(plans[0], constraints=asked("torch<2.11")), plans[1]]
    assert pins(uv.resolve_together(bound))[0]["torch"] == "2.10.0+cu128"


def test_preferred_versions_are_kept(uv: UvResolver) -> None:
    older = replace(sliced(LINUX, "torch"), preferences={"torch": "2.10.0+cu128", "elsewhere": "1.0"})
    assert pins(uv.resolve_together([older]))[0]["torch"] == "2.10.0+cu128"
    newer = replace(older, requirements=asked("torch>=2.11"))
    assert pins(uv.resolve_together([newer]))[0]["torch"] == "2.11.0+cu128"


def test_a_version_without_a_wheel_for_the_target_s_system_is_left_out(uv: UvResolver) -> None:
    """uv accepts a manylinux_2_27 wheel for every Linux; this one is too old for it."""
    old = target(platform="manylinux_2_17_x86_64")
    assert uv.resolve_together([replace(sliced(LINUX, "triton"), target=old)]) is None


def test_without_a_common_answer_there_is_none(uv: UvResolver) -> None:
    assert uv.resolve_together([sliced(LINUX, "torch>=2.11"), sliced(WINDOWS, "torch>=2.11")]) is None


def test_excludes_and_overrides_apply(uv: UvResolver) -> None:
    plans = [sliced(where, "torchvision") for where in (LINUX, WINDOWS)]
    without = [replace(item, excludes=("triton",)) for item in plans]
    assert "triton" not in pins(uv.resolve_together(without))[0]
    forced = [replace(item, overrides=asked("torch<2.11")) for item in plans]
    assert {found["torch"] for found in pins(uv.resolve_together(forced))} == {"2.10.0+cu128"}


def test_the_user_s_own_settings_are_shut_out(
    uv: UvResolver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "config" / "uv"
    settings.mkdir(parents=True)
    (settings / "uv.toml").write_text(
        'resolution = "lowest"\nconstraint-dependencies = ["torch<2.11"]\nno-index = true\n', "utf-8"
    )
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name, value in {"UV_RESOLUTION": "lowest", "UV_CONSTRAINT": "/nonexistent", "UV_FROZEN": "1"}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["*"]\n', "utf-8")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert pins(uv.resolve_together([sliced(LINUX, "torch")]))[0]["torch"] == "2.11.0+cu128"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "version = 1\n[[package]]\n",
        f'[[package]]\nname = "{PROJECT}"\nversion = "0"\ndependencies = [{{ name = "gone" }}]\n',
        f'[[package]]\nname = "{PROJECT}"\nversion = "0"\ndependencies = [{{ name = "a", marker = "?" }}]\n',
        "package = 1\n",
        "[",
    ],
)
def test_a_lock_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ToolError) as caught:
        parse_lock(text, "", [sliced(LINUX, "torch")])
    assert caught.value.code == "TOL020"
