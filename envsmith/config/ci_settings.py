"""CiSettings: what ``[tool.envsmith.ci]`` in a pyproject.toml says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from envsmith.config import toml_field
from envsmith.config.profile import check_name
from envsmith.config.runners import SERVICES, Runners, read_runners
from envsmith.config.toml_field import Reader, Spot

# Characters that YAML takes for line breaks, or does not take at all, besides the control characters.
# Source: YAML 1.1 and 1.2.2, "Character Set" and "Line Break Characters", read 2026-11-21.
_NOT_IN_YAML = "\u2028\u2029\ufeff\ufffe\uffff"


@dataclass(frozen=True, slots=True, kw_only=True)
class CiSettings:
    """A project's wishes for its CI."""

    runners: Mapping[str, Runners] = field(default_factory=dict)
    """CI service → the machines that the project has there."""
    profiles: tuple[str, ...] = ()
    """Whose locks are tried; all where none is named."""
    setup: tuple[str, ...] = ()
    """The shell's lines that install envsmith; there is no telling whence it comes where the project says nothing."""
    test: tuple[str, ...] = ()
    """The words of the command that tests an environment."""
    has_cpu_fallback: bool = False


def read_ci(value: object, spot: Spot) -> CiSettings:
    """Read the table."""
    found = toml_field.fields(value, spot, _READERS)
    return CiSettings(
        runners={name: table for name, table in found.items() if isinstance(table, Runners)},
        profiles=_texts(found.get("profiles")),
        setup=_texts(found.get("setup")),
        test=_texts(found.get("test")),
        has_cpu_fallback=found.get("cpu-fallback") is True,
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, tuple) else ()


def _word(value: object, spot: Spot) -> str | None:
    """Read a text that YAML can carry."""
    found = toml_field.text(value, spot)
    if found is not None and (set(found) & set(_NOT_IN_YAML) or not found.isprintable()):
        spot.problem("PRF005", f"{found!r} has characters that YAML does not carry", "leave them out")
        return None
    return found


def _line(value: object, spot: Spot) -> str | None:
    found = _word(value, spot)
    return found.strip() if found is not None else None


_READERS: Mapping[str, Reader] = {
    **dict.fromkeys(SERVICES, read_runners),
    "profiles": toml_field.listed(toml_field.parsed(check_name), at_least=1),
    "setup": toml_field.listed(_line, at_least=1),
    "test": toml_field.listed(_word, at_least=1),
    "cpu-fallback": toml_field.flag,
}
