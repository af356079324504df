"""``[tool.pixi]`` of a project: its PyPI dependencies are converted, its conda packages named.

Source: pixi's documentation, "The pixi manifest", from memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from packaging.utils import canonicalize_name

from envsmith.config.profile_reader import parse_time
from envsmith.config.readers import Location
from envsmith.config.requirements.dependency_tables import (
    Dependency,
    NamedSources,
    convert,
    read_dependencies,
)
from envsmith.config.requirements.requirements_parser import PyTorchLine
from envsmith.config.requirements.tool_tables import (
    ToolTable,
    add_index,
    inside,
    line_of,
    not_followed,
    notes_on_keys,
    refuse_elsewhere,
    texts,
)
from envsmith.errors import ProfileError, redact

CONDA = ("dependencies", "host-dependencies", "build-dependencies", "run-dependencies", "constraints")
"""Keys with conda packages."""
_PYPI = "pypi-dependencies"
_OPTIONS = "pypi-options"
_WORKSPACE = ("workspace", "project")
_NOT_FOLLOWED = {
    "system-requirements": "the platforms and the backend of the profile decide it",
    "dev": "packages from sources are not built",
    "package": "packages of conda are not built",
}
_WITHOUT_EFFECT = frozenset({"tasks", "activation", "environments", "s3-options", "preview"})
_FOLLOWED = frozenset({_PYPI, _OPTIONS, "target", "feature", *_WORKSPACE, *CONDA})
PIXI_KEYS = _FOLLOWED | _NOT_FOLLOWED.keys() | _WITHOUT_EFFECT
"""Keys of the table with a meaning here; any other one is named in a note."""
_BUILDS = "locks contain wheels; --allow-sdist names exceptions"
_OPTION_REASONS = {
    "no-binary": _BUILDS,
    "no-build-isolation": "locking builds nothing",
    "index-strategy": "an index that has a package is the only one for it",
    "prerelease-mode": "locks take a pre-release only where a requirement names one",
}
OPTION_KEYS = frozenset(
    {"index-url", "extra-index-urls", "find-links", "dependency-overrides", "no-build", *_OPTION_REASONS}
)
"""Keys of ``pypi-options`` with a meaning here."""
_MACHINES = {"64": "x86_64", "aarch64": "aarch64", "arm64": "arm64"}
_SYSTEMS = {"linux": "linux", "osx": "darwin", "win": "win32"}


def read_pixi_table(table: Mapping[str, object], location: Location, project: str) -> ToolTable:
    """Read ``[tool.pixi]``: PyPI packages of its default environment are added to the project's dependencies.

    Args:
        table: the keys.
        location: of the table; problems are added there.
        project: the project's own name, which pixi lists as an editable install.
    """
    found = ToolTable()
    found.notes += notes_on_keys(table, location, PIXI_KEYS, _NOT_FOLLOWED)
    for key in _WORKSPACE:
        at = location.at(key)
        _read_options(inside(inside(table, location, key), at, _OPTIONS), at.at(_OPTIONS), found)
        for text, place in texts(inside(table, location, key), at, "exclude-newer"):
            try:
                found.as_of = parse_time(text)
            except ProfileError:
                found.notes.append(not_followed(place, "a lock needs a date: --as-of"))
    _read_options(inside(table, location, _OPTIONS), location.at(_OPTIONS), found)
    _read_packages(table, location, "", project, found)
    targets = inside(table, location, "target")
    for name in targets:
        at = location.at("target").at(name)
        _read_packages(inside(targets, location.at("target"), name), at, _marker(name), project, found)
    features = inside(table, location, "feature")
    for name in features:
        at = location.at("feature").at(name)
        keys = inside(features, location.at("feature"), name)
        if any(keys.get(key) for key in (*CONDA, _PYPI, _OPTIONS, "target")):
            reason = "a feature of pixi has its own packages; write a dependency group to lock them"
            found.notes.append(not_followed(at, reason))
    return found


def _read_packages(
    table: Mapping[str, object], at: Location, marker: str, project: str, found: ToolTable
) -> None:
    for key in CONDA:
        if names := sorted(set(inside(table, at, key)) - {"python", "pip"}):
            reason = f"locks take packages from PyPI, not from conda: {', '.join(names)}"
            found.notes.append(not_followed(at.at(key), reason))
    for item in _entries(table, at, marker):
        is_self = item.name == canonicalize_name(project) and item.fields.get("path") in (".", "./")
        if not is_self:
            # An index is written as its address.
            index = str(item.fields.get("index", ""))
            sources = NamedSources(urls={index.lower(): index})
            found.requirements += convert(item, sources, found)


def _entries(table: Mapping[str, object], at: Location, marker: str) -> Iterator[Dependency]:
    for item in read_dependencies(table.get(_PYPI, {}), at.at(_PYPI)):
        markers = [
            text for text in (item.fields.get("env-markers"), marker) if isinstance(text, str) and text
        ]
        fields = {key: value for key, value in item.fields.items() if key != "env-markers"}
        joined = " and ".join(f"({text})" for text in markers)
        yield Dependency(name=item.name, fields={**fields, "markers": joined}, at=item.at)


def _marker(target: str) -> str:
    """Return the marker of a platform of pixi: ``linux-64``, ``osx``, ``unix``."""
    system, _, machine = target.partition("-")
    if system == "unix":
        return "sys_platform != 'win32'"
    parts = [f"sys_platform == '{_SYSTEMS.get(system, system)}'"]
    if machine:
        name = _MACHINES.get(machine, machine)
        parts.append(f"platform_machine == '{'AMD64' if (system, machine) == ('win', '64') else name}'")
    return " and ".join(parts)


def _read_options(table: Mapping[str, object], at: Location, found: ToolTable) -> None:
    found.notes += notes_on_keys(table, at, OPTION_KEYS, _OPTION_REASONS)
    for key in ("extra-index-urls", "index-url"):
        for url, place in texts(table, at, key):
            add_index(found, url, place, is_default=key == "index-url")
    links = table.get("find-links", [])
    for number, item in enumerate(links if isinstance(links, list) else []):
        place = at.at("find-links").at(number)
        url = str(item.get("url") or item.get("path")) if isinstance(item, Mapping) else str(item)
        if line := PyTorchLine.parse(kind="find-links", url=url, origin=line_of(place)):
            found.pytorch_lines.append(line)
        else:
            hint = "remove it, and list its projects under [routes] of the profile"
            place.problem("PRF026", f"{redact(url)!r} is not a page of PyTorch's", hint)
    key = "dependency-overrides"
    for override in read_dependencies(table.get(key, {}), at.at(key)):
        if not refuse_elsewhere(override.name, override.fields, override.at):
            found.overrides += convert(override, NamedSources(), found)
