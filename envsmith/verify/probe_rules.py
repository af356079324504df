"""Trial: how a library did what it is for, tried in its own environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ALL = "all"
GPU, TORCH, COMPILE = "gpu", "torch", "compile"
NAMES = (TORCH, GPU, COMPILE, "onnxruntime", "rembg", "opencv", "mediapipe", "jax", "tensorflow")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How the trial of one library went, in a process of its own."""

    name: str
    """One of NAMES."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What was found out, as the files of `runtime` that try name it; what was not reached is absent."""
    seconds: float = 0.0
    peak_bytes: int = 0
    """The most memory its process held; 0 where the system does not say."""
    step: str = ""
    """What it was doing last."""
    error: str = ""
    """Empty where it ended as it should."""
    place: str = ""
    """File and line that raised."""
    said: str = ""
    """The end of what was printed besides."""

    @property
    def version(self) -> str:
        """Return the version the library says of itself."""
        return str(self.facts.get("version", ""))

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values; what was printed only where it failed."""
        return {
            "name": self.name,
            "facts": dict(self.facts),
            "seconds": round(self.seconds, 3),
            "peak_bytes": self.peak_bytes,
            "step": self.step,
            "error": self.error,
            "place": self.place,
            **({"said": self.said} if self.error else {}),
        }
