"""Profiles: requested backend, Pythons, platforms, requirements and smoke tests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import product
from types import MappingProxyType
from typing import Any

from envsmith.config import readers
from envsmith.config.build_settings import BuildSettings
from envsmith.config.direct_references import read_direct
from envsmith.config.readers import Key, Location, Problems, Reader
from envsmith.config.requirement import SourcedRequirement, read_requirement
from envsmith.errors import ProfileError
from envsmith.model.backend import Backend
from envsmith.model.listing import VersionMetadata
from envsmith.model.shim import SAFE_GLOBALS
from envsmith.model.target import Platform, Python, Target

TIMEOUT_S = 300.0
IMPORT_TIMEOUT_S = 60.0
"""Of an import, and of other processes in an environment that answer a question."""
INDEXES = ("pytorch", "pypi")
ON_RETIRED = ("error", "successor", "stable")
VERSIONS = ("common", "newest")
FAMILY_CHOICES = ("auto", "keep", "drop")
FAMILY_MEMBERS = ("torchvision", "torchaudio")
LATER = ("models", "prune", "safe-globals", "shims")
"""Keys that other modules interpret; only their shape is checked here."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_LONGEST_NAME = 80
# The name must be a valid folder name everywhere. Windows reserves device names, with any suffix, and drops a dot at
# the end.
_NEVER_IN_NAME = re.compile(r"\.\.|\.$|^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$)")
# For the schema only, as text: `str.isidentifier` knows the letters allowed beyond ASCII, and `re` takes long for them.
_IDENTIFIER = r"[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*"
_MODULE = rf"^(?:{_IDENTIFIER}(?:\.{_IDENTIFIER})*)$"
_LONGEST_TIMEOUT_S = 86_400


@dataclass(frozen=True, slots=True)
class SmokeTest:
    """One import, or one command."""

    kind: str
    """``import`` or ``run``."""
    text: str
    """Module name, or command line in shell syntax, run without a shell."""
    timeout_s: float = TIMEOUT_S

    @property
    def word(self) -> str:
        """Short form in records: ``import torch``."""
        return f"{self.kind} {self.text}"

    def to_table(self) -> Mapping[str, object]:
        """Return the profile's TOML table."""
        limit = {} if self.timeout_s == _default_timeout(self.kind) else {"timeout-s": self.timeout_s}
        return {self.kind: self.text, **limit}


def _default_timeout(kind: str) -> float:
    return IMPORT_TIMEOUT_S if kind == "import" else TIMEOUT_S


def _check(value: object, location: Location) -> SmokeTest | None:
    found = readers.fields(value, location, _CHECK)
    kinds = [key for key in ("import", "run") if key in found]
    if len(kinds) == 1:
        default, limit = _default_timeout(kinds[0]), found.get("timeout-s")
        return SmokeTest(kinds[0], str(found[kinds[0]]), limit if isinstance(limit, float) else default)
    if len(kinds) == 2 or (isinstance(value, Mapping) and not {"import", "run"} & value.keys()):
        location.problem(
            "PRF005", "must have import or run, one of them", 'such as { import = "torchvision" }'
        )
    return None


def _module(text: str) -> str:
    if all(part.isidentifier() for part in text.split(".")):
        return text
    raise ProfileError("PRF005", f"invalid module name {text!r}", hint='such as "sentence_transformers"')


def _seconds(value: object, location: Location) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= _LONGEST_TIMEOUT_S:
        return float(value)
    location.problem("PRF005", "must be seconds, more than 0 and at most a day", "such as 60")
    return None


_CHECK: Mapping[str, Key] = {
    "import": Key(
        readers.parsed(_module, {"type": "string", "pattern": _MODULE}),
        "Module that must be importable.",
        examples=("sentence_transformers",),
    ),
    "run": Key(
        readers.text,
        "Command that must succeed, split as a shell would and run without one.",
        examples=("python -m app.selftest",),
    ),
    "timeout-s": Key(
        Reader(_seconds, {"type": "number", "exclusiveMinimum": 0, "maximum": _LONGEST_TIMEOUT_S}),
        "Time limit in seconds [default: 60 for an import, 300 for a command].",
    ),
}
CHECK: Reader[SmokeTest] = Reader(
    _check, readers.fields_schema(_CHECK, oneOf=[{"required": ["import"]}, {"required": ["run"]}])
)
"""Reads a smoke test: ``{import = "torch"}`` or ``{run = "python -m app.selftest", timeout-s = 60}``."""


def is_name(text: str) -> bool:
    """Return whether a text is a valid profile name, and so a folder name on every system."""
    return bool(_NAME.fullmatch(text)) and len(text) <= _LONGEST_NAME and not _NEVER_IN_NAME.search(text)


def check_name(name: str) -> str:
    """Return a valid profile name unchanged.

    Raises:
        ProfileError: PRF006 when it is invalid.
    """
    if not is_name(name):
        raise ProfileError(
            "PRF006",
            f"invalid profile name {name[:100]!r}",
            hint="a name becomes a folder: small letters, digits, and . _ - inside, such as cu128-audio",
        )
    return name


NAME: Reader[str] = readers.parsed(
    check_name, readers.pattern_schema(_NAME, never=_NEVER_IN_NAME, maxLength=_LONGEST_NAME)
)
"""Reads the name of a profile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetEntry:
    """An entry of ``[[target]]``: the backend of a platform, or of some Pythons on it."""

    platform: Platform
    python: tuple[Python, ...] = ()
    """Empty for those of the profile."""
    backend: Backend | None = None
    """None for that of the profile."""

    def __str__(self) -> str:
        return str(self.platform)

    def overlaps(self, other: TargetEntry) -> bool:
        """Return whether both entries name one target, and neither is the more exact one."""
        is_shared = bool({*self.python} & {*other.python}) or not (self.python or other.python)
        return self.platform == other.platform and is_shared

    def to_table(self) -> Mapping[str, object]:
        """Return the profile's TOML table."""
        python = {"python": list(map(str, self.python))} if self.python else {}
        return {
            "platform": self.platform.given_name,
            **python,
            **({"backend": str(self.backend)} if self.backend else {}),
        }


def remaining(entries: Iterable[TargetEntry], values: Mapping[str, Any]) -> tuple[TargetEntry, ...]:
    """Return the entries of ``[[target]]`` that stay when other values replace those of the profile.

    Args:
        entries: of the profile.
        values: the new ``backend``, ``python`` and ``platforms``; they hold for the entries, too.
    """
    kept = []
    for entry in entries:
        python = tuple(item for item in entry.python if item in values.get("python", entry.python))
        if entry.platform in values.get("platforms", (entry.platform,)) and bool(python) == bool(
            entry.python
        ):
            kept.append(replace(entry, python=python, backend=None if "backend" in values else entry.backend))
    return tuple(kept)


def _default_family() -> Mapping[str, str]:
    return dict.fromkeys(FAMILY_MEMBERS, "keep")


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A resolved profile, without references to other profiles."""

    name: str
    summary: str = ""
    backend: Backend
    channel: str = "stable"
    index: str = "pytorch"
    """``pypi`` if PyPI's own wheel is known to be this backend's build."""
    on_retired: str = "error"
    """Action if backend or channel has ended: one of ON_RETIRED."""
    versions: str = "common"
    """``common`` for the same versions on all targets where possible, ``newest`` for the newest of each target."""
    versions_of: str = ""
    """Profile whose locked versions (without local label) are locked here as well."""
    python: tuple[Python, ...]
    platforms: tuple[Platform, ...]
    target: tuple[TargetEntry, ...] = ()
    """Targets with another backend, or besides those of `python` and `platforms`."""
    requirements: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    """Extras and dependency groups of pyproject.toml that are locked as well."""
    as_of: str = ""
    """Cutoff: RFC 3339 with ``Z``; empty without one."""
    family: Mapping[str, str] = field(default_factory=_default_family)
    """torchvision and torchaudio: keep, drop, or auto (by the imports in the sources)."""
    gpu: tuple[str, ...] = ()
    """GPU names or compute capabilities that must have kernels, as written."""
    env: Mapping[str, str] = field(default_factory=dict)
    given: tuple[str, ...] = ()
    """Normalised names of projects that the base interpreter brings; they are not locked."""
    given_python: str = ""
    """Their interpreter on this machine: a path, or a name on PATH; empty for ``python3``."""
    allow_sdist: tuple[str, ...] = ()
    """Normalised names of projects that may be locked as sdist."""
    dependency_metadata: tuple[VersionMetadata, ...] = ()
    """What source distributions require whose files do not say it."""
    build: Mapping[str, BuildSettings] = field(default_factory=dict)
    """Normalised project, or ANY of the settings, → how its source distribution is built."""
    allow_build: tuple[str, ...] = ()
    """Normalised names of packages from repositories, folders and archives that `lock` may build to read them."""
    project: bool = True
    """Whether the project itself is installed, if it is a package."""
    routes: Mapping[str, str] = field(default_factory=dict)
    """Normalised project → index or page of links to take its wheels from instead of PyPI."""
    checks: tuple[SmokeTest, ...] = ()
    """Smoke tests of ``install`` and ``verify``, in this order, in addition to importing torch."""
    later: Mapping[str, object] = field(default_factory=dict)
    """Values of the keys in LATER."""
    extends: tuple[str, ...] = field(default=(), compare=False)
    """The extended profiles, nearest first."""
    origins: Mapping[tuple[str, str], str] = field(default_factory=dict, compare=False, repr=False)
    """(key, value as text, or an empty text for the key itself) → place."""

    def __post_init__(self) -> None:
        # An empty list or table equals an absent one: it only cancels the value of an extended profile.
        later = {key: value for key, value in self.later.items() if value not in ((), {})}
        object.__setattr__(self, "later", later)
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, tuple) and item.name not in (
                "checks",
                "extends",
                "target",
                "dependency_metadata",
            ):
                object.__setattr__(self, item.name, tuple(sorted(set(value))))
            elif isinstance(value, Mapping):
                object.__setattr__(self, item.name, MappingProxyType(dict(sorted(value.items()))))

    def targets(self) -> tuple[Target, ...]:
        """Return every Python on every platform, and the targets of ``[[target]]``, sorted.

        An entry with Pythons wins over one without.
        """
        found = dict.fromkeys(product(self.python, self.platforms), self.backend)
        for entry in sorted(self.target, key=lambda entry: bool(entry.python)):
            pairs = product(entry.python or self.python, (entry.platform,))
            found |= dict.fromkeys(pairs, entry.backend or self.backend)
        return tuple(
            Target(python=python, platform=platform, backend=backend)
            for (python, platform), backend in sorted(found.items(), key=lambda item: item[0])
        )

    @property
    def backends(self) -> tuple[Backend, ...]:
        """The backends of the targets, each once."""
        return tuple(dict.fromkeys(target.backend for target in self.targets()))

    def where(self, key: str, value: object = "") -> str:
        """Return the place of a key, or of one value of its list: ``profiles/x.toml:4: python[0]``."""
        return (
            self.origins.get((key, str(value)))
            or self.origins.get((key, ""))
            or f"profile {self.name}: {key}"
        )

    def sourced_requirements(self, key: str = "requirements") -> tuple[SourcedRequirement, ...]:
        """Return requirements, constraints or overrides, each with its origin.

        Args:
            key: ``requirements``, ``constraints`` or ``overrides``.
        """
        texts: tuple[str, ...] = getattr(self, key)
        read = read_direct if key == "requirements" else lambda text: (read_requirement(text), ())
        return tuple(
            SourcedRequirement(
                requirement=requirement, hashes=hashes, origin=self.where(key, text).partition(": ")[0]
            )
            for text in texts
            for requirement, hashes in [read(text)]
        )

    def texts(self, key: str) -> tuple[str, ...]:
        """Return the list of texts under one of the keys in LATER."""
        items = self.later.get(key, ())
        return tuple(str(item) for item in items) if isinstance(items, tuple) else ()

    def with_overrides(
        self, *, backend: str | None = None, python: Sequence[str] = (), platforms: Sequence[str] = ()
    ) -> Profile:
        """Return the profile with the values given on the command line.

        Raises:
            ProfileError: when a value is malformed, or a platform does not fit the backend; all at once.
        """
        problems = Problems()
        values: dict[str, Any] = {}
        if backend is not None:
            with problems.collecting("--backend"):
                values["backend"] = Backend.parse(backend)
        for text in python:
            with problems.collecting("--python"):
                values["python"] = (*values.get("python", ()), Python.parse(text))
        for text in platforms:
            with problems.collecting("--platform"):
                values["platforms"] = (*values.get("platforms", ()), self.platform(text))
        problems.raise_if_any()
        flags = {"backend": "--backend", "python": "--python", "platforms": "--platform"}
        kept = {key: place for key, place in self.origins.items() if key[0] not in values}
        origins = kept | {(key, ""): flags[key] for key in values}
        return replace(self.limited(**values), origins=origins).checked()

    def limited(self, **values: Any) -> Profile:  # noqa: ANN401 - as the fields of these names
        """Return the profile with another ``backend``, ``python`` or ``platforms`` for all of its targets.

        A Python or platform that only entries of ``[[target]]`` name stays with their targets.
        """
        entries = remaining(self.target, values)
        pythons = {python for entry in entries for python in entry.python} - {*self.python}
        platforms = {entry.platform for entry in entries} - {*self.platforms}
        own = {
            key: tuple(item for item in values[key] if item not in named)
            for key, named in (("python", pythons), ("platforms", platforms))
            if key in values
        }
        found = replace(self, **{**values, **own}, target=entries)
        return found if found.targets() else replace(self, **values, target=entries)

    def with_floors(self, floors: Mapping[Platform, Platform]) -> Profile:
        """Return the profile with other floors of platforms that were named by an alias."""

        def raised(platform: Platform) -> Platform:
            return floors.get(platform, platform) if platform.is_open else platform

        return replace(
            self,
            platforms=tuple(map(raised, self.platforms)),
            target=tuple(replace(entry, platform=raised(entry.platform)) for entry in self.target),
        )

    def platform(self, text: str) -> Platform:
        """Parse a platform; an alias stands for the profile's own platform with whatever floor.

        Raises:
            ProfileError: PRF011 when it is malformed.
        """
        found = Platform.parse(text)
        own = (target.platform for target in self.targets() if target.platform.is_open and found.is_open)
        return next((item for item in own if item == found or item.is_later_than(found)), found)

    def checked(self) -> Profile:
        """Return the profile if its parts fit together.

        Raises:
            ProfileError: PRF007 for a platform without builds of the backend, PRF008 for PyPI with another channel
                than stable, PRF013 for its own versions, PRF016 for `safe-globals` without their shim, or the other way
                round.
        """
        problems = Problems()
        for platform, backend in {
            target.platform: target.backend for target in self._on_macos_without_builds()
        }.items():
            problems.add(
                ProfileError(
                    "PRF007",
                    f"{platform} has no {backend} builds: macOS has cpu builds only (they include MPS)",
                    where=self.where("platforms" if platform in self.platforms else "target", platform),
                    hint='use backend = "cpu", for macOS alone under [[target]], or remove macOS from the platforms',
                )
            )
        if self.index == "pypi" and self.channel != "stable":
            problems.add(
                ProfileError(
                    "PRF008",
                    f"PyPI has no {self.channel} builds of torch",
                    where=self.where("index"),
                    hint='use index = "pytorch", or channel = "stable"',
                )
            )
        if self.versions_of == self.name:
            problems.add(
                ProfileError(
                    "PRF013",
                    f"profile {self.name} cannot take the versions of itself",
                    where=self.where("versions_of"),
                    hint="name another profile, or remove versions-of",
                )
            )
        if (SAFE_GLOBALS in self.texts("shims")) != bool(self.texts("safe-globals")):
            problems.add(self._unpaired())
        problems.raise_if_any()
        return self

    def _on_macos_without_builds(self) -> Iterator[Target]:
        return (
            item for item in self.targets() if item.platform.os == "macos" and item.backend.family != "cpu"
        )

    def _unpaired(self) -> ProfileError:
        """Return the error for `safe-globals` without shim or a shim without them: nothing would be allowed."""
        there, missing = "safe-globals", f'shims = ["{SAFE_GLOBALS}"]'
        if not self.texts("safe-globals"):
            there, missing = "shims", 'safe-globals = ["torch.torch_version.TorchVersion"]'
        return ProfileError(
            "PRF016",
            f"the shim {SAFE_GLOBALS} and the names under safe-globals need each other",
            where=self.where(there.replace("-", "_")),
            hint=f"add {missing}, or remove the other",
        )

    def to_json(self) -> dict[str, object]:
        """Return the resolved profile as plain values, keys as in TOML."""
        return {"name": self.name, "extends": list(self.extends), **self._plain()}

    def to_toml(self) -> str:
        """Return the resolved profile as TOML that parses back to an equal one."""
        import tomlkit

        document = tomlkit.document()
        for key, value in self._plain().items():
            if value in ("", [], {}):
                continue
            item = tomlkit.item(value)
            if isinstance(item, tomlkit.items.Array) and len(item) > 2 and key not in LATER:
                item.multiline(multiline=True)
            document.add(key, item)
        return tomlkit.dumps(document)

    def _plain(self) -> dict[str, object]:
        later = {key: _thawed(value) for key, value in self.later.items()}
        values = {
            item.name.replace("_", "-"): _thawed(getattr(self, item.name))
            for item in fields(self)
            if item.name not in ("name", "later", "extends", "origins")
        }
        tables = {key: value for key, value in (values | later).items() if _is_table(value)}
        return {key: value for key, value in (values | later).items() if key not in tables} | tables


def _is_table(value: object) -> bool:
    """Return whether a value needs a TOML heading of its own, which ends the table before it."""
    return isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(item, dict) for item in value)
    )


def _thawed(value: object) -> object:
    if isinstance(value, (SmokeTest, TargetEntry)):
        value = value.to_table()
    if isinstance(value, Mapping):
        return {key: _thawed(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_thawed(item) for item in value]
    if isinstance(value, Platform):
        return value.given_name
    return str(value) if isinstance(value, (Backend, Python)) else value
