"""Wheels that an index lists without a hash: which of them a plan cannot do without."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from envsmith.config.requirement import SourcedRequirement
from envsmith.errors import ResolveError
from envsmith.lockfile.manifest import Manifest, TargetRecord
from envsmith.model.finding import Decision
from envsmith.model.listing import VersionMetadata, index_name
from envsmith.model.target import Target
from envsmith.model.wheel import Wheel
from envsmith.plan.model import TorchIndexSlice
from envsmith.plan.ports import Hasher


def unhashed(
    slice_: TorchIndexSlice,
    candidates: Mapping[Wheel, VersionMetadata],
    requirements: Iterable[SourcedRequirement],
    target: Target,
) -> tuple[Wheel, ...]:
    """Return the wheels without a hash that the requirements need, with what those require in turn.

    Args:
        slice_: what has a hash.
        candidates: wheels without one that fit the target, with what they require.
        requirements: what is asked for.
        target: judges markers.
    """
    queue = [item.requirement for item in requirements]
    chosen: dict[str, Wheel] = {}
    while queue:
        wanted = queue.pop(0)
        name = canonicalize_name(wanted.name)
        if name in chosen or not target.satisfies(wanted.marker):
            continue
        if _newest(slice_.projects.get(name, ()), wanted):
            continue
        wheel = _newest((wheel for wheel in candidates if wheel.name == name), wanted)
        if wheel:
            chosen[name] = wheel
            queue += [Requirement(text) for text in candidates[wheel].requires_dist]
    return tuple(chosen.values())


def _newest(wheels: Iterable[Wheel], wanted: Requirement) -> Wheel | None:
    fitting = [wheel for wheel in wheels if wanted.specifier.contains(wheel.version, prereleases=True)]
    return max(fitting, key=lambda wheel: (wheel.version, wheel.build or (), wheel.filename), default=None)


def with_hashes(
    slice_: TorchIndexSlice, candidates: Mapping[Wheel, VersionMetadata], hashes: Mapping[Wheel, str]
) -> TorchIndexSlice:
    """Return the slice with wheels whose hash was computed from their bytes."""
    projects = dict(slice_.projects)
    for wheel, sha256 in hashes.items():
        projects[wheel.name] = (*projects.get(wheel.name, ()), replace(wheel, sha256=sha256))
    return replace(
        slice_, projects=projects, metadata=(*slice_.metadata, *(candidates[wheel] for wheel in hashes))
    )


def told(hashes: Mapping[Wheel, str]) -> tuple[Decision, ...]:
    """Return the decisions that tell people whose hashes are envsmith's own."""
    return tuple(
        Decision(
            subject=wheel.name,
            kind="noted",
            code="RES109",
            message=f"{wheel.filename}: {wheel.index} publishes no hash; sha256 {sha256[:12]}… is of its bytes as "
            "downloaded",
        )
        for wheel, sha256 in sorted(hashes.items(), key=lambda item: item[0].filename)
    )


def passed_over(
    slice_: TorchIndexSlice,
    candidates: Mapping[Wheel, VersionMetadata],
    requirements: Iterable[SourcedRequirement],
) -> tuple[Decision, ...]:
    """Return the decisions that tell people of newer wheels left aside because no hash of them is known.

    Args:
        slice_: what has a hash, wheels hashed by ourselves among it.
        candidates: wheels without a published one that fit the target.
        requirements: what is asked for.
    """
    taken = {wheel.filename for wheels in slice_.projects.values() for wheel in wheels}
    decisions = []
    for name, asked in _specifiers(requirements).items():
        best = _newest(slice_.projects.get(name, ()), asked)
        other = _newest((w for w in candidates if w.name == name and w.filename not in taken), asked)
        if best and other and other.version > best.version:
            decisions.append(
                Decision(
                    subject=name,
                    kind="capped",
                    code="RES113",
                    message=f"{name} {other.version} is listed without a hash: up to {best.version} considered; "
                    f"pin {name}=={other.version.public} to have it fetched and hashed",
                )
            )
    return tuple(decisions)


def _specifiers(requirements: Iterable[SourcedRequirement]) -> dict[str, Requirement]:
    """Join the requirements on each project."""
    joined: dict[str, Requirement] = {}
    for item in requirements:
        wanted = Requirement(item.name)
        before = joined.get(item.name)
        wanted.specifier = (
            item.requirement.specifier & before.specifier if before else item.requirement.specifier
        )
        joined[item.name] = wanted
    return joined


def refusal(missing: Iterable[Wheel]) -> ResolveError:
    """Return the error for wheels without a hash where nothing may be downloaded."""
    wheels = tuple(missing)
    return ResolveError(
        "RES041",
        f"{wheels[0].index} publishes no hash for {wheels[0].filename}",
        where=wheels[0].index,
        details=tuple(("no hash", wheel.filename) for wheel in wheels),
        hint="lock without --offline, where the files can be fetched and hashed; or ask for a stable build",
    )


class RecordedHasher:
    """A hasher that first looks into the manifest: bytes once hashed need no second download."""

    def __init__(self, manifest: Manifest | None, hasher: Hasher) -> None:
        # The same filename has other bytes in another index: aarch64 wheels carried no label.
        self._known = {
            (_index(entry), pin.filename): pin.sha256
            for entry in (manifest.targets.values() if manifest else ())
            for pin in entry.family.values()
        }
        self._hasher = hasher

    def sha256(self, wheel: Wheel) -> str | None:
        """Return the hash on record, else what the other hasher finds."""
        found = self._known.get((wheel.index, wheel.filename))
        return found or self._hasher.sha256(wheel)


def _index(entry: TargetRecord) -> str:
    return index_name(str(entry.inputs.get("channel", "")), str(entry.inputs.get("backend", "")))
