"""Findings on conflicting and unused packages."""

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
    """Find conflict groups with several installed members, except ONNX Runtime, which `onnxruntime` checks.

    Args:
        environment: the environment.
        backend: selects the member to keep.
        catalog: the conflict groups.
    """
    for group in catalog.families():
        members = _members(environment, group)
        if group.name == _ONNX or len(members) < 2:
            continue
        text = f"{_named(members)} are installed together: {group.reason}"
        yield _finding("ENV065", group.folder, text, _repair_commands(environment, group, members, backend))


def onnxruntime(environment: Environment, catalog: Catalog) -> Iterator[Finding]:
    """Find a CPU build of ONNX Runtime in the folder of a GPU build, whose providers may be lost."""
    for group in catalog.families():
        members = _members(environment, group)
        if group.name != _ONNX or len(members) < 2:
            continue
        whole = [item for item in members if not item.changed_count and not item.missing_count]
        owner = f"; its files are those of {whole[0].name}" if len(whole) == 1 else ""
        text = (
            f"{_named(members)} share the folder {group.folder}{owner}: CUDAExecutionProvider may be missing"
        )
        cuda = Backend.parse("cu128")
        backend = cuda if any(item.name == "onnxruntime-gpu" for item in members) else Backend.parse("cpu")
        yield _finding("ENV069", _ONNX, text, _repair_commands(environment, group, members, backend))


def _named(items: list[Distribution]) -> str:
    return " and ".join(f"{item.name} {item.version}" for item in items)


def _members(environment: Environment, group: ConflictGroup) -> list[Distribution]:
    return [item for item in environment.distributions if item.name in group.members]


def _repair_commands(
    environment: Environment, group: ConflictGroup, members: list[Distribution], backend: Backend
) -> str:
    """Return commands that remove all members and install one; removing one alone would damage the others."""
    if group.chooser:  # the choice depends on another project
        return ""
    names = [str(item.name) for item in members]
    kept = group.survivor(names, backend)
    version = next(item.version for item in members if item.name == kept)
    python = f"--python {quote_path(environment.prefix)}"
    removal = f"uv pip uninstall {python} {' '.join(names)}"
    return f"{removal} && uv pip install {python} --no-deps {kept}=={version}"


def unused(
    environment: Environment, installed_state: InstalledState, unused_projects: Mapping[str, str]
) -> Iterator[Finding]:
    """Find torchvision or torchaudio that no file uses and no installed package requires.

    Args:
        environment: the environment.
        installed_state: requirements of the installed packages.
        unused_projects: project unused by the project's files → reason.
    """
    for item in environment.distributions:
        if item.name not in unused_projects:
            continue
        if not any(_requires(requires, item.name) for requires in installed_state.requires.values()):
            text = f"{item.name} {item.version} is installed but unused: {unused_projects[item.name]}"
            hint = f"run `envsmith scan --fix -n {item.name}`, then lock and install again"
            yield _finding(
                "ENV075", item.name, f"{text}, not required by any package", hint, severity="warning"
            )


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
