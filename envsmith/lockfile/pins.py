"""Pins: what a lock's files say is to be installed, as far as an install needs it.

Supply: what an installer is given: the packages, as text that uv reads, and where their files come from.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from envsmith.errors import LockError

_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9][A-Za-z0-9.+!_-]*)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_INDEX, _PAGE = "--extra-index-url", "--find-links"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One package: its version and the only bytes it may come as."""

    name: str
    version: str
    sha256: tuple[str, ...]
    filename: str = ""
    """Empty where only the requirements are at hand, as are the two below."""
    url: str = ""
    size_bytes: int | None = None

    @property
    def is_source(self) -> bool:
        """Whether it is known to come as source, to be built on this machine."""
        return bool(self.filename) and not self.filename.endswith(".whl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """All packages of one lock, sorted by name."""

    packages: tuple[Pin, ...]
    indexes: tuple[str, ...] = ()
    """Addresses of the indexes that some of them come from, PyPI aside."""
    pages: tuple[str, ...] = ()
    """Addresses of pages of links that some of them come from."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "packages", tuple(sorted(self.packages, key=lambda pin: pin.name)))

    def version(self, name: str) -> str:
        """Return the pinned version of a project; empty where it is not pinned."""
        return next((pin.version for pin in self.packages if pin.name == name), "")

    def to_requirements(self, names: Collection[str]) -> str:
        """Write hashed requirements of some of them, with the places all come from."""
        lines = [f"{_INDEX} {url}" for url in self.indexes] + [f"{_PAGE} {url}" for url in self.pages]
        for pin in self.packages:
            if pin.name in names:
                hashes = [f"--hash=sha256:{value}" for value in pin.sha256]
                lines.append(" ".join([f"{pin.name}=={pin.version}", *hashes]))
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def from_requirements(cls, text: str, place: str) -> Pins:
        """Read hashed requirements that `envsmith lock` wrote.

        Raises:
            LockError: LCK006 when a line is not of its making, or a pin has no sha256.
        """
        packages: list[Pin] = []
        places: dict[str, list[str]] = {_INDEX: [], _PAGE: []}
        for number, line in _logical(text):
            option, _, value = line.partition(" ")
            if option in places:
                places[option].append(value.strip())
                continue
            pin, *hashes = line.split()
            match = _PIN.fullmatch(pin)
            found = [_HASH.fullmatch(word) for word in hashes]
            if match is None or not found or not all(found):
                raise _not_ours(f"{place}:{number}")
            packages.append(
                Pin(name=match[1], version=match[2], sha256=tuple(item[1] for item in found if item))
            )
        return cls(packages=tuple(packages), indexes=tuple(places[_INDEX]), pages=tuple(places[_PAGE]))

    @classmethod
    def from_pylock(cls, text: str, place: str) -> Pins:
        """Read a pylock that `envsmith lock` wrote.

        Raises:
            LockError: LCK006 when it is none.
        """
        try:
            data = tomllib.loads(text)
            packages = tuple(_pin(package) for package in data["packages"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise _not_ours(place) from error
        return cls(packages=packages)


def _pin(package: Mapping[str, Any]) -> Pin:
    (file,) = package.get("wheels") or [package["sdist"]]
    filename = file.get("name") or unquote(urlsplit(file["url"]).path.rpartition("/")[2])
    return Pin(
        name=package["name"],
        version=package["version"],
        sha256=(file["hashes"]["sha256"],),
        filename=filename,
        url=file["url"],
        size_bytes=file.get("size"),
    )


def _logical(text: str) -> Iterator[tuple[int, str]]:
    """Yield each requirement or option with the number of its first line, comments left out."""
    parts: list[str] = []
    begun = 0
    for number, line in enumerate(text.splitlines(), 1):
        bare = "" if line.lstrip().startswith("#") else line
        begun = begun if parts else number
        parts.append(bare.removesuffix("\\"))
        if bare.endswith("\\"):
            continue
        whole = " ".join(" ".join(parts).split())
        parts = []
        if whole:
            yield begun, whole


def _not_ours(place: str) -> LockError:
    return LockError(
        "LCK006",
        "is not as `envsmith lock` writes it: every package needs one pin and its sha256",
        where=place,
        hint="put the committed file back, or write it anew with `envsmith lock`",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallSource:
    """The packages of one lock and the way to their files."""

    text: str
    """A pylock, or hashed requirements."""
    is_pylock: bool
    sources: tuple[str, ...] = ()
    """Names of packages that come as source and are built here."""
    wheelhouse: str = ""
    """Folder or address that holds every file; nothing else is asked then. Hashed requirements only."""
    profile: str = ""
    """Whose packages they are, for hints; empty where that is not known."""
