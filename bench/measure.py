"""Time things side by side: alternating runs, medians, ratios against a bound."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One bound and what was measured against it."""

    name: str
    ours: float
    theirs: float
    unit: str
    bound: float
    note: str = ""

    @property
    def ratio(self) -> float:
        """Ours by theirs."""
        return self.ours / self.theirs

    def __str__(self) -> str:
        verdict = "held" if self.ratio <= self.bound else "missed"
        figures = f"{self.ours:8.3f} {self.unit}  {self.theirs:8.3f} {self.unit}"
        return f"{self.name:<46}{figures}  {self.ratio:6.2f}x  <= {self.bound:.1f}x  {verdict}"


def alternate(ours: Callable[[], float], theirs: Callable[[], float], times: int) -> tuple[float, float]:
    """Run two measurements in turn, after one round that does not count, and return their medians.

    Turns keep a machine that gets slower, or a network that does, from favouring the one that came first.
    """
    ours(), theirs()
    rounds = [
        (ours(), theirs()) if turn % 2 else tuple(reversed((theirs(), ours()))) for turn in range(times)
    ]
    return median(pair[0] for pair in rounds), median(pair[1] for pair in rounds)


def seconds(command: Sequence[str | Path], folder: Path, env: Mapping[str, str]) -> float:
    """Return the wall seconds of one command that must succeed.

    Raises:
        RuntimeError: when it does not.
    """
    begun = time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=dict(env), capture_output=True, encoding="utf-8", check=False
    )
    took = time.perf_counter() - begun
    if done.returncode:
        raise RuntimeError(f"{command} ended with {done.returncode}:\n{done.stderr}\n{done.stdout}")
    return took
