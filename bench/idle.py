"""Nothing to do: ``lock`` and ``lock --check`` of twelve current targets, beside ``uv lock --check``.

What is fair: uv's lock is universal, so one project stands for all targets of a backend, and the twelve targets of
two backends are two projects, each with its ``uv.lock`` made beforehand, the same requirements, the same rows (as an
index of files and dependency-metadata) and the same cutoff. uv's side is both checks one after the other; that is
what a person would run. It is the harder comparison: one ``uv lock --check`` reads one file and compares it with
another, while envsmith plans twelve targets anew to see whether the same plans come out, unless it remembers that none
of the files it looked at has changed since, as it does from the second time on.

An interpreter that has imported click and packaging, and done nothing yet, has used more than uv takes for the whole.
That floor is measured, too, and printed where the bound is missed.

No uv is started by either of our commands: they run with a uv in its place that fails, and leaves a mark.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from statistics import median

from bench.measure import Comparison, alternate, seconds
from bench.resolving import AS_OF, PROFILES, envsmith, uv_project, wanted
from envsmith.uv.command import find_uv

# envsmith asks the package uv where its executable is: it is told of one that fails, and leaves a mark.
_TRAPPED = """\
import sys, uv
uv.find_uv_bin = lambda: {trap!r}
from envsmith.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


_BOUND = 1.5
_FLOOR = "import click, packaging.pylock, packaging.requirements, packaging.tags"


def compare(folder: Path, env: Mapping[str, str], times: int) -> list[Comparison]:
    """Measure both commands, each in turns with uv."""
    locked = folder / "locked"
    locked.mkdir()
    words = ["-q", "lock", *PROFILES, "--catalog", "embedded"]
    seconds([envsmith(), *words, "--as-of", AS_OF], locked, env)
    projects = [uv_project(one, folder) for one in wanted()]
    uv: list[str | Path] = [find_uv(), "lock", "--check", "--quiet", "--python", sys.executable]
    shut = {**env, "XDG_CONFIG_HOME": str(folder / "none"), "UV_PYTHON_DOWNLOADS": "never"}
    for project in projects:
        seconds([find_uv(), "lock", "--quiet", "--python", sys.executable], project, shut)

    def theirs() -> float:
        begun = time.perf_counter()
        for project in projects:
            seconds(uv, project, shut)
        return time.perf_counter() - begun

    found: list[Comparison] = []
    floor = median(seconds([sys.executable, "-c", _FLOOR], folder, env) for _ in range(times))
    for name, command in (
        ("lock, nothing to do", words),
        ("lock --check", [*words, "--check"]),
    ):
        is_alone = starts_no_uv(command, locked, folder, env)
        mine, their = alternate(partial(seconds, [envsmith(), *command], locked, env), theirs, times)
        note = "no uv is started" if is_alone else "missed: a uv was started"
        if mine > _BOUND * their:
            note += f"; {floor:.3f} s of ours is the start of an interpreter with click and packaging"
        found.append(
            Comparison(
                name=f"{name} : uv lock --check, twice",
                ours=mine,
                theirs=their,
                unit="s",
                bound=_BOUND,
                note=note,
            )
        )
    return found


def starts_no_uv(command: list[str], locked: Path, folder: Path, env: Mapping[str, str]) -> bool:
    """Run a command with no uv on PATH, and a trap where envsmith would look for it."""
    mark, trap = folder / "uv-was-started", folder / "trap"
    trap.write_text(f"#!{sys.executable}\nopen({str(mark)!r}, 'w').close()\nraise SystemExit(1)\n", "utf-8")
    trap.chmod(0o755)
    script = _TRAPPED.format(trap=str(trap))
    try:
        seconds([sys.executable, "-c", script, *command], locked, {**env, "PATH": str(folder / "none")})
    except RuntimeError:
        if not mark.exists():
            raise
    return not mark.exists()
