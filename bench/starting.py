"""Start-up and memory: ``envsmith --help`` beside ``import click``, and the peak of envsmith's own process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from bench.measure import Comparison, alternate, seconds
from bench.resolving import AS_OF, PROFILES, envsmith

MOST_MB = 100.0
# RUSAGE_SELF leaves out the programs that are started; Linux counts in kilobytes, macOS in bytes.
_MEMORY = """\
import resource, sys
from envsmith.cli.main import main
status = main(sys.argv[1:])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak / (1 << 20 if sys.platform == "darwin" else 1 << 10), file=sys.stderr)
sys.exit(status)
"""


def compare(folder: Path, env: Mapping[str, str], times: int) -> list[Comparison]:
    """Measure both."""
    mine, their = alternate(
        lambda: seconds([envsmith(), "--help"], folder, env),
        lambda: seconds([sys.executable, "-c", "import click"], folder, env),
        times,
    )
    help_ = Comparison(name="envsmith --help : import click", ours=mine, theirs=their, unit="s", bound=1.5)
    memory = Comparison(
        name="peak memory of our process : 100 MB",
        ours=peak_mb(folder, env),
        theirs=MOST_MB,
        unit="MB",
        bound=1.0,
    )
    return [help_, memory]


def peak_mb(folder: Path, env: Mapping[str, str]) -> float:
    """Return the peak resident size of a process that locks twelve targets."""
    fresh = folder / "memory"
    fresh.mkdir()
    words = ["-q", "lock", *PROFILES, "--catalog", "embedded", "--as-of", AS_OF]
    done = subprocess.run(
        [sys.executable, "-c", _MEMORY, *words],
        cwd=fresh,
        env=dict(env),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return float(done.stderr.split()[-1])
