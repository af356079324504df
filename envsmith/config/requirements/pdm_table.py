"""``[tool.pdm]`` and ``[tool.hatch]`` of a project: followed, or named with their lines.

Source: PDM's documentation, "Build configuration" and "Resolution"; Hatch's documentation, "Metadata" and "Environment
configuration", both from memory. A key that is missing here is noted as unknown.
"""

from __future__ import annotations

from collections.abc import Mapping

from packaging.utils import canonicalize_name

from envsmith.config import readers
from envsmith.config.readers import Location
from envsmith.config.requirements.poetry_versions import to_specifier
from envsmith.config.requirements.requirements_parser import PyTorchLine, is_default_index
from envsmith.config.requirements.tool_tables import (
    Chosen,
    ToolTable,
    add_index,
    add_source,
    inside,
    line_of,
    not_followed,
    notes_on_keys,
    refuse_elsewhere,
    requirement_list,
    sourced,
    texts,
)
from envsmith.errors import redact

_PRE = "locks take a pre-release only where a requirement names one"
_NOT_FOLLOWED = {
    "allow_prereleases": _PRE,
    "options": "they are options of PDM's commands",
    "plugins": "plugins of PDM are not run",
}
_WITHOUT_EFFECT = frozenset(
    """
    distribution version name build scripts publish ignore_package_warnings python_requires package-type
    """.split()  # noqa: SIM905
)
_FOLLOWED = frozenset({"dev-dependencies", "source", "resolution", "overrides"})
PDM_KEYS = _FOLLOWED | _NOT_FOLLOWED.keys() | _WITHOUT_EFFECT
"""Keys of ``[tool.pdm]`` with a meaning here; any other one is named in a note."""
_RESOLUTION = {"allow-prereleases": _PRE}
# An index that has a package is the only one for it, whatever `respect-source-order` says.
RESOLUTION_KEYS = frozenset({"overrides", "excludes", "respect-source-order", *_RESOLUTION})
"""Keys of ``[tool.pdm.resolution]`` with a meaning here."""
_SOURCE = {"exclude_packages": "an index that has a package is the only one for it"}
_SOURCE_KEYS = frozenset({"name", "url", "type", "verify_ssl", "include_packages", *_SOURCE})
_HATCH_KEYS = frozenset({"version", "build", "envs", "metadata", "publish", "env"})
_HOOKS_READ = {"requirements_txt"}


def read_pdm_table(table: Mapping[str, object], location: Location, chosen: Chosen) -> ToolTable:
    """Read ``[tool.pdm]`` apart from its groups.

    Args:
        table: the keys.
        location: of the table; problems are added there.
        chosen: what is locked.
    """
    found = ToolTable()
    found.notes += notes_on_keys(table, location, PDM_KEYS, _NOT_FOLLOWED)
    resolution, at = inside(table, location, "resolution"), location.at("resolution")
    found.notes += notes_on_keys(resolution, at, RESOLUTION_KEYS, _RESOLUTION)
    _read_overrides(resolution, at, found)
    _read_overrides(table, location, found)  # the earlier way to write them
    found.excludes += [str(canonicalize_name(text)) for text, _ in texts(resolution, at, "excludes")]
    items = table.get("source", [])
    for number, item in enumerate(items if isinstance(items, list) else [items]):
        place = location.at("source").at(number)
        _read_source(readers.table(item, place) or {}, place, chosen, found)
    return found


def _read_overrides(table: Mapping[str, object], location: Location, found: ToolTable) -> None:
    key = "overrides"
    if isinstance(table.get(key), list):
        found.overrides += requirement_list(table, location, key)
        return
    overrides, at = inside(table, location, key), location.at(key)
    for name in overrides:
        for text, place in texts(overrides, at, name):
            if "://" in text:
                refuse_elsewhere(name, {"url": text}, place)
                continue
            with place.problems.collecting(place.where):
                found.overrides += sourced(f"{name}{to_specifier(text)}", place)


def _read_source(fields: Mapping[str, object], at: Location, chosen: Chosen, found: ToolTable) -> None:
    found.notes += notes_on_keys(fields, at, _SOURCE_KEYS, _SOURCE)
    url = readers.text(fields.get("url"), at.at("url"))
    if url is None:
        return
    name = str(fields.get("name", ""))
    names = list(texts(fields, at, "include_packages"))
    if fields.get("type") == "find_links":
        if line := PyTorchLine.parse(kind="find-links", url=url, origin=line_of(at)):
            found.pytorch_lines.append(line)
        else:
            hint = "remove it, and list its projects under [routes] of the profile"
            at.problem("PRF026", f"{redact(url)!r} is not a page of PyTorch's", hint)
    elif not names:
        add_index(found, url, at, name, is_default=name == "pypi" and not is_default_index(url))
    for text, place in names:
        project = str(canonicalize_name(text))
        if any(character in text for character in "*?["):
            place.problem("PRF026", f"{text!r} is a pattern of names", "list the names of the packages")
        elif project in chosen.names:
            add_source(found, project, url, "", at)


def read_hatch_table(table: Mapping[str, object], location: Location) -> ToolTable:
    """Read ``[tool.hatch]``: hooks may change the dependencies, and environments have their own."""
    found = ToolTable()
    found.notes += notes_on_keys(table, location, _HATCH_KEYS, {})
    envs, at = inside(table, location, "envs"), location.at("envs")
    for name in envs:
        keys = inside(envs, at, name)
        if keys.get("dependencies") or keys.get("extra-dependencies"):
            reason = "an environment of Hatch has its own packages; write a dependency group to lock them"
            found.notes.append(not_followed(at.at(name), reason))
    metadata, at = inside(table, location, "metadata"), location.at("metadata")
    for name in sorted(inside(metadata, at, "hooks").keys() - _HOOKS_READ):
        reason = "hooks, which may change the dependencies, are not run"
        found.notes.append(not_followed(at.at("hooks").at(name), reason))
    return found
