"""Finds profiles: a project's own folder, its pyproject.toml, then those shipped with envsmith."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from envsmith.config.profile import Profile, check_name, is_name
from envsmith.config.profile_file import ProfileText, resolve
from envsmith.config.settings import ProjectSettings
from envsmith.errors import EnvsmithError, ProfileError
from envsmith.files.text import read_text
from envsmith.model.naming import suggestion

_FOLDER = "profiles"
_SHIPPED = "envsmith.profiles"
_PYPROJECT = "pyproject.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiles:
    """The profiles a project can name."""

    folder: Path
    """The project's root."""
    settings: ProjectSettings = field(default_factory=ProjectSettings)

    @classmethod
    def of_project(cls, folder: Path) -> Profiles:
        """Read a project's settings and make its profiles known.

        Raises:
            ProfileError: when pyproject.toml is malformed.
            ToolError: when it cannot be read.
        """
        path = folder / _PYPROJECT
        if not path.exists():
            return cls(folder=folder)
        return cls(
            folder=folder, settings=ProjectSettings.from_pyproject(read_text(path, _PYPROJECT), _PYPROJECT)
        )

    def names(self) -> tuple[tuple[str, str], ...]:
        """Return every name with the place it would be read from, sorted by name."""
        found = {name: f"shipped profiles/{name}.toml" for name in self._shipped()}
        found |= {profile.table[-1]: profile.place for profile in self.settings.profiles}
        found |= {name: f"{_FOLDER}/{name}.toml" for name in self._own()}
        return tuple(sorted(found.items()))

    def load(self, name: str) -> ProfileText:
        """Return the text of the first profile of that name.

        Raises:
            ProfileError: PRF013 when there is none; PRF006 when the name cannot be one.
            ToolError: when its file cannot be read.
        """
        check_name(name)
        own = self.folder / _FOLDER / f"{name}.toml"
        place = f"{_FOLDER}/{name}.toml"
        if own.exists():
            return ProfileText(text=read_text(own, place), place=place)
        if written := self.settings.profile(name):
            return written
        if name in self._shipped():
            text = files(_SHIPPED).joinpath(f"{name}.toml").read_text("utf-8")
            return ProfileText(text=text, place=place)
        hint = suggestion(name, (known for known, _ in self.names()))
        raise ProfileError("PRF013", f"there is no profile {name!r}", hint=hint)

    def resolve(self, name: str) -> Profile:
        """Read a profile and those it extends.

        Raises:
            ProfileError: with all problems as ``parts``.
            ToolError: when a file cannot be read.
        """
        return resolve(name, self.load)

    def _own(self) -> list[str]:
        paths = (self.folder / _FOLDER).glob("*.toml")
        return [path.stem for path in paths if is_name(path.stem) and path.is_file()]

    @staticmethod
    def _shipped() -> list[str]:
        entries = (entry.name for entry in files(_SHIPPED).iterdir())
        return [name.removesuffix(".toml") for name in entries if name.endswith(".toml")]


def profile_of(name: str, *, is_needed: bool) -> Profile | None:
    """Return a profile; None where there is none of that name.

    Args:
        name: of the profile.
        is_needed: raise where it is malformed.
    """
    try:
        return Profiles.of_project(Path()).resolve(name)
    except EnvsmithError as error:
        if is_needed and error.code != "PRF013":
            raise
        return None
