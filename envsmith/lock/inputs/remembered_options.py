"""Options that a lock remembers: those of the manifest, until they are given again or the profile decides otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from envsmith.config.profile import Profile
from envsmith.config.pyproject_settings import ProjectSettings
from envsmith.config.requirements.project_dependencies import ALL
from envsmith.lockfile.manifest import Manifest, RememberedOptions
from envsmith.model.target import Platform, Python

_OF_PROFILE = ("backend", "python", "platforms", "as_of")
"""Options that stand in the place of a value of the profile."""
_TARGETS = {"python": Python.parse, "platforms": Platform.parse}
"""Options that on a later lock choose among its targets."""


def combine(
    given: RememberedOptions, manifest: Manifest | None, profile: Profile, *, is_implied: bool
) -> RememberedOptions:
    """Return the options of a lock: those given, else those of the manifest.

    Args:
        given: on the command line.
        manifest: of the lock on disk.
        profile: without options.
        is_implied: whether the profile is made from the name of a backend, and has no file that may change.

    Raises:
        ProfileError: when a value is malformed.
    """
    recorded = manifest.remembered if manifest else RememberedOptions()
    forgotten: dict[str, Any] = {
        name: type(getattr(recorded, name))()
        for name in _OF_PROFILE
        if not is_implied and recorded.instead_of.get(name, _own(profile, name)) != _own(profile, name)
    }
    recorded = replace(recorded, **forgotten)
    found = given.or_else(recorded)
    for name, parse in _TARGETS.items() if manifest and manifest.targets else ():
        if words := [str(parse(text)) for text in getattr(given, name)]:
            known = getattr(recorded, name) or tuple(_own(profile, name).split())
            parsed = {str(parse(text)) for text in known}
            added = [text for text in words if text not in parsed]
            changed: dict[str, Any] = {name: (*known, *added) if added else getattr(recorded, name)}
            found = replace(found, **changed)
    own = {name: _own(profile, name) for name in _OF_PROFILE if getattr(found, name) and not is_implied}
    return replace(found, instead_of=own)


def _own(profile: Profile, name: str) -> str:
    if name in _TARGETS:
        part = name.removesuffix("s")
        return " ".join(map(str, sorted({getattr(target, part) for target in profile.targets()})))
    if name == "backend":
        entries = (f"{entry} {entry.backend}" for entry in profile.target if entry.backend)
        return " ".join((str(profile.backend), *entries))
    return str(getattr(profile, name))


def chosen_slugs(given: RememberedOptions, manifest: Manifest | None, profile: Profile) -> frozenset[str]:
    """Return the slugs of the targets that the command line chooses on a later lock; empty for all.

    Args:
        given: on the command line.
        manifest: of the lock on disk.
        profile: with the options.
    """
    if not (manifest and manifest.targets and (given.python or given.platforms)):
        return frozenset()
    pythons = {Python.parse(text) for text in given.python}
    platforms = {profile.platform(text) for text in given.platforms}
    return frozenset(
        target.slug
        for target in profile.targets()
        if (not pythons or target.python in pythons) and (not platforms or target.platform in platforms)
    )


def extras_of(options: RememberedOptions, profile: Profile, settings: ProjectSettings) -> tuple[str, ...]:
    """Return the extras to lock: the given ones, and those of the profile, else of the project; `ALL` for every one."""
    return _joined(options.extras, profile.extras or settings.extras)


def groups_of(options: RememberedOptions, profile: Profile, settings: ProjectSettings) -> tuple[str, ...]:
    """Return the dependency groups to lock, by the same rule; `ALL` for every one."""
    return _joined(options.groups, () if options.no_default_groups else profile.groups or settings.groups)


def _joined(*lists: Iterable[str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(name for names in lists for name in names))
    return (ALL,) if ALL in found else found


def changes(before: RememberedOptions, after: RememberedOptions) -> list[str]:
    """Return a line for each remembered option that changed: ``extras: (none) → ml``."""
    old, new = before.to_plain(), after.to_plain()
    names = sorted({*old, *new} - {"instead-of"})
    changed = [name for name in names if old.get(name) != new.get(name)]
    return [f"{name}: {_text(old.get(name))} → {_text(new.get(name))}" for name in changed]


def _text(value: Any) -> str:  # noqa: ANN401 - any value of a manifest
    return (" ".join(value) if isinstance(value, list) else str(value)) if value else "(none)"
