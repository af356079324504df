"""Conflict groups: projects with the same files; only one of a group can be installed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from packaging.utils import NormalizedName, canonicalize_name

from envsmith.catalog.fact_rows import BACKEND_FAMILIES
from envsmith.catalog.facts import Fact
from envsmith.catalog.table_reader import Row
from envsmith.model.backend import Backend
from envsmith.model.target import Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictGroup(Fact):
    """Projects of which only one can be installed, with the order of preference."""

    folder: str
    """The import folder they share."""
    name: str
    """Its name in profiles: ``opencv``; the folder is another."""
    members: tuple[NormalizedName, ...]
    """Sorted."""
    order: Mapping[str, tuple[NormalizedName, ...]]
    """Kind of backend → members, best first; use `preference`."""
    is_interchangeable: bool
    """Whether one member can replace another."""
    has_same_versions: bool = False
    """Whether the versions of all members mean the same."""
    brought: tuple[NormalizedName, ...] = ()
    """Members that replace another on their backend even if no requirement names them."""
    wider: Mapping[NormalizedName, NormalizedName] = field(default_factory=dict)
    """Member → a member with the same modules and more."""
    platforms: Mapping[NormalizedName, tuple[Platform, ...]] = field(default_factory=dict)
    """Member → the only platforms it has builds for; other members have builds for all."""
    chooser: NormalizedName | None = None
    """Project whose requirement decides the member that stays."""
    conflict: str = ""
    """Reason of the conflict, if it is not the shared folder."""
    note: str = ""

    @property
    def reason(self) -> str:
        """Reason why two members cannot be installed together, as the end of a sentence."""
        return self.conflict or f"both own the folder {self.folder}"

    def preference(self, backend: Backend) -> tuple[NormalizedName, ...]:
        """Return the members for a backend, best first; those for the CPU if none is; empty if all are alike."""
        return self.order.get(backend.family, self.order["cpu"])

    def survivor(self, names: Sequence[str], backend: Backend) -> str:
        """Return the one of several installed members to keep."""
        order = [str(name) for name in (*self.preference(backend), *self.wider.values())]
        return next((name for name in order if name in names), names[-1])

    def has_builds(self, member: NormalizedName, platform: Platform) -> bool:
        """Say whether a member has builds that run on a platform."""
        return member not in self.platforms or any(
            (only.os, only.machine) == (platform.os, platform.machine) and only.floor <= platform.floor
            for only in self.platforms[member]
        )

    def digest_parts(self) -> list[object]:
        """Return the values that can change a plan."""
        order = {kind: list(names) for kind, names in self.order.items()}
        platforms = {name: list(map(str, only)) for name, only in self.platforms.items()}
        rest = [list(self.members), list(self.brought), dict(self.wider), platforms, self.chooser]
        return [self.folder, order, self.is_interchangeable, self.has_same_versions, *rest]


def read(row: Row) -> ConflictGroup:
    """Read a row of families.toml.

    Raises:
        CatalogError: CAT022 when it is malformed, or a column names a project that is not a member.
    """
    group = ConflictGroup(
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
    if "cpu" not in group.order:
        raise row.error("cpu", "is missing")
    named = {**group.order, "brought": group.brought, "only": tuple(group.platforms)}
    named["wider"] = (*group.wider, *group.wider.values())
    for key, names in named.items():
        if strange := sorted(set(names) - set(group.members)):
            raise row.error(key, f"{strange[0]!r} is not among the members")
    return group


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
