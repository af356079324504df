"""Measure everything, and print bounds beside figures. The exit code is 0 either way: a slow machine is no bug."""

from __future__ import annotations

import argparse
import compileall
import os
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from bench import activating, downloading, idle, installing, resolving, scanning, shimming, starting
from bench.measure import Comparison

MEASURES: Mapping[str, Callable[[Path, Mapping[str, str], int], Iterable[Comparison]]] = {
    "starting": lambda folder, env, times: starting.compare(folder, env, times * 4),
    "shimming": lambda folder, env, times: shimming.compare(folder, env, times * 40),
    "activating": lambda folder, env, times: activating.compare(folder, env, times * 4),
    "idle": lambda folder, env, times: idle.compare(folder, env, times * 4),
    "scanning": lambda _, env, times: scanning.compare(env, times),
    "resolving": resolving.compare,
    "downloading": downloading.compare,
    "installing": lambda folder, env, times: installing.compare(folder, env, times * 3),
}


def main() -> None:
    """Run all comparisons."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--times", type=int, default=5, help="rounds of the long runs; short ones get 4 times as many"
    )
    parser.add_argument(
        "--only", choices=MEASURES, action="append", help="one kind; may be repeated; by default all"
    )
    words = parser.parse_args()
    # Both sides start from compiled modules, as any second start does.
    for name in ("envsmith", "click", "packaging", "tomlkit"):
        spec = find_spec(name)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            compileall.compile_dir(place, quiet=1)
    print(f"{'ours : theirs':<46}{'ours':>10}  {'theirs':>10}    ratio  bound")
    with tempfile.TemporaryDirectory(prefix="envsmith-bench-") as scratch:
        for comparison in measured(Path(scratch), words.times, words.only or MEASURES):
            print(comparison, flush=True)
            if comparison.note:
                print(f"  {comparison.note}")


def measured(folder: Path, times: int, kinds: Collection[str]) -> Iterator[Comparison]:
    """Yield what was measured, quick things first."""
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("UV_", "ENVSMITH_", "PYTHON")) or name == "UV_CACHE_DIR"
    }
    env["ENVSMITH_CACHE_DIR"] = str(folder / "cache")
    for kind in MEASURES:
        if kind in kinds:
            yield from MEASURES[kind](folder, env, times)


if __name__ == "__main__":
    main()
