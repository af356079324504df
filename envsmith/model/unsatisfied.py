"""Unsatisfied: a requirement that a lock leaves unanswered on purpose."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Unsatisfied:
    """What one locked package requires and the lock does not hold: what `pip check` will miss there."""

    requirer: NormalizedName
    requirement: str
    """As its metadata says it: ``torchvision>=0.16``."""

    @property
    def project(self) -> NormalizedName:
        """The project that is required."""
        return canonicalize_name(Requirement(self.requirement).name)

    def __str__(self) -> str:
        """Write it as it stands in a lock: ``timm: torchvision>=0.16``."""
        return f"{self.requirer}: {self.requirement}"

    @classmethod
    def parse(cls, text: str) -> Unsatisfied:
        """Read what `str` wrote.

        Raises:
            ValueError: when it is something else.
        """
        requirer, _, requirement = text.partition(": ")
        try:
            name = canonicalize_name(requirer, validate=True)
            return cls(requirer=name, requirement=str(Requirement(requirement)))
        except InvalidRequirement as error:
            raise ValueError(f"{text[:200]!r}: expected such as 'timm: torchvision>=0.16'") from error
