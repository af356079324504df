"""ProjectSettings: what ``[tool.envsmith]`` in a pyproject.toml says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from envsmith.config import toml_field
from envsmith.config.ci_settings import CiSettings, read_ci
from envsmith.config.mirrors import Rewrite
from envsmith.config.positions import TomlText
from envsmith.config.profile import check_name
from envsmith.config.profile_file import ProfileText
from envsmith.config.readers import Problems
from envsmith.config.toml_field import Reader, Spot

TABLE = ("tool", "envsmith")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectSettings:
    """A project's settings; empty where its pyproject.toml says nothing."""

    profiles: tuple[ProfileText, ...] = ()
    """The profiles written in the file itself; the last key of their table is their name."""
    default_profiles: tuple[str, ...] = ()
    """What to lock where the command names no profile."""
    requirements_from: str = "project"
    """Where requirements come from without -r: ``project`` (this file) or ``profile``."""
    sources: tuple[str, ...] = ()
    """Where the project's code lies; empty where it is as the build backend is told."""
    rewrite: tuple[str, ...] = ()
    """Where files are fetched instead: ``https://download.pytorch.org=https://mirror.example/pytorch``."""
    ci: CiSettings = field(default_factory=CiSettings)

    @classmethod
    def from_pyproject(cls, text: str, place: str) -> ProjectSettings:
        """Read the settings from a pyproject.toml's text.

        Raises:
            ProfileError: with all problems as ``parts``: unknown keys, wrong kinds, impossible names.
        """
        document = TomlText.parse(text, place)
        problems = Problems()
        node: object = document.data
        for key in TABLE:
            node = node.get(key, {}) if isinstance(node, Mapping) else {}
        found = toml_field.fields(node, Spot(text=document, problems=problems, path=TABLE), _READERS)
        problems.raise_if_any()
        names = found.get("profiles", ())
        defaults = found.get("default-profiles", ())
        return cls(
            profiles=tuple(
                ProfileText(text=text, place=place, table=(*TABLE, "profiles", name))
                for name in _texts(names)
            ),
            default_profiles=_texts(defaults),
            requirements_from=str(found.get("requirements-from", "project")),
            sources=_texts(found.get("sources", ())),
            rewrite=_texts(found.get("rewrite", ())),
            ci=ci if isinstance(ci := found.get("ci"), CiSettings) else CiSettings(),
        )

    def profile(self, name: str) -> ProfileText | None:
        """Return the text of a profile by name; None where the file has no such profile."""
        return next((profile for profile in self.profiles if profile.table[-1] == name), None)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, tuple) else ()


def _profile_names(value: object, spot: Spot) -> tuple[str, ...]:
    """Read only the names: a profile's own table is read when the profile is."""
    names: list[str] = []
    for name, item in (toml_field.table(value, spot) or {}).items():
        with spot.problems.gathering(spot.at(name).where):
            names.append(check_name(name))
        toml_field.table(item, spot.at(name))
    return tuple(sorted(names))


def _folder(value: object, spot: Spot) -> str | None:
    """Read a folder or file of the project, relative to its root."""
    found = toml_field.text(value, spot)
    if found is None:
        return None
    parts = found.replace("\\", "/").split("/")
    if found.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
        spot.problem("PRF005", f"{found!r} is not inside the project", "name a folder relative to this file")
        return None
    return "/".join(part for part in parts if part not in ("", ".")) or "."


def _rewrites(value: object, spot: Spot) -> tuple[str, ...] | None:
    """Read a list of ``source=mirror``, or a table of sources and their mirrors."""
    if not isinstance(value, Mapping):
        found = toml_field.listed(toml_field.parsed(_rewrite))(value, spot)
        return _texts(found) if found is not None else None
    texts = []
    for source, target in value.items():
        inside = spot.at(source)
        if (mirror := toml_field.text(target, inside)) is not None:
            with spot.problems.gathering(inside.where):
                texts.append(_rewrite(f"{source}={mirror}"))
    return tuple(texts)


def _rewrite(text: str) -> str:
    """Return the text of a rewrite as it is written, for its target may carry a password that `str` leaves out."""
    Rewrite.parse(text)
    return text


_READERS: Mapping[str, Reader] = {
    "profiles": _profile_names,
    "default-profiles": toml_field.listed(toml_field.parsed(check_name)),
    "requirements-from": toml_field.choice("project", "profile"),
    "sources": toml_field.listed(_folder, at_least=1),
    "ci": read_ci,
    "rewrite": _rewrites,
}
