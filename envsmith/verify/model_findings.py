"""Checks of a profile's model files, and their findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from envsmith.config.model_files import ARRAYS, ModelCheckResult, ModelFile
from envsmith.config.profile import Profile
from envsmith.environment.interpreter import ModelProbe
from envsmith.errors import InstallError, ToolError
from envsmith.lock.inputs.recorded_models import HashModel, models_of
from envsmith.lockfile.manifest import Manifest
from envsmith.model.finding import Finding, Severity

_CODES = {
    "unreadable": "ENV102",
    "whole-object": "ENV103",
    "dangerous": "ENV104",
    "refused": "ENV105",
    "elsewhere": "ENV106",
    "device": "ENV107",
    "shape": "ENV108",
    "differs": "ENV109",
    "reference": "ENV110",
    "library": "ENV111",
}
_HINTS = {
    "ENV102": "recreate the file, or correct its format in the profile",
    "ENV103": "save model.state_dict() instead of the model, and load it into the class",
    "ENV104": "do not load it; get the file from a trusted source",
    "ENV105": "save them separately from the tensors; if you trust the file: envsmith shims add torch-safe-globals",
    "ENV106": 'load it with map_location="cpu", or save it again from the CPU',
    "ENV107": "use a machine with that device, or declare another device",
    "ENV108": "correct what the profile declares, or the model",
    "ENV109": "convert it again; set a justified tolerance in the profile",
    "ENV110": "write the arrays again, with the names of the inputs",
    "ENV111": "add it to the requirements, then lock",
}

TIMEOUT_S = 600.0


def missing(model: ModelFile, *, reference: bool = False) -> Finding:
    """Return the finding of a missing file."""
    text = f"its reference {model.reference} is missing" if reference else "is missing"
    hint = "put the file in place; paths are relative to the project"
    return _finding("ENV100", model, text, hint)


def changed(model: ModelFile, found: str, locked: str) -> Finding:
    """Return the finding of a changed file, which is not loaded."""
    text = f"sha256 is {found}, recorded is {locked}; not loaded"
    return _finding("ENV101", model, text, "restore the locked file, or lock again")


def unrecorded(model: ModelFile, profile: str) -> Finding:
    """Return the note on a file without a recorded hash."""
    text = "no sha256 is recorded, so changes cannot be detected"
    return _finding("ENV112", model, text, f"envsmith lock {profile}", "note")


def failed(model: ModelFile, why: str) -> Finding:
    """Return the finding of a model whose check crashed or timed out."""
    hint = "load it by hand in the environment: the file or the library that loads it is damaged"
    return _finding("ENV113", model, why, hint)


def findings(model: ModelFile, result: ModelCheckResult) -> Iterator[Finding]:
    """Yield the findings of a model's check."""
    for problem in result.problems:
        code = _CODES[problem["kind"]]
        # A program may load it with map_location, which cannot be seen here.
        severity: Severity = "warning" if code == "ENV106" else "error"
        yield _finding(code, model, str(problem["text"]), _HINTS[code], severity)


def _finding(code: str, model: ModelFile, text: str, hint: str, severity: Severity = "error") -> Finding:
    message = f"{model.path}: {text}"
    return Finding(code=code, severity=severity, subject=model.path, message=message, hint=hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedModel:
    """A model and the result of its check."""

    model: ModelFile
    result: ModelCheckResult
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, object]:
        """Return it as plain values."""
        times = {
            "load_s": self.result.load_s,
            "first_run_s": self.result.first_run_s,
            "run_s": self.result.run_s,
        }
        return {
            "path": self.model.path,
            "format": self.model.format,
            **times,
            "tensors": self.result.tensors,
            "difference": self.result.difference,
            "findings": [finding.to_json() for finding in self.findings],
        }


def check(
    profile: Profile, manifest: Manifest, prefix: Path, probe: ModelProbe, hash_model: HashModel
) -> tuple[CheckedModel, ...]:
    """Check all models of a profile in an environment.

    Args:
        profile: declares the models.
        manifest: records their hashes.
        prefix: the environment's root.
        probe: loads the models.
        hash_model: hashes files of the project.
    """
    models = models_of(profile)
    formats = {model.path: model.format for model in models}
    return tuple(_checked(model, formats, profile, manifest, (prefix, probe, hash_model)) for model in models)


def _checked(
    model: ModelFile,
    formats: Mapping[str, str],
    profile: Profile,
    manifest: Manifest,
    services: tuple[Path, ModelProbe, HashModel],
) -> CheckedModel:
    prefix, probe, hash_model = services
    before = tuple(_file_findings(model, profile, manifest, hash_model))
    if any(finding.severity == "error" for finding in before):
        return CheckedModel(model=model, result=ModelCheckResult(), findings=before)
    names = profile.texts("safe-globals")
    spec = {
        **model.to_spec(formats.get(model.reference, ""), names),
        "path": str(Path(model.path).absolute()),
        "reference": str(Path(model.reference).absolute()) if model.reference else "",
    }
    try:
        result = probe.model(prefix, spec, TIMEOUT_S)
    except (InstallError, ToolError) as error:
        return CheckedModel(
            model=model, result=ModelCheckResult(), findings=(*before, failed(model, _reason(error)))
        )
    return CheckedModel(model=model, result=result, findings=(*before, *findings(model, result)))


def _file_findings(
    model: ModelFile, profile: Profile, manifest: Manifest, hash_model: HashModel
) -> Iterator[Finding]:
    found = hash_model(model.path)
    locked = model.sha256 or manifest.models.get(model.path, "")
    if not found:
        yield missing(model)
    elif locked and found != locked:
        yield changed(model, found, locked)
    elif not locked:
        yield unrecorded(model, profile.name)
    if model.reference:
        other = hash_model(model.reference)
        expected = "" if model.reference.endswith(ARRAYS) else manifest.models.get(model.reference, "")
        if not other:
            yield missing(model, reference=True)
        elif expected and other != expected:
            yield changed(model, other, expected)


def _reason(error: InstallError | ToolError) -> str:
    return f"its check crashed or timed out: {dict(error.details).get('it says', '').strip()[-300:] or error.message}"
