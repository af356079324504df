"""Several projects in one folder, and packages that nothing uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from packaging.markers import UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from envsmith.catalog import Catalog, ConflictGroup
from envsmith.environment.installed_state import InstalledState
from envsmith.environment.model import Distribution, Environment
from envsmith.model.backend import Backend
from envsmith.model.finding import Finding, Severity
from envsmith.model.shell import quote_path

_ONNX = "onnxruntime"


def families(environment: Environment, backend: Backend, catalog: Catalog) -> Iterator[Finding]:
    """Find families with more than one member installed; ONNX Runtime has a check of its own.

    Args:
        environment: what is installed.
        backend: which member serves best is decided for this one.
        catalog: the families.
    """
    for family in catalog.families():
        members = _members(environment, family)
        if family.name == _ONNX or len(members) < 2:
            continue
        text = f"{_named(members)} are installed together: {family.reason}"
        yield _finding("ENV065", family.folder, text, _repair(environment, family, members, backend))


def onnxruntime(environment: Environment, catalog: Catalog) -> Iterator[Finding]:
    """Find a CPU build of ONNX Runtime in the folder of one for GPUs: its providers are then lost."""
    for family in catalog.families():
        members = _members(environment, family)
        if family.name != _ONNX or len(members) < 2:
            continue
        whole = [item for item in members if not item.changed_count and not item.missing_count]
        lies = f"; the files there are those of {whole[0].name}" if len(whole) == 1 else ""
        text = (
            f"{_named(members)} share the folder {family.folder}{lies}: CUDAExecutionProvider may be missing"
        )
        cuda = Backend.parse("cu128")
        backend = cuda if any(item.name == "onnxruntime-gpu" for item in members) else Backend.parse("cpu")
        yield _finding("ENV069", _ONNX, text, _repair(environment, family, members, backend))


def _named(items: list[Distribution]) -> str:
    return " and ".join(f"{item.name} {item.version}" for item in items)


def _members(environment: Environment, family: ConflictGroup) -> list[Distribution]:
    return [item for item in environment.distributions if item.name in family.members]


def _repair(
    environment: Environment, family: ConflictGroup, members: list[Distribution], backend: Backend
) -> str:
    """Remove all, install one: what is left after removing one alone is half of each."""
    if family.chooser:  # the project that decides is not asked here
        return ""
    names = [str(item.name) for item in members]
    kept = family.survivor(names, backend)
    version = next(item.version for item in members if item.name == kept)
    python = f"--python {quote_path(environment.prefix)}"
    removal = f"uv pip uninstall {python} {' '.join(names)}"
    return f"{removal} && uv pip install {python} --no-deps {kept}=={version}"


def unused(
    environment: Environment, condition: InstalledState, unneeded: Mapping[str, str]
) -> Iterator[Finding]:
    """Find torchvision or torchaudio where no file uses it and no installed package requires it.

    Args:
        environment: what is installed.
        condition: what the installed packages require.
        unneeded: project → why the project's files do not need it; those they need are absent.
    """
    for item in environment.distributions:
        if item.name not in unneeded:
            continue
        if not any(_requires(requires, item.name) for requires in condition.requires.values()):
            text = f"{item.name} {item.version} is installed, and nothing needs it: {unneeded[item.name]}"
            hint = f"envsmith scan --fix -n {item.name}, then lock and install again"
            yield _finding("ENV075", item.name, f"{text}, no package requires it", hint, severity="warning")


def _requires(texts: tuple[str, ...], name: str) -> bool:
    for text in texts:
        try:
            found = Requirement(text)
            is_here = found.marker is None or found.marker.evaluate({"extra": ""})
        except (InvalidRequirement, UndefinedEnvironmentName):
            continue
        if is_here and canonicalize_name(found.name) == name:
            return True
    return False


def _finding(code: str, subject: str, message: str, hint: str, severity: Severity = "error") -> Finding:
    return Finding(code=code, severity=severity, subject=subject, message=message, hint=hint)
