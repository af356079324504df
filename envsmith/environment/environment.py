"""Environment: what was found where an environment is installed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from packaging.utils import canonicalize_name

from envsmith.environment.model_interpreter import Interpreter


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """One installed distribution, and how its files compare with its RECORD."""

    name: str
    """Normalised."""
    version: str
    folder: str
    """Name of its ``.dist-info`` folder."""
    has_record: bool
    files: int
    size_bytes: int
    missing: tuple[str, ...] = ()
    """Some of the files that RECORD names and that are not there, relative to ``site-packages``."""
    missing_count: int = 0
    changed: tuple[str, ...] = ()
    """Some of those that have another size, or another hash where hashes were looked at."""
    changed_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchBuild:
    """What ``torch/version.py`` says."""

    version: str
    cuda: str = ""
    hip: str = ""
    xpu: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An installed environment."""

    prefix: str
    site: str
    """Its ``site-packages``, relative to the prefix."""
    interpreter: Interpreter
    distributions: tuple[Distribution, ...]
    """Sorted by name."""
    torch: TorchBuild | None = None
    """None where there is no torch."""

    @property
    def files(self) -> int:
        """How many files its RECORDs name."""
        return sum(item.files for item in self.distributions)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Environment:
        """Read what `runtime/probe.py` says of an environment.

        Raises:
            KeyError: when something is missing.
            TypeError: when it is of another kind.
        """
        torch = values["torch"]
        return cls(
            prefix=values["prefix"],
            site=values["site"],
            interpreter=Interpreter.from_json(values["interpreter"]),
            distributions=tuple(
                sorted(
                    (_distribution(item) for item in values["distributions"]),
                    key=lambda item: (item.name, item.folder),
                )
            ),
            torch=torch and TorchBuild(**{key: str(value or "") for key, value in torch.items()}),
        )


def _distribution(item: Mapping[str, Any]) -> Distribution:
    return Distribution(
        name=canonicalize_name(item["name"]),
        version=item["version"],
        folder=item["folder"],
        has_record=item["has_record"],
        files=item["files"],
        size_bytes=item["bytes"],
        missing=tuple(item["missing"]),
        missing_count=item["missing_count"],
        changed=tuple(item["changed"]),
        changed_count=item["changed_count"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """How an import in the environment's own interpreter went."""

    name: str
    seconds: float = 0.0
    version: str = ""
    error: str = ""
    """Empty where it worked."""
    place: str = ""
    """File and line that raised."""
