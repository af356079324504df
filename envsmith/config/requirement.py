"""Requirements with their origins, and the ``requires-python`` of a project."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from envsmith.config import readers
from envsmith.config.readers import Location
from envsmith.errors import ProfileError, redact
from envsmith.model.backend import Backend
from envsmith.model.target import Python

FROM_ENVSMITH = "envsmith"
"""Origin of a requirement of our own."""
FROM_CATALOG = "catalog: "
"""Beginning of the origin of a requirement by a fact."""
LONGEST = 2000
"""Characters of a requirement."""
_MOST_SHOWN = 40
"""Characters of a malformed requirement in its error."""
# Forms of requirements that pip takes from elsewhere than an index.
_VCS = re.compile(r"(?:git|hg|svn|bzr)\+")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PATH = re.compile(r"[./~\\]|[A-Za-z]:[\\/]|file:")
_ARCHIVE = re.compile(r"\.(?:whl|zip|tar\.(?:gz|bz2|xz))(?:$|[\s;\[#])")
_FROM_INDEX = "locks take packages from an index by name: use name==version"
_MOST_PATCHES = 100
"""More than any feature version of CPython has had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcedRequirement:
    """A requirement (PEP 508) with its origin."""

    requirement: Requirement
    origin: str
    """File and line, ``requirements.in:3``."""
    hashes: tuple[str, ...] = ()
    """Given hashes, ``sha256:HEX``; those for one file begin with its name, ``six.whl sha256:HEX``."""

    name: str = field(init=False, repr=False, compare=False)
    """The project's normalised name; plans with many requirements compare it often."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", canonicalize_name(self.requirement.name))

    @property
    def is_fact(self) -> bool:
        """Whether it comes from the catalog, not from the project or a profile."""
        return self.origin == FROM_ENVSMITH or self.origin.startswith(FROM_CATALOG)

    def allowed_sha256(self, filename: str) -> tuple[str, ...]:
        """Return the sha256 hashes given for a file; empty if it may have any."""
        parts = (text.rpartition(" ") for text in self.hashes)
        return tuple(
            digest.removeprefix("sha256:")
            for name, _, digest in parts
            if name in ("", filename) and digest.startswith("sha256:")
        )


def read_requirement(text: str) -> Requirement:
    """Parse one PEP 508 requirement on a project of an index.

    Raises:
        ProfileError: PRF020 when it is malformed; PRF021 when it names a URL, a path or a version-control
            address instead of a project.
    """
    text = text.strip()
    _refuse_outside_index(text)
    if len(text) > LONGEST:
        raise _malformed(text, f"longer than {LONGEST} characters")
    try:
        requirement = Requirement(text)
        str(requirement)
    except ValueError as error:
        raise _malformed(text, str(error).partition("\n")[0]) from error
    except RecursionError as error:
        raise _malformed(text, "nested too deeply") from error
    if requirement.url is not None:
        raise ProfileError("PRF021", f"{shortened(text)!r} is a direct URL", hint=_FROM_INDEX)
    return requirement


def _malformed(text: str, reason: str) -> ProfileError:
    return ProfileError(
        "PRF020",
        f"invalid requirement {shortened(text)!r}: {reason}",
        hint="use the form of PEP 508: name[extra]>=1.0,<2; sys_platform == 'linux'",
    )


def _refuse_outside_index(text: str) -> None:
    kind = ""
    if text.startswith(("-e", "--editable")):
        kind = "an editable install"
    elif _VCS.match(text):
        kind = "a version-control address"
    elif _URL.match(text):
        kind = "a direct URL"
    elif _PATH.match(text) or ("@" not in text and _ARCHIVE.search(text)):
        kind = "a path"
    if kind:
        raise ProfileError("PRF021", f"{shortened(text)!r} is {kind}", hint=_FROM_INDEX)


def shortened(text: str) -> str:
    """Return the begin of a text for a message: the file may be none of requirements, and contain secrets."""
    text = redact(text)  # before a cut may hide the mark after a password
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 3] + "..."


def labels(requirements: Iterable[SourcedRequirement]) -> dict[str, tuple[str, str]]:
    """Return the local version labels of pins, each with its origin, by project.

    Args:
        requirements: requirements that apply together; omit those with a marker that is false on the target.

    Returns:
        ``{"torch": ("cpu", "requirements.in:3")}``.

    Raises:
        ProfileError: PRF022 when two pins of one project, or the backends of two pins, contradict each other.
    """
    found: dict[str, tuple[str, str]] = {}
    backends: dict[str, SourcedRequirement] = {}
    for item in requirements:
        label = _label(item.requirement)
        if not label:
            continue
        earlier = found.setdefault(item.name, (label, item.origin))
        if earlier[0] != label:
            raise _contradiction(item, label, *earlier)
        if _is_backend(label):
            backends.setdefault(label, item)
            first = next(iter(backends))
            if first != label:
                raise _contradiction(item, label, first, backends[first].origin)
    return found


def _contradiction(item: SourcedRequirement, label: str, earlier: str, origin: str) -> ProfileError:
    return ProfileError(
        "PRF022",
        f"{item.requirement} requires the build {label}, but {origin} requires {earlier}",
        where=item.origin,
        hint="use the same label in all pins, or none: the profile's backend then decides",
    )


def _label(requirement: Requirement) -> str:
    for specifier in requirement.specifier:
        if specifier.operator in ("==", "===") and "+" in specifier.version:
            try:
                return Version(specifier.version).local or ""
            except InvalidVersion:
                return ""
    return ""


def _is_backend(label: str) -> bool:
    try:
        Backend.parse(label)
    except ProfileError:
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiresPython:
    """The ``requires-python`` of a project, with its place."""

    specifier: SpecifierSet
    where: str

    def outside(self, pythons: Iterable[Python]) -> tuple[Python, ...]:
        """Return the Pythons with no release in the range, sorted."""
        return tuple(sorted(python for python in set(pythons) if not self._admits(python)))

    def _admits(self, python: Python) -> bool:
        return any(self.specifier.contains(f"{python.version}.{patch}") for patch in range(_MOST_PATCHES))


def read_requires_python(value: object, location: Location) -> RequiresPython | None:
    """Read ``requires-python``; None after recording a problem."""
    text = readers.text(value, location)
    if text is None:
        return None
    try:
        return RequiresPython(specifier=SpecifierSet(text), where=location.where.partition(": ")[0])
    except InvalidSpecifier:
        location.problem("PRF005", f"invalid version range {text!r}", 'write it as ">=3.11,<3.14"')
        return None
