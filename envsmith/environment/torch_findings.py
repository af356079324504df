"""Whether the installed torch family was built to go together: what `pip check` cannot see."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.version import InvalidVersion, Version

from envsmith.catalog import Catalog
from envsmith.environment.installed_state import Condition
from envsmith.environment.model import Environment
from envsmith.errors import EnvsmithError
from envsmith.model.backend import Backend
from envsmith.model.finding import Finding
from envsmith.model.shell import quote_path

_WITH_TORCH = ("torchvision", "torchaudio")
# From here on they are built for the stable ABI, and later torch does as well.
# Source: METADATA and __init__.py of the wheels on PyPI, read 2026-11-20.
_STABLE_ABI = {"torchvision": Version("0.29.1"), "torchaudio": Version("2.11.0")}


def builds_of(environment: Environment, condition: Condition) -> dict[str, Version]:
    """Return the versions of the torch family that is installed, with the labels their own files carry."""
    found = {}
    for item in environment.distributions:
        if item.name not in ("torch", *_WITH_TORCH):
            continue
        try:
            version = Version(item.version)
            inside = Version(condition.builds.get(item.name, item.version))
        except InvalidVersion:
            continue
        found[item.name] = version if version.local else inside
    return found


def mixed(environment: Environment, condition: Condition) -> Iterator[Finding]:
    """Find builds for different backends in one torch family."""
    builds = builds_of(environment, condition)
    torch = _backend(builds.get("torch"))
    for name in _WITH_TORCH:
        other = _backend(builds.get(name))
        if torch is None or other is None or torch == other:
            continue
        said = f"{name} {builds[name]} is built for {other.title}, torch {builds['torch']} for {torch.title}"
        if name == "torchaudio" and torch.family == other.family == "cuda":
            text = f"{said}: torchaudio refuses to be imported beside another CUDA version"
            yield _finding("ENV070", name, text, _cure(environment, name, builds[name], torch))
        else:
            yield _finding(
                "ENV060",
                name,
                f"{said}: their libraries do not fit",
                _cure(environment, name, builds[name], torch),
            )


def _cure(environment: Environment, name: str, version: Version, torch: Backend) -> str:
    into = f"uv pip install --python {quote_path(environment.prefix)} --reinstall-package {name} --no-deps"
    return f"{into} --index-url https://download.pytorch.org/whl/{torch} {name}=={version.public}"


def unpaired(environment: Environment, condition: Condition, catalog: Catalog) -> Iterator[Finding]:
    """Find versions that were built for another torch than the one installed."""
    builds = builds_of(environment, condition)
    torch = builds.get("torch")
    for name in _WITH_TORCH:
        version = builds.get(name)
        if torch is None or version is None or torch.is_prerelease or version.is_prerelease:
            continue
        public = Version(version.public)
        of = [item.torch for item in catalog.releases() if public in item.versions(name)]
        if not of or Version(torch.public) in of:
            continue
        if public >= _STABLE_ABI[name] and Version(torch.public) > max(of):
            continue
        text = f"{name} {public} was built for torch {of[-1]}, and torch is {torch.public}"
        fits = catalog.release(torch)
        right = fits.versions(name)[:1] if fits else ()
        hint = f"uv pip install --python {quote_path(environment.prefix)} {name}=={right[0]}" if right else ""
        yield _finding("ENV066", name, text, hint)


def _backend(version: Version | None) -> Backend | None:
    if version is None or not version.local:
        return None
    try:
        return Backend.parse(version.local)
    except EnvsmithError:
        return None


def _finding(code: str, subject: str, message: str, hint: str = "") -> Finding:
    return Finding(code=code, severity="error", subject=subject, message=message, hint=hint)
