"""Dependencies in a Pipfile.

Source: Pipenv's documentation, "Pipfile & Pipfile.lock" and "Specifying package indexes", from memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from envsmith.config import readers
from envsmith.config.positions import TomlDocument
from envsmith.config.readers import Location, Problems
from envsmith.config.requirement import RequiresPython, SourcedRequirement
from envsmith.config.requirements.dependency_tables import (
    NamedSources,
    convert,
    read_dependencies,
)
from envsmith.config.requirements.setup_files import Declaration
from envsmith.config.requirements.tool_tables import ToolTable, add_index, inside, line_of, notes_on_keys
from envsmith.errors import ProfileError

PLACE = "Pipfile"
_MAIN, _DEV = "packages", "dev-packages"
_FOLLOWED = frozenset({"source", "requires", _MAIN})
_WITHOUT_EFFECT = frozenset({"scripts", "pipenv"})
_PRE = "locks take a pre-release only where a requirement names one"


def read_pipfile(text: str, problems: Problems) -> Declaration | None:
    """Return the dependencies of a Pipfile; None if it lists none.

    ``dev-packages`` is the group ``dev``, and each other category a group of its name. The first index serves every
    package, the others those that name them.

    Args:
        text: of the file; empty without it.
        problems: gets what cannot be converted.

    Raises:
        ProfileError: PRF001 when it is not TOML.
    """
    document = TomlDocument.parse(text, PLACE)
    root = Location(text=document, problems=problems)
    data = document.data
    if not inside(data, root, _MAIN):
        return None
    found = ToolTable()
    sources = _sources(data, root, found)
    pipenv = inside(data, root, "pipenv")
    found.notes += notes_on_keys(pipenv, root.at("pipenv"), pipenv.keys(), {"allow_prereleases": _PRE})
    _take_python(inside(data, root, "requires"), root.at("requires"), found)

    def items(key: str) -> Iterator[SourcedRequirement]:
        for item in read_dependencies(data[key], root.at(key)):
            yield from convert(item, sources, found)

    others = data.keys() - _FOLLOWED - _WITHOUT_EFFECT
    return Declaration(
        place=PLACE,
        main=partial(items, _MAIN),
        groups={
            "dev" if key == _DEV else str(canonicalize_name(key)): partial(items, key)
            for key in sorted(others)
        },
        found=found,
    )


def _sources(data: Mapping[str, object], root: Location, found: ToolTable) -> NamedSources:
    urls = {"pypi": ""}
    items = data.get("source", [])
    for number, item in enumerate(items if isinstance(items, list) else [items]):
        at = root.at("source").at(number)
        fields = readers.table(item, at) or {}
        name, url = (readers.text(fields.get(key), at.at(key)) for key in ("name", "url"))
        if name is None or url is None:
            continue
        urls[name.lower()] = url
        if number == 0:
            add_index(found, url, at, name, is_default=True)
    return NamedSources(urls=urls, hint="name it under [[source]]")


def _take_python(requires: Mapping[str, object], at: Location, found: ToolTable) -> None:
    for key, form in (("python_version", "=={}.*"), ("python_full_version", "=={}")):
        if key in requires and (version := readers.text(requires[key], at.at(key))) is not None:
            try:
                specifier = SpecifierSet(form.format(version))
            except ValueError:
                hint = 'write it as "3.12"'
                where = at.at(key).where
                error = ProfileError("PRF005", f"invalid version {version!r}", where=where, hint=hint)
                at.problems.add(error)
            else:
                found.requires_python = RequiresPython(specifier=specifier, where=line_of(at.at(key)))
