"""Pins of a lock, and the parser of its requirements files and pylocks."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from envsmith.config.package_source import PackageSource
from envsmith.errors import LockError

if TYPE_CHECKING:  # few locks have any, and `envsmith run` must start fast
    from envsmith.model.package_index import PackageIndex

_PIN = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[A-Za-z0-9][A-Za-z0-9.+!_-]*)")
_HASH = re.compile(r"--hash=sha256:(?P<sha256>[0-9a-f]+)")
# A whole line as `envsmith lock` writes it: a pin and nothing but its sha256 hashes.
_HASHED = re.compile(_PIN.pattern + r"( --hash=sha256:[0-9a-f]{64})+")
_DIRECT = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*) @ (?P<source>\S+)")
_HASHED_DIRECT = re.compile(_DIRECT.pattern + r"( --hash=sha256:[0-9a-f]{64})+")
# A line of the second file: a commit, a folder, or a file of this machine with its hash.
_UNHASHED = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]* @ git\+[^\s@]+(?:@[^\s@]+)?@[0-9a-f]{40,64}(?:#subdirectory=\S+)?"
    r"|(?:-e )?(?P<path>(?:file:)?(?:\.|/|[A-Za-z]:/)\S*)(?: --hash=sha256:[0-9a-f]{64})?"
)
_PATH_LINE = re.compile(r"-e |[./]|file:|[A-Za-z]:/")
_PACKAGE_TABLE = re.compile(r"^\[\[packages\]\]\r?\n(?:(?!\[).*(?:\n|\Z))*", re.MULTILINE)
_NAME_IN_TABLE = re.compile(r'^name = "([^"\n]*)"', re.MULTILINE)
_VERSION_IN_TABLE = re.compile(r'^version = "([^"\n]*)"', re.MULTILINE)
_UNHASHED_TABLE = re.compile(
    r"^(?:vcs|directory) = |^archive = \{(?:path = |url = \"[^\"]*(?<!\.whl)\")", re.MULTILINE
)
_NAMED = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:==(?P<version>\S+))?")
# All keys of a pylock that `envsmith lock` writes; others could make an installer take other files.
_KEYS = frozenset({"lock-version", "environments", "requires-python", "created-by", "packages", "tool"})
_PACKAGE_KEYS = frozenset(
    {"name", "version", "dependencies", "index", "wheels", "sdist", "archive", "vcs", "directory"}
)
_FILE_KEYS = frozenset({"name", "upload-time", "url", "size", "hashes", "subdirectory"})
_VCS_KEYS = frozenset({"type", "url", "requested-revision", "commit-id", "subdirectory"})
NO_SOURCES: Mapping[str, str] = MappingProxyType({})
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
        match = _PIN.match(self.text) or _DIRECT.match(self.text) or (self._path and self._comment)
        return match["name"] if match else ""

    @property
    def _comment(self) -> re.Match[str] | None:
        return _NAMED.fullmatch(self.comments[0]) if self.comments else None

    @property
    def _path(self) -> str:
        match = _UNHASHED.fullmatch(self.text) if _PATH_LINE.match(self.text) else None
        return match["path"] if match else ""

    @property
    def version(self) -> str:
        """Pinned version; that of a file at a URL is in the first comment. Empty where `name` is."""
        match = _PIN.match(self.text) or (self._comment if self.source else None)
        return (match["version"] or "") if match and match["name"] == self.name else ""

    @property
    def source(self) -> str:
        """Place of the package, as in a requirement; empty if it is from an index."""
        if path := self._path:
            found = PackageSource.parse(path)
            hashes = self.sha256[0] if self.sha256 else ""
            return str(replace(found, sha256=hashes, is_editable=self.text.startswith("-e ")))
        match = _DIRECT.match(self.text)
        return match["source"] if match else ""

    @property
    def labelled(self) -> bool:
        """Whether the first comment names it, as below each pin that is not from an index."""
        return bool(self._comment and self._comment["name"] == self.name)

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
    """Return the sha256 (hex) of pins: name, version and sha256 hashes of each, or its place without any."""
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
    """Place in its requirement; empty if it is from an index."""

    @property
    def requirement(self) -> str:
        """The requirement on its version, or on its place."""
        return f"{self.name} @ {self.source}" if self.source else f"{self.name}=={self.version}"

    @property
    def line(self) -> str:
        """The requirement of a requirements file on its place."""
        source = PackageSource.parse(self.source)
        line = source.line if source.kind in ("folder", "file") else self.requirement
        return " ".join((line, *(f"--hash=sha256:{value}" for value in self.sha256)))

    @property
    def is_unhashed(self) -> bool:
        """Whether it is a commit, a folder or a file of this machine, which no index or server can replace."""
        return bool(self.source) and not self.source.startswith(("http://", "https://"))

    @property
    def pinned_source(self) -> str:
        """Its place with the hash of an archive."""
        found = PackageSource.parse(self.source)
        return str(replace(found, sha256=self.sha256[0]) if self.sha256 else found)

    @property
    def is_apart(self) -> bool:
        """Whether it is installed after all others, from its place; a wheelhouse does not have it."""
        return self.is_unhashed or self.is_built

    @property
    def is_built(self) -> bool:
        """Whether its place holds sources, which are built at install."""
        return bool(self.source) and not self.source.partition("#")[0].endswith(".whl")

    @property
    def fixed(self) -> tuple[str, ...]:
        """The hashes of its file, or its place: either decides its content."""
        return (self.source,) if self.is_unhashed else self.sha256

    @property
    def shown(self) -> str:
        """Its version, or the place if a build decides the version."""
        return self.version or self.source

    @property
    def is_source(self) -> bool:
        """Whether it is built at install."""
        return self.is_apart or (bool(self.filename) and not self.filename.endswith(".whl"))


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
        lines = [*self.options()]
        for pin in self.packages:
            if pin.name in names and not pin.is_apart:
                hashes = [f"--hash=sha256:{value}" for value in pin.sha256]
                named = f"{pin.name}=={pin.version}" if by_name else pin.requirement
                lines.append(" ".join([named, *hashes]))
        return "".join(f"{line}\n" for line in lines)

    def options(self) -> tuple[str, ...]:
        """Return the lines of a requirements file that name indexes and pages."""
        places = ((_DEFAULT, self.defaults), (_INDEX, self.indexes), (_PAGE, self.pages))
        return tuple(f"{option} {url}" for option, urls in places for url in urls)

    def for_sync(self, text: str, *, by_name: bool, without: Collection[str] = ()) -> str:
        """Return the text of a requirements file without the packages that are installed afterwards.

        Args:
            text: of the file.
            by_name: without the URLs of files, which a wheelhouse has by their names.
            without: names of further packages to leave out.
        """
        names = {pin.name for pin in self.packages} - set(without)
        is_same = not without and not any(pin.is_apart or (by_name and pin.source) for pin in self.packages)
        return text if is_same else self.to_requirements(names, by_name=by_name)

    @classmethod
    def from_requirements(cls, text: str, place: str, unhashed: str = "", second: str = "") -> Pins:
        """Read the requirements written by `envsmith lock`.

        Args:
            text: hashed ones.
            place: of their file.
            unhashed: those of the second file.
            second: its place.

        Raises:
            LockError: LCK006 when a line is not a pin with sha256 hashes, or of the second file one of another form.
        """
        packages: list[Pin] = []
        places: dict[str, list[str]] = {_INDEX: [], _PAGE: [], _DEFAULT: []}
        for line in requirements_lines(text):
            option, _, value = line.text.partition(" ")
            if option in places:
                places[option].append(value)
            elif _HASHED.fullmatch(line.text) or (_HASHED_DIRECT.fullmatch(line.text) and line.labelled):
                pin = Pin(name=line.name, version=line.version, sha256=line.sha256, source=line.source)
                packages.append(pin)
            else:
                raise _not_ours(f"{place}:{line.number}")
        for line in requirements_lines(unhashed):
            if not _UNHASHED.fullmatch(line.text) or not line.labelled:
                raise _not_ours(f"{second}:{line.number}")
            pin = Pin(name=line.name, version=line.version, sha256=line.sha256, source=line.source)
            packages.append(pin)
        return cls(
            packages=tuple(packages),
            indexes=tuple(places[_INDEX]),
            pages=tuple(places[_PAGE]),
            defaults=tuple(places[_DEFAULT]),
        )

    @classmethod
    def from_pylock(cls, text: str, place: str, sources: Mapping[str, str] = NO_SOURCES) -> Pins:
        """Read a pylock written by `envsmith lock`.

        Args:
            text: of the pylock.
            place: of its file.
            sources: path relative to the lock folder → the place in the requirement.

        Raises:
            LockError: LCK006 when it is malformed.
        """
        try:
            data = tomllib.loads(text)
            _check_keys(data, _KEYS)
            packages = tuple(_pin(package, sources) for package in data["packages"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise _not_ours(place) from error
        return cls(packages=packages)


def _pin(package: Mapping[str, Any], sources: Mapping[str, str]) -> Pin:
    _check_keys(package, _PACKAGE_KEYS)
    if place := _place(package, sources):
        if {"wheels", "sdist"} & package.keys():
            raise ValueError("two places of a package")
        sha256 = package.get("archive", {}).get("hashes", {}).get("sha256")
        return Pin(
            name=package["name"],
            version=package.get("version", ""),
            sha256=(sha256,) if sha256 else (),
            source=place,
        )
    files: list[Mapping[str, Any]] = [*package.get("wheels", ())]
    files += [package[key] for key in ("sdist", "archive") if key in package]
    (file,) = files
    _check_keys(file, _FILE_KEYS)
    _check_keys(file["hashes"], frozenset({"sha256"}))
    filename = file.get("name") or unquote(urlsplit(file["url"]).path.rpartition("/")[2])
    return Pin(
        name=package["name"],
        version=package.get("version", ""),
        sha256=(file["hashes"]["sha256"],),
        filename=filename,
        url=file["url"],
        size_bytes=file.get("size"),
        source=_address(file) if "archive" in package else "",
    )


def _place(package: Mapping[str, Any], sources: Mapping[str, str]) -> str:
    """Return the place of a commit, a folder or a file of this machine; empty for another package."""
    if vcs := package.get("vcs"):
        _check_keys(vcs, _VCS_KEYS)
        if vcs["type"] != "git" or not vcs["url"] or {"directory", "archive"} & package.keys():
            raise ValueError("not a commit of git")
        subdirectory = vcs.get("subdirectory", "")
        found = PackageSource.of_git(vcs["url"], vcs["commit-id"], subdirectory)
        return str(found)
    if directory := package.get("directory"):
        _check_keys(directory, frozenset({"path", "editable"}))
        known = sources.get(directory["path"], directory["path"])
        return str(replace(PackageSource.parse(known), is_editable=directory.get("editable") is True))
    archive = package.get("archive", {})
    if "path" in archive:
        _check_keys(archive, frozenset({"path", "hashes", "subdirectory"}))
        found = PackageSource.parse(sources.get(archive["path"], archive["path"]))
        return str(replace(found, sha256=archive["hashes"]["sha256"]))
    return ""


def _address(file: Mapping[str, Any]) -> str:
    found = PackageSource(kind="url", place=file["url"], subdirectory=file.get("subdirectory", ""))
    return str(found)


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


def hashed_part(pylock: str, without: Collection[str] = ()) -> str:
    """Return a pylock without the packages that are installed from their places afterwards.

    Args:
        pylock: its text.
        without: names of further packages to leave out.
    """
    return _tables(pylock, lambda table, name: not _UNHASHED_TABLE.search(table) and name not in without)


def _tables(pylock: str, is_kept: Callable[[str, str], object]) -> str:
    """Return a pylock with some of its packages.

    Args:
        pylock: its text.
        is_kept: takes the table of a package and its name.
    """

    def kept(match: re.Match[str]) -> str:
        named = _NAME_IN_TABLE.search(match[0])
        return match[0] if is_kept(match[0], named[1] if named else "") else ""

    text = _PACKAGE_TABLE.sub(kept, pylock)
    return text if "[[packages]]" in text else f"packages = []\n{text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallSource:
    """The packages to install, as text for uv, and the source of their files."""

    text: str
    """A pylock, or hashed requirements."""
    is_pylock: bool
    apart: tuple[Pin, ...] = ()
    """Commits, folders, archives and files of this machine, which are installed afterwards."""
    sources: tuple[str, ...] = ()
    """Names of packages to build from source."""
    wheelhouse: str = ""
    """Folder or address of all files, for hashed requirements only; no index is used then."""
    profile: str = ""
    """For hints; empty if unknown."""
    indexes: tuple[PackageIndex, ...] = ()
    """Those of the project."""
    options: tuple[str, ...] = ()
    """Lines that name the indexes and pages of the lock, for what builds require."""

    def shared(self, pins: Collection[str]) -> tuple[InstallSource, frozenset[str]]:
        """Return the source of those pins, ``NAME==VERSION``, that it has, and which they are."""
        found: set[str] = set()

        def is_wanted(pin: str) -> bool:
            found.update({pin} & set(pins))
            return pin in found

        if self.is_pylock:
            text = _tables(self.text, lambda table, name: is_wanted(f"{name}=={_version_in(table)}"))
        else:
            lines = requirements_lines(self.text)
            kept = [line.text for line in lines if not line.name or is_wanted(f"{line.name}=={line.version}")]
            text = "".join(f"{line}\n" for line in kept)
        return replace(self, text=text, sources=(), apart=()), frozenset(found)


def _version_in(table: str) -> str:
    found = _VERSION_IN_TABLE.search(table)
    return found[1] if found else ""
