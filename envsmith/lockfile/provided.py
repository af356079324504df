"""Packages that no index has: from a repository, a folder or an archive, or brought by an image.

The resolver takes their versions and requirements from us, and looks for their names nowhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote

from packaging.pylock import Package
from packaging.utils import canonicalize_name
from packaging.version import Version

from envsmith.model.listing import VersionMetadata
from envsmith.model.wheel import Wheel

_UNKNOWN = "0"
"""Stands for a version that only a build tells, in the resolver alone."""
# A reserved top-level domain (RFC 2606): nothing answers there.
_NOWHERE = "https://provided.invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvidedPackage:
    """A package with the requirements that it declares."""

    name: str
    """Normalised."""
    version: str = ""
    """Empty if only a build tells it."""
    requires_dist: tuple[str, ...] = ()
    requires_python: str = ""
    provides_extra: tuple[str, ...] = ()
    source: str = ""
    """Where it is installed from, as in its requirement; empty if the environment has it already."""

    def metadata(self) -> VersionMetadata:
        """Return what the resolver is told."""
        return VersionMetadata(
            name=self.name,
            version=self.version or _UNKNOWN,
            requires_dist=self.requires_dist,
            requires_python=self.requires_python or None,
            provides_extra=self.provides_extra,
        )

    def wheel(self) -> Wheel:
        """Return the file of the resolver's index; it does not exist, and is never asked for."""
        version = self.version or _UNKNOWN
        filename = f"{self.name.replace('-', '_')}-{Version(version)}-py3-none-any.whl"
        return Wheel.from_entry(
            index="",
            filename=filename,
            url=f"{_NOWHERE}/{quote(filename)}",
            sha256=hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest(),
        )

    def package(self) -> Package:
        """Return the package without files."""
        return Package(
            name=canonicalize_name(self.name), version=Version(self.version) if self.version else None
        )

    def __str__(self) -> str:
        """Return name, version and a digest of what it requires."""
        required = [sorted(self.requires_dist), self.requires_python, sorted(self.provides_extra)]
        digest = hashlib.sha256(json.dumps(required).encode()).hexdigest()
        return " ".join((self.name, self.version or "(unknown version)", self.source, digest[:12]))

    def to_plain(self) -> dict[str, object]:
        """Return the values for a manifest, without empty ones."""
        found = {key.replace("_", "-"): value for key, value in asdict(self).items() if value}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in found.items()}

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> ProvidedPackage:
        """Read the values of a manifest.

        Raises:
            TypeError: when a key is unknown, or a value has another type.
            ValueError: when the name or version is malformed.
        """
        found: dict[str, Any] = {
            key.replace("-", "_"): tuple(value) if isinstance(value, list) else value
            for key, value in values.items()
        }
        item = cls(**found)
        for key, default in asdict(cls(name="")).items():
            value = getattr(item, key)
            if type(value) is not type(default) or not all(isinstance(text, str) for text in value):
                raise TypeError(f"provided.{key} is {value!r}")
        canonicalize_name(item.name, validate=True)
        _ = item.package()
        return item


def by_name(provided: Iterable[ProvidedPackage]) -> dict[str, ProvidedPackage]:
    """Return name → package."""
    return {item.name: item for item in provided}
