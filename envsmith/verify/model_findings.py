"""What a check of a model file says, as findings: each kind has a code and a cure of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from envsmith.config.model_files import ARRAYS, ModelCheckResult, ModelFile
from envsmith.config.profile import Profile
from envsmith.environment.interpreter import ModelProbe
from envsmith.errors import InstallError, ToolError
from envsmith.lock.staleness import TIMEOUT_S, HashModel, models_of
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
_CURES = {
    "ENV102": "make the file anew, or correct its format in the profile",
    "ENV103": "save model.state_dict() instead of the model, and load it into the class",
    "ENV104": "do not load it, whatever its source says; take the file from elsewhere",
    "ENV105": "save them apart from the tensors; or, where the file is trusted: envsmith shims add torch-safe-globals",
    "ENV106": 'load it with map_location="cpu", or save it anew from the CPU',
    "ENV107": "take a machine with that device, or declare the one it runs on",
    "ENV108": "correct what the profile declares, or the model",
    "ENV109": "convert it anew; a tolerance belongs into the profile with its reason",
    "ENV110": "write the arrays anew, with the names of the inputs",
    "ENV111": "add it to the requirements, and lock",
}


def unavailable(model: ModelFile, *, reference: bool = False) -> Finding:
    """Return the finding of a file that is not there."""
    what = f"its reference {model.reference} is not there" if reference else "is not there"
    hint = "put the file where the profile says; paths are relative to the project, whatever the program's folder is"
    return _finding("ENV100", model, what, hint)


def changed(model: ModelFile, found: str, locked: str) -> Finding:
    """Return the finding of a file with other bytes than recorded; it is not loaded."""
    text = f"the sha256 is {found}, recorded is {locked}; it is not loaded"
    return _finding(
        "ENV101", model, text, "put back the file that was locked; or, if this one is meant, lock again"
    )


def unrecorded(model: ModelFile, profile: str) -> Finding:
    """Return the note that nothing says which bytes the file must have."""
    text = "no sha256 is recorded: any bytes would do"
    return _finding("ENV112", model, text, f"envsmith lock {profile}", "note")


def died(model: ModelFile, why: str) -> Finding:
    """Return the finding of a model whose check did not come to its end."""
    hint = "load it by hand in the environment: the file, or a library it is loaded by, is damaged"
    return _finding("ENV113", model, why, hint)


def findings(model: ModelFile, told: ModelCheckResult) -> Iterator[Finding]:
    """Return what a check said of one model."""
    for problem in told.problems:
        code = _CODES[problem["kind"]]
        # A program may well load it as it should; nothing here can see that.
        severity: Severity = "warning" if code == "ENV106" else "error"
        yield _finding(code, model, str(problem["text"]), _CURES[code], severity)


def _finding(code: str, model: ModelFile, text: str, hint: str, severity: Severity = "error") -> Finding:
    message = f"{model.path}: {text}"
    return Finding(code=code, severity=severity, subject=model.path, message=message, hint=hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedModel:
    """One model, checked."""

    model: ModelFile
    told: ModelCheckResult
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


def check(
    profile: Profile, manifest: Manifest, prefix: Path, asker: ModelProbe, hash_model: HashModel
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
    ways: tuple[Path, ModelProbe, HashModel],
) -> CheckedModel:
    prefix, asker, hash_model = ways
    before = tuple(_file_findings(model, profile, manifest, hash_model))
    if any(finding.severity == "error" for finding in before):
        return CheckedModel(model=model, told=ModelCheckResult(), findings=before)
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
            model=model, told=ModelCheckResult(), findings=(*before, died(model, _why(error)))
        )
    return CheckedModel(model=model, told=told, findings=(*before, *findings(model, told)))


def _file_findings(
    model: ModelFile, profile: Profile, manifest: Manifest, hash_model: HashModel
) -> Iterator[Finding]:
    found = hash_model(model.path)
    locked = model.sha256 or manifest.models.get(model.path, "")
    if not found:
        yield unavailable(model)
    elif locked and found != locked:
        yield changed(model, found, locked)
    elif not locked:
        yield unrecorded(model, profile.name)
    if model.reference:
        other = hash_model(model.reference)
        expected = "" if model.reference.endswith(ARRAYS) else manifest.models.get(model.reference, "")
        if not other:
            yield unavailable(model, reference=True)
        elif expected and other != expected:
            yield changed(model, other, expected)


def _why(error: InstallError | ToolError) -> str:
    return f"its check ends early: {dict(error.details).get('it says', '').strip()[-300:] or error.message}"
