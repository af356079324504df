"""Locked builds: what the build of a source distribution uses, so that every machine builds the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from json import dumps
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedBuild:
    """What the build of one source distribution uses."""

    sha256: str
    """Of the source distribution."""
    requirements: tuple[str, ...]
    """Hashed pins of all packages that the build sees, sorted: ``ninja==1.13.0 --hash=sha256:…``."""
    env: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    """Programs of the machine without which it fails."""

    def digest(self, target: str, programs: Mapping[str, str]) -> str:
        """Return the digest (sha256, hex) of all that decides what comes of the build.

        Args:
            target: slug of the lock's target.
            programs: program → its version on this machine.
        """
        text = dumps([target, sorted(programs.items()), self.to_plain()], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def to_plain(self) -> dict[str, object]:
        """Return the values for a manifest, without empty ones."""
        env = [f"{name}={value}" for name, value in sorted(self.env.items())]
        values = {"env": env, "needs": list(self.needs)}
        plain: dict[str, object] = {"sha256": self.sha256, "requirements": list(self.requirements)}
        return plain | {key: value for key, value in values.items() if value}

    @classmethod
    def from_plain(cls, values: Mapping[str, Any]) -> LockedBuild:
        """Read the values of a manifest.

        Raises:
            KeyError: when one is missing.
            TypeError: when one has another type.
        """
        return cls(
            sha256=str(values["sha256"]),
            requirements=tuple(map(str, values["requirements"])),
            env=dict(str(item).partition("=")[::2] for item in values.get("env", ())),
            needs=tuple(map(str, values.get("needs", ()))),
        )
