"""Parser of requirements files: logical lines, options, includes, and addresses of PyTorch's index."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from packaging.markers import Marker
from packaging.utils import canonicalize_name

from envsmith.config.build_settings import BuildSettings
from envsmith.config.direct_references import read_direct
from envsmith.config.readers import Problems
from envsmith.config.requirement import (
    RequiresPython,
    SourcedRequirement,
    labels,
    shortened,
)
from envsmith.errors import CatalogError, ProfileError
from envsmith.model.backend import Backend
from envsmith.model.finding import Decision
from envsmith.model.listing import VersionMetadata
from envsmith.model.naming import suggestion
from envsmith.model.package_index import PackageIndex
from envsmith.model.wheel import Wheel

_HOSTS = ("download.pytorch.org", "download-r2.pytorch.org")
_CHANNELS = ("nightly", "test")
_LONGEST = 2000
# `name[extras] @ URL ; marker`, or the URL alone.
_URL_REQUIREMENT = re.compile(
    r"(?:(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?P<extras>\[[^\]]*\])?\s*@\s*)?"
    r"(?P<url>https?://[^\s;]+)\s*(?P<marker>;.*)?",
    re.DOTALL,
)
# As in pip: `splitlines` would also split at form feeds and Unicode separators.
_BREAK = re.compile(r"\r\n|\n|\r")
# Only after white space: a URL may contain `#`.
_COMMENT = re.compile(r"(?:^|\s)#.*$")
# pip expands `${NAME}`; an unclosed brace is a mistake too.
_VARIABLE = re.compile(r"\$\{(?!PROJECT_ROOT\})[^}]*\}?")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
# Options after a requirement: hashes, and any other.
_HASH = re.compile(r"\s--hash(?:\s*=\s*|\s+)(\S+)")
# `torch==2.8.0 -f URL`, as in the instructions of many projects.
_LINKS = re.compile(r"\s(?:-f\s*|--find-links(?:\s*=\s*|\s+))(?![\s=-])(\S+)")
_GIVEN_HASH = re.compile(r"[a-z0-9_]+:[0-9a-f]+")
_URL_HASH = re.compile(r"(?:^|&)sha256=([0-9A-Fa-f]+)")
_OPTION_INSIDE = re.compile(r"\s(--?[A-Za-z][A-Za-z-]*)")
# PyPI's own address, repeated in many files.
_PYPI = re.compile(r"https://pypi\.[a-z]{3}(?:/simple)?/?")
_SHORT = {
    "-i": "--index-url",
    "-r": "--requirement",
    "-c": "--constraint",
    "-f": "--find-links",
}
_EDITABLE = ("-e ", "--editable ", "--editable=")
_LONG = {"--pypi-url": "--index-url"}
_KINDS = {"--index-url": "index", "--extra-index-url": "extra-index", "--find-links": "find-links"}
_WITHOUT_EFFECT = {
    "--require-hashes": "locks are always hashed",
    "--prefer-binary": "locks contain wheels anyway",
    "--only-binary": "locks contain wheels anyway",
}
_REFUSED = {
    "--no-binary": "locks contain wheels; list exceptions in the profile's allow-sdist",
    "--no-index": "remove it: locks use PyPI and PyTorch's index",
    "--trusted-host": "remove it: PyPI and PyTorch's index use https",
    "--use-feature": "remove it: it is for pip only",
}
_WITH_VALUE = {
    "--requirement",
    "--constraint",
    "--only-binary",
    "--no-binary",
    "--trusted-host",
    "--use-feature",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PyTorchLine:
    """An option that names PyTorch's index; the profile's index replaces it."""

    kind: str
    """``index``, ``extra-index`` or ``find-links``."""
    url: str
    backend: str | None
    """``cu128``; None if the address names none, like torch_stable.html and the root."""
    channel: str
    """``stable``, ``test`` or ``nightly``."""
    origin: str
    project: str = ""
    """The one that is taken from there; empty for all."""
    marker: str = ""
    """Where it holds; empty for everywhere."""

    @classmethod
    def parse(
        cls, *, kind: str, url: str, origin: str, project: str = "", marker: str = ""
    ) -> PyTorchLine | None:
        """Parse an address of PyTorch's index; None for any other address."""
        parts = _on_pytorch(url)
        if parts is None:
            return None
        folders = [unquote(part) for part in parts.path.split("/") if part][1:]
        channel = folders.pop(0) if folders and folders[0] in _CHANNELS else "stable"
        return cls(
            kind=kind,
            url=url,
            backend=_backend(folders[0]) if folders else None,
            channel=channel,
            origin=origin,
            project=project,
            marker=marker,
        )


def is_default_index(url: str) -> bool:
    """Return whether an address is PyPI's own, and so changes nothing."""
    return _PYPI.fullmatch(url) is not None


def pin_of_wheel(text: str) -> str | None:
    """Convert the URL of a PyTorch wheel to ``name==version+label``, keeping extras and marker.

    Returns:
        None if the text is another URL, or gives it another project's name.
    """
    match = _URL_REQUIREMENT.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    parts = _on_pytorch(match["url"]) if match else None
    if match is None or parts is None or not parts.path.endswith(".whl"):
        return None
    filename = unquote(parts.path.rsplit("/", 1)[-1])
    try:
        wheel = Wheel.from_entry(index="", filename=filename, url=match["url"], sha256=None)
    except CatalogError:
        return None
    if match["name"] and canonicalize_name(match["name"]) != wheel.name:
        return None
    marker = f" {match['marker']}" if match["marker"] else ""
    return f"{wheel.name}{match['extras'] or ''}=={wheel.version}{marker}"


def hashes_of_wheel(text: str) -> tuple[str, ...]:
    """Return the sha256 in the URL of a PyTorch wheel, for that file alone: ``FILENAME sha256:HEX``."""
    match = _URL_REQUIREMENT.fullmatch(text.strip())
    parts = urlsplit(match["url"]) if match else None
    found = _URL_HASH.search(parts.fragment) if parts else None
    if parts is None or found is None:
        return ()
    return (f"{unquote(parts.path.rsplit('/', 1)[-1])} sha256:{found[1].lower()}",)


def _on_pytorch(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        hostname = parts.hostname
    except ValueError:
        return None
    is_wheel_index = parts.path == "/whl" or parts.path.startswith("/whl/")
    return parts if parts.scheme in ("http", "https") and hostname in _HOSTS and is_wheel_index else None


def _backend(folder: str) -> str | None:
    try:
        return str(Backend.parse(folder))
    except ProfileError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicalLine:
    """A line after joining continuations and removing comments."""

    text: str
    """Never blank; without comment."""
    number: int
    """Number of its first physical line."""
    last: int
    """Number of its last physical line, except a comment line that ended the joining."""


def logical_lines(text: str) -> Iterator[LogicalLine]:
    r"""Yield the logical lines of a requirements file.

    A backslash at the end of a line joins the next line; a comment line ends the joining.

    Source: pip's documentation, "Requirements File Format" (read 2026-11-21).
    """
    pending: list[str] = []
    first = number = 0
    for number, line in enumerate(_BREAK.split(text), start=1):
        first = first if pending else number
        is_comment = line.lstrip().startswith("#")
        if line.endswith("\\") and not is_comment:
            pending.append(line[:-1])
            continue
        last = number - 1 if is_comment and pending else number
        yield from _line([*pending, "" if is_comment else line], first, last)
        pending = []
    yield from _line(pending, first, number)


def _line(parts: list[str], first: int, last: int) -> Iterator[LogicalLine]:
    text = _COMMENT.sub("", "".join(parts)).strip()
    if text:
        yield LogicalLine(text=text, number=first, last=last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Include:
    """A line that names another requirements file."""

    kind: str
    """``requirements`` (-r) or ``constraints`` (-c)."""
    path: str
    """As written; relative to the including file."""
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSource:
    """A project that is taken from an index of its own."""

    name: str
    """Normalised."""
    url: str
    marker: str
    """Where it holds; empty for everywhere."""
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementsFile:
    """Content of one requirements file, or of several merged."""

    place: str
    requirements: tuple[SourcedRequirement, ...] = ()
    constraints: tuple[SourcedRequirement, ...] = ()
    """Lines of the files named by -c."""
    overrides: tuple[SourcedRequirement, ...] = ()
    excludes: tuple[str, ...] = ()
    """Projects that are not installed, whatever requires them."""
    index_sources: tuple[IndexSource, ...] = ()
    indexes: tuple[PackageIndex, ...] = ()
    """Those for every package, in the order in which they are asked."""
    environments: tuple[Marker, ...] = ()
    """What a target must satisfy one of; empty for all targets."""
    as_of: str = ""
    """Cutoff: RFC 3339 with ``Z``; empty without one."""
    includes: tuple[Include, ...] = ()
    """The -r and -c lines not yet followed."""
    pytorch_lines: tuple[PyTorchLine, ...] = ()
    pre: bool = False
    """Whether a file contains ``--pre``."""
    notes: tuple[Decision, ...] = ()
    """Lines that were interpreted otherwise than written."""
    requires_python: RequiresPython | None = None
    """The ``requires-python`` of pyproject.toml."""
    described: tuple[VersionMetadata, ...] = ()
    """What source distributions require whose files do not say it."""
    builds: tuple[BuildSettings, ...] = ()
    """How source distributions are built."""


def parse_requirements(text: str, place: str) -> RequirementsFile:
    """Parse the text of a requirements file.

    Args:
        text: the file's text, without byte order mark.
        place: the file's name for messages.

    Raises:
        ProfileError: with all problems of the text as ``parts``, each with its line.
    """
    return _RequirementsParser(place).read(text)


def note_of_wheel(pin: str, origin: str) -> Decision:
    """Return the note for a wheel's address taken as a pin (PRF103)."""
    message = f"the wheel's URL is read as {pin}: each target gets its own wheel from the index"
    return Decision(
        subject=pin.partition("==")[0], kind="noted", message=message, evidence=(origin,), code="PRF103"
    )


class _RequirementsParser:
    def __init__(self, place: str) -> None:
        self._place = place
        self._origin = place
        self._problems = Problems()
        self._requirements: list[SourcedRequirement] = []
        self._includes: list[Include] = []
        self._lines: list[PyTorchLine] = []
        self._indexes: list[PackageIndex] = []
        self._notes: list[Decision] = []
        self._pre = False
        self._uncompared = 0

    def read(self, text: str) -> RequirementsFile:
        for line in logical_lines(text):
            self._origin = f"{self._place}:{line.number}"
            with self._problems.collecting(self._origin):
                _refuse_characters(line.text)
                if line.text.startswith("-") and not line.text.startswith(_EDITABLE):
                    self._options(line.text)
                else:
                    self._requirement(line.text)
        with self._problems.collecting():
            labels(item for item in self._requirements if item.requirement.marker is None)
        self._problems.raise_if_any()
        if self._uncompared:
            message = f"hashes not compared, because they are not sha256: {self._uncompared}"
            self._note(self._place, "PRF102", message, self._place)
        return RequirementsFile(
            place=self._place,
            requirements=tuple(self._requirements),
            includes=tuple(self._includes),
            pytorch_lines=tuple(self._lines),
            indexes=tuple(sorted(self._indexes, key=lambda index: index.is_default)),
            pre=self._pre,
            notes=tuple(self._notes),
        )

    def _requirement(self, text: str) -> None:
        bare, hashes = _HASH.sub("", text), _given_hashes(text)
        for url in _LINKS.findall(bare):
            self._index("--find-links", url.strip("'\""))
        bare = _LINKS.sub("", bare)
        self._uncompared += sum(not item.startswith("sha256:") for item in hashes)
        if match := _OPTION_INSIDE.search(bare.partition(";")[0]):
            wrong = "needs a value" if match[1] in ("--hash", "-f", "--find-links") else "is not supported"
            hint = "remove it: only --hash=sha256:... is supported here"
            if _SHORT.get(match[1], match[1]) in _KINDS:
                hint = "put it on a line of its own: pip ignores it here"
            raise ProfileError("PRF024", f"{shortened(match[1])} after a requirement {wrong}", hint=hint)
        pin = pin_of_wheel(bare)
        if pin:
            self._notes.append(note_of_wheel(pin, self._origin))
            hashes = (*hashes, *hashes_of_wheel(bare))
        requirement, own = read_direct(pin or bare)
        hashes = tuple(sorted({*hashes, *own}))
        self._requirements.append(
            SourcedRequirement(requirement=requirement, origin=self._origin, hashes=hashes)
        )

    def _options(self, text: str) -> None:
        try:
            words = shlex.split(text)
        except ValueError as error:
            raise ProfileError("PRF024", "a quote is not closed", hint="close it, or remove it") from error
        for flag, value in _flags(words):
            if flag in _WITHOUT_EFFECT:
                self._note(flag, "PRF104", f"{flag} has no effect: {_WITHOUT_EFFECT[flag]}", self._origin)
            elif flag in _REFUSED:
                shown = shortened(f"{flag} {value}".strip())
                raise ProfileError("PRF024", f"{shown!r} is not supported", hint=_REFUSED[flag])
            else:
                self._handlers()[flag](flag, value)

    def _handlers(self) -> Mapping[str, Callable[[str, str], None]]:
        return {
            "--pre": self._allow_pre,
            "--requirement": self._include,
            "--constraint": self._include,
            **dict.fromkeys(_KINDS, self._index),
        }

    def _allow_pre(self, _flag: str, _value: str) -> None:
        self._pre = True

    def _include(self, flag: str, value: str) -> None:
        if "://" in value:
            raise ProfileError(
                "PRF025",
                f"{shortened(value)!r} is not a file of this project",
                hint="store the file in the project and name it here",
            )
        kind = "requirements" if flag == "--requirement" else "constraints"
        self._includes.append(Include(kind=kind, path=value, origin=self._origin))

    def _index(self, flag: str, value: str) -> None:
        line = PyTorchLine.parse(kind=_KINDS[flag], url=value, origin=self._origin)
        if line:
            self._lines.append(line)
            self._note(value, "PRF101", f"{flag} {value} is replaced by the profile's index", self._origin)
        elif is_default_index(value) and flag != "--find-links":
            self._note(value, "PRF104", f"{flag} has no effect: PyPI is always used", self._origin)
        elif flag == "--find-links":
            raise ProfileError(
                "PRF026",
                f"{flag} {value!r} is not a page of PyTorch's",
                hint="remove the line, and list its projects under [routes] of the profile",
            )
        else:
            self._indexes.append(PackageIndex.checked(value, is_default=flag == "--index-url"))

    def _note(self, subject: str, code: str, message: str, origin: str) -> None:
        self._notes.append(
            Decision(subject=subject, kind="noted", message=message, evidence=(origin,), code=code)
        )


def _given_hashes(text: str) -> tuple[str, ...]:
    hashes = tuple(item.lower() for item in _HASH.findall(text))
    for item in hashes:
        if not _GIVEN_HASH.fullmatch(item):
            raise ProfileError("PRF024", f"invalid hash {shortened(item)!r}", hint="write --hash=sha256:HEX")
    return hashes


def _refuse_characters(text: str) -> None:
    if match := _VARIABLE.search(text):
        raise ProfileError(
            "PRF023",
            f"{shortened(match[0])!r} is an environment variable",
            hint="write the value itself: a lock must not depend on the environment",
        )
    if match := _CONTROL.search(text):
        raise ProfileError(
            "PRF020",
            f"the line contains the control character {match[0]!r}",
            hint="remove it: requirements files are plain text",
        )


def _flags(words: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each option with its value; options without value have an empty one.

    Raises:
        ProfileError: PRF024 for an unknown option, a missing value or a superfluous word.
    """
    rest = iter(words)
    for word in rest:
        flag, equals, value = word.partition("=") if word.startswith("--") else (word[:2], word[2:], word[2:])
        flag = _SHORT.get(flag, _LONG.get(flag, flag))
        known = {"--pre", *_KINDS, *_WITH_VALUE, *_WITHOUT_EFFECT, *_REFUSED}
        if flag not in known:
            raise ProfileError("PRF024", f"unknown option {shortened(word)!r}", hint=suggestion(flag, known))
        takes_value = flag in {*_KINDS, *_WITH_VALUE}
        if not equals and takes_value:
            value = next(rest, "")
        if takes_value != bool(value):
            wrong = "needs a value" if takes_value else "takes no value"
            raise ProfileError(
                "PRF024", f"{flag} {wrong}", hint="use one option per line, such as -r base.txt"
            )
        yield flag, value
