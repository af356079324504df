"""Comparison of an environment with its lock: missing, additional and changed packages and files."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import groupby

from packaging.version import InvalidVersion, Version

from envsmith.environment.model import Distribution, Environment, Import, TorchBuild
from envsmith.lockfile.pins import Pins
from envsmith.model.backend import Backend, BuildLabel
from envsmith.model.finding import Finding, Report, Severity

# Part of most environments, whatever tool creates them; harmless if not locked.
_INSTALLERS = ("pip", "setuptools", "uv", "wheel")
DAMAGED = ("ENV013", "ENV014", "ENV015", "ENV027")
"""Codes of findings about missing and changed files."""
_TITLES = {"cuda": "CUDA", "rocm": "ROCm", "xpu": "XPU"}
_LABELLED = ("torch", "torchvision", "torchaudio")


def verify(
    pins: Pins,
    backend: Backend,
    environment: Environment,
    imports: Iterable[Import] = (),
    own: Collection[str] = (),
) -> Report:
    """Compare an environment with its lock.

    Args:
        pins: of the lock.
        backend: of the lock.
        environment: as installed.
        imports: results of imports.
        own: names of packages installed from the project's own folder, which a lock cannot contain.

    Returns:
        One finding for each difference.
    """
    found = {name: list(group) for name, group in groupby(environment.distributions, lambda item: item.name)}
    return Report(
        findings=(
            *_presence(pins, found, own),
            *(finding for item in environment.distributions for finding in _files(item)),
            *_changes(environment),
            *_build(pins, backend, environment.torch),
            *(_unimportable(item) for item in imports if item.error),
        )
    )


def _presence(pins: Pins, found: dict[str, list[Distribution]], own: Collection[str]) -> Iterator[Finding]:
    wanted = {pin.name: pin for pin in pins.packages}
    for name, pin in wanted.items():
        version = pin.version
        if name not in found:
            yield _finding("ENV010", name, f"{name} {pin.shown} is not installed")
        elif len(found[name]) > 1:
            versions = " and ".join(item.version for item in found[name])
            yield _finding("ENV012", name, f"{name} is installed more than once: {versions}")
        elif (
            version
            and not _is_same(found[name][0].version, version)
            and not _lacks_label(found[name][0].version, version)
        ):
            yield _finding(
                "ENV012", name, f"{name} {found[name][0].version} is installed; {version} is locked"
            )
        elif pin.is_unhashed and not ((origin := found[name][0].origin) and origin.is_of(pin.source)):
            place = f"{origin.url} {origin.commit}".strip() if origin else "an index"
            yield _finding("ENV012", name, f"{name} is installed from {place}; {pin.source} is locked")
    for name, items in found.items():
        if name not in wanted:
            severity: Severity = "note" if name in _INSTALLERS or name in own else "error"
            here = " from the project's own folder" if name in own else ""
            text = f"{name} {items[0].version} is installed{here}, but not locked"
            yield Finding(code="ENV011", severity=severity, subject=name, message=text)


def _files(item: Distribution) -> Iterator[Finding]:
    if not item.has_record:
        text = f"{item.name} {item.version} has no complete RECORD: its files cannot be compared"
        yield _finding("ENV013", item.name, text)
    if item.missing_count:
        yield _finding("ENV014", item.name, _counted(item, item.missing_count, "missing", item.missing))
    if item.changed_count:
        text = _counted(item, item.changed_count, "changed", item.changed)
        yield _finding("ENV015", item.name, text)

    if item.differing_count:
        text = _counted(item, item.differing_count, "other than in its wheel", item.differing)
        yield _finding("ENV027", item.name, f"{text}; its RECORD does not show it")
    for path in item.replaced:
        yield replaced(path, f"{item.name} {item.version}")


def replaced(path: str, owner: str) -> Finding:
    """Return the finding for a file of the environment itself that a package replaced.

    Args:
        path: relative to the prefix.
        owner: the package.
    """
    return _finding("ENV026", path, f"{owner} replaces {path}, which belongs to the environment itself")


def _changes(environment: Environment) -> Iterator[Finding]:
    """Find changes since the install, by digests kept outside the environment."""
    for text in environment.changes:
        yield _finding("ENV019", text.partition(" ")[0], text)
    if not environment.is_kept:
        text = (
            "no digests of this environment were kept here: an earlier version of envsmith made it, or it came with "
            "the repository; `envsmith install` builds it again"
        )
        yield Finding(code="ENV028", severity="warning", subject="digests", message=text)


def _counted(item: Distribution, count: int, state: str, names: tuple[str, ...]) -> str:
    named = ", ".join(names[:3]) + (f" and {count - 3} more" if count > 3 else "")
    are = f"{'file' if item.files == 1 else 'files'} {'is' if count == 1 else 'are'}"
    return f"{item.name} {item.version}: {count} of {item.files} {are} {state}: {named}"


def _build(pins: Pins, backend: Backend, torch: TorchBuild | None) -> Iterator[Finding]:
    """Compare the build of torch, and the labels of the torch family, with the backend of the lock."""
    for name in _LABELLED:
        label = pins.version(name).partition("+")[2]
        if label and label != backend.label:
            yield _finding("ENV016", name, f"the lock pins a build for {label}, but its backend is {backend}")
    if not pins.version("torch"):
        return
    if torch is None:
        yield _finding("ENV016", "torch", "torch/version.py is missing or cannot be read")
        return
    versions = {"cuda": torch.cuda, "rocm": torch.hip, "xpu": torch.xpu}
    if not _is_built_for(backend, versions):
        built = [f"{_TITLES[family]} {value}" for family, value in versions.items() if value]
        text = f"torch was built for {', '.join(built) or 'CPU'}; the lock is for {backend.title}"
        yield _finding("ENV016", "torch", text)
    public, _, label = torch.version.partition("+")
    # Wheels of PyPI are pinned without the local version label of the build they contain.
    if not _is_same(public, pins.version("torch").partition("+")[0]) or label not in ("", backend.label):
        text = f"torch/version.py contains {torch.version}; {pins.version('torch')} for {backend} is locked"
        yield _finding("ENV016", "torch", text)


def _is_built_for(backend: Backend, versions: dict[str, str]) -> bool:
    if any(value for family, value in versions.items() if family != backend.family):
        return False
    if backend.family in ("cpu", "xpu"):  # early XPU builds have no xpu version, only a label
        return True
    # HIP versions are longer: 6.4.43482 is ROCm 6.4.
    return f"{versions[backend.family]}.".startswith(f"{backend.toolkit_version}.")


def _is_same(one: str, other: str) -> bool:
    """Compare two versions by PEP 440: 1.0 equals 1.0.0."""
    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other


def _lacks_label(found: str, pinned: str) -> bool:
    """Return whether an installed version lacks only a local version label that names a torch version.

    Wheels of some projects (flash-attn) have it in the file name but not in METADATA. Wheels of PyTorch, whose labels
    name only a backend, have it in both.

    Source: Dao-AILab/flash-attention#730; installed with uv 0.13.8, 2026-11-21.
    """
    public, _, label = pinned.partition("+")
    return bool(BuildLabel.parse(label).torch) and _is_same(found, public)


def _unimportable(item: Import) -> Finding:
    place = f" ({item.place})" if item.place else ""
    return _finding("ENV017", item.name, f"import {item.name} fails: {item.error}{place}")


def _finding(code: str, subject: str, message: str) -> Finding:
    return Finding(code=code, severity="error", subject=subject, message=message)
