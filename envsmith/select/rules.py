"""Verdict: whether a backend works on a machine, with which torch, and why."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.version import Version

from envsmith.model.backend import Backend

WORKS, UNKNOWN, NO = "works", "unknown", "no"
CAUSES = ("device", "capability", "driver", "os", "libc", "python", "wheels")
"""What keeps a backend out, in the order it is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The answer for one backend on one machine."""

    backend: Backend
    status: str
    """``works``, ``unknown`` (nothing on record says yes or no) or ``no``."""
    torch: Version | None = None
    """Newest that runs there and has a wheel on record; None where there is none."""
    index: str = ""
    """Who serves that wheel: ``pytorch`` or ``pypi``."""
    cause: str = ""
    """One of CAUSES; empty where it works."""
    reason: str
    notes: tuple[str, ...] = ()
    reach: tuple[int, tuple[int, int]] = (0, (0, 0))
    """How many GPUs it runs on, and the highest compute capability among them."""

    @property
    def works(self) -> bool:
        """Whether it is known to work."""
        return self.status == WORKS

    @property
    def title(self) -> str:
        """``cu128 · torch 2.11.0``."""
        served = ", from PyPI" if self.index == "pypi" else ""
        return f"{self.backend} · torch {self.torch}{served}" if self.torch else str(self.backend)

    def to_json(self) -> dict[str, object]:
        """Return the answer as plain values."""
        return {
            "backend": str(self.backend),
            "status": self.status,
            "torch": str(self.torch) if self.torch else None,
            "index": self.index,
            "cause": self.cause,
            "reason": self.reason,
            "notes": list(self.notes),
            "gpus": self.reach[0],
        }
