"""Hashes for wheels without a published one."""

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


def without_hash(
    slice_: TorchIndexSlice,
    candidates: Mapping[Wheel, VersionMetadata],
    requirements: Iterable[SourcedRequirement],
    target: Target,
) -> tuple[Wheel, ...]:
    """Return the wheels without a hash that the requirements need, transitively.

    Args:
        slice_: wheels with a hash.
        candidates: fitting wheels without a hash, with their requirements.
        requirements: direct requirements.
        target: evaluates markers.
    """
    queue = [item.requirement for item in requirements]
    chosen: dict[str, Wheel] = {}
    while queue:
        needed = queue.pop(0)
        name = canonicalize_name(needed.name)
        if name in chosen or not target.satisfies(needed.marker):
            continue
        if _newest(slice_.projects.get(name, ()), needed):
            continue
        wheel = _newest((wheel for wheel in candidates if wheel.name == name), needed)
        if wheel:
            chosen[name] = wheel
            queue += [Requirement(text) for text in candidates[wheel].requires_dist]
    return tuple(chosen.values())


def _newest(wheels: Iterable[Wheel], needed: Requirement) -> Wheel | None:
    fitting = [wheel for wheel in wheels if needed.specifier.contains(wheel.version, prereleases=True)]
    return max(fitting, key=lambda wheel: (wheel.version, wheel.build or (), wheel.filename), default=None)


def with_hashes(
    slice_: TorchIndexSlice, candidates: Mapping[Wheel, VersionMetadata], hashes: Mapping[Wheel, str]
) -> TorchIndexSlice:
    """Return the slice with further wheels, whose hashes were computed from the files."""
    projects = dict(slice_.projects)
    for wheel, sha256 in hashes.items():
        projects[wheel.name] = (*projects.get(wheel.name, ()), replace(wheel, sha256=sha256))
    return replace(
        slice_, projects=projects, metadata=(*slice_.metadata, *(candidates[wheel] for wheel in hashes))
    )


def computed_hash_decisions(hashes: Mapping[Wheel, str]) -> tuple[Decision, ...]:
    """Return one decision per hash that envsmith computed itself."""
    return tuple(
        Decision(
            subject=wheel.name,
            kind="noted",
            code="RES109",
            message=f"{wheel.filename}: {wheel.index} publishes no hash; sha256 {sha256[:12]}… computed from the "
            "downloaded file",
        )
        for wheel, sha256 in sorted(hashes.items(), key=lambda item: item[0].filename)
    )


def skipped_decisions(
    slice_: TorchIndexSlice,
    candidates: Mapping[Wheel, VersionMetadata],
    requirements: Iterable[SourcedRequirement],
) -> tuple[Decision, ...]:
    """Return one decision per project with a newer wheel that was skipped for want of a hash.

    Args:
        slice_: wheels with a hash, published or computed.
        candidates: fitting wheels without a published hash.
        requirements: direct requirements.
    """
    taken = {wheel.filename for wheels in slice_.projects.values() for wheel in wheels}
    decisions = []
    for name, needed in _joined(requirements).items():
        best = _newest(slice_.projects.get(name, ()), needed)
        other = _newest((w for w in candidates if w.name == name and w.filename not in taken), needed)
        if best and other and other.version > best.version:
            decisions.append(
                Decision(
                    subject=name,
                    kind="capped",
                    code="RES113",
                    message=f"{name} {other.version} skipped (up to {best.version} considered): the index publishes no "
                    f"hash for it. To use it, pin "
                    f"{name}=={other.version.public} (it will be downloaded and hashed)",
                )
            )
    return tuple(decisions)


def _joined(requirements: Iterable[SourcedRequirement]) -> dict[str, Requirement]:
    """Return project → one requirement with all its specifiers."""
    joined: dict[str, Requirement] = {}
    for item in requirements:
        before = joined.get(item.name)
        requirement = Requirement(item.name)
        requirement.specifier = (
            item.requirement.specifier & before.specifier if before else item.requirement.specifier
        )
        joined[item.name] = requirement
    return joined


def refusal(missing: Iterable[Wheel]) -> ResolveError:
    """Return the error for wheels without a hash that may not be downloaded."""
    wheels = tuple(missing)
    return ResolveError(
        "RES041",
        f"{wheels[0].index} publishes no hash for {wheels[0].filename}",
        where=wheels[0].index,
        details=tuple(("no hash", wheel.filename) for wheel in wheels),
        hint="lock without --offline to download and hash the files, or use a stable build",
    )


class RecordedHasher:
    """Returns the hashes recorded in a manifest, and computes only the others."""

    def __init__(self, manifest: Manifest | None, hasher: Hasher) -> None:
        # Keyed by index, too: unlabelled aarch64 wheels have equal filenames and different bytes in two indexes.
        self._known = {
            (_index(entry), pin.filename): pin.sha256
            for entry in (manifest.targets.values() if manifest else ())
            for pin in entry.family.values()
        }
        self._hasher = hasher

    def sha256(self, wheel: Wheel) -> str | None:
        """Return the recorded hash, else that of the other hasher."""
        found = self._known.get((wheel.index, wheel.filename))
        return found or self._hasher.sha256(wheel)


def _index(entry: TargetRecord) -> str:
    return index_name(str(entry.inputs.get("channel", "")), str(entry.inputs.get("backend", "")))
