"""Packages from no index: from a repository, a folder or an archive, or brought by an image.

The resolver takes their versions and requirements from us, and looks for their names nowhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import quote

from packaging.pylock import Package, PackageArchive, PackageDirectory, PackageVcs
from packaging.utils import canonicalize_name
from packaging.version import Version

from envsmith.config.package_source import PackageSource
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
    """Where it is installed from, pinned; empty if the environment has it already."""
    requested: str = ""
    """The same as it was required: with a branch instead of the commit."""
    place: str = ""
    """Path of a folder or file, relative to the folder of the lock."""

    def metadata(self) -> VersionMetadata:
        """Return the metadata for the resolver."""
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

    @property
    def is_hashed(self) -> bool:
        """Whether pip's hash mode can hold it: an archive on a server."""
        return PackageSource.parse(self.source).kind == "url"

    @property
    def sha256(self) -> tuple[str, ...]:
        """The hash of an archive, as a pin has it."""
        found = PackageSource.parse(self.source).sha256
        return (found,) if found else ()

    @property
    def bare_source(self) -> str:
        """The place as a pin has it: that of an archive on a server without its hash."""
        source = PackageSource.parse(self.source)
        return str(replace(source, sha256="") if source.kind == "url" else source)

    @property
    def line(self) -> str:
        """The requirement of a requirements file, without name for a folder or file of this machine."""
        source = PackageSource.parse(self.source)
        hashes = f" \\\n    --hash=sha256:{source.sha256}" if source.sha256 else ""
        is_here = source.kind in ("folder", "file")
        return f"{source.line if is_here else f'{self.name} @ {self.bare_source}'}{hashes}"

    @property
    def pinned(self) -> str:
        """Name and version in a lock; the name alone for a folder, whose version changes with it."""
        is_known = self.version and PackageSource.parse(self.source).kind != "folder"
        return f"{self.name}=={self.version}" if is_known else self.name

    def package(self) -> Package:
        """Return the package without files, as it was resolved."""
        return Package(
            name=canonicalize_name(self.name), version=Version(self.version) if self.version else None
        )

    def locked(self, dependencies: Sequence[Mapping[str, Any]] | None) -> Package:
        """Return the package of a pylock (PEP 751)."""
        source, asked = PackageSource.parse(self.source), PackageSource.parse(self.requested or self.source)
        found: dict[str, Any] = {"subdirectory": source.subdirectory or None}
        kind = "archive"
        if source.kind == "git":
            kind = "vcs"
            found |= {"type": "git", "url": source.place, "commit_id": source.revision}
            found |= {"requested_revision": asked.revision or None}
            item: PackageVcs | PackageDirectory | PackageArchive = PackageVcs(**found)
        elif source.kind == "folder":
            kind = "directory"
            item = PackageDirectory(path=self.place, editable=source.is_editable or None)
        else:
            place = {"path": self.place} if source.kind == "file" else {"url": source.place}
            item = PackageArchive(**place, hashes={"sha256": source.sha256}, **found)  # type: ignore[arg-type]
        version = self.pinned.partition("==")[2]
        return Package(
            name=canonicalize_name(self.name),
            version=Version(version) if version else None,
            dependencies=dependencies,
            **{kind: item},  # type: ignore[arg-type]
        )

    def __str__(self) -> str:
        """Return name, version and a digest of its requirements."""
        required = [sorted(self.requires_dist), self.requires_python, sorted(self.provides_extra)]
        digest = hashlib.sha256(json.dumps(required).encode()).hexdigest()
        # The version of a folder changes with its content, and so does what is installed.
        version = "" if self.source.startswith(".") else self.version
        return " ".join(filter(None, (self.name, version, self.source, f"requirements {digest[:12]}")))

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
