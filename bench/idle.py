"""Nothing to do: ``lock`` and ``lock --check`` of twelve current targets, beside ``uv lock --check``.

What is fair: uv's lock is universal, so one project stands for all targets of a backend, and the twelve targets of
two backends are two projects, each with its ``uv.lock`` made beforehand, the same requirements, the same rows (as an
index of files and dependency-metadata) and the same cutoff. uv's side is both checks one after the other; that is
what a person would run. It is the harder comparison: one ``uv lock --check`` reads one file and compares it with
another, while envsmith plans twelve targets anew to see whether the same plans come out, unless it remembers that none
of the files it looked at has changed since, as it does for a second ``lock --check``.

What cannot be had for ``lock`` itself: an interpreter that has imported click and packaging, and done nothing yet, has
used most of twice what uv takes for the whole. That floor is measured, too, and printed where the bound is missed.

No uv is started by either of our commands: they run with a uv in its place that fails, and leaves a mark.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from json import dumps
from pathlib import Path
from statistics import median

from bench.measure import Comparison, alternate, seconds
from bench.resolving import AS_OF, PROFILES, envsmith, wanted
from envsmith.catalog import Catalog
from envsmith.index.hashing import NoDownloads
from envsmith.model.listing import VersionMetadata
from envsmith.model.wheel import Wheel
from envsmith.plan.model import Cutoffs, LockRequest, ResolutionPlan
from envsmith.plan.planner import plan_profile
from envsmith.uv.command import find_uv
from envsmith.uv.index_writer import uv_settings, write_slice
from envsmith.wiring import CatalogOptions, listing_sources

# envsmith asks the package uv where its executable is: it is told of one that fails, and leaves a mark.
_TRAPPED = """\
import sys, uv
uv.find_uv_bin = lambda: {trap!r}
from envsmith.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


_FLOOR = "import click, packaging.pylock, packaging.requirements, packaging.tags"


def compare(folder: Path, env: Mapping[str, str], times: int) -> list[Comparison]:
    """Measure both commands, each in turns with uv."""
    locked = folder / "locked"
    locked.mkdir()
    words = ["-q", "lock", *PROFILES, "--catalog", "embedded"]
    seconds([envsmith(), *words, "--as-of", AS_OF], locked, env)
    projects = [uv_project(one, folder) for one in wanted()]
    uv: list[str | Path] = [find_uv(), "lock", "--check", "--quiet", "--python", sys.executable]
    shut = {**env, "XDG_CONFIG_HOME": str(folder / "none"), "UV_PYTHON_DOWNLOADS": "never"}
    for project in projects:
        seconds([find_uv(), "lock", "--quiet", "--python", sys.executable], project, shut)

    def theirs() -> float:
        begun = time.perf_counter()
        for project in projects:
            seconds(uv, project, shut)
        return time.perf_counter() - begun

    found: list[Comparison] = []
    floor = median(seconds([sys.executable, "-c", _FLOOR], folder, env) for _ in range(times))
    for name, command in (
        ("lock, nothing to do", words),
        ("lock --check", [*words, "--check"]),
    ):
        is_alone = starts_no_uv(command, locked, folder, env)
        mine, their = alternate(partial(seconds, [envsmith(), *command], locked, env), theirs, times)
        note = "no uv is started" if is_alone else "missed: a uv was started"
        if mine > 2 * their:
            note += f"; {floor:.3f} s of ours is the start of an interpreter with click and packaging"
        found.append(
            Comparison(
                name=f"{name} : 2 x uv lock --check", ours=mine, theirs=their, unit="s", bound=2.0, note=note
            )
        )
    return found


def starts_no_uv(command: list[str], locked: Path, folder: Path, env: Mapping[str, str]) -> bool:
    """Run a command with no uv on PATH, and a trap where envsmith would look for it."""
    mark, trap = folder / "uv-was-started", folder / "trap"
    trap.write_text(f"#!{sys.executable}\nopen({str(mark)!r}, 'w').close()\nraise SystemExit(1)\n", "utf-8")
    trap.chmod(0o755)
    script = _TRAPPED.format(trap=str(trap))
    try:
        seconds([sys.executable, "-c", script, *command], locked, {**env, "PATH": str(folder / "none")})
    except RuntimeError:
        if not mark.exists():
            raise
    return not mark.exists()


def uv_project(one: LockRequest, folder: Path) -> Path:
    """Write a uv project that asks for what a profile asks for, from the same rows."""
    catalog = Catalog.embedded()
    listings = listing_sources(catalog, CatalogOptions(mode="embedded"), lambda _: None, is_online=False)
    planned = plan_profile(
        one, Cutoffs(cutoff_utc=AS_OF), catalog=catalog, listings=listings, hasher=NoDownloads()
    )
    merged = _merged(planned.plans)
    index = write_slice(merged.slice, folder / "uv-slices")
    tables = uv_settings(merged, index)
    for table in ("index", "dependency-metadata"):
        tables = tables.replace(f"[[{table}]]", f"[[tool.uv.{table}]]")
    project = folder / f"uv-{one.profile.name}"
    project.mkdir()
    (project / "pyproject.toml").write_text("\n".join([*_head(planned.plans), tables]), "utf-8")
    return project


def _merged(plans: tuple[ResolutionPlan, ...]) -> ResolutionPlan:
    """Return a plan whose slice has the rows of all targets."""
    rows: dict[str, dict[str, Wheel]] = {name: {} for plan in plans for name in plan.slice.projects}
    metadata: dict[tuple[str, str], VersionMetadata] = {}
    for plan in plans:
        for name, wheels in plan.slice.projects.items():
            rows[name] |= {wheel.filename: wheel for wheel in wheels}
        metadata |= {(item.name, item.version): item for item in plan.slice.metadata}
    slice_ = replace(
        plans[0].slice,
        projects={name: tuple(wheels.values()) for name, wheels in rows.items()},
        metadata=tuple(metadata.values()),
    )
    return replace(plans[0], slice=slice_)


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
