"""Hashes for wheels without a published one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from envsmith.config.requirement import SourcedRequirement
from envsmith.errors import ResolveError
from envsmith.lockfile.manifest import Manifest
from envsmith.model.finding import Decision
from envsmith.model.listing import index_name
from envsmith.model.route import RouteEntry
from envsmith.model.target import Target
from envsmith.model.wheel import Wheel
from envsmith.plan.candidates import CandidateSet
from envsmith.plan.model import TorchIndexSlice
from envsmith.plan.ports import Hasher


def complete(
    found: CandidateSet, requirements: Iterable[SourcedRequirement], target: Target, hasher: Hasher
) -> CandidateSet:
    """Hash the wheels without a published hash that the requirements need, and add them with a decision for each.

    Raises:
        ResolveError: RES041 when one may not be downloaded.
        ToolError: when one cannot be downloaded.
    """
    computed, decisions = _computed(dict.fromkeys(_needed(found, requirements, target)), hasher)
    projects = dict(found.slice.projects)
    for wheel, sha256 in computed.items():
        projects[wheel.name] = (*projects.get(wheel.name, ()), replace(wheel, sha256=sha256))
    metadata = (*found.slice.metadata, *(found.unhashed[wheel] for wheel in computed))
    return replace(
        found,
        slice=replace(found.slice, projects=projects, metadata=metadata),
        decisions=(*found.decisions, *decisions),
    )


def _needed(
    found: CandidateSet, requirements: Iterable[SourcedRequirement], target: Target
) -> tuple[Wheel, ...]:
    """Return the wheels without a hash that the requirements need, transitively."""
    queue = [item.requirement for item in requirements]
    chosen: dict[str, Wheel] = {}
    while queue:
        needed = queue.pop(0)
        name = canonicalize_name(needed.name)
        if name in chosen or not target.satisfies(needed.marker):
            continue
        if _newest(found.slice.projects.get(name, ()), needed):
            continue
        if wheel := _newest((wheel for wheel in found.unhashed if wheel.name == name), needed):
            chosen[name] = wheel
            queue += [Requirement(text) for text in found.unhashed[wheel].requires_dist]
    return tuple(chosen.values())


def _newest(wheels: Iterable[Wheel], needed: Requirement) -> Wheel | None:
    fitting = [wheel for wheel in wheels if needed.specifier.contains(wheel.version, prereleases=True)]
    return max(fitting, key=lambda wheel: (wheel.version, wheel.build or (), wheel.filename), default=None)


def usable_entries(fitting: Iterable[RouteEntry], admitted: Sequence[RouteEntry]) -> tuple[RouteEntry, ...]:
    """Return the fitting entries with a hash; if none of them is admitted, also the newest admitted one."""
    hashed = tuple(entry for entry in fitting if entry.wheel.sha256)
    if admitted and not any(entry in hashed for entry in admitted):
        # Hashing takes a download of each wheel: hash only the newest.
        return (*hashed, max(admitted, key=RouteEntry.rank))
    return hashed


def complete_entries(
    chosen: Mapping[str, Iterable[RouteEntry]], hasher: Hasher
) -> tuple[dict[str, tuple[RouteEntry, ...]], tuple[Decision, ...]]:
    """Return project → entries, each with a hash, and one decision per computed hash.

    Raises:
        ResolveError: RES041 when a wheel may not be downloaded.
        ToolError: when one cannot be downloaded.
    """
    missing = [entry for entries in chosen.values() for entry in entries if not entry.wheel.sha256]
    computed, decisions = _computed({entry.wheel: entry.computed for entry in missing}, hasher)
    return {
        name: tuple(
            replace(entry, wheel=replace(entry.wheel, sha256=entry.wheel.sha256 or computed[entry.wheel]))
            for entry in entries
        )
        for name, entries in chosen.items()
    }, decisions


def _computed(
    missing: Mapping[Wheel, str | None], hasher: Hasher
) -> tuple[dict[Wheel, str], tuple[Decision, ...]]:
    """Return wheel → hash, the recorded one or else that of the hasher, and one decision per wheel."""
    found = {wheel: recorded or hasher.sha256(wheel) for wheel, recorded in missing.items()}
    if refused := [wheel for wheel, sha256 in found.items() if not sha256]:
        raise ResolveError(
            "RES041",
            f"{refused[0].index} publishes no hash for {refused[0].filename}",
            where=refused[0].index,
            details=tuple(("no hash", wheel.filename) for wheel in refused),
            hint="lock without --offline to download and hash the files, or use a stable build",
        )
    computed = {wheel: sha256 for wheel, sha256 in found.items() if sha256}
    return computed, tuple(
        Decision(
            subject=wheel.name,
            kind="noted",
            code="RES109",
            message=f"{wheel.filename}: {wheel.index} publishes no hash; sha256 {sha256[:12]}… computed from the "
            "downloaded file",
        )
        for wheel, sha256 in sorted(computed.items(), key=lambda item: item[0].filename)
    )


def skipped(
    found: CandidateSet, slice_: TorchIndexSlice, requirements: Iterable[SourcedRequirement]
) -> tuple[Decision, ...]:
    """Return one decision per project with a newer wheel that was skipped for want of a hash.

    Args:
        found: completed candidates.
        slice_: those of them that the plan may use.
        requirements: direct requirements.
    """
    taken = {wheel.filename for wheels in slice_.projects.values() for wheel in wheels}
    decisions = []
    for name, needed in _joined(requirements).items():
        best = _newest(slice_.projects.get(name, ()), needed)
        other = _newest((w for w in found.unhashed if w.name == name and w.filename not in taken), needed)
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
        requirement = joined.setdefault(item.name, Requirement(item.name))
        requirement.specifier &= item.requirement.specifier
    return joined


class RecordedHasher:
    """Returns the hashes recorded in a manifest, and computes only the others."""

    def __init__(self, manifest: Manifest | None, hasher: Hasher) -> None:
        # Keyed by index, too: unlabelled aarch64 wheels have equal filenames and different bytes in two indexes.
        self._known = {
            (index_name(entry.channel, entry.backend), pin.filename): pin.sha256
            for entry in (manifest.targets.values() if manifest else ())
            for pin in entry.family.values()
        }
        self._hasher = hasher

    def sha256(self, wheel: Wheel) -> str | None:
        """Return the recorded hash, else that of the other hasher."""
        found = self._known.get((wheel.index, wheel.filename))
        return found or self._hasher.sha256(wheel)
