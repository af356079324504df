"""Modelling: what a lock records of a profile's models, and whether they work in an environment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from envsmith.config.model_files import ModelFile
from envsmith.config.profile import Profile
from envsmith.errors import LockError
from envsmith.lockfile.manifest import Manifest

TIMEOUT_S = 600.0
HashModel = Callable[[str], str]
"""Takes a path relative to the project; returns its sha256, empty where there is no such file."""


def models_of(profile: Profile) -> tuple[ModelFile, ...]:
    """Return the models that a profile declares."""
    declared = profile.later.get("models", ())
    items = declared if isinstance(declared, tuple) else ()
    return tuple(ModelFile.from_plain(item) for item in items if isinstance(item, Mapping))


def recorded(profile: Profile, before: Manifest | None, hash_model: HashModel | None) -> dict[str, str]:
    """Return what a lock records of models: path → sha256; of a file that is not here, what was recorded before.

    Raises:
        LockError: LCK039 where a file is not the one that the profile states.
    """
    found = {}
    for model in models_of(profile):
        here = hash_model(model.path) if hash_model else ""
        if here and model.sha256 and here != model.sha256:
            raise LockError(
                "LCK039",
                f"{model.path} has the sha256 {here}, the profile states {model.sha256}",
                where=profile.where("models"),
                hint="put the right file there, or correct the profile",
            )
        if sha256 := model.sha256 or here or (before.models.get(model.path, "") if before else ""):
            found[model.path] = sha256
    return found


def drifted(profile: Profile, manifest: Manifest, hash_model: HashModel | None) -> Iterator[tuple[str, str]]:
    """Yield the models that a lock does not record as they are, each with a sentence.

    Where files are not to be hashed, those alone that the profile states a sha256 of.
    """
    for model in models_of(profile):
        here = (hash_model(model.path) if hash_model else "") or model.sha256
        locked = manifest.models.get(model.path, "")
        if here and here != locked:
            yield model.path, f"{model.path} is {here}, recorded is {locked or 'nothing'}"
