"""The first profile of a project, and its settings."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from envsmith.config.profile import check_name
from envsmith.config.profile_reader import ProfileSource, resolve
from envsmith.config.profiles import ProfileStore
from envsmith.config.pyproject_settings import TABLE
from envsmith.config.requirements.requirements_files import lists_dependencies
from envsmith.errors import ProfileError
from envsmith.files.edits import Edit, edits_of
from envsmith.files.text import is_missing
from envsmith.model.backend import Backend
from envsmith.project import requirement_edits
from envsmith.project.requirement_lists import PYPROJECT, pyproject_values

_FILES = ("requirements.in", "requirements.txt")
_MOST_ON_A_LINE = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstProfile:
    """The profile to write; its values as typed."""

    name: str
    backend: Backend
    python: tuple[str, ...]
    platforms: tuple[str, ...]

    def to_toml(self, requirements: Sequence[str]) -> str:
        """Return the text of the profile."""
        return profile_text(
            {
                "summary": self.backend.title,
                "backend": str(self.backend),
                "python": self.python,
                "platforms": self.platforms,
                "requirements": requirements,
            }
        )


def profile_text(values: Mapping[str, str | Sequence[str]]) -> str:
    """Return the text of a profile, without empty lists; long lists have one line for each item.

    Args:
        values: key → text or list; the texts contain no characters that TOML escapes.
    """
    lines = []
    for key, value in values.items():
        if isinstance(value, str):
            lines.append(f'{key} = "{value}"')
        elif len(value) > _MOST_ON_A_LINE:
            lines += [f"{key} = [", *(f'    "{item}",' for item in value), "]"]
        elif value:
            joined = ", ".join(f'"{item}"' for item in value)
            lines.append(f"{key} = [{joined}]")
    return "\n".join([*lines, ""])


def check_new(store: ProfileStore, name: str, option: str) -> str:
    """Return the file for a new profile.

    Args:
        store: profiles of the project.
        name: of the profile.
        option: with which a command names another one.

    Raises:
        ProfileError: PRF048 when the project has a profile of this name, PRF006 when the name is invalid.
    """
    file = f"profiles/{check_name(name)}.toml"
    is_file = not is_missing(store.folder / file)
    if is_file or store.settings.profile(name):
        raise ProfileError(
            "PRF048",
            f"the profile {name} exists already",
            where=file if is_file else PYPROJECT,
            hint=f"edit it, or choose another name with {option} NAME",
        )
    return file


def starting_edits(profile: FirstProfile, root: Path) -> tuple[Edit, ...]:
    """Return the edits that give a project a profile, and make it a default one.

    The profile requires torch only if the project has no requirements yet. In a project with a requirements file and
    without a list of dependencies elsewhere, the setting ``requirements-from`` names the file.

    Raises:
        ProfileError: PRF048 when the profile exists, PRF006 when its name is invalid, PRF011 and PRF012 for invalid
            platforms and Pythons; others when pyproject.toml is malformed.
    """
    store, name = ProfileStore.of_project(root), profile.name
    file = check_new(store, name, "--profile")
    is_declared = lists_dependencies(root)
    has_project = "project" in pyproject_values(root) or is_declared
    found = next((item for item in _FILES if (root / item).is_file()), "")
    is_from_file = bool(found) and not has_project and store.settings.requirements_from == "project"
    has_own = is_from_file or bool(store.settings.requirements_file) or is_declared
    text = profile.to_toml(() if has_own else ("torch",))
    resolve(name, lambda _: ProfileSource(text=text, place=file))  # reports invalid values
    return (*edits_of(root, {file: text}), _settings_edit(root, name, found if is_from_file else ""))


def _settings_edit(root: Path, name: str, requirements_file: str) -> Edit:
    """Return the edit of ``[tool.envsmith]``; the file is created if necessary."""
    before = edits_of(root, {PYPROJECT: ""})[0].before
    change = partial(_append, name)
    edit = requirement_edits.change_list(before or b"", PYPROJECT, (*TABLE, "default-profiles"), change)
    after = edit.after
    if requirements_file:
        import tomlkit

        document = tomlkit.parse(after.decode())
        document["tool"]["envsmith"]["requirements-from"] = requirements_file
        after = tomlkit.dumps(document).encode()
        tomllib.loads(after.decode())
    return Edit(file=PYPROJECT, before=before, after=after)


def _append(name: str, items: list[str]) -> None:
    if name not in items:
        items.append(name)
