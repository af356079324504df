"""Hashes of a profile's model files, recorded in the lock: reading, recording, comparing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from envsmith.config.model_files import ModelFile
from envsmith.config.profile import Profile
from envsmith.errors import LockError
from envsmith.lockfile.manifest import Manifest

HashModel = Callable[[str], str]
"""Path relative to the project → its sha256; empty for a missing file."""


def models_of(profile: Profile) -> tuple[ModelFile, ...]:
    """Return the model files declared by a profile."""
    declared = profile.later.get("models", ())
    items = declared if isinstance(declared, tuple) else ()
    return tuple(ModelFile.from_plain(item) for item in items if isinstance(item, Mapping))


def record_models(profile: Profile, before: Manifest | None, hash_model: HashModel | None) -> dict[str, str]:
    """Return path → sha256 of the models for the manifest; for a missing file the earlier record.

    Raises:
        LockError: LCK039 when a file differs from the sha256 in the profile.
    """
    found = {}
    for model in models_of(profile):
        here = hash_model(model.path) if hash_model else ""
        if here and model.sha256 and here != model.sha256:
            raise LockError(
                "LCK039",
                f"{model.path} has sha256 {here}, but the profile requires {model.sha256}",
                where=profile.where("models"),
                hint="replace the file, or correct the profile",
            )
        if sha256 := model.sha256 or here or (before.models.get(model.path, "") if before else ""):
            found[model.path] = sha256
    return found


def changed_models(
    profile: Profile, manifest: Manifest, hash_model: HashModel | None
) -> Iterator[tuple[str, str]]:
    """Yield the models that differ from their record in a lock, as path and message.

    Without ``hash_model`` only models with a sha256 in the profile are compared.
    """
    for model in models_of(profile):
        here = (hash_model(model.path) if hash_model else "") or model.sha256
        locked = manifest.models.get(model.path, "")
        if here and here != locked:
            yield model.path, f"{model.path} has sha256 {here}, but the lock has {locked or 'none'}"
