"""Modelling: what a lock records of a profile's models, and whether they work in an environment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from envsmith.config.model_files import ARRAYS, ModelFile, ModelTold
from envsmith.config.profile import Profile
from envsmith.errors import InstallError, LockError, ToolError
from envsmith.lockfile.manifest import Manifest
from envsmith.model.finding import Finding
from envsmith.verify import model_findings

TIMEOUT_S = 600.0
HashModel = Callable[[str], str]
"""Takes a path relative to the project; returns its sha256, empty where there is no such file."""


class ModelAsker(Protocol):
    """Loads models in an environment."""

    def model(self, prefix: Path, spec: Mapping[str, Any], timeout_s: float) -> ModelTold:
        """Load one model in a process of its own.

        Raises:
            InstallError: when that process dies.
            ToolError: when it takes too long.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedModel:
    """One model, checked."""

    model: ModelFile
    told: ModelTold
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, object]:
        """Return it as plain values."""
        times = {"load_s": self.told.load_s, "first_run_s": self.told.first_run_s, "run_s": self.told.run_s}
        return {
            "path": self.model.path,
            "format": self.model.format,
            **times,
            "tensors": self.told.tensors,
            "difference": self.told.difference,
            "findings": [finding.to_json() for finding in self.findings],
        }


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


def check(
    profile: Profile, manifest: Manifest, prefix: Path, asker: ModelAsker, hash_model: HashModel
) -> tuple[CheckedModel, ...]:
    """Check every model of a profile in an environment.

    Args:
        profile: declares them.
        manifest: records their hashes.
        prefix: the environment's root.
        asker: loads them.
        hash_model: hashes files of the project.
    """
    models = models_of(profile)
    formats = {model.path: model.format for model in models}
    return tuple(_checked(model, formats, profile, manifest, (prefix, asker, hash_model)) for model in models)


def _checked(
    model: ModelFile,
    formats: Mapping[str, str],
    profile: Profile,
    manifest: Manifest,
    ways: tuple[Path, ModelAsker, HashModel],
) -> CheckedModel:
    prefix, asker, hash_model = ways
    before = tuple(_file_findings(model, profile, manifest, hash_model))
    if any(finding.severity == "error" for finding in before):
        return CheckedModel(model=model, told=ModelTold(), findings=before)
    names = profile.texts("safe-globals")
    spec = {
        **model.to_spec(formats.get(model.reference, ""), names),
        "path": str(Path(model.path).absolute()),
        "reference": str(Path(model.reference).absolute()) if model.reference else "",
    }
    try:
        told = asker.model(prefix, spec, TIMEOUT_S)
    except (InstallError, ToolError) as error:
        return CheckedModel(
            model=model, told=ModelTold(), findings=(*before, model_findings.died(model, _why(error)))
        )
    return CheckedModel(model=model, told=told, findings=(*before, *model_findings.findings(model, told)))


def _file_findings(
    model: ModelFile, profile: Profile, manifest: Manifest, hash_model: HashModel
) -> Iterator[Finding]:
    found = hash_model(model.path)
    locked = model.sha256 or manifest.models.get(model.path, "")
    if not found:
        yield model_findings.unavailable(model)
    elif locked and found != locked:
        yield model_findings.changed(model, found, locked)
    elif not locked:
        yield model_findings.unrecorded(model, profile.name)
    if model.reference:
        other = hash_model(model.reference)
        expected = "" if model.reference.endswith(ARRAYS) else manifest.models.get(model.reference, "")
        if not other:
            yield model_findings.unavailable(model, reference=True)
        elif expected and other != expected:
            yield model_findings.changed(model, other, expected)


def _why(error: InstallError | ToolError) -> str:
    return f"its check ends early: {dict(error.details).get('it says', '').strip()[-300:] or error.message}"
