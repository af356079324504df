"""What ``[tool.uv]`` of a project says about its packages: followed, or named with its line.

Source: the keys that uv 0.13.8 knows, and their meaning in its settings reference (both seen 2026-11-30).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from packaging.markers import Marker
from packaging.utils import canonicalize_name

from envsmith.config import readers
from envsmith.config.build_settings import ANY, DESCRIBED, BuildSettings
from envsmith.config.direct_references import read_direct
from envsmith.config.profile_reader import parse_time
from envsmith.config.readers import Location
from envsmith.config.requirement import SourcedRequirement, read_requirement
from envsmith.config.requirements.requirements_parser import PyTorchLine
from envsmith.config.requirements.tool_tables import (
    Chosen,
    ToolTable,
    add_index,
    add_source,
    at_source,
    is_elsewhere,
    line_of,
    not_followed,
    notes_on_keys,
    read_marker,
    requirement_list,
    texts,
)
from envsmith.errors import ProfileError, redact

_FOLLOWED = frozenset(
    """
    constraint-dependencies override-dependencies exclude-dependencies dev-dependencies default-groups sources index
    index-url extra-index-url find-links no-index conflicts environments exclude-newer no-sources no-sources-package
    no-build-isolation-package extra-build-dependencies extra-build-variables build-constraint-dependencies
    """.split()  # noqa: SIM905
)
_NOT_FOLLOWED: Mapping[str, str] = {
    "resolution": "locks take the newest versions",
    "prerelease": "locks take a pre-release only where a requirement names one",
    "prerelease-package": "locks take a pre-release only where a requirement names one",
    "index-strategy": "an index that has a package is the only one for it",
    "fork-strategy": "`versions` of the profile decides it",
    "dependency-metadata": "it holds for packages locked as source; wheels tell their own",
    "exclude-newer-package": "one cutoff holds for all packages: --as-of",
    "no-binary": "locks contain wheels; --allow-sdist names exceptions",
    "no-binary-package": "locks contain wheels; --allow-sdist names exceptions",
    "torch-backend": "the profile decides it",
    "minimum-libc-version": "the platforms of the profile decide it: manylinux_2_28_x86_64",
    "pip": "its keys are for `uv pip` alone",
    "workspace": "each member is a project with its own locks",
    "dependency-groups": "`requires-python` of the project holds for its groups as well",
    "config-settings": "locking builds nothing",
    "config-settings-package": "locking builds nothing",
    "no-build-isolation": "locking builds nothing",
}
# Locks hold wheels with hashes for every target of a profile; the others say how uv itself works: where it keeps files,
# how it downloads, links, builds, publishes and finds Pythons.
_WITHOUT_EFFECT = frozenset(
    """
    no-build no-build-package require-build-hashes required-environments required-version
    system-certs native-tls offline no-cache cache-dir cache-keys preview preview-features python-preference
    python-downloads concurrent-downloads concurrent-builds concurrent-installs keyring-provider http-proxy https-proxy
    no-proxy allow-insecure-host link-mode compile-bytecode upgrade upgrade-package reinstall reinstall-package
    python-install-mirror pypy-install-mirror graalpy-install-mirror pyodide-install-mirror python-downloads-json-url
    publish-url trusted-publishing check-url add-bounds audit managed package build-backend
    """.split()  # noqa: SIM905
)
_PAGE = "remove it, and list its projects under [routes] of the profile"
KNOWN_KEYS = _FOLLOWED | _NOT_FOLLOWED.keys() | _WITHOUT_EFFECT
"""Keys with a meaning here; any other one is named in a note."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Index:
    url: str
    location: Location
    is_explicit: bool
    is_default: bool


def read_uv_table(table: Mapping[str, object], location: Location, chosen: Chosen) -> ToolTable:
    """Read ``[tool.uv]``; what cannot be followed and changes what is installed is a problem at its place.

    Args:
        table: the keys.
        location: of the table; problems are added there.
        chosen: what is locked.
    """
    found = ToolTable()
    found.notes += notes_on_keys(table, location, KNOWN_KEYS, _NOT_FOLLOWED)
    found.constraints += requirement_list(table, location, "constraint-dependencies")
    found.overrides += requirement_list(table, location, "override-dependencies")
    found.excludes += [
        str(canonicalize_name(text)) for text, _ in texts(table, location, "exclude-dependencies")
    ]
    indexes = dict(_indexes(table, location))
    for name, index in indexes.items():
        if not index.is_explicit:
            own = "" if name.isdigit() else name
            add_index(found, index.url, index.location, own, is_default=index.is_default)
    _read_addresses(table, location, found)
    found.indexes.sort(key=lambda index: index.is_default)
    if table.get("no-sources") is not True:
        _read_sources(table, location, chosen, indexes, found)
    _check_conflicts(table, location, chosen)
    found.builds += _builds(table, location)
    if "dependency-metadata" in table:
        found.described += DESCRIBED(table["dependency-metadata"], location.at("dependency-metadata")) or ()
    for text, inside in texts(table, location, "environments"):
        if marker := read_marker(text, inside):
            found.environments.append(Marker(marker))
    if "exclude-newer" in table:
        found.as_of = _cutoff(str(table["exclude-newer"]), location.at("exclude-newer"), found)
    return found


def _builds(table: Mapping[str, object], location: Location) -> Iterator[BuildSettings]:
    """Yield how packages are built, by uv's keys for that.

    ``match-runtime`` needs no setting: a locked package has its locked version in every build.

    Source: uv's reference of settings (read 2026-11-30).
    """
    constraints = requirement_list(table, location, "build-constraint-dependencies")
    if texts_of := tuple(str(item.requirement) for item in constraints):
        yield BuildSettings(project=ANY, constraints=texts_of)
    for name, _ in texts(table, location, "no-build-isolation-package"):
        yield BuildSettings(project=canonicalize_name(name), isolated=False)
    for name, items, at in _by_project(table, location, "extra-build-dependencies"):
        for number, item in enumerate(items if isinstance(items, list) else [items]):
            text = item.get("requirement") if isinstance(item, Mapping) else item
            with location.problems.collecting(at.at(number).where):
                requirement = read_requirement(readers.text(text, at.at(number)) or "")
                yield BuildSettings(project=name, requires=(str(requirement),))
    for name, variables, at in _by_project(table, location, "extra-build-variables"):
        values = readers.table(variables, at) or {}
        yield BuildSettings(project=name, env={variable: str(value) for variable, value in values.items()})


def _by_project(
    table: Mapping[str, object], location: Location, key: str
) -> Iterator[tuple[str, object, Location]]:
    for name, value in (readers.table(table.get(key, {}), location.at(key)) or {}).items():
        yield canonicalize_name(name), value, location.at(key).at(name)


def _cutoff(text: str, location: Location, found: ToolTable) -> str:
    """Return a date or time as the cutoff; a duration means another one every day."""
    try:
        return parse_time(text)
    except ProfileError:
        found.notes.append(not_followed(location, "a lock needs a date: --as-of"))
        return ""


def _indexes(table: Mapping[str, object], location: Location) -> Iterator[tuple[str, _Index]]:
    """Yield name → index; one without a name has its position instead."""
    items = table.get("index", [])
    for number, item in enumerate(items if isinstance(items, list) else [items]):
        inside = location.at("index").at(number)
        fields = readers.table(item, inside) or {}
        if (url := readers.text(fields.get("url"), inside.at("url"))) is None:
            continue
        name = fields.get("name")
        index = _Index(
            url=url,
            location=inside,
            is_explicit=fields.get("explicit") is True,
            is_default=fields.get("default") is True,
        )
        yield (name if isinstance(name, str) else str(number)), index


def _read_addresses(table: Mapping[str, object], location: Location, found: ToolTable) -> None:
    for url, inside in texts(table, location, "find-links"):
        if line := PyTorchLine.parse(kind="find-links", url=url, origin=line_of(inside)):
            found.pytorch_lines.append(line)
        else:
            inside.problem("PRF026", f"{redact(url)!r} is not a page of PyTorch's", _PAGE)
    for key in ("extra-index-url", "index-url"):
        for url, inside in texts(table, location, key):
            add_index(found, url, inside, is_default=key == "index-url")
    if table.get("no-index"):
        location.at("no-index").problem("PRF026", "locks use PyPI and PyTorch's index", "remove it")


def _read_sources(
    table: Mapping[str, object],
    location: Location,
    chosen: Chosen,
    indexes: Mapping[str, _Index],
    found: ToolTable,
) -> None:
    sources = readers.table(table.get("sources", {}), location.at("sources")) or {}
    left_out = {str(canonicalize_name(text)) for text, _ in texts(table, location, "no-sources-package")}
    for written, value in sources.items():
        name = str(canonicalize_name(written))
        if name not in chosen.names or name in left_out:
            continue
        inside = location.at("sources").at(written)
        for number, item in enumerate(value if isinstance(value, list) else [value]):
            at = inside.at(number) if isinstance(value, list) else inside
            fields = readers.table(item, at)
            if fields and _is_chosen(fields, chosen):
                _read_source(name, fields, at, indexes, found)


def _is_chosen(fields: Mapping[str, object], chosen: Chosen) -> bool:
    """Return whether a source holds with the extras and groups that are locked."""
    limits = ((fields.get("extra"), chosen.extras), (fields.get("group"), chosen.groups))
    return all(limit is None or str(canonicalize_name(str(limit))) in names for limit, names in limits)


def _read_source(
    name: str, fields: Mapping[str, object], at: Location, indexes: Mapping[str, _Index], found: ToolTable
) -> None:
    marker = read_marker(fields.get("marker"), at.at("marker"))
    url = fields.get("url")
    if marker is not None and isinstance(url, str) and url.partition("#")[0].endswith(".whl"):
        with at.problems.collecting(at.where):
            requirement, hashes = read_direct(f"{name} @ {url} ; {marker}" if marker else f"{name} @ {url}")
            found.direct.append(
                SourcedRequirement(requirement=requirement, hashes=hashes, origin=line_of(at))
            )
        return
    if marker is None:
        return
    if is_elsewhere(fields):
        if item := at_source(name, fields, at, marker=marker):
            found.direct.append(item)
        return
    if wanted := fields.get("index"):
        index = indexes.get(str(wanted))
        if index is None:
            at.problem("PRF052", f"no index is named {wanted!r}", "name it under [[tool.uv.index]]")
        else:
            add_source(found, name, index.url, marker, at)


def _check_conflicts(table: Mapping[str, object], location: Location, chosen: Chosen) -> None:
    sets = table.get("conflicts", [])
    for number, items in enumerate(sets if isinstance(sets, list) else []):
        names = list(_chosen_of(items if isinstance(items, list) else [], chosen))
        if len(names) > 1:
            location.at("conflicts").at(number).problem(
                "PRF053", f"{' and '.join(names)} conflict with each other", "choose one of them"
            )


def _chosen_of(items: Iterable[object], chosen: Chosen) -> Iterator[str]:
    for item in items:
        fields = item if isinstance(item, Mapping) else {}
        for kind, names in (("extra", chosen.extras), ("group", chosen.groups)):
            name = fields.get(kind)
            if isinstance(name, str) and str(canonicalize_name(name)) in names:
                yield f"{kind} {name}"
