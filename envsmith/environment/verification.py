"""Whether an environment is what its lock says: all of it, nothing else, unchanged."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import groupby

from packaging.version import InvalidVersion, Version

from envsmith.environment.model import Distribution, Environment, Import, TorchBuild
from envsmith.lockfile.pins import Pins
from envsmith.model.backend import Backend, BuildLabel
from envsmith.model.finding import Finding, Report, Severity

# They come with an environment, whoever makes it, and change nothing of what runs in it.
_INSTALLERS = ("pip", "setuptools", "uv", "wheel")
DAMAGED = ("ENV013", "ENV014", "ENV015")
"""Of findings about files that were there, and are gone or others."""
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
        pins: what the lock says.
        backend: what torch must have been built for.
        environment: what was found.
        imports: how the imports went that were tried.
        own: names of what was installed from the project's own folder, which no lock can name.

    Returns:
        A finding for each thing that is not as it should be; none where all is.
    """
    found = {name: list(group) for name, group in groupby(environment.distributions, lambda item: item.name)}
    return Report(
        findings=(
            *_presence(pins, found, own),
            *(finding for item in environment.distributions for finding in _files(item)),
            *_build(pins, backend, environment.torch),
            *(_unimportable(item) for item in imports if item.error),
        )
    )


def _presence(pins: Pins, found: dict[str, list[Distribution]], own: Collection[str]) -> Iterator[Finding]:
    wanted = {pin.name: pin.version for pin in pins.packages}
    for name, version in wanted.items():
        if name not in found:
            yield _finding("ENV010", name, f"{name} {version} is not installed")
        elif len(found[name]) > 1:
            versions = " and ".join(item.version for item in found[name])
            yield _finding("ENV012", name, f"{name} is installed more than once: {versions}")
        elif not _is_same(found[name][0].version, version) and not _lacks_label(
            found[name][0].version, version
        ):
            yield _finding("ENV012", name, f"{name} is {found[name][0].version}, the lock says {version}")
    for name, items in found.items():
        if name not in wanted:
            severity: Severity = "note" if name in _INSTALLERS or name in own else "error"
            what = "installed from the project's own folder, and" if name in own else "installed, but"
            text = f"{name} {items[0].version} is {what} not in the lock"
            yield Finding(code="ENV011", severity=severity, subject=name, message=text)


def _files(item: Distribution) -> Iterator[Finding]:
    if not item.has_record:
        text = f"{item.name} {item.version} has no RECORD, or a part of one: its files cannot be compared"
        yield _finding("ENV013", item.name, text)
    if item.missing_count:
        yield _finding("ENV014", item.name, _counted(item, item.missing_count, "missing", item.missing))
    if item.changed_count:
        text = _counted(item, item.changed_count, "not as its RECORD says", item.changed)
        yield _finding("ENV015", item.name, text)


def _counted(item: Distribution, count: int, what: str, names: tuple[str, ...]) -> str:
    named = ", ".join(names[:3]) + (f" and {count - 3} more" if count > 3 else "")
    are = f"{'file' if item.files == 1 else 'files'} {'is' if count == 1 else 'are'}"
    return f"{item.name} {item.version}: {count} of {item.files} {are} {what}: {named}"


def _build(pins: Pins, backend: Backend, torch: TorchBuild | None) -> Iterator[Finding]:
    """Compare what torch says of its build with the plan's backend, and the labels of the torch family."""
    for name in _LABELLED:
        label = pins.version(name).partition("+")[2]
        if label and label != backend.label:
            yield _finding("ENV016", name, f"the lock pins a build for {label}, its plan is for {backend}")
    if not pins.version("torch"):
        return
    if torch is None:
        yield _finding("ENV016", "torch", "torch/version.py is not there, or cannot be read")
        return
    said = {"cuda": torch.cuda, "rocm": torch.hip, "xpu": torch.xpu}
    told = ", ".join(f"{family} {value}" for family, value in said.items() if value) or "no CUDA, ROCm or XPU"
    if not _is_built_for(backend, said):
        yield _finding("ENV016", "torch", f"torch was built for {told}; the plan says {backend.title}")
    public, _, label = torch.version.partition("+")
    # PyPI's wheels are pinned without the label that the build in them carries.
    if not _is_same(public, pins.version("torch").partition("+")[0]) or label not in ("", backend.label):
        text = f"torch calls itself {torch.version}; the lock says {pins.version('torch')} for {backend}"
        yield _finding("ENV016", "torch", text)


def _is_built_for(backend: Backend, said: dict[str, str]) -> bool:
    if any(value for family, value in said.items() if family != backend.family):
        return False
    if backend.family in ("cpu", "xpu"):  # early XPU builds say nothing of it; their label does
        return True
    # ROCm's own number goes on: 6.4.43482 is ROCm 6.4.
    return f"{said[backend.family]}.".startswith(f"{backend.toolkit_version}.")


def _is_same(one: str, other: str) -> bool:
    """Compare two versions as such: 1.0 and 1.0.0 are one."""
    try:
        return Version(one) == Version(other)
    except InvalidVersion:
        return one == other


def _lacks_label(found: str, pinned: str) -> bool:
    """Say whether all that an installed version lacks is a label that names a torch.

    Wheels of some projects (flash-attn) carry it in the file's name and not in their METADATA; PyTorch's own, whose
    labels name a backend alone, carry it in both.

    Source: Dao-AILab/flash-attention#730; installed with uv 0.13.8, 2026-11-21.
    """
    public, _, label = pinned.partition("+")
    return bool(BuildLabel.parse(label).torch) and _is_same(found, public)


def _unimportable(item: Import) -> Finding:
    place = f" ({item.place})" if item.place else ""
    return _finding("ENV017", item.name, f"import {item.name} fails: {item.error}{place}")


def _finding(code: str, subject: str, message: str) -> Finding:
    return Finding(code=code, severity="error", subject=subject, message=message)
