"""Settings in ``[tool.envsmith]`` of pyproject.toml, with CI settings and runner labels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from envsmith.config import readers
from envsmith.config.mirrors import MirrorRule
from envsmith.config.positions import TomlDocument
from envsmith.config.profile import NAME, check_name
from envsmith.config.profile_reader import AS_OF, PROFILE_SCHEMA, ProfileSource
from envsmith.config.readers import Key, Location, Problems, Reader, Schema
from envsmith.errors import ProfileError
from envsmith.model.backend import GPU_PATTERN
from envsmith.model.package_index import PackageIndex
from envsmith.model.target import Target

SERVICES = ("github", "gitlab", "azure")
# A machine, and its GPU: any, one of a kind, or one for a backend.
_KEY = re.compile(
    r"(?:linux-(?:x86_64|aarch64)|macos-(?:arm64|x86_64)|windows-(?:amd64|arm64))"
    rf"(?:-(?:gpu|cuda|rocm|{GPU_PATTERN}))?",
    re.ASCII,
)
_HINT = "write linux-x86_64, windows-amd64-gpu, linux-x86_64-cuda or linux-x86_64-cu128"
# YAML line breaks and forbidden characters other than control characters.
# Source: YAML 1.1 and 1.2.2, "Character Set" and "Line Break Characters", read 2026-11-21.
_NOT_IN_YAML = "\u2028\u2029\ufeff\ufffe\uffff"
_NOT_IN_YAML_ECMA = "".join(f"\\u{ord(character):04x}" for character in _NOT_IN_YAML)
TABLE = ("tool", "envsmith")
_SOURCES = readers.choice("project", "profile")
_FILES = (".in", ".txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Runners:
    """Machine, with or without GPU → runner labels."""

    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", MappingProxyType(dict(sorted(self.labels.items()))))

    def find(self, target: Target) -> tuple[str, ...]:
        """Return the labels for a target under its narrowest key; empty if there are none."""
        return next((self.labels[key] for key in keys_of(target) if key in self.labels), ())

    def over(self, other: Runners) -> Runners:
        """Return the other table updated with this one."""
        return Runners(labels={**other.labels, **self.labels})


def machine_of(target: Target) -> str:
    """Return the machine of a target: ``linux-x86_64``, ``windows-amd64``."""
    return f"{target.platform.os}-{target.platform.machine}"


def needs_gpu(target: Target) -> bool:
    """Return whether a target's build is made for a GPU; macOS builds run on any Mac."""
    return target.backend.family != "cpu"


def keys_of(target: Target) -> tuple[str, ...]:
    """Return the possible keys of a runner for a target, the narrowest first."""
    machine = machine_of(target)
    if not needs_gpu(target):
        return (machine,)
    return tuple(f"{machine}-{kind}" for kind in (target.backend, target.backend.family, "gpu"))


def check_key(text: str) -> str:
    """Return a valid key of the table unchanged.

    Raises:
        ProfileError: PRF005 when it names no machine.
    """
    if _KEY.fullmatch(text) is None:
        raise ProfileError("PRF005", f"unknown machine {text!r}", hint=_HINT)
    return text


def _runners(value: object, location: Location) -> Runners:
    labels: dict[str, tuple[str, ...]] = {}
    for key, item in (readers.table(value, location) or {}).items():
        inside = location.at(key)
        with location.problems.collecting(inside.where):
            check_key(key)
        labels[key] = _labels(item, inside) or ()
    return Runners(labels=labels)


def _labels(value: object, location: Location) -> tuple[str, ...] | None:
    """Read one label, or a list of labels that a runner must all have."""
    return _LABELS([value] if isinstance(value, str) else value, location)


_LABELS = readers.listed(readers.text, at_least=1)
RUNNERS: Reader[Runners] = Reader(
    _runners,
    readers.table_schema({"anyOf": [readers.text.schema, _LABELS.schema]}, readers.pattern_schema(_KEY)),
)
"""Reads a table of machines and their labels: the runners of one service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CiSettings:
    """CI settings of a project."""

    runners: Mapping[str, Runners] = field(default_factory=dict)
    """CI service → the project's runners there."""
    profiles: tuple[str, ...] = ()
    """Profiles to test; all locked ones if empty."""
    setup: tuple[str, ...] = ()
    """Shell lines that install envsmith; required, since there is no default source."""
    test: tuple[str, ...] = ()
    """Words of the command that tests an environment."""
    has_cpu_fallback: bool = False


def _ci(value: object, location: Location) -> CiSettings:
    found = readers.fields(value, location, _CI_SETTINGS)
    return CiSettings(
        runners={name: table for name, table in found.items() if isinstance(table, Runners)},
        profiles=_texts(found.get("profiles")),
        setup=_texts(found.get("setup")),
        test=_texts(found.get("test")),
        has_cpu_fallback=found.get("cpu-fallback") is True,
    )


def _word(value: object, location: Location) -> str | None:
    """Read a text that YAML can represent."""
    found = readers.text(value, location)
    if found is not None and (set(found) & set(_NOT_IN_YAML) or not found.isprintable()):
        location.problem("PRF005", f"{found!r} contains characters that YAML does not allow", "remove them")
        return None
    return found


def _line(value: object, location: Location) -> str | None:
    found = _word(value, location)
    return found.strip() if found is not None else None


_YAML: Schema = {**readers.text.schema, "not": {"pattern": f"[{_NOT_IN_YAML_ECMA}]"}}
_CI_SETTINGS: Mapping[str, Key] = {
    **{
        name: Key(RUNNERS, f"Labels of the runners for each machine, for `--format {name}`.")
        for name in SERVICES
    },
    "profiles": Key(
        readers.listed(NAME, at_least=1),
        "Profiles whose locks are tested; by default `default-profiles`, otherwise all locked profiles.",
    ),
    "setup": Key(
        readers.listed(Reader(_line, _YAML), at_least=1),
        "Shell commands that install envsmith; required by `envsmith ci init`.",
        examples=("python -m pip install -r ci/envsmith.txt",),
    ),
    "test": Key(
        readers.listed(Reader(_word, _YAML), at_least=1),
        "Words of the command that tests an environment; by default pytest if it is locked, otherwise `import torch`.",
    ),
    "cpu-fallback": Key(readers.flag, "Test the CPU lock if no GPU machine is available.", default=False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectSettings:
    """A project's settings; empty without a table in pyproject.toml."""

    profiles: tuple[ProfileSource, ...] = ()
    """Profiles in the file itself; the last key of their table is their name."""
    default_profiles: tuple[str, ...] = ()
    """Profiles to lock if the command names none."""
    requirements_from: str = "project"
    """Source of requirements without -r: ``project`` (this file), ``profile``, or a requirements file."""
    sources: tuple[str, ...] = ()
    """Folders with the project's code; by default those of the build backend."""
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    """Extras and dependency groups to lock for profiles that name none; ``*`` for all."""
    as_of: str = ""
    """Cutoff of profiles without one: RFC 3339 with ``Z``."""
    rewrite: tuple[str, ...] = ()
    """Mirror rules: ``https://download.pytorch.org=https://mirror.example/pytorch``."""
    indexes: tuple[PackageIndex, ...] = ()
    """Package indexes, in the order in which they are asked; they come before those of other tools' tables."""
    project: bool = True
    """Whether the project itself is installed, if it is a package."""
    ci: CiSettings = field(default_factory=CiSettings)

    @property
    def requirements_file(self) -> str:
        """The requirements file to read without -r; empty for other sources."""
        return self.requirements_from if self.requirements_from.endswith(_FILES) else ""

    @classmethod
    def from_pyproject(cls, text: str, place: str) -> ProjectSettings:
        """Read the settings from the text of a pyproject.toml.

        Raises:
            ProfileError: with all problems as ``parts``: unknown keys, wrong kinds, invalid names.
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
            extras=_texts(found.get("extras", ())),
            groups=_texts(found["groups"]) if "groups" in found else _uv_groups(document.data),
            as_of=str(found.get("as-of", "")),
            rewrite=_texts(found.get("rewrite", ())),
            indexes=tuple(index for index in found.get("index", ()) if isinstance(index, PackageIndex)),  # type: ignore[attr-defined]
            project=found.get("project", True) is True,
            ci=ci if isinstance(ci := found.get("ci"), CiSettings) else CiSettings(),
        )

    def profile(self, name: str) -> ProfileSource | None:
        """Return the text of a profile by name; None if the file has no such profile."""
        return next((profile for profile in self.profiles if profile.table[-1] == name), None)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, tuple) else ()


def _uv_groups(data: Mapping[str, object]) -> tuple[str, ...]:
    """Return ``default-groups`` of ``[tool.uv]``; those of envsmith's own settings come before them."""
    node: object = data
    for key in ("tool", "uv", "default-groups"):
        node = node.get(key) if isinstance(node, Mapping) else None
    if node == "all":
        return ("*",)
    return tuple(item for item in node if isinstance(item, str)) if isinstance(node, list) else ()


def _profile_names(value: object, location: Location) -> tuple[str, ...]:
    """Read only the names: a profile's own table is read with the profile."""
    names: list[str] = []
    for name, item in (readers.table(value, location) or {}).items():
        with location.problems.collecting(location.at(name).where):
            names.append(check_name(name))
        readers.table(item, location.at(name))
    return tuple(sorted(names))


def _folder(value: object, location: Location) -> str | None:
    """Read a folder or file of the project, relative to its root."""
    found = readers.text(value, location)
    if found is None:
        return None
    if readers.is_outside(found):
        location.problem(
            "PRF005", f"{found!r} is not inside the project", "name a folder relative to this file"
        )
        return None
    return "/".join(part for part in found.replace("\\", "/").split("/") if part not in ("", ".")) or "."


def _requirements_from(value: object, location: Location) -> str | None:
    """Read ``project``, ``profile``, or a requirements file of the project."""
    is_file = isinstance(value, str) and value.endswith(_FILES)
    return _folder(value, location) if is_file else _SOURCES(value, location)


def _rewrites(value: object, location: Location) -> tuple[str, ...] | None:
    """Read a list of ``source=mirror``, or a table of sources and their mirrors."""
    if not isinstance(value, Mapping):
        return _REWRITE_LIST(value, location)
    texts = []
    for source, target in value.items():
        inside = location.at(source)
        if (mirror := readers.text(target, inside)) is not None:
            with location.problems.collecting(inside.where):
                texts.append(_rewrite(f"{source}={mirror}"))
    return tuple(texts)


def _rewrite(text: str) -> str:
    """Return the text of a rule as written: its target may contain a password that `str` redacts."""
    MirrorRule.parse(text)
    return text


def _package_index(value: object, location: Location) -> PackageIndex | None:
    """Read a table with the name and address of an index."""
    found = readers.fields(value, location, _INDEX)
    url = found.get("url")
    if not isinstance(url, str):
        location.problem(
            "PRF005", "has no url", 'write {name = "company", url = "https://packages.example/simple"}'
        )
        return None
    with location.problems.collecting(location.where):
        return PackageIndex.checked(url, str(found.get("name", "")), is_default=found.get("default") is True)
    return None


_INDEX: Mapping[str, Key] = {
    "name": Key(
        readers.text, "Name, also in the variables with its credentials: `UV_INDEX_COMPANY_USERNAME`."
    ),
    "url": Key(readers.text, "Address of a simple index, without credentials."),
    "default": Key(readers.flag, "Whether it is asked in place of PyPI.", default=False),
}
_REWRITE_LIST = readers.listed(readers.parsed(_rewrite))
_SETTINGS: Mapping[str, Key] = {
    "profiles": Key(
        Reader(_profile_names, readers.table_schema({"$ref": "#/definitions/profile"}, NAME.schema)),
        "Profiles of the project, by name.",
    ),
    "default-profiles": Key(
        readers.listed(NAME), "Profiles that `envsmith lock` and other commands take without a name."
    ),
    "requirements-from": Key(
        Reader(
            _requirements_from,
            {"anyOf": [_SOURCES.schema, {**readers.INSIDE, "pattern": r"\.(?:in|txt)$"}]},
        ),
        "Source of requirements without `-r`: this file, the profile, or a requirements file.",
        default="project",
    ),
    "sources": Key(
        readers.listed(Reader(_folder, readers.INSIDE), at_least=1),
        "Folders and files with the project's code; by default those that the build backend packages.",
    ),
    "extras": Key(readers.listed(readers.text), "Extras to lock as well, for profiles that name none."),
    "groups": Key(
        readers.listed(readers.text), "Dependency groups to lock as well, for profiles that name none."
    ),
    "as-of": Key(
        AS_OF, "Cutoff of profiles without one: later releases are ignored.", examples=("2026-11-01",)
    ),
    "ci": Key(
        Reader(_ci, readers.fields_schema(_CI_SETTINGS)),
        "Settings of the commands for CI.",
    ),
    "index": Key(
        readers.listed(Reader(_package_index, readers.fields_schema(_INDEX, required=["url"]))),
        "Package indexes that are asked before PyPI, in this order.",
    ),
    "project": Key(readers.flag, "Install the project itself, if it is a package.", default=True),
    "rewrite": Key(
        Reader(
            _rewrites,
            {"anyOf": [_REWRITE_LIST.schema, readers.table_schema(readers.text.schema)]},
        ),
        "Mirrors: addresses of servers or folders, and the addresses that files are fetched from instead.",
    ),
}


def settings_schema() -> dict[str, object]:
    """Return the schema of a ``pyproject.toml``; it describes ``[tool.envsmith]`` only.

    Editors apply one schema to a whole file, so a schema of the table alone would be useless to them.
    """
    schema: dict[str, object] = readers.fields_schema(_SETTINGS)
    for key in reversed(TABLE):
        schema = {"properties": {key: schema}}
    title = "Settings of envsmith in pyproject.toml"
    return {
        "$schema": readers.DRAFT, "title": title, "type": "object", **schema,
        "definitions": {"profile": PROFILE_SCHEMA},
    }  # fmt: skip
