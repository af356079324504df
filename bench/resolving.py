"""Locks beside ``uv lock`` and ``uv pip compile``: twelve targets, one target, and how time grows.

What is fair: all pages come from a recording over loopback, for both sides, as from the real index (fresh for ten
minutes, then asked again). uv's project has the same requirements, cutoff, targets (as ``environments``) and rows of
PyTorch's index (as an index of files and dependency-metadata). Neither side has a lock when it begins, so that both
resolve; "warm" is with the caches of a run before, "cold" with none. Ours is the whole command: interpreter, planning,
resolution, file conflicts, writing. A lock of envsmith also compares the files of its wheels, whose lists it reads from
the index when it has no cache. Over loopback uv waits for nobody, so the time of our interpreter counts most.

With nothing to do, both sides have a lock and compare it with its inputs: envsmith once by planning again, and once by
the answer that it remembers as long as no file changes.

InvokeAI's list is not recorded: it is measured over the network, if there is one.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256
from json import dumps
from pathlib import Path
from typing import Any

from bench.measure import Comparison, alternate, seconds
from envsmith.catalog import Catalog
from envsmith.config.profile import Profile
from envsmith.config.profile_reader import parse
from envsmith.config.profiles import ProfileStore
from envsmith.index.hashing import NoDownloads
from envsmith.model.listing import PYTORCH_HOSTS
from envsmith.net.range_reader import TAIL_BYTES
from envsmith.plan.model import Cutoffs, LockRequest, ResolutionPlan
from envsmith.plan.planner import plan_profile
from envsmith.uv.command import find_uv
from envsmith.uv.index_writer import uv_settings, write_slice
from envsmith.uv.joint import JointPlan
from envsmith.wiring import CatalogOptions, listing_sources
from tests.index_recording import Recording, StandIn
from tests.index_server import IndexReplay, Reply

PROFILES = ("cu128", "cu130")
AS_OF = "2026-11-20T00:00:00Z"
PYTHONS = ("3.11", "3.12", "3.13")
PLATFORMS = ("linux", "linux-aarch64", "windows", "macos")
SEVEN = ("torch", "sentence-transformers", "numpy", "pydantic", "typer", "rich", "safetensors")
_WITHOUT_WHEEL = ("controlnet-aux", "test-tube")
"""Requirements of InvokeAI: envsmith reads their metadata, uv builds them."""
INVOKEAI = Path(__file__).parent / "invokeai.txt"


def wanted() -> Iterator[LockRequest]:
    """Yield two profiles of six targets each."""
    profiles = ProfileStore(folder=Path(__file__).parent / "nowhere")
    for name in PROFILES:
        yield _request(profiles.resolve(name))


def _request(profile: Profile) -> LockRequest:
    return LockRequest(
        profile=profile,
        requirements=profile.sourced_requirements(),
        constraints=profile.sourced_requirements("constraints"),
    )


def compare(folder: Path, env: Mapping[str, str], times: int) -> Iterator[Comparison]:
    """Measure all sides in turns."""
    with Mirror(Recording.read("shipped")) as index:
        own = {**env, **index.environ(cache=folder / "uv-cache")}
        twelve = Sides(folder / "twelve", own, [_profile("twelve", SEVEN)])
        yield twelve.compared("lock 12 targets, warm : uv lock", times, 1.2)
        yield twelve.compared("lock 12 targets, cold : uv lock", times, 1.5, is_cold=True)
        one = Sides(folder / "one", own, [_profile("one", SEVEN, 1)])
        mine, their = alternate(one.ours, partial(one.compiled, SEVEN), times)
        yield Comparison(
            name="lock 1 target, warm : uv pip compile", ours=mine, theirs=their, unit="s", bound=1.3
        )
        for name, is_remembered in (("", False), (", remembered", True)):
            mine, their = alternate(partial(twelve.idle, is_remembered), twelve.checked, times)
            title = f"lock 12 targets, nothing to do{name} : uv lock --check"
            yield Comparison(name=title, ours=mine, theirs=their, unit="s", bound=1.5)
    yield from _growth(folder, env)
    if os.environ.get("ENVSMITH_BENCH_ONLINE"):
        texts = tuple(INVOKEAI.read_text("utf-8").splitlines())
        text = f"{_profile('invokeai', texts, 1, 'cu128', ('3.11',))}allow-sdist = {dumps(_WITHOUT_WHEEL)}\n"
        list_ = Sides(folder / "invokeai", env, [text])
        mine, their = alternate(list_.ours, partial(list_.compiled, texts), min(times, 2))
        yield Comparison(
            name="lock InvokeAI's list : uv pip compile", ours=mine, theirs=their, unit="s", bound=2.0
        )


def _growth(folder: Path, env: Mapping[str, str]) -> Iterator[Comparison]:
    """Yield how time grows with targets and with requirements, beside ``uv lock`` of the same."""
    names = [f"made-{number:03}" for number in range(300)]
    with Mirror(_made(names)) as index:
        own = {**env, **index.environ(cache=folder / "made-cache")}
        for count in (1, 12, 24, 48, 64):
            sizes = [min(12, count - start) for start in range(0, count, 12)]
            profiles = [_profile(f"p{number}", names[:20], size) for number, size in enumerate(sizes)]
            sides = Sides(folder / f"targets-{count}", own, profiles)
            yield sides.compared(f"lock {count} targets of 20 requirements", 1, 1.2)
        for count in (5, 30, 100, 300):
            sides = Sides(folder / f"list-{count}", own, [_profile("list", names[:count])])
            yield sides.compared(f"lock 12 targets of {count} requirements", 1, 1.2)


def _profile(
    name: str,
    requirements: Sequence[str],
    targets: int = 12,
    backend: str = "cpu",
    pythons: Sequence[str] = PYTHONS,
) -> str:
    """Return the text of a profile, with its name in a comment on the first line."""
    platforms = PLATFORMS[: max(1, targets // len(pythons))] if targets > 1 else PLATFORMS[:1]
    lines = [
        f"# {name}",
        f"backend = {dumps(backend)}",
        'on-retired = "stable"',
        'versions = "common"',
        f"python = {dumps(list(pythons[: 1 if targets == 1 else len(pythons)]))}",
        f"platforms = {dumps(list(platforms))}",
        f"requirements = {dumps(list(requirements))}",
    ]
    return "\n".join([*lines, ""])


class Sides:
    """The same lock by envsmith and by uv.

    Args:
        folder: a new folder.
        env: environment variables of both.
        profiles: texts of profiles.
    """

    def __init__(self, folder: Path, env: Mapping[str, str], profiles: Sequence[str]) -> None:
        self._folder = folder
        self._env = {**env, "ENVSMITH_CACHE_DIR": str(folder / "own-cache"), "UV_PYTHON_DOWNLOADS": "never"}
        self._env["XDG_CONFIG_HOME"] = str(folder / "none")
        (folder / "project" / "profiles").mkdir(parents=True)
        self._names = [text.splitlines()[0].removeprefix("# ") for text in profiles]
        parsed = [parse(text, "bench", name) for text, name in zip(profiles, self._names, strict=True)]
        for text, name in zip(profiles, self._names, strict=True):
            (folder / "project" / "profiles" / f"{name}.toml").write_text(text, "utf-8")
        self._projects = [uv_project(_request(item), folder) for item in parsed]
        self._python = str(parsed[0].python[0])

    def compared(self, name: str, times: int, bound: float, *, is_cold: bool = False) -> Comparison:
        """Measure envsmith beside ``uv lock``."""
        mine, their = alternate(partial(self.ours, is_cold), partial(self.theirs, is_cold), times)
        return Comparison(name=name, ours=mine, theirs=their, unit="s", bound=bound)

    def ours(self, is_cold: bool = False) -> float:
        """Return the seconds of a lock from nothing."""
        project = self._folder / "project"
        shutil.rmtree(project / "lockfiles", ignore_errors=True)
        self._clear(is_cold)
        return seconds(self._command, project, self._env)

    @property
    def _command(self) -> list[str | Path]:
        return [envsmith(), "-q", "lock", *self._names, "--catalog", "embedded", "--as-of", AS_OF]

    def idle(self, is_remembered: bool) -> float:
        """Return the seconds of the same lock again, with or without the answer that it remembers."""
        if not is_remembered:
            shutil.rmtree(self._folder / "own-cache" / "answers", ignore_errors=True)
        return seconds(self._command, self._folder / "project", self._env)

    def theirs(self, is_cold: bool = False) -> float:
        """Return the seconds of ``uv lock`` from nothing, of one project after the other."""
        self._clear(is_cold)
        for project in self._projects:
            (project / "uv.lock").unlink(missing_ok=True)
        return self._locked()

    def checked(self) -> float:
        """Return the seconds of ``uv lock --check``, of one project after the other."""
        return self._locked("--check")

    def _locked(self, *words: str) -> float:
        command: list[str | Path] = [find_uv(), "lock", "--quiet", "--python", sys.executable, *words]
        return sum(seconds(command, project, self._env) for project in self._projects)

    def compiled(self, requirements: Sequence[str]) -> float:
        """Return the seconds of ``uv pip compile`` for Linux, with the rows of PyTorch's index."""
        (project,) = self._projects
        (project / "requirements.in").write_text("\n".join([*requirements, ""]), "utf-8")
        (project / "pylock.toml").unlink(missing_ok=True)  # uv would prefer its versions
        words = (
            "--python",
            sys.executable,
            "--python-platform",
            "x86_64-manylinux_2_28",
            "--python-version",
            self._python,
            "--no-header",
        )
        command: list[str | Path] = [
            find_uv(),
            "pip",
            "compile",
            "requirements.in",
            "--quiet",
            "--only-binary",
            ":all:",
            *(word for name in _WITHOUT_WHEEL for word in ("--no-binary", name)),
            *words,
        ]
        return seconds([*command, "--format", "pylock.toml", "-o", "pylock.toml"], project, self._env)

    def _clear(self, is_cold: bool) -> None:
        if is_cold:
            shutil.rmtree(self._folder / "own-cache", ignore_errors=True)
            shutil.rmtree(self._env["UV_CACHE_DIR"], ignore_errors=True)


def uv_project(one: LockRequest, folder: Path) -> Path:
    """Write a uv project that asks for what a profile asks for, from the same rows."""
    catalog = Catalog.embedded()
    listings = listing_sources(catalog, CatalogOptions(mode="embedded"), lambda _: None, is_online=False)
    plans = plan_profile(
        one, Cutoffs(cutoff_utc=AS_OF), catalog=catalog, listings=listings, hasher=NoDownloads()
    ).plans
    merged = replace(plans[0], slice=JointPlan.of(plans).slice)
    index = write_slice(merged.slice, folder / "uv-slices")
    tables = uv_settings(merged, index)
    for table in ("index", "dependency-metadata"):
        tables = tables.replace(f"[[{table}]]", f"[[tool.uv.{table}]]")
    project = folder / f"uv-{one.profile.name}"
    project.mkdir()
    (project / "pyproject.toml").write_text("\n".join([*_head(plans), tables]), "utf-8")
    return project


def _head(plans: tuple[ResolutionPlan, ...]) -> list[str]:
    pythons = sorted({plan.target.python for plan in plans})
    environments = {
        f"sys_platform == '{values['sys_platform']}' and platform_machine == '{values['platform_machine']}' "
        f"and python_version >= '{pythons[0]}'"
        for values in (plan.target.marker_environment() for plan in plans)
    }
    # This interpreter must be among the project's own, or uv refuses to look at the lock at all.
    lowest = min(pythons[0].minor, sys.version_info.minor)
    return [
        "[project]",
        'name = "equal"',
        'version = "0"',
        f'requires-python = ">=3.{lowest}, <3.{pythons[-1].minor + 1}"',
        f"dependencies = {dumps([str(item.requirement) for item in plans[0].requirements])}",
        "[tool.uv]",
        f"environments = {dumps(sorted(environments))}",
        f"exclude-newer = {dumps(AS_OF)}",
        "no-build = true",
    ]


def _made(names: Sequence[str]) -> Recording:
    """Return a recording of made-up projects, each requiring the next of its ten."""
    wheels: dict[str, StandIn] = {}
    projects: dict[str, list[dict[str, object]]] = {}
    for number, name in enumerate(names):
        filename = f"{name.replace('-', '_')}-1.0-py3-none-any.whl"
        path = f"/packages/{number}/{filename}"
        needs = (
            f"Requires-Dist: {names[number + 1]}\n" if (number + 1) % 10 and number + 1 < len(names) else ""
        )
        info = f"{name.replace('-', '_')}-1.0.dist-info"
        wheels[path] = StandIn(
            size=9000,
            members=[(f"{name.replace('-', '_')}/__init__.py", 10, number), (f"{info}/METADATA", 90, 1)],
            metadata=f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{needs}",
            has_sidecar=True,
        )
        row = {
            "filename": filename,
            "hashes": {"sha256": f"{number:064x}"},
            "url": path,
            "core-metadata": True,
        }
        projects[name] = [{**row, "upload-time": "2026-01-01T00:00:00Z", "size": 9000}]
    return Recording(recorded=json.dumps(len(names)), projects=projects, wheels=wheels)


class Mirror(IndexReplay):
    """A replay in which every locked wheel can be read and verified, as on the real servers.

    Small wheels have the hash of what is sent for them; wheels of PyTorch have as many files as a torch.
    """

    hosts = IndexReplay.hosts | PYTORCH_HOSTS
    _torch = StandIn(
        size=200_000_000,
        members=[
            (f"torch/include/a/folder/of/headers/{number:05}.h", number, number) for number in range(12_000)
        ],
        metadata="",
    )

    def _sidecar_row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        more, wheel = super()._sidecar_row(row), self._wheels.get(row["url"])
        if wheel is None or wheel.size > TAIL_BYTES:
            return more
        return {**more, "hashes": {"sha256": sha256(wheel.read(0, wheel.size)).hexdigest()}}

    def _file(self, method: str, path: str, span: str) -> Reply | None:
        if path.startswith("/whl/"):
            self._wheels.setdefault(path, self._torch)
        return super()._file(method, path, span)


def envsmith() -> Path:
    """Return the installed command."""
    return Path(sys.executable).parent / "envsmith"
