"""Pins of a lock, and the parser of its requirements files and pylocks."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from envsmith.errors import LockError

if TYPE_CHECKING:  # few locks have any, and `envsmith run` must start fast
    from envsmith.model.package_index import PackageIndex

_PIN = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9][A-Za-z0-9.+!_-]*)")
_HASH = re.compile(r"--hash=sha256:(?P<sha256>[0-9a-f]+)")
# A whole line as `envsmith lock` writes it: a pin and nothing but its sha256 hashes.
_HASHED = re.compile(_PIN.pattern + r"( --hash=sha256:[0-9a-f]{64})+")
_DIRECT = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*) @ (?P<source>\S+)")
_HASHED_DIRECT = re.compile(_DIRECT.pattern + r"( --hash=sha256:[0-9a-f]{64})+")
# All keys of a pylock that `envsmith lock` writes; others could make an installer take other files.
_KEYS = frozenset({"lock-version", "environments", "requires-python", "created-by", "packages", "tool"})
_PACKAGE_KEYS = frozenset({"name", "version", "dependencies", "index", "wheels", "sdist", "archive"})
_FILE_KEYS = frozenset({"name", "upload-time", "url", "size", "hashes"})
_INDEX, _PAGE, _DEFAULT = "--extra-index-url", "--find-links", "--index-url"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementsLine:
    """One requirement or option of a requirements file, with the comments below it."""

    number: int
    """Number of its first line in the file, from 1."""
    text: str
    """Continuation lines joined, white space collapsed."""
    comments: tuple[str, ...]
    """Without the number sign."""

    @property
    def name(self) -> str:
        """Name of the pinned project as written; empty for an option or another kind of requirement."""
        match = _PIN.match(self.text) or _DIRECT.match(self.text)
        return match["name"] if match else ""

    @property
    def version(self) -> str:
        """Pinned version; that of a file at a URL is in the first comment. Empty where `name` is."""
        match = _PIN.match(self.text) or (self.source and self.comments and _PIN.fullmatch(self.comments[0]))
        return match["version"] if match and match["name"] == self.name else ""

    @property
    def source(self) -> str:
        """URL of the file; empty if it is from an index."""
        match = _DIRECT.match(self.text)
        return match["source"] if match else ""

    @property
    def sha256(self) -> tuple[str, ...]:
        """SHA-256 hashes (hex) of its files."""
        return tuple(match["sha256"] for match in _HASH.finditer(self.text))

    @property
    def requirers(self) -> tuple[str, ...]:
        """Places and projects that require it, from its ``# via`` comments."""
        return tuple(text.removeprefix("via ") for text in self.comments if text.startswith("via "))


@lru_cache(maxsize=64)
def requirements_lines(text: str) -> tuple[RequirementsLine, ...]:
    """Split a requirements file into its requirements and options, without judging them."""
    found: list[tuple[int, list[str], list[str]]] = []
    is_continued = False
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if bare.startswith("#"):
            is_continued = False
            if found:
                found[-1][2].append(bare.removeprefix("#").strip())
            continue
        if bare and not is_continued:
            found.append((number, [], []))
        if bare:
            found[-1][1].extend(bare.removesuffix("\\").split())
        is_continued = line.endswith("\\")
    return tuple(
        RequirementsLine(number=number, text=" ".join(words), comments=tuple(comments))
        for number, words, comments in found
        if words
    )


def pins_digest(pins: Iterable[tuple[str, str, Iterable[str]]]) -> str:
    """Return the sha256 (hex) of pins: name, version and sha256 hashes of each."""
    lines = sorted(f"{name}=={version} {' '.join(sorted(hashes))}" for name, version, hashes in pins)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One package with its version and hashes."""

    name: str
    version: str
    sha256: tuple[str, ...]
    filename: str = ""
    """Empty if read from a requirements file, like the two fields below."""
    url: str = ""
    size_bytes: int | None = None
    source: str = ""
    """URL in its requirement; empty if it is from an index."""

    @property
    def requirement(self) -> str:
        """The requirement on its version, or on the file at its URL."""
        return f"{self.name} @ {self.source}" if self.source else f"{self.name}=={self.version}"

    @property
    def is_source(self) -> bool:
        """Whether it is locked as a source distribution, which is built at install."""
        return bool(self.filename) and not self.filename.endswith(".whl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """All packages of one lock, sorted by name."""

    packages: tuple[Pin, ...]
    indexes: tuple[str, ...] = ()
    """Addresses of the indexes besides PyPI."""
    pages: tuple[str, ...] = ()
    """Addresses of pages of links."""
    defaults: tuple[str, ...] = ()
    """Address of the index in place of PyPI, if there is one."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "packages", tuple(sorted(self.packages, key=lambda pin: pin.name)))

    def version(self, name: str) -> str:
        """Return the pinned version of a project; empty if it is not pinned."""
        return next((pin.version for pin in self.packages if pin.name == name), "")

    def to_requirements(self, names: Collection[str], *, by_name: bool = False) -> str:
        """Return hashed requirements of some packages, with all indexes and pages.

        Args:
            names: of the packages.
            by_name: without URLs, for a wheelhouse.
        """
        places = ((_DEFAULT, self.defaults), (_INDEX, self.indexes), (_PAGE, self.pages))
        lines = [f"{option} {url}" for option, urls in places for url in urls]
        for pin in self.packages:
            if pin.name in names:
                hashes = [f"--hash=sha256:{value}" for value in pin.sha256]
                named = f"{pin.name}=={pin.version}" if by_name else pin.requirement
                lines.append(" ".join([named, *hashes]))
        return "".join(f"{line}\n" for line in lines)

    def for_wheelhouse(self, text: str) -> str:
        """Return the text of a requirements file, without the URLs of files, which a wheelhouse has by their names."""
        is_direct = any(pin.source for pin in self.packages)
        return self.to_requirements({pin.name for pin in self.packages}, by_name=True) if is_direct else text

    @classmethod
    def from_requirements(cls, text: str, place: str) -> Pins:
        """Read hashed requirements written by `envsmith lock`.

        Raises:
            LockError: LCK006 when a line is not a pin with sha256 hashes.
        """
        packages: list[Pin] = []
        places: dict[str, list[str]] = {_INDEX: [], _PAGE: [], _DEFAULT: []}
        for line in requirements_lines(text):
            option, _, value = line.text.partition(" ")
            if option in places:
                places[option].append(value)
            elif _HASHED.fullmatch(line.text) or (_HASHED_DIRECT.fullmatch(line.text) and line.version):
                pin = Pin(name=line.name, version=line.version, sha256=line.sha256, source=line.source)
                packages.append(pin)
            else:
                raise _not_ours(f"{place}:{line.number}")
        return cls(
            packages=tuple(packages),
            indexes=tuple(places[_INDEX]),
            pages=tuple(places[_PAGE]),
            defaults=tuple(places[_DEFAULT]),
        )

    @classmethod
    def from_pylock(cls, text: str, place: str) -> Pins:
        """Read a pylock written by `envsmith lock`.

        Raises:
            LockError: LCK006 when it is malformed.
        """
        try:
            data = tomllib.loads(text)
            _check_keys(data, _KEYS)
            packages = tuple(_pin(package) for package in data["packages"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise _not_ours(place) from error
        return cls(packages=packages)


def _pin(package: Mapping[str, Any]) -> Pin:
    files: list[Mapping[str, Any]] = [*package.get("wheels", ())]
    files += [package[key] for key in ("sdist", "archive") if key in package]
    (file,) = files
    _check_keys(package, _PACKAGE_KEYS)
    _check_keys(file, _FILE_KEYS)
    _check_keys(file["hashes"], frozenset({"sha256"}))
    filename = file.get("name") or unquote(urlsplit(file["url"]).path.rpartition("/")[2])
    return Pin(
        name=package["name"],
        version=package["version"],
        sha256=(file["hashes"]["sha256"],),
        filename=filename,
        url=file["url"],
        size_bytes=file.get("size"),
        source=file["url"] if "archive" in package else "",
    )


def _check_keys(table: Mapping[str, Any], known: frozenset[str]) -> None:
    if unknown := table.keys() - known:
        raise ValueError(f"unknown keys: {', '.join(sorted(unknown))}")


def _not_ours(place: str) -> LockError:
    return LockError(
        "LCK006",
        "invalid lock: expected one pin with its sha256 per package, as `envsmith lock` writes it",
        where=place,
        hint="restore the committed file, or run `envsmith lock`",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallSource:
    """The packages to install, as text for uv, and the source of their files."""

    text: str
    """A pylock, or hashed requirements."""
    is_pylock: bool
    sources: tuple[str, ...] = ()
    """Names of packages to build from source."""
    wheelhouse: str = ""
    """Folder or address of all files, for hashed requirements only; no index is used then."""
    profile: str = ""
    """For hints; empty if unknown."""
    indexes: tuple[PackageIndex, ...] = ()
    """Those of the project."""
