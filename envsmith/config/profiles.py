"""Profile store: finds profiles in profiles/, pyproject.toml and the shipped set, and edits their lists."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envsmith.config.positions import TomlDocument
from envsmith.config.profile import Profile, check_name, is_name
from envsmith.config.profile_reader import ProfileSource, resolve
from envsmith.config.pyproject_settings import ProjectSettings
from envsmith.errors import EnvsmithError, ProfileError
from envsmith.files.text import is_missing, read_text
from envsmith.model.naming import suggestion

if TYPE_CHECKING:
    from envsmith.files.edits import Edit

_FOLDER = "profiles"
_SHIPPED = "envsmith.profiles"
_PYPROJECT = "pyproject.toml"
# A line that may begin a TOML table.
_HEADER = re.compile(r"[ \t]*\[")
Lists = Mapping[str, tuple[str, ...] | None]
"""Key → its new list; None to remove the key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileStore:
    """Profiles available to a project."""

    folder: Path
    """The project's root."""
    settings: ProjectSettings = field(default_factory=ProjectSettings)

    @classmethod
    def of_project(cls, folder: Path) -> ProfileStore:
        """Read a project's settings and return its profiles.

        Raises:
            ProfileError: when pyproject.toml is malformed.
            ToolError: when it cannot be read.
        """
        path = folder / _PYPROJECT
        if is_missing(path):
            return cls(folder=folder)
        return cls(
            folder=folder, settings=ProjectSettings.from_pyproject(read_text(path, _PYPROJECT), _PYPROJECT)
        )

    def names(self) -> tuple[tuple[str, str], ...]:
        """Return every name with its place, sorted by name."""
        found = {name: f"shipped profiles/{name}.toml" for name in self._shipped()}
        found |= {profile.table[-1]: profile.place for profile in self.settings.profiles}
        found |= {name: f"{_FOLDER}/{name}.toml" for name in self._own()}
        return tuple(sorted(found.items()))

    def load(self, name: str) -> ProfileSource:
        """Return the text of the first profile with a name.

        Raises:
            ProfileError: PRF013 when there is none; PRF006 when the name is invalid.
            ToolError: when its file cannot be read.
        """
        check_name(name)
        own = self.folder / _FOLDER / f"{name}.toml"
        place = f"{_FOLDER}/{name}.toml"
        if not is_missing(own):
            return ProfileSource(text=read_text(own, place), place=place)
        if written := self.settings.profile(name):
            return written
        if name in self._shipped():
            return ProfileSource(text=(_shipped_folder() / f"{name}.toml").read_text("utf-8"), place=place)
        hint = suggestion(name, (known for known, _ in self.names()))
        raise ProfileError("PRF013", f"profile {name!r} not found", hint=hint)

    def resolve(self, name: str) -> Profile:
        """Read a profile and the profiles it extends.

        Raises:
            ProfileError: with all problems as ``parts``.
            ToolError: when a file cannot be read.
        """
        return resolve(name, self.load)

    def _own(self) -> list[str]:
        paths = (self.folder / _FOLDER).glob("*.toml")
        return [path.stem for path in paths if is_name(path.stem) and not path.is_dir()]

    @staticmethod
    def _shipped() -> list[str]:
        return [path.stem for path in _shipped_folder().glob("*.toml")]


def _shipped_folder() -> Path:
    # importlib.resources takes longer to import than a profile to read.
    return Path(next(iter(import_module(_SHIPPED).__path__)))


def profile_of(name: str, *, is_needed: bool) -> Profile | None:
    """Return a profile of the current project; None if there is none with the name.

    Args:
        name: of the profile.
        is_needed: whether to raise if it is malformed.
    """
    try:
        profiles = ProfileStore.of_project(Path())
        return profiles.resolve(name) if name in dict(profiles.names()) else None
    except EnvsmithError:
        if is_needed:
            raise
        return None


def set_lists(profiles: ProfileStore, name: str, lists: Lists) -> Edit:
    """Return the edit that sets lists in a profile.

    Args:
        profiles: those of the project.
        name: of one of the project's own profiles.
        lists: the new lists.

    Raises:
        ProfileError: PRF013 when the profile does not exist, PRF017 when it is a shipped one or cannot be edited.
    """
    from envsmith.files.edits import Edit

    written = profiles.load(name)
    path = profiles.folder / written.place
    if not path.is_file():
        raise ProfileError(
            "PRF017",
            f"{name} is shipped with envsmith and cannot be edited",
            where=written.place,
            hint=f'create profiles/OTHER.toml with extends = "{name}" and use that',
        )
    data = path.read_bytes()
    text = data.decode()
    expected = _edited_values(text, written, lists)
    for edited in (add_lists(text, written, lists), _by_items(text, written, lists)):
        if _parses_to(edited, expected):
            return Edit(file=written.place, before=data, after=edited.encode())
    raise ProfileError(
        "PRF017",
        f"{name} cannot be edited without other changes",
        where=written.place,
        hint="; ".join(f"set {key} = {_toml_list(items)}" for key, items in lists.items() if items),
    )


def _edited_values(text: str, written: ProfileSource, lists: Lists) -> dict[str, Any]:
    values = deepcopy(dict(tomllib.loads(text)))
    node = _table(values, written)
    for key, items in lists.items():
        if items is None:
            node.pop(key, None)
        else:
            kept = [item for item in node.get(key, ()) if item in items]
            node[key] = kept + [item for item in items if item not in kept]
    return values


def _parses_to(text: str, expected: dict[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == expected
    except ValueError:
        return False


def _table(values: Any, written: ProfileSource) -> Any:  # noqa: ANN401 - TOML holds anything
    for key in written.table:
        values = values[key]
    return values


def _by_items(text: str, written: ProfileSource, lists: Lists) -> str:
    """Edit existing lists item by item, which keeps their comments; add new ones with tomlkit."""
    import tomlkit

    document = tomlkit.parse(text)
    node = _table(document, written)
    for key, items in lists.items():
        if items is None:
            node.pop(key, None)
        elif isinstance(node.get(key), list):
            _replace(node[key], items)
        else:
            node[key] = list(items)
    return tomlkit.dumps(document)


def _replace(found: Any, items: tuple[str, ...]) -> None:  # noqa: ANN401 - tomlkit's array
    for position in reversed(range(len(found))):
        if found[position] not in items:
            del found[position]
    for item in items:
        if item not in found:
            found.append(item)


def add_lists(text: str, written: ProfileSource, lists: Lists) -> str:
    """Add new keys after the last line of their table; tomlkit would separate them by comments."""
    there = _table(tomllib.loads(text), written)
    new = {key: items for key, items in lists.items() if items is not None and key not in there}
    rest = {key: items for key, items in lists.items() if key not in new}
    text = _by_items(text, written, rest) if rest else text
    if not new:
        return text
    lines = text.split("\n")
    begin = TomlDocument.parse(text, written.place).lines.get(written.table, 0) if written.table else 0
    end = next((number for number in range(begin, len(lines)) if _HEADER.match(lines[number])), len(lines))
    while end > begin and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    close = "\r" if "\r\n" in text else ""
    lines[end:end] = [
        f"{key} = {_toml_list(items)}{close}" for key, items in new.items() if items is not None
    ]
    return "\n".join(lines)


def _toml_list(items: tuple[str, ...] | None) -> str:
    """Format a list; its items contain no characters that TOML escapes."""
    return "[" + ", ".join(f'"{item}"' for item in items or ()) + "]"


def own_profiles(folder: Path) -> tuple[str, ...]:
    """Return the names of a project's own profiles.

    Raises:
        ProfileError: when pyproject.toml is malformed.
    """
    found = ProfileStore.of_project(folder).names()
    return tuple(name for name, place in found if not place.startswith("shipped"))
