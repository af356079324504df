"""``envsmith verify --models``: check what a profile declares, and show it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envsmith.verify.model_findings import CheckedModel


def check_models(name: str, prefix: Path, folder: Path) -> tuple[CheckedModel, ...]:
    """Check the models of a profile in an environment.

    Args:
        name: of the profile.
        prefix: the environment's root.
        folder: of the lock folders.

    Raises:
        ProfileError: when there is no such profile, or it is malformed.
        LockError: when its manifest is malformed.
    """
    from envsmith.config.profiles import Profiles
    from envsmith.environment.model_probe import ModelProbe, hash_model
    from envsmith.files import atomic as files
    from envsmith.lockfile.manifest import FILENAME, Manifest
    from envsmith.lockfile.recording import read_manifest
    from envsmith.process.runner import Processes
    from envsmith.verify.model_findings import check

    profile = Profiles.of_project(Path()).resolve(name)
    found = read_manifest(files.read_files(folder / name), str(folder / name / FILENAME))
    manifest = found or Manifest(profile=name, cutoff_utc="")
    processes = Processes()
    try:
        return check(profile, manifest, prefix, ModelProbe(processes=processes), hash_model)
    finally:
        processes.close()


def has_errors(found: Iterable[CheckedModel]) -> bool:
    """Say whether a model has a finding of severity error."""
    return any(finding.severity == "error" for item in found for finding in item.findings)


def show(found: tuple[CheckedModel, ...]) -> None:
    """Print each model: what was done with it and how long that took, then what is wrong."""
    from envsmith.console import finding_lines
    from envsmith.console import output as render

    if not found:
        render.say("the profile declares no models")
    for item in found:
        render.labelled("model", " · ".join((item.model.path, item.model.format, *_facts(item))))
    if findings := [finding for item in found for finding in item.findings]:
        render.say("")
        finding_lines.show(findings)


def _facts(item: CheckedModel) -> Iterable[str]:
    told = item.told
    if told.tensors is not None:
        of = f" of {', '.join(told.dtypes)}" if told.dtypes else ""
        yield f"{told.tensors} tensors{of}"
    times = (("loads in", told.load_s), ("first run", told.first_run_s), ("then", told.run_s))
    for word, seconds in times:
        if seconds is not None:
            yield f"{word} {seconds:.3f} s"
    if told.difference is not None:
        yield f"within {told.difference:.2g} of its reference"
