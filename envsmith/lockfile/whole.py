"""Check of a lock as a whole: its files against each other, the catalog, and the hosts of its index.

Anybody who can write a lock's files can also write the digests in its manifest. Nothing counts here because a digest
says so: the pylock, the requirements and the manifest must have the same pins, a torch-family file must have a hash
that the catalog has on record for it, and its URL a host that fits its index.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from envsmith.errors import LockError
from envsmith.lockfile.manifest import Manifest, TargetRecord, check_merged
from envsmith.lockfile.pins import Pin, Pins, pins_digest, requirements_lines
from envsmith.lockfile.pylock import MADE_WITH, unhashed_name
from envsmith.model.backend import Backend
from envsmith.model.listing import HOST, PYTORCH_HOSTS, index_name
from envsmith.model.url import is_loopback, is_secure
from envsmith.model.wheel import is_url

PACKAGE_HOSTS = (
    "a4aa2ac280bb8d1a0ce7a1be5a7bfb10292b49fe9435ad5cff19f421f3c70e41",
    "c899567ee906851741bf7f3bde17a33777859ff9f53ff54d6f0ea54cf31ad636",
)
"""SHA-256 of the hosts of PyPI's pages and files: no committed file contains a registry's address (ADR 3)."""
_LABELLED = ("torch", "torchvision", "torchaudio")
"""Projects that are always recorded as torch family; a local version label names their backend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockRules:
    """What is known of files and servers apart from the lock."""

    published: Callable[[str, Backend, str], Collection[str]] = lambda _channel, _backend, _filename: ()
    """Channel, backend and filename → every sha256 on record; empty for an unknown file."""
    pytorch_hosts: Collection[str] = ()
    """Hosts of PyTorch's files and of declared mirrors; empty to accept every host."""
    package_hosts: Collection[str] = ()
    """SHA-256 of the hosts of all other files; empty to accept every host."""
    insecure_hosts: Collection[str] = ()
    """Hosts that may be used over http."""


NO_RULES = LockRules()
"""Compares the files of a lock with each other only, and hosts with those of its indexes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LockTexts:
    """The files of one target's lock."""

    requirements: str
    requirements_name: str
    unhashed: str
    """Requirements without hashes; empty without the file."""
    unhashed_name: str
    pylock: str | None
    """None if it is missing, or made for other requirements, as after a pull: then nobody reads it."""
    pylock_name: str

    @classmethod
    def of(cls, slug: str, entry: TargetRecord, found: Mapping[str, bytes], folder: PurePath) -> LockTexts:
        """Take the texts out of the files of a lock folder.

        Raises:
            LockError: LCK005 when the requirements are missing.
        """
        pylock, name = f"pylock.{slug}.toml", f"requirements.{slug}.txt"
        if name not in found:
            raise LockError(
                "LCK005",
                f"{name} is missing",
                where=folder.as_posix(),
                hint=f"restore the committed file, or run `envsmith lock {folder.name}`",
            )
        requirements = found[name].decode("utf-8", "replace")
        check_merged(requirements, str(folder / name))
        second = unhashed_name(slug)
        unhashed = (
            found[second].decode("utf-8", "replace") if second in entry.files and second in found else ""
        )
        check_merged(unhashed, str(folder / second))
        return cls(
            requirements=requirements,
            requirements_name=str(folder / name),
            unhashed=unhashed,
            unhashed_name=str(folder / second),
            pylock=_own_pylock(found.get(pylock), entry.files.get(pylock), requirements, unhashed),
            pylock_name=str(folder / pylock),
        )


def _own_pylock(content: bytes | None, recorded: str | None, requirements: str, unhashed: str) -> str | None:
    """Return the text of a pylock that was made with these requirements; None for another or none.

    Args:
        content: the file.
        recorded: its digest, in a manifest of form 1.
        requirements: text of the requirements file.
        unhashed: text of the second one.
    """
    if content is None:
        return None
    text = content.decode("utf-8", "replace")
    if recorded is not None:
        return text if hashlib.sha256(content).hexdigest() == recorded else None
    match = MADE_WITH.search(text)
    lines = (*requirements_lines(requirements), *requirements_lines(unhashed))
    own = pins_digest((line.name, line.version, line.sha256 or (line.source,)) for line in lines if line.name)
    return text if match and match["sha256"] == own else None


def check(
    slug: str, manifest: Manifest, texts: LockTexts, rules: LockRules, *, profile: str
) -> tuple[Pins, Pins | None]:
    """Check one target's lock and return the pins of its requirements and of its pylock.

    Args:
        slug: of the target.
        manifest: of its lock folder.
        texts: of its files.
        rules: what is known apart from the lock.
        profile: name of the profile, for messages.

    Raises:
        LockError: LCK006 when a file is malformed, LCK060 when two files differ, LCK061 when a hash is not the
            catalog's, LCK062 when a URL does not fit its index; LCK060 with parts for several.
    """
    requirements = Pins.from_requirements(
        texts.requirements, texts.requirements_name, texts.unhashed, texts.unhashed_name
    )
    places = {item.place: item.source for item in manifest.provided if item.place}
    pylock = None if texts.pylock is None else Pins.from_pylock(texts.pylock, texts.pylock_name, places)
    checker = _Checker(
        slug, manifest, texts, rules, f"restore the committed files, or run `envsmith lock {profile}`"
    )
    found = tuple(checker.problems(requirements, pylock))
    if len(found) == 1:
        raise found[0]
    if found:
        raise LockError("LCK060", f"{profile}/{slug} is not what `envsmith lock` wrote", parts=found)
    return requirements, pylock


def check_profile_name(manifest: Manifest, profile: str, place: str) -> None:
    """Check that a manifest is that of the profile whose folder it is in.

    Raises:
        LockError: LCK060 when it is another one's.
    """
    if manifest.profile != profile:
        raise LockError(
            "LCK060",
            f"this is the manifest of {manifest.profile[:80]!r}, in the folder of {profile}",
            where=place,
            hint=f"restore the committed file, or delete it and run `envsmith lock {profile}`",
        )


def problems(
    slug: str, manifest: Manifest, found: Mapping[str, bytes], folder: PurePath, rules: LockRules
) -> tuple[LockError, ...]:
    """Return the errors of `check`, each by itself."""
    try:
        texts = LockTexts.of(slug, manifest.targets[slug], found, folder)
        check(slug, manifest, texts, rules, profile=manifest.profile)
    except LockError as error:
        return tuple(part for part in error.parts if isinstance(part, LockError)) or (error,)
    return ()


class _Checker:
    """Yields the problems of one target's lock."""

    def __init__(self, slug: str, manifest: Manifest, texts: LockTexts, rules: LockRules, hint: str) -> None:
        self._slug = slug
        self._manifest = manifest
        self._entry = manifest.targets[slug]
        self._texts = texts
        self._rules = rules
        self._hint = hint
        self._pages = {page.project: page for page in manifest.routes if page.project in self._entry.routes}
        self._index = index_name(self._entry.channel, self._entry.backend)
        self._places = {
            (item.name, item.bare_source, item.sha256) for item in manifest.provided if item.source
        }

    def problems(self, requirements: Pins, pylock: Pins | None) -> Iterator[LockError]:
        pins = {pin.name: pin for pin in requirements.packages}
        yield from self._requirements(requirements)
        for name, family in self._entry.family.items():
            pin = pins.get(name)
            have = _pinned(pin)
            want = f"{family.version} sha256:{family.sha256}"
            if have != want:
                yield self._differs(f"{name} {have}", f"manifest.toml: {want}")
            yield from self._filename(name, family.version, family.filename)
            if family.url:
                yield from self._url(
                    Pin(
                        name=name,
                        version=family.version,
                        sha256=(),
                        filename=family.filename,
                        url=family.url,
                    ),
                    "manifest.toml",
                )
            yield from self._family_hash(name, family.filename, family.sha256)
        for name, build in self._entry.builds.items():
            if name not in pins or build.sha256 not in pins[name].sha256:
                locked = f"manifest.toml: built from sha256:{build.sha256}"
                yield self._differs(f"{name} {_pinned(pins.get(name))}", locked)
        for name in filter(pins.__contains__, _LABELLED):
            yield from self._label(pins[name])
        if pylock is not None:
            yield from self._pylock(pins, pylock)

    def _requirements(self, requirements: Pins) -> Iterator[LockError]:
        names = [pin.name for pin in requirements.packages]
        for pin in requirements.packages:
            if len(pin.fixed) != 1:
                yield self._differs(f"{pin.name} has {len(pin.sha256)} hashes", "one file is locked")
            if (
                pin.source
                and (pin.name, pin.source, pin.sha256) not in self._places
                and (pin.is_unhashed or pin.source not in self._entry.urls)
            ):
                yield self._differs(
                    f"{pin.name} @ {pin.source}", "manifest.toml: no requirement with this URL"
                )
            if pin.name != canonicalize_name(pin.name) or names.count(pin.name) > 1:
                yield self._differs(f"{pin.name}", "each package once, by its normalised name")
        if len(names) != self._entry.packages:
            yield self._differs(f"{len(names)} packages", f"manifest.toml: {self._entry.packages}")
        flat = {page.url for page in self._manifest.routes if page.is_flat}
        indexes = {self._address(name) for name in self._entry.family if name not in self._entry.from_pypi}
        own = {index.url for index in self._entry.package_indexes if not index.is_default}
        default = {index.url for index in self._entry.package_indexes if index.is_default}
        for option, urls, known in (
            ("--index-url", requirements.defaults, default),
            ("--extra-index-url", requirements.indexes, (indexes - flat) | own),
            ("--find-links", requirements.pages, indexes & flat),
        ):
            for url in urls:
                if url not in known:
                    yield self._differs(
                        f"{option} {url}", f"of this lock: {', '.join(sorted(known)) or 'none'}"
                    )

    def _pylock(self, pins: Mapping[str, Pin], pylock: Pins) -> Iterator[LockError]:
        theirs = {pin.name: pin for pin in pylock.packages}
        if len(theirs) != len(pylock.packages):
            yield self._differs(
                "a package is listed twice", "each package once", place=self._texts.pylock_name
            )
        for name in sorted({*pins, *theirs}):
            one, other = pins.get(name), theirs.get(name)
            if one is None or other is None or _identity(one) != _identity(other):
                yield self._differs(f"{name} {_pinned(one)}", f"{self._texts.pylock_name}: {_pinned(other)}")
            elif (family := self._entry.family.get(name)) and family.filename != other.filename:
                yield self._differs(
                    f"{name} {other.filename}",
                    f"manifest.toml: {family.filename}",
                    place=self._texts.pylock_name,
                )
        for pin in pylock.packages:
            if pin.is_unhashed or (pin.name, pin.source, pin.sha256) in self._places:
                continue  # compared above
            yield from self._filename(pin.name, pin.version, pin.filename)
            yield from self._url(pin, self._texts.pylock_name)

    def _url(self, pin: Pin, place: str) -> Iterator[LockError]:
        if reason := self._url_problem(pin):
            yield LockError(
                "LCK062",
                f"{pin.name} {pin.version}: {reason}",
                where=place,
                details=(("URL", pin.url[:300]),),
                hint=self._hint,
            )

    def _filename(self, name: str, version: str, filename: str) -> Iterator[LockError]:
        if not _is_file_of(name, version, filename):
            yield self._differs(f"{name} {version}", f"{filename} is the file of another package or version")

    def _family_hash(self, name: str, filename: str, sha256: str) -> Iterator[LockError]:
        """Compare a hash with the index's, or with the recorded page of a route."""
        if name in self._entry.from_pypi:
            return
        page = self._pages.get(name)
        if page is None:
            source = f"the catalog, index {self._index}"
            known = set(self._rules.published(self._entry.channel, self._entry.backend, filename))
        else:
            source = f"the recorded page {page.url}"
            rows = (row for row in page.entries if row.wheel.filename == filename)
            known = {row.wheel.sha256 or row.computed or "" for row in rows} or {"no such file"}
        if known and sha256 not in known:
            yield LockError(
                "LCK061",
                f"{filename}: this lock has another hash than {source}",
                where=self._texts.requirements_name,
                details=(("lock", sha256), *(("known", text) for text in sorted(known))),
                hint=f"do not install it; {self._hint}",
            )

    def _label(self, pin: Pin) -> Iterator[LockError]:
        label = pin.version.partition("+")[2]
        if pin.name not in self._entry.family:
            yield self._differs(f"{pin.name} {pin.version}", "manifest.toml: not in the torch family")
        elif label not in ("", self._entry.backend.label) and pin.name not in self._entry.from_pypi:
            yield self._differs(f"{pin.name} {pin.version}", f"manifest.toml: backend {self._entry.backend}")

    def _address(self, name: str) -> str:
        return self._entry.routes.get(name) or f"{HOST}/whl/{self._index}"

    def _url_problem(self, pin: Pin) -> str:
        """Return why a file cannot come from its URL; empty if it can."""
        if page := self._pages.get(pin.name):
            urls = {row.wheel.url for row in page.entries if row.wheel.filename == pin.filename}
            return "" if pin.url in urls else f"this URL is not on the recorded page {page.url}"
        if not is_url_of(pin.url, pin.filename):
            return f"not a URL of {pin.filename}"
        if not is_secure(pin.url, self._rules.insecure_hosts):
            return "plain http is refused (ENVSMITH_INSECURE_HOST=HOST allows it)"
        host = (urlsplit(pin.url).hostname or "").lower()
        if pin.source:
            is_known = pin.source in self._entry.urls or (pin.name, pin.source, pin.sha256) in self._places
            return "" if is_known else "no requirement of this lock names this URL"
        if pin.name in self._entry.family and pin.name not in self._entry.from_pypi:
            known, name, index = self._rules.pytorch_hosts, host, f"{HOST}/whl/{self._index}"
            pytorch = PYTORCH_HOSTS
        else:
            known, name = self._rules.package_hosts, hashlib.sha256(host.encode()).hexdigest()
            index, pytorch = "the package index", frozenset(self._own_hosts())
        return (
            ""
            if not known or is_loopback(host) or name in known or host in pytorch
            else f"{host} is not a server of {index}, nor a declared mirror"
        )

    def _own_hosts(self) -> Iterator[str]:
        """Yield the hosts of the project's own indexes: their files are on the same servers."""
        for index in self._entry.package_indexes:
            yield (urlsplit(index.url).hostname or "").lower()

    def _differs(self, one: str, other: str, *, place: str = "") -> LockError:
        return LockError(
            "LCK060", f"{one} ({other})", where=place or self._texts.requirements_name, hint=self._hint
        )


def is_url_of(url: str, filename: str) -> bool:
    """Return whether a text is the plain URL of a file."""
    return is_url(url) and unquote(urlsplit(url).path).rpartition("/")[2] == filename


def _identity(pin: Pin) -> tuple[object, ...]:
    return pin.version, pin.sha256, pin.source


def _pinned(pin: Pin | None) -> str:
    if pin is None:
        return "no such package"
    return f"{pin.version} sha256:{' sha256:'.join(pin.sha256)}" if pin.sha256 else f"@ {pin.source}"


def _is_file_of(name: str, version: str, filename: str) -> bool:
    """Return whether a filename is that of a project's version; of source distributions only the project counts."""
    if not filename.endswith(".whl"):
        return str(canonicalize_name(filename)).startswith(f"{name}-")
    parts = filename.split("-")
    try:
        return canonicalize_name(parts[0]) == name and Version(parts[1]) == Version(version)
    except (InvalidVersion, IndexError):
        return False
