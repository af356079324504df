"""Profile files: the keys of a profile, and the merge of extended profiles."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from packaging.utils import canonicalize_name

from envsmith.config import readers
from envsmith.config.build_settings import ANY, ANY_SOURCE, DESCRIBED, fields, read_settings
from envsmith.config.direct_references import read_direct
from envsmith.config.model_files import MODELS
from envsmith.config.positions import KeyPath, TomlDocument
from envsmith.config.profile import (
    CHECK,
    FAMILY_CHOICES,
    FAMILY_MEMBERS,
    INDEXES,
    LATER,
    NAME,
    ON_RETIRED,
    VERSIONS,
    Profile,
    TargetEntry,
    check_name,
    remaining,
)
from envsmith.config.readers import Key, Location, Problems, Reader
from envsmith.config.requirement import read_requirement
from envsmith.errors import ProfileError
from envsmith.host.current import utc_text
from envsmith.model.backend import PATTERN, Backend
from envsmith.model.listing import CHANNELS
from envsmith.model.naming import RESERVED_VARIABLE, VARIABLE, any_case, variable_problem
from envsmith.model.shim import DOTTED, FORBIDDEN_MODULES, LONGEST_GLOBAL, SHIMS, check_global, check_shim
from envsmith.model.target import ALIASES, PLATFORM, PYTHON, Platform, Python
from envsmith.model.url import check_address

_PROJECT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
"""Source: PyPA, names and normalization (read 2026-11-30)."""
# Relative paths would be in the project, whose files are not run.
_INTERPRETER = re.compile(r"/.+|[A-Za-z]:[/\\].+|[A-Za-z0-9._+-]+")
_NEVER_ROUTED = ("torch", *FAMILY_MEMBERS)
_NEVER_GLOBAL = re.compile(rf"^(?:{'|'.join(map(re.escape, FORBIDDEN_MODULES))})(?:\.|$)")


_REQUIRED = {
    "backend": 'add a line such as backend = "cu128"',
    "python": 'add a line such as python = ["3.11", "3.12"]',
    "platforms": 'add a line such as platforms = ["linux", "windows"]',
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileSource:
    """Text of a profile, or of a file that contains it as a table."""

    text: str
    place: str
    """File name for messages: ``profiles/cu128.toml``."""
    table: tuple[str, ...] = ()
    """Keys of the profile's table; empty if the whole text is the profile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    """One profile as written; ``extends`` is not resolved."""

    place: str
    written: frozenset[str]
    """Its keys, including those with an invalid value."""
    values: Mapping[str, Any]
    origins: Mapping[tuple[str, str], str] = field(default_factory=dict)


def resolve(name: str, load: Callable[[str], ProfileSource]) -> Profile:
    """Read a profile and the profiles it extends, and merge them: lists replace, tables merge.

    Args:
        name: the profile's name.
        load: returns the text of a profile by name; raises ProfileError if there is none.

    Raises:
        ProfileError: with the problems of all profiles as ``parts``, including a cycle (PRF009).
    """
    problems = Problems()
    layers: list[_Layer] = []
    names: list[str] = []
    following: str | None = name
    while following is not None:
        extends_at = layers[-1].origins[("extends", "")] if layers else ""
        layer = None
        with problems.collecting(extends_at):
            _refuse_cycle(names, following)
            layer = _read(load(check_name(following)), problems)
        if layer is None:
            break
        names.append(following)
        layers.append(layer)
        following = layer.values.get("extends")
    profile = None
    if following is None and not _is_incomplete(layers, problems):
        values, origins = _merged(layers)
        profile = Profile(name=name, extends=tuple(names[1:]), origins=origins, **values)
        with problems.collecting():
            profile.checked()
    problems.raise_if_any()
    if profile is None:  # every path to here has recorded a problem
        raise AssertionError("a profile without problems is complete")
    return profile


def parse(text: str, place: str, name: str) -> Profile:
    """Read a profile that extends no other.

    Raises:
        ProfileError: with all problems as ``parts``; PRF013 when it extends another profile.
    """

    def load(other: str) -> ProfileSource:
        if other != name:
            raise ProfileError("PRF013", f"profile {other!r} not found here", hint="remove `extends`")
        return ProfileSource(text=text, place=place)

    return resolve(name, load)


def _refuse_cycle(names: list[str], following: str) -> None:
    if following in names:
        cycle = " → ".join([*names[names.index(following) :], following])
        raise ProfileError(
            "PRF009",
            f"profiles extend each other in a cycle: {cycle}",
            hint="remove one of the `extends`",
        )


def _read(source: ProfileSource, problems: Problems) -> _Layer:
    document = TomlDocument.parse(source.text, source.place)
    node: object = document.data
    for key in source.table:
        node = node.get(key, {}) if isinstance(node, Mapping) else {}
    location = Location(text=document, problems=problems, path=source.table)
    values = readers.fields(node, location, PROFILE)
    later = {key: values.pop(key) for key in LATER if key in values}
    origins = _origins(values | later, document, source.table)
    renamed = {key.replace("-", "_"): value for key, value in values.items()}
    written = frozenset(node) if isinstance(node, Mapping) else frozenset(_REQUIRED)
    values = renamed | ({"later": later} if later else {})
    return _Layer(place=source.place, written=written, values=values, origins=origins)


def _origins(
    values: Mapping[str, object], document: TomlDocument, table: KeyPath
) -> dict[tuple[str, str], str]:
    origins: dict[tuple[str, str], str] = {}
    for key, value in values.items():
        name = key.replace("-", "_")
        origins[name, ""] = document.where((*table, key))
        if isinstance(value, tuple):
            for number, item in enumerate(value):
                origins.setdefault((name, str(item)), document.where((*table, key, number)))
        elif isinstance(value, Mapping):
            origins |= {(name, item): document.where((*table, key, item)) for item in value}
    return origins


def _merged(layers: list[_Layer]) -> tuple[dict[str, Any], dict[tuple[str, str], str]]:
    values: dict[str, Any] = {"family": dict.fromkeys(FAMILY_MEMBERS, "keep")}
    origins: dict[tuple[str, str], str] = {}
    for layer in reversed(layers):
        values["target"] = remaining(values.get("target", ()), layer.values)
        for key, value in layer.values.items():
            if isinstance(value, Mapping):
                values[key] = {**values.get(key, {}), **value}
            else:
                values[key] = value
                origins = {at: place for at, place in origins.items() if at[0] != key}
        origins |= layer.origins
    values.pop("extends", None)
    return values, {at: place for at, place in origins.items() if at[0] != "extends"}


def _is_incomplete(layers: list[_Layer], problems: Problems) -> bool:
    """Record each required key that is missing; return whether one has no value."""
    written = frozenset[str]().union(*(layer.written for layer in layers))
    values = {key for layer in layers for key in layer.values}
    if (
        "extends" in layers[-1].written
    ):  # its value is invalid and recorded, so dependent keys are not reported as missing
        return True
    for key, hint in _REQUIRED.items():
        if key not in written:
            problems.add(ProfileError("PRF014", f"{key} is missing", where=layers[0].place, hint=hint))
    return not values.issuperset(_REQUIRED)


def parse_time(text: str, where: str = "--as-of") -> str:
    """Parse a date (its end) or an RFC 3339 time, and return it in UTC with ``Z``.

    Raises:
        ProfileError: PRF040 when it is neither, or a time without time zone.
    """
    hint = "write 2026-11-01 (the end of that day, UTC) or 2026-11-01T09:00:00Z"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ProfileError("PRF040", f"invalid date `{text}`", where=where, hint=hint) from error
    if len(text) == 10:  # a date alone: YYYY-MM-DD
        return f"{text}T23:59:59Z"
    if moment.tzinfo is None:
        raise ProfileError("PRF040", f"`{text}` has no time zone", where=where, hint=hint)
    return utc_text(moment)


def _time(text: str) -> str:
    return parse_time(text, "")


AS_OF = readers.parsed(
    _time,
    readers.pattern_schema(
        re.compile(
            r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:Z|[+-][0-9]{2}:[0-9]{2}))?"
        )
    ),
)
"""Reads a cutoff."""


def _requirement(text: str) -> str:
    return str(read_requirement(text))


def _any_requirement(text: str) -> str:
    requirement, hashes = read_direct(text)
    if hashes:
        requirement.url = f"{requirement.url}#{hashes[0].replace(':', '=')}"
    return str(requirement)


def _project(text: str) -> str:
    if not _PROJECT.fullmatch(text):
        raise ProfileError(
            "PRF005", f"invalid project name {text!r}", hint="letters, digits, and . _ - inside: webrtcvad"
        )
    return canonicalize_name(text)


def _interpreter(text: str) -> str:
    if not _INTERPRETER.fullmatch(text):
        raise ProfileError(
            "PRF005",
            f"{text!r} is neither an absolute path nor a name on PATH",
            hint="such as /usr/bin/python3",
        )
    return text


def _env(value: object, location: Location) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for name, item in (readers.table(value, location) or {}).items():
        if problem := variable_problem(name, item if isinstance(item, str) else ""):
            location.at(name).problem(
                "PRF005", problem, "remove it, or use a name of letters, digits and _, no digit first"
            )
        elif not isinstance(item, str):
            kind = readers.type_name(item)
            location.at(name).problem("PRF004", f"must be a text, not {kind}", 'put it in quotes: "0"')
        else:
            found[name] = item
    return found


def _family(value: object, location: Location) -> dict[str, object]:
    """Read the choices for torchvision, torchaudio and the members of conflict groups.

    The catalog knows the conflict groups, not this text; words such as ``keep`` are not members.
    """
    chosen = {
        key: item
        for key, item in (value.items() if isinstance(value, Mapping) else ())
        if key not in _FAMILY and isinstance(item, str) and item not in FAMILY_CHOICES
    }
    return readers.fields(value, location, {**_FAMILY, **dict.fromkeys(chosen, Key(_PROJECTS, "Member."))})


def _routes(value: object, location: Location) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, item in (readers.table(value, location) or {}).items():
        inside = location.at(name)
        with location.problems.collecting(inside.where):
            project = _project(name)
            if project in _NEVER_ROUTED:
                inside.problem(
                    "PRF005", f"{project} cannot be routed", "the profile's backend decides its index"
                )
            elif (address := readers.text(item, inside)) is not None:
                found[project] = check_address(address)
    return found


_PROJECTS = readers.parsed(_project, readers.pattern_schema(_PROJECT))
_SOURCES = readers.parsed(
    lambda text: text if text == ANY_SOURCE else _project(text),
    {"anyOf": [{"const": ANY_SOURCE}, readers.pattern_schema(_PROJECT)]},
)
_REQUIREMENTS = readers.listed(readers.parsed(_requirement))
_ALL_REQUIREMENTS = readers.listed(readers.parsed(_any_requirement))
_BACKENDS = readers.parsed(Backend.parse, readers.pattern_schema(PATTERN))
_PYTHONS = readers.listed(readers.parsed(Python.parse, readers.pattern_schema(PYTHON)), at_least=1)
_PLATFORM = readers.parsed(
    Platform.parse, {"anyOf": [{"enum": list(ALIASES)}, readers.pattern_schema(PLATFORM)]}
)
_PLATFORMS = readers.listed(_PLATFORM, at_least=1)
_TARGET: Mapping[str, Key] = {
    "platform": Key(_PLATFORM, "Platform, as under `platforms`.", examples=("linux-aarch64",)),
    "python": Key(_PYTHONS, "Versions of Python [default: those of the profile].", examples=("3.12",)),
    "backend": Key(_BACKENDS, "Backend [default: that of the profile].", examples=("cu130",)),
}


def _target(value: object, location: Location) -> TargetEntry | None:
    found: dict[str, Any] = readers.fields(value, location, _TARGET)
    if isinstance(value, Mapping) and "platform" not in value:
        location.problem("PRF014", "platform is missing", 'add a line such as platform = "linux-aarch64"')
    return TargetEntry(**found) if "platform" in found else None


_TARGETS = readers.listed(Reader(_target, readers.fields_schema(_TARGET, required=["platform"])))


def _target_list(value: object, location: Location) -> tuple[TargetEntry, ...] | None:
    """Read the entries of ``[[target]]``; two for one target are a problem."""
    found = _TARGETS(value, location) or ()
    # With an invalid entry the numbers of the others are unknown; its problem comes first.
    for number, entry in enumerate(found if isinstance(value, list) and len(found) == len(value) else ()):
        first = next((at for at, other in enumerate(found[:number]) if entry.overlaps(other)), None)
        if first is not None:
            text = f"{entry.platform} has two entries for one Python; the other one is {location.at(first).where}"
            location.at(number).problem(
                "PRF057", text, "remove one, or give each its own list under `python`"
            )
    return found


_ENV = Reader(
    _env,
    readers.table_schema(
        {"type": "string", "pattern": r"^[^\u0000]*$"},
        readers.pattern_schema(VARIABLE, never=RESERVED_VARIABLE),
    ),
)
_BUILD = fields(_ENV)
_GLOBALS = readers.parsed(
    check_global, readers.pattern_schema(DOTTED, never=_NEVER_GLOBAL, maxLength=LONGEST_GLOBAL)
)
_FAMILY: Mapping[str, Key] = {
    name: Key(
        readers.choice(*FAMILY_CHOICES),
        f"Keep {name}, drop it, or (auto) drop it if no file uses it and no package requires it.",
        default="keep",
    )
    for name in FAMILY_MEMBERS
}
PROFILE: Mapping[str, Key] = {
    "summary": Key(readers.text, "One line for people."),
    "extends": Key(
        NAME, "Profile to extend: lists replace its lists, `family`, `env`, `routes` and `build` are merged."
    ),
    "backend": Key(
        _BACKENDS,
        "Compute library of the torch builds.",
        examples=("cpu", "cu128", "cu130", "rocm7.2", "xpu"),
    ),
    "channel": Key(readers.choice(*CHANNELS), "Release channel of PyTorch.", default="stable"),
    "index": Key(
        readers.choice(*INDEXES),
        "Index of the torch builds; pypi if its wheel is known to be the build of this backend.",
        default="pytorch",
    ),
    "on-retired": Key(
        readers.choice(*ON_RETIRED),
        "If backend or channel have ended at the cutoff: fail, take the succeeding backend, or the last stable builds.",
        default="error",
    ),
    "versions": Key(
        readers.choice(*VERSIONS),
        "Versions of packages: the same on all targets where possible, or the newest of each target.",
        default="common",
    ),
    "versions-of": Key(
        NAME,
        "Profile whose locked versions (without local label) are locked here as well.",
        examples=("prod",),
    ),
    "python": Key(_PYTHONS, "Versions of Python, major and minor.", examples=("3.12",)),
    "platforms": Key(_PLATFORMS, "Platforms: linux, linux-aarch64, macos, windows, or wheel platform tags."),
    "target": Key(
        Reader(_target_list, _TARGETS.schema),
        "Targets with another backend, or besides those of the lists above.",
    ),
    "requirements": Key(
        _ALL_REQUIREMENTS, "Requirements (PEP 508) if neither `-r` nor the project names any."
    ),
    "constraints": Key(_REQUIREMENTS, "Limits (PEP 508) on packages that something else requires."),
    "overrides": Key(_REQUIREMENTS, "Requirements (PEP 508) that replace all others on the same package."),
    "family": Key(
        Reader(
            _family,
            {
                **readers.fields_schema(_FAMILY),
                "additionalProperties": {**_PROJECTS.schema, "not": {"enum": list(FAMILY_CHOICES)}},
            },
        ),
        "torchvision and torchaudio: keep, drop or auto; for projects with one import folder: the one to keep.",
    ),
    "gpu": Key(
        readers.listed(readers.text),
        "GPUs for which every torch build must have kernels: names or compute capabilities.",
        examples=("RTX 5080", "12.0"),
    ),
    "env": Key(_ENV, "Environment variables that activation sets."),
    "as-of": Key(
        AS_OF,
        "Cutoff: later releases are ignored; a date (its end, UTC) or an RFC 3339 time. Without it none is.",
        examples=("2026-11-01",),
    ),
    "extras": Key(readers.listed(readers.text), "Extras of the project's pyproject.toml to lock as well."),
    "groups": Key(readers.listed(readers.text), "Dependency groups of pyproject.toml to lock as well."),
    "given": Key(
        readers.listed(_PROJECTS),
        "Projects that an image brings with its Python: kept as they are, everything else is locked around them.",
        examples=("torch",),
    ),
    "given-python": Key(
        readers.parsed(_interpreter, readers.pattern_schema(_INTERPRETER)),
        "Interpreter with the given projects: an absolute path, or a name on PATH [default: python3].",
        examples=("/usr/bin/python3",),
    ),
    "allow-sdist": Key(
        readers.listed(_SOURCES),
        "Projects that may be locked as source distributions if they have no wheel; `:all:` for every one.",
    ),
    "dependency-metadata": Key(
        DESCRIBED, "Requirements of source distributions whose files do not say them, as in uv's key."
    ),
    "build": Key(
        Reader(
            lambda value, location: read_settings(value, location, _BUILD, _PROJECTS),
            readers.table_schema(
                readers.fields_schema(_BUILD), {"anyOf": [{"const": ANY}, readers.pattern_schema(_PROJECT)]}
            ),
        ),
        "Projects that are locked as source, or `*` for all, and how they are built.",
    ),
    "allow-build": Key(
        readers.listed(_PROJECTS),
        "Packages from other places, or locked as source, that `lock` may build if only that tells what they require.",
    ),
    "project": Key(readers.flag, "Install the project itself, if it is a package.", default=True),
    "routes": Key(
        Reader(
            _routes,
            readers.table_schema(
                readers.text.schema, readers.pattern_schema(_PROJECT, never=any_case(*_NEVER_ROUTED))
            ),
        ),
        "Projects, and the index or page of links that their wheels are taken from instead of PyPI.",
    ),
    "checks": Key(
        readers.listed(CHECK), "Imports and commands that must succeed in the environment, in this order."
    ),
    "models": Key(MODELS, "Model files that the environment must be able to load."),
    "prune": Key(
        readers.listed(_PROJECTS), "Projects to drop if no file uses them and no package requires them."
    ),
    "safe-globals": Key(
        readers.listed(_GLOBALS),
        "Classes and functions that checkpoints may contain, for the shim torch-safe-globals.",
    ),
    "shims": Key(
        readers.listed(readers.parsed(check_shim, {"enum": list(SHIMS)})),
        "Compatibility code that `envsmith install` adds to the environment.",
    ),
}
"""Every key of a profile."""
PROFILE_SCHEMA: readers.Schema = readers.fields_schema(
    PROFILE, anyOf=[{"required": ["extends"]}, {"required": list(_REQUIRED)}]
)


def profile_schema() -> dict[str, object]:
    """Return the schema of a profile file."""
    return {"$schema": readers.DRAFT, "title": "Profile of envsmith", **PROFILE_SCHEMA}
