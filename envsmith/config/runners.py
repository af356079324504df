"""Runners: which labels ask a CI service for the machine a target needs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from envsmith.config import readers
from envsmith.config.readers import Spot
from envsmith.errors import EnvsmithError, ProfileError
from envsmith.model.backend import Backend
from envsmith.model.target import Target

SERVICES = ("github", "gitlab", "azure")
_KEY = re.compile(
    r"(?:linux-(?:x86_64|aarch64)|macos-(?:arm64|x86_64)|windows-(?:amd64|arm64))(?:-(?P<kind>.+))?"
)
_KINDS = ("gpu", "cuda", "rocm", "xpu")
_HINT = "write linux-x86_64, windows-amd64-gpu, linux-x86_64-cuda or linux-x86_64-cu128"


@dataclass(frozen=True, slots=True, kw_only=True)
class Runners:
    """A table: a machine, with or without a GPU → the labels that ask for it."""

    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", MappingProxyType(dict(sorted(self.labels.items()))))

    def find(self, target: Target) -> tuple[str, ...]:
        """Return the labels for a target, those named most narrowly; empty where the table names none."""
        return next((self.labels[key] for key in keys_of(target) if key in self.labels), ())

    def over(self, other: Runners) -> Runners:
        """Return the other table with what this one says put over it."""
        return Runners(labels={**other.labels, **self.labels})


def machine_of(target: Target) -> str:
    """Return ``linux-x86_64``, ``windows-amd64``."""
    return f"{target.platform.os}-{target.platform.machine}"


def needs_gpu(target: Target) -> bool:
    """Say whether what is locked for a target is made for a GPU; macOS builds run on any Mac."""
    return target.backend.family != "cpu"


def keys_of(target: Target) -> tuple[str, ...]:
    """Return the keys under which a runner for a target may stand, the narrowest first."""
    machine = machine_of(target)
    if not needs_gpu(target):
        return (machine,)
    return tuple(f"{machine}-{kind}" for kind in (target.backend, target.backend.family, "gpu"))


def check_key(text: str) -> str:
    """Return a key of the table as it is.

    Raises:
        ProfileError: PRF005 when it names no machine.
    """
    match = _KEY.fullmatch(text)
    if match is None or not _is_kind(match["kind"]):
        raise ProfileError("PRF005", f"{text!r} names no machine", hint=_HINT)
    return text


def _is_kind(text: str | None) -> bool:
    if text is None or text in _KINDS:
        return True
    try:
        return Backend.parse(text).family != "cpu"
    except EnvsmithError:
        return False


def read_runners(value: object, spot: Spot) -> Runners:
    """Read a table of machines and their labels, that of one service."""
    labels: dict[str, tuple[str, ...]] = {}
    for key, item in (readers.table(value, spot) or {}).items():
        inside = spot.at(key)
        with spot.problems.gathering(inside.where):
            check_key(key)
        labels[key] = _labels(item, inside)
    return Runners(labels=labels)


def _labels(value: object, spot: Spot) -> tuple[str, ...]:
    """Read one label, or a list of labels that a runner must all have."""
    if isinstance(value, str):
        value = [value]
    found = readers.listed(readers.text, at_least=1)(value, spot)
    return tuple(item for item in found if isinstance(item, str)) if isinstance(found, tuple) else ()
