"""ProjectSettings: what ``[tool.envsmith]`` in a pyproject.toml says.

CiSettings: what ``[tool.envsmith.ci]`` in a pyproject.toml says.


Runners: which labels ask a CI service for the machine a target needs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from envsmith.config import readers
from envsmith.config.mirrors import MirrorRule
from envsmith.config.positions import TomlDocument
from envsmith.config.profile import check_name
from envsmith.config.profile_file import ProfileSource
from envsmith.config.readers import Location, Problems, Reader
from envsmith.errors import EnvsmithError, ProfileError
from envsmith.model.backend import Backend
from envsmith.model.target import Target

SERVICES = ("github", "gitlab", "azure")
_KEY = re.compile(
    r"(?:linux-(?:x86_64|aarch64)|macos-(?:arm64|x86_64)|windows-(?:amd64|arm64))(?:-(?P<kind>.+))?"
)
_KINDS = ("gpu", "cuda", "rocm", "xpu")
_HINT = "write linux-x86_64, windows-amd64-gpu, linux-x86_64-cuda or linux-x86_64-cu128"
# Characters that YAML takes for line breaks, or does not take at all, besides the control characters.
# Source: YAML 1.1 and 1.2.2, "Character Set" and "Line Break Characters", read 2026-11-21.
_NOT_IN_YAML = "\u2028\u2029\ufeff\ufffe\uffff"
TABLE = ("tool", "envsmith")


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


def read_runners(value: object, spot: Location) -> Runners:
    """Read a table of machines and their labels, that of one service."""
    labels: dict[str, tuple[str, ...]] = {}
    for key, item in (readers.table(value, spot) or {}).items():
        inside = spot.at(key)
        with spot.problems.gathering(inside.where):
            check_key(key)
        labels[key] = _labels(item, inside)
    return Runners(labels=labels)


def _labels(value: object, spot: Location) -> tuple[str, ...]:
    """Read one label, or a list of labels that a runner must all have."""
    if isinstance(value, str):
        value = [value]
    found = readers.listed(readers.text, at_least=1)(value, spot)
    return tuple(item for item in found if isinstance(item, str)) if isinstance(found, tuple) else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CiSettings:
    """A project's wishes for its CI."""

    runners: Mapping[str, Runners] = field(default_factory=dict)
    """CI service → the machines that the project has there."""
    profiles: tuple[str, ...] = ()
    """Whose locks are tried; all where none is named."""
    setup: tuple[str, ...] = ()
    """The shell's lines that install envsmith; there is no telling whence it comes where the project says nothing."""
    test: tuple[str, ...] = ()
    """The words of the command that tests an environment."""
    has_cpu_fallback: bool = False


def read_ci(value: object, spot: Location) -> CiSettings:
    """Read the table."""
    found = readers.fields(value, spot, _CI_SETTINGS)
    return CiSettings(
        runners={name: table for name, table in found.items() if isinstance(table, Runners)},
        profiles=_texts(found.get("profiles")),
        setup=_texts(found.get("setup")),
        test=_texts(found.get("test")),
        has_cpu_fallback=found.get("cpu-fallback") is True,
    )


def _word(value: object, spot: Location) -> str | None:
    """Read a text that YAML can carry."""
    found = readers.text(value, spot)
    if found is not None and (set(found) & set(_NOT_IN_YAML) or not found.isprintable()):
        spot.problem("PRF005", f"{found!r} has characters that YAML does not carry", "leave them out")
        return None
    return found


def _line(value: object, spot: Location) -> str | None:
    found = _word(value, spot)
    return found.strip() if found is not None else None


_CI_SETTINGS: Mapping[str, Reader] = {
    **dict.fromkeys(SERVICES, read_runners),
    "profiles": readers.listed(readers.parsed(check_name), at_least=1),
    "setup": readers.listed(_line, at_least=1),
    "test": readers.listed(_word, at_least=1),
    "cpu-fallback": readers.flag,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectSettings:
    """A project's settings; empty where its pyproject.toml says nothing."""

    profiles: tuple[ProfileSource, ...] = ()
    """The profiles written in the file itself; the last key of their table is their name."""
    default_profiles: tuple[str, ...] = ()
    """What to lock where the command names no profile."""
    requirements_from: str = "project"
    """Where requirements come from without -r: ``project`` (this file) or ``profile``."""
    sources: tuple[str, ...] = ()
    """Where the project's code lies; empty where it is as the build backend is told."""
    rewrite: tuple[str, ...] = ()
    """Where files are fetched instead: ``https://download.pytorch.org=https://mirror.example/pytorch``."""
    ci: CiSettings = field(default_factory=CiSettings)

    @classmethod
    def from_pyproject(cls, text: str, place: str) -> ProjectSettings:
        """Read the settings from a pyproject.toml's text.

        Raises:
            ProfileError: with all problems as ``parts``: unknown keys, wrong kinds, impossible names.
        """
        document = TomlDocument.parse(text, place)
        problems = Problems()
        node: object = document.data
        for key in TABLE:
            node = node.get(key, {}) if isinstance(node, Mapping) else {}
        found = readers.fields(node, Location(text=document, problems=problems, path=TABLE), _SETTINGS)
        problems.raise_if_any()
        names = found.get("profiles", ())
        defaults = found.get("default-profiles", ())
        return cls(
            profiles=tuple(
                ProfileSource(text=text, place=place, table=(*TABLE, "profiles", name))
                for name in _texts(names)
            ),
            default_profiles=_texts(defaults),
            requirements_from=str(found.get("requirements-from", "project")),
            sources=_texts(found.get("sources", ())),
            rewrite=_texts(found.get("rewrite", ())),
            ci=ci if isinstance(ci := found.get("ci"), CiSettings) else CiSettings(),
        )

    def profile(self, name: str) -> ProfileSource | None:
        """Return the text of a profile by name; None where the file has no such profile."""
        return next((profile for profile in self.profiles if profile.table[-1] == name), None)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, tuple) else ()


def _profile_names(value: object, spot: Location) -> tuple[str, ...]:
    """Read only the names: a profile's own table is read when the profile is."""
    names: list[str] = []
    for name, item in (readers.table(value, spot) or {}).items():
        with spot.problems.gathering(spot.at(name).where):
            names.append(check_name(name))
        readers.table(item, spot.at(name))
    return tuple(sorted(names))


def _folder(value: object, spot: Location) -> str | None:
    """Read a folder or file of the project, relative to its root."""
    found = readers.text(value, spot)
    if found is None:
        return None
    parts = found.replace("\\", "/").split("/")
    if found.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
        spot.problem("PRF005", f"{found!r} is not inside the project", "name a folder relative to this file")
        return None
    return "/".join(part for part in parts if part not in ("", ".")) or "."


def _rewrites(value: object, spot: Location) -> tuple[str, ...] | None:
    """Read a list of ``source=mirror``, or a table of sources and their mirrors."""
    if not isinstance(value, Mapping):
        found = readers.listed(readers.parsed(_rewrite))(value, spot)
        return _texts(found) if found is not None else None
    texts = []
    for source, target in value.items():
        inside = spot.at(source)
        if (mirror := readers.text(target, inside)) is not None:
            with spot.problems.gathering(inside.where):
                texts.append(_rewrite(f"{source}={mirror}"))
    return tuple(texts)


def _rewrite(text: str) -> str:
    """Return the text of a rewrite as it is written, for its target may carry a password that `str` leaves out."""
    MirrorRule.parse(text)
    return text


_SETTINGS: Mapping[str, Reader] = {
    "profiles": _profile_names,
    "default-profiles": readers.listed(readers.parsed(check_name)),
    "requirements-from": readers.choice("project", "profile"),
    "sources": readers.listed(_folder, at_least=1),
    "ci": read_ci,
    "rewrite": _rewrites,
}
