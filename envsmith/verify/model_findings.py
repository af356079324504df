"""What a check of a model file says, as findings: each kind has a code and a cure of its own."""

from __future__ import annotations

from collections.abc import Iterator

from envsmith.config.model_files import ModelFile, ModelTold
from envsmith.model.finding import Finding

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


def findings(model: ModelFile, told: ModelTold) -> Iterator[Finding]:
    """Return what a check said of one model."""
    for problem in told.problems:
        code = _CODES[problem["kind"]]
        # A program may well load it as it should; nothing here can see that.
        severity = "warning" if code == "ENV106" else "error"
        yield _finding(code, model, str(problem["text"]), _CURES[code], severity)


def _finding(code: str, model: ModelFile, text: str, hint: str, severity: str = "error") -> Finding:
    message = f"{model.path}: {text}"
    return Finding(code=code, severity=severity, subject=model.path, message=message, hint=hint)
