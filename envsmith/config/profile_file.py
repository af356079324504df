"""ProfileText: a profile as written, and how several of them become one Profile."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from packaging.utils import InvalidName, canonicalize_name

from envsmith.config import profile as check
from envsmith.config import readers as toml_field
from envsmith.config.model_files import read_models
from envsmith.config.positions import KeyPath, TomlDocument
from envsmith.config.profile import (
    FAMILY_CHOICES,
    FAMILY_MEMBERS,
    INDEXES,
    LATER,
    ON_RETIRED,
    Profile,
    check_name,
)
from envsmith.config.readers import Location, Problems, Reader
from envsmith.config.requirement import read_requirement
from envsmith.errors import ProfileError
from envsmith.model.backend import Backend
from envsmith.model.listing import CHANNELS
from envsmith.model.route import check_address
from envsmith.model.shim import check_global, check_shim
from envsmith.model.target import Platform, Python

_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# What entering an environment sets itself, or keeps its notes in; on Windows in any letters.
_ENV_TAKEN = re.compile(r"(?i)PATH|VIRTUAL_ENV(_PROMPT)?|_?ENVSMITH_.*|_es_.*|_")
_REQUIRED = {
    "backend": 'add a line such as backend = "cu128"',
    "python": 'add a line such as python = ["3.11", "3.12"]',
    "platforms": 'add a line such as platforms = ["linux", "windows"]',
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileSource:
    """The text of a profile, or of a file that holds it as a table."""

    text: str
    place: str
    """Name of the file, as people know it: ``profiles/cu128.toml``."""
    table: tuple[str, ...] = ()
    """Keys that lead to the profile's table; empty where the whole text is the profile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layer:
    """One profile as written, its values read, ``extends`` not followed."""

    place: str
    written: frozenset[str]
    """Its keys, those with a wrong value too."""
    values: Mapping[str, Any]
    origins: Mapping[tuple[str, str], str] = field(default_factory=dict)


def resolve(name: str, load: Callable[[str], ProfileSource]) -> Profile:
    """Read a profile and those it extends, and put them together: lists replace, tables merge.

    Args:
        name: the profile's name.
        load: gives the text of a profile by name; raises ProfileError when there is none.

    Raises:
        ProfileError: with all problems of all the profiles as ``parts``, a circle of them (PRF009) included.
    """
    problems = Problems()
    layers: list[_Layer] = []
    names: list[str] = []
    following: str | None = name
    while following is not None:
        asked_at = layers[-1].origins[("extends", "")] if layers else ""
        layer = None
        with problems.gathering(asked_at):
            _refuse_circle(names, following)
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
        with problems.gathering():
            profile.checked()
    problems.raise_if_any()
    if profile is None:  # every way here has noted a problem
        raise AssertionError("a profile without problems is complete")
    return profile


def parse(text: str, place: str, name: str) -> Profile:
    """Read a profile that extends no other.

    Raises:
        ProfileError: with all problems as ``parts``; PRF013 when it extends another profile.
    """

    def load(asked: str) -> ProfileSource:
        if asked != name:
            raise ProfileError("PRF013", f"there is no profile {asked!r} here", hint="leave `extends` out")
        return ProfileSource(text=text, place=place)

    return resolve(name, load)


def _refuse_circle(names: list[str], following: str) -> None:
    if following in names:
        circle = " → ".join([*names[names.index(following) :], following])
        raise ProfileError(
            "PRF009",
            f"profiles extend each other in a circle: {circle}",
            hint="let one of them stand for itself",
        )


def _read(source: ProfileSource, problems: Problems) -> _Layer:
    document = TomlDocument.parse(source.text, source.place)
    node: object = document.data
    for key in source.table:
        node = node.get(key, {}) if isinstance(node, Mapping) else {}
    spot = Location(text=document, problems=problems, path=source.table)
    values = toml_field.fields(node, spot, _READERS)
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
        for key, value in layer.values.items():
            if isinstance(value, Mapping):
                values[key] = {**values.get(key, {}), **value}
            else:
                values[key] = value
                origins = {spot: place for spot, place in origins.items() if spot[0] != key}
        origins |= layer.origins
    values.pop("extends", None)
    return values, {spot: place for spot, place in origins.items() if spot[0] != "extends"}


def _is_incomplete(layers: list[_Layer], problems: Problems) -> bool:
    """Note each necessary key that stands nowhere; say whether one has no value."""
    written = frozenset[str]().union(*(layer.written for layer in layers))
    values = {key for layer in layers for key in layer.values}
    if (
        "extends" in layers[-1].written
    ):  # its value is wrong, and noted: what it would have given is not missing
        return True
    for key, hint in _REQUIRED.items():
        if key not in written:
            problems.add(ProfileError("PRF014", f"{key} is missing", where=layers[0].place, hint=hint))
    return not values.issuperset(_REQUIRED)


def _requirement(text: str) -> str:
    return str(read_requirement(text))


def _project(text: str) -> str:
    try:
        return canonicalize_name(text, validate=True)
    except InvalidName as error:
        raise ProfileError(
            "PRF005", f"{text!r} is no project name", hint="letters, digits, and . _ - inside: webrtcvad"
        ) from error


def _env(value: object, spot: Location) -> dict[str, str] | None:
    found: dict[str, str] = {}
    for name, item in (toml_field.table(value, spot) or {}).items():
        if not _ENV_NAME.fullmatch(name):
            spot.at(name).problem(
                "PRF005", f"{name!r} is no variable name", "use letters, digits and _, no digit first"
            )
        elif _ENV_TAKEN.fullmatch(name):
            spot.at(name).problem(
                "PRF005", f"{name} is not a profile's to set: entering an environment does", "take it out"
            )
        elif not isinstance(item, str):
            kind = toml_field.kind(item)
            spot.at(name).problem("PRF004", f"must be a text, not {kind}", 'put it in quotes: "0"')
        elif "\0" in item:
            spot.at(name).problem("PRF005", "has a NUL character", "take it out: no variable can hold one")
        else:
            found[name] = item
    return found


def _family(value: object, spot: Location) -> dict[str, object]:
    """Read what becomes of torchvision and torchaudio, and which member of another family is chosen.

    Which families there are the catalog knows, not the text: a word such as ``keep`` is none of their members.
    """
    readers: dict[str, Reader] = dict.fromkeys(FAMILY_MEMBERS, toml_field.choice(*FAMILY_CHOICES))
    chosen = {
        key: item
        for key, item in (value.items() if isinstance(value, Mapping) else ())
        if key not in readers and isinstance(item, str) and item not in FAMILY_CHOICES
    }
    return toml_field.fields(value, spot, readers | dict.fromkeys(chosen, toml_field.parsed(_project)))


def _routes(value: object, spot: Location) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, item in (toml_field.table(value, spot) or {}).items():
        inside = spot.at(name)
        with spot.problems.gathering(inside.where):
            project = _project(name)
            if project in ("torch", *FAMILY_MEMBERS):
                inside.problem(
                    "PRF005", f"{project} cannot be routed", "the profile's backend says where it is from"
                )
            elif (address := toml_field.text(item, inside)) is not None:
                found[project] = check_address(address)
    return found


_READERS: Mapping[str, Reader] = {
    "summary": toml_field.text,
    "extends": toml_field.parsed(check_name),
    "backend": toml_field.parsed(Backend.parse),
    "channel": toml_field.choice(*CHANNELS),
    "index": toml_field.choice(*INDEXES),
    "on-retired": toml_field.choice(*ON_RETIRED),
    "python": toml_field.listed(toml_field.parsed(Python.parse), at_least=1),
    "platforms": toml_field.listed(toml_field.parsed(Platform.parse), at_least=1),
    "requirements": toml_field.listed(toml_field.parsed(_requirement)),
    "constraints": toml_field.listed(toml_field.parsed(_requirement)),
    "overrides": toml_field.listed(toml_field.parsed(_requirement)),
    "family": _family,
    "gpu": toml_field.listed(toml_field.text),
    "env": _env,
    "allow-sdist": toml_field.listed(toml_field.parsed(_project)),
    "routes": _routes,
    "checks": toml_field.listed(check.read),
    "models": read_models,
    "prune": toml_field.listed(toml_field.parsed(_project)),
    "safe-globals": toml_field.listed(toml_field.parsed(check_global)),
    "shims": toml_field.listed(toml_field.parsed(check_shim)),
}
