"""Input of ``uv lock`` for several targets, and the answer for each of them in its uv.lock.

One run of ``uv lock`` returns the files and requirers that ``uv pip compile`` returns in two per target. It takes
environments and constraints from the project itself, and all other settings from the file given with
``--config-file``; the user's own are shut out.

Source: uv 0.13.8 (seen 2026-11-30).
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from json import dumps
from typing import Any

from packaging.markers import InvalidMarker, Marker
from packaging.pylock import Package, PackageWheel
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from envsmith.errors import ToolError
from envsmith.plan.model import Resolution, ResolutionPlan, parse_yanked
from envsmith.uv.joint import JointPlan

PROJECT = "envsmith-joint-plan"


def project_text(joint: JointPlan, constraints: Iterable[str]) -> str:
    """Return the pyproject.toml for a joint plan, with further constraints."""
    first = joint.plans[0]
    markers = dumps(joint.markers)
    return "\n".join(
        [
            "[project]",
            f"name = {dumps(PROJECT)}",
            'version = "0"',
            f"requires-python = {dumps(_requires_python(joint))}",
            f"dependencies = {dumps(joint.requirements)}",
            "[tool.uv]",
            "package = false",
            # A root of its own: uv would look for one in the folders above.
            "workspace = {}",
            f"environments = {markers}",
            # Without them a version with wheels for only some of the targets would do for all.
            f"required-environments = {markers}",
            f"constraint-dependencies = {dumps([*joint.constraints, *constraints])}",
            f"override-dependencies = {dumps(first.all_overrides())}",
            f"exclude-dependencies = {dumps(sorted(first.all_excludes()))}",
            "",
        ]
    )


def _requires_python(joint: JointPlan) -> str:
    # uv refuses an interpreter outside of it; the environments limit the Pythons.
    pythons = [(plan.target.python.major, plan.target.python.minor) for plan in joint.plans]
    return ">=" + ".".join(map(str, min([*pythons, sys.version_info[:2]])))


def preferred_lock(joint: JointPlan) -> str:
    """Return the uv.lock by which uv prefers the versions that the plans want to keep."""
    lines = [
        "version = 1",
        "revision = 3",
        f"requires-python = {dumps(_requires_python(joint))}",
        "[options]",
    ]
    # uv ignores a lock that was made with others.
    lines += ['fork-strategy = "fewest"']
    if joint.plans[0].has_cutoff:
        lines += [f"exclude-newer = {dumps(joint.plans[0].cutoff_utc)}"]
    for name, version, markers in joint.preferences():
        lines += ["[[package]]", f"name = {dumps(name)}", f"version = {dumps(version)}"]
        # The address is not looked at.
        lines += ['source = { registry = "https://localhost/simple" }']
        lines += [f"resolution-markers = {dumps(markers)}"] if markers else []
    return "\n".join([*lines, ""])


@dataclass(frozen=True, kw_only=True)
class TargetAnswer:
    """Resolution of one target, and the packages without a wheel for it."""

    resolution: Resolution
    missing: tuple[tuple[str, str], ...]
    """Project and version."""


def parse_lock(text: str, warnings: str, plans: Sequence[ResolutionPlan]) -> tuple[TargetAnswer, ...]:
    """Return the answer for each target.

    Args:
        text: of the uv.lock.
        warnings: uv's standard error.
        plans: the plans of the targets.

    Raises:
        ToolError: TOL020 when the text is malformed, or has no answer for a target.
    """
    try:
        lock = _UvLock(tomllib.loads(text)["package"])
        return tuple(lock.answer(plan, parse_yanked(warnings)) for plan in plans)
    except (KeyError, TypeError, ValueError, InvalidMarker, InvalidVersion, InvalidWheelFilename) as error:
        raise ToolError(
            "TOL020",
            f"uv's lock cannot be read: {error or type(error).__name__}",
            hint="envsmith needs uv 0.13, 0.13.8 or later",
        ) from error


class _UvLock:
    def __init__(self, packages: Iterable[Mapping[str, Any]]) -> None:
        self._versions: dict[str, list[_Entry]] = {}
        for table in packages:
            self._versions.setdefault(table["name"], []).append(_Entry(table=table))
        self._markers: dict[str, Marker] = {}

    def answer(self, plan: ResolutionPlan, yanked: Mapping[tuple[str, str], str]) -> TargetAnswer:
        """Return the packages of a target: follow the dependencies whose markers hold, from the root."""
        environment: dict[str, Any] = {**plan.target.marker_environment(), "extra": ""}
        judged: dict[str, bool] = {"": True}
        requirers: dict[str, set[str]] = {}
        (root,) = self._versions[PROJECT]
        chosen: dict[str, _Entry] = {}
        visited: set[tuple[str, str]] = set()
        pending = [(root, "")]
        while pending:
            entry, extra = pending.pop()
            if (entry.name, extra) in visited:
                continue
            visited.add((entry.name, extra))
            for needed in entry.needs(extra):
                marker = needed.get("marker", "")
                if marker not in judged:
                    judged[marker] = self._marker(marker).evaluate(environment)
                if not judged[marker]:
                    continue
                found = self._entry(needed)
                if chosen.setdefault(found.name, found) is not found:
                    raise ValueError(f"two versions of {found.name} for {plan.target}")
                by = requirers.setdefault(found.name, set())
                by.update({entry.name} - {PROJECT})
                pending += [(found, name) for name in ("", *needed.get("extra", ()))]
        wheels = {name: entry.wheels_for(plan) for name, entry in chosen.items()}
        return TargetAnswer(
            resolution=Resolution(
                packages=tuple(chosen[name].package(wheels[name]) for name in sorted(chosen)),
                requirers={name: tuple(sorted(by)) for name, by in requirers.items()},
                indexes={name: entry.registry for name, entry in chosen.items() if not entry.url},
                direct={name: entry.url for name, entry in chosen.items() if entry.url},
                yanked={
                    name: yanked[name, entry.version]
                    for name, entry in chosen.items()
                    if (name, entry.version) in yanked
                },
            ),
            missing=tuple((name, chosen[name].version) for name in sorted(chosen) if not wheels[name]),
        )

    def _marker(self, text: str) -> Marker:
        return self._markers.setdefault(text, Marker(text))

    def _entry(self, needed: Mapping[str, Any]) -> _Entry:
        (found,) = (
            entry
            for entry in self._versions[needed["name"]]
            if needed.get("version", entry.version) == entry.version
        )
        return found


@dataclass(frozen=True, kw_only=True)
class _Entry:
    """A ``[[package]]`` of a uv.lock."""

    table: Mapping[str, Any] = field(repr=False)

    @cached_property
    def name(self) -> str:
        return canonicalize_name(self.table["name"])

    @cached_property
    def version(self) -> str:
        return str(self.table["version"])

    @cached_property
    def registry(self) -> str:
        """Address of its index; empty for a file by its URL."""
        return "" if self.url else str(self.table["source"]["registry"])

    @cached_property
    def url(self) -> str:
        """Address of a wheel that a requirement names; empty for a package of an index."""
        return str(self.table["source"].get("url", ""))

    def needs(self, extra: str) -> Sequence[Mapping[str, Any]]:
        if extra:
            return self.table.get("optional-dependencies", {}).get(extra, ())  # type: ignore[no-any-return]
        return self.table.get("dependencies", ())  # type: ignore[no-any-return]

    @cached_property
    def _wheels(self) -> tuple[PackageWheel, ...]:
        return tuple(_wheel(item) for item in self.table.get("wheels", ()))

    @cached_property
    def _tags(self) -> tuple[frozenset[Any], ...]:
        return tuple(parse_wheel_filename(wheel.filename)[3] for wheel in self._wheels)

    def wheels_for(self, plan: ResolutionPlan) -> list[PackageWheel]:
        """Return the wheels that a target accepts; of the torch family, those of its slice."""
        fitting = [
            wheel
            for wheel, tags in zip(self._wheels, self._tags, strict=True)
            if not tags.isdisjoint(plan.target.tag_set())
        ]
        if self.name in plan.slice.projects:
            own = {wheel.url for wheel in plan.slice.projects[self.name]}
            return [wheel for wheel in fitting if wheel.url in own]
        return fitting

    def package(self, wheels: list[PackageWheel]) -> Package:
        return Package(name=canonicalize_name(self.name), version=Version(self.version), wheels=wheels)


def _wheel(item: Mapping[str, Any]) -> PackageWheel:
    algorithm, _, digest = item["hash"].partition(":")
    time = item.get("upload-time")
    return PackageWheel(
        url=item["url"],
        size=item.get("size"),
        # As in uv's pylock.
        upload_time=datetime.fromisoformat(time).replace(microsecond=0) if time else None,
        hashes={algorithm: digest},
    )


def unusable(answers: Iterable[TargetAnswer]) -> list[str]:
    """Return constraints against the versions without a wheel for some target."""
    return sorted({f"{name}!={version}" for answer in answers for name, version in answer.missing})


def lowest(plans: Sequence[ResolutionPlan], answers: Sequence[Resolution]) -> list[str]:
    """Return constraints to the lowest version of each project that has several across targets.

    Projects of the slices are left out, whose versions were compared before, and versions that are kept.
    """
    versions: dict[str, set[Version]] = {}
    moved: set[str] = set()
    for plan, answer in zip(plans, answers, strict=True):
        for name, version in answer.versions().items():
            versions.setdefault(name, set()).add(Version(version))
            moved |= {name} if plan.preferences.get(name) != version else set()
    return [
        f"{name}<={min(found)}"
        for name, found in sorted(versions.items())
        if len(found) > 1 and name in moved - plans[0].slice.projects.keys()
    ]
