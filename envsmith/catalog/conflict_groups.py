"""Families: projects that own the same files, so that only one of them can be installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from packaging.utils import NormalizedName, canonicalize_name

from envsmith.catalog.facts import Fact
from envsmith.catalog.rows import BACKEND_FAMILIES
from envsmith.catalog.tables import Row
from envsmith.model.backend import Backend
from envsmith.model.target import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictGroup(Fact):
    """Projects of which only one can be installed, and which of them that is."""

    folder: str
    name: str
    """What a profile calls it, beside its folder: ``opencv``."""
    members: tuple[NormalizedName, ...]
    """All of them, sorted."""
    order: Mapping[str, tuple[NormalizedName, ...]]
    """Backend family → members, best first; use `preference`."""
    is_interchangeable: bool
    """True where one member can stand in for another."""
    has_same_versions: bool = False
    """True where a version bound on one member means the same on another."""
    brought: tuple[NormalizedName, ...] = ()
    """Members that take another's place where they serve the backend, even if nobody asked for them."""
    wider: Mapping[NormalizedName, NormalizedName] = field(default_factory=dict)
    """Member → the one that has all of it and more."""
    platforms: Mapping[NormalizedName, tuple[Platform, ...]] = field(default_factory=dict)
    """Member → the only platforms it has builds for; one that is absent has them everywhere."""
    chooser: NormalizedName | None = None
    """The project whose own requirement decides which member stays."""
    conflict: str = ""
    """Why two members do not go together, where they share no files."""
    note: str = ""

    @property
    def reason(self) -> str:
        """Why two members cannot be installed together, as the end of a sentence."""
        return self.conflict or f"both own the folder {self.folder}"

    def preference(self, backend: Backend) -> tuple[NormalizedName, ...]:
        """Return the members that serve a backend, best first; else those of the CPU; none where all serve alike."""
        return self.order.get(backend.family, self.order["cpu"])

    def survivor(self, names: Sequence[str], backend: Backend) -> str:
        """Return which of several installed members is to stay where all others go."""
        order = [str(name) for name in (*self.preference(backend), *self.wider.values())]
        return next((name for name in order if name in names), names[-1])

    def has_builds(self, member: NormalizedName, platform: Platform) -> bool:
        """Say whether a member has builds that run on a platform."""
        return member not in self.platforms or any(
            (only.os, only.machine) == (platform.os, platform.machine) and only.floor <= platform.floor
            for only in self.platforms[member]
        )

    def digest_parts(self) -> list[object]:
        """Return what plans can be amended by, as plain values."""
        order = {kind: list(names) for kind, names in self.order.items()}
        platforms = {name: list(map(str, only)) for name, only in self.platforms.items()}
        rest = [list(self.members), list(self.brought), dict(self.wider), platforms, self.chooser]
        return [self.folder, order, self.is_interchangeable, self.has_same_versions, *rest]


def read(row: Row) -> ConflictGroup:
    """Read a row of families.toml.

    Raises:
        CatalogError: CAT022 when it is malformed, or names a member that is none.
    """
    family = ConflictGroup(
        folder=row.text("folder"),
        name=row.text("name", row.text("folder")),
        members=tuple(sorted(row.each("members", _name))),
        order=MappingProxyType({kind: row.each(kind, _name) for kind in BACKEND_FAMILIES if row.has(kind)}),
        is_interchangeable=row.flag("interchangeable"),
        has_same_versions=row.has("same_versions") and row.flag("same_versions"),
        brought=row.each("brought", _name),
        wider=MappingProxyType(dict(row.each("wider", _pair))),
        platforms=MappingProxyType(dict(row.each("only", _builds))),
        chooser=row.maybe("chooser", _name),
        conflict=row.text("conflict", ""),
        note=row.text("note", ""),
        **row.origin(),
    )
    if "cpu" not in family.order:
        raise row.error("cpu", "is missing")
    named = {**family.order, "brought": family.brought, "only": tuple(family.platforms)}
    named["wider"] = (*family.wider, *family.wider.values())
    for key, names in named.items():
        if strange := sorted(set(names) - set(family.members)):
            raise row.error(key, f"{strange[0]!r} is not among the members")
    return family


def _name(text: str) -> NormalizedName:
    return canonicalize_name(text, validate=True)


def _pair(text: str) -> tuple[NormalizedName, NormalizedName]:
    """Read ``opencv-python: opencv-contrib-python``."""
    left, _, right = text.partition(": ")
    return _name(left), _name(right)


def _builds(text: str) -> tuple[NormalizedName, tuple[Platform, ...]]:
    """Read ``onnxruntime-gpu: manylinux_2_28_x86_64 win_amd64``."""
    name, _, platforms = text.partition(": ")
    return _name(name), tuple(Platform.parse(item) for item in platforms.split())
