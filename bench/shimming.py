"""What shims cost when Python starts: the same environment with them and without."""

from __future__ import annotations

import subprocess
import venv
from collections.abc import Mapping
from pathlib import Path

from bench.measure import Comparison, alternate, seconds
from envsmith.environment.prefix import interpreter_path
from envsmith.model.shim import SHIMS, package
from envsmith.process.runner import Processes
from envsmith.shims import environment

MOST_MS = 2.0
NAMES = (
    "torch.torch_version.TorchVersion",
    "pyannote.audio.core.task.Specifications",
    "pyannote.audio.core.task.Problem",
    "pyannote.audio.core.task.Resolution",
)


def compare(folder: Path, env: Mapping[str, str], times: int) -> list[Comparison]:
    """Measure both."""
    without, with_ = folder / "plain", folder / "with-shims"
    for prefix in (without, with_):
        venv.create(prefix)
    environment.install_shims(with_, package(SHIMS, NAMES, environment.shim_sources()), Processes())
    mine, their = alternate(lambda: _started(with_, env), lambda: _started(without, env), times)
    _must_watch(with_)
    note = f"Python starts in {their * 1000:.2f} ms without, {mine * 1000:.2f} ms with them; {times} rounds"
    name = "shims at Python's start : 2 ms"
    return [
        Comparison(name=name, ours=(mine - their) * 1000, theirs=MOST_MS, unit="ms", bound=1.0, note=note)
    ]


def _started(prefix: Path, env: Mapping[str, str]) -> float:
    return seconds([interpreter_path(prefix), "-I", "-c", "pass"], prefix, env)


def _must_watch(prefix: Path) -> None:
    """See that what was measured is there."""
    code = "import sys; sys.exit(len(sys.modules['envsmith_shims'].active) != 2)"
    subprocess.run([interpreter_path(prefix), "-I", "-c", code], check=True)
