"""Ask four tools whether torchvision is used, of every small project in tests/scan: ``python -m bench.ways``.

What is fair: each project has one requirement, torchvision, in a requirements file, and each tool is asked in its own
words which requirements are unused; where a way brings a requirements file or pyproject.toml of its own, that is kept.
Right is: unused where nothing uses it, and anything else where something does or may. A tool that gives no answer, as
where it cannot read the project, counts as keeping: it lets nothing go. Our own tests hold the same table, so that we
are right is no surprise; the others' figures say which ways people need to know of.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.scan.more_ways import EVERY
from tests.scan.ways import Way

UV = Path(sys.executable).parent / "uv"
REQUIREMENTS = "requirements.txt"
SOUGHT = "torchvision"
TIME_LIMIT_S = 60


def run(folder: Path, *words: str | Path) -> str:
    """Run a tool in a project, and return what it prints."""
    done = subprocess.run(
        words,
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        timeout=TIME_LIMIT_S,
    )
    return done.stdout + done.stderr


def envsmith(folder: Path, _: Path) -> bool:
    """Return whether envsmith says that it is unused."""
    out = run(folder, sys.executable, "-m", "envsmith", "scan", "-n", SOUGHT, "--json")
    return bool(json.loads(out)["data"]["answers"][0]["answer"] == "unused")


def deptry(folder: Path, tools: Path) -> bool:
    """Return whether deptry finds it unused (DEP002)."""
    out = run(folder, tools / "deptry", ".", "--requirements-files", REQUIREMENTS, "--no-ansi")
    return "DEP002 'torchvision'" in out


def fawltydeps(folder: Path, tools: Path) -> bool:
    """Return whether fawltydeps finds it unused."""
    out = run(folder, tools / "fawltydeps", "--check-unused", "--deps", REQUIREMENTS, "--code", ".")
    return "'torchvision'" in out


def creosote(folder: Path, tools: Path) -> bool:
    """Return whether creosote finds it unused."""
    words = ("--deps-file", REQUIREMENTS, "--path", ".", "--venv", tools.parent, "--format", "no-color")
    out = run(folder, tools / "creosote", *words)
    return any(SOUGHT in line and "used" in line for line in out.splitlines())


TOOLS: Mapping[str, Callable[[Path, Path], bool]] = {
    "envsmith": envsmith,
    "deptry": deptry,
    "fawltydeps": fawltydeps,
    "creosote": creosote,
}


def judged(way: Way, scratch: Path, tools: Path) -> dict[str, str]:
    """Return how each tool did: ``right``, ``wrong``, or ``harm`` where it lets go what is needed."""
    results: dict[str, str] = {}
    for name, is_unused in TOOLS.items():
        folder = scratch / name / str(EVERY.index(way))
        folder.mkdir(parents=True)
        way.write(folder)
        if not (folder / REQUIREMENTS).exists():
            (folder / REQUIREMENTS).write_text(f"{SOUGHT}\n")
        found = is_unused(folder, tools)
        results[name] = "right" if found is not way.is_needed else "harm" if found else "wrong"
    return results


def compare(ways: Sequence[Way]) -> tuple[list[dict[str, str]], dict[str, str]]:
    """Return how each tool did, way by way, and the versions of the others: those of today."""
    with tempfile.TemporaryDirectory(prefix="envsmith-ways-") as place, ThreadPoolExecutor(2) as pool:
        scratch = Path(place)
        run(scratch, UV, "--no-config", "venv", "--quiet", "tools")
        names = [name for name in TOOLS if name != "envsmith"]
        print(run(scratch, UV, "--no-config", "pip", "install", "--python", "tools", *names), end="")
        listed = run(scratch, UV, "--no-config", "pip", "freeze", "--python", "tools").split()
        versions = dict(line.split("==") for line in listed if line.partition("==")[0] in names)
        return list(pool.map(lambda way: judged(way, scratch, scratch / "tools/bin"), ways)), versions


def main() -> None:
    """Print the figures, and each way that a tool answers wrong; of those that begin with a word, if one is given."""
    ways = [way for way in EVERY if way.name.startswith(tuple(sys.argv[1:]) or "")]
    results, _ = compare(ways)
    for name in TOOLS:
        counts = {kind: sum(found[name] == kind for found in results) for kind in ("right", "wrong", "harm")}
        print(
            f"{name:<12}{counts['right']:>4} of {len(ways)} right, {counts['wrong']} kept for nothing, ",
            end="",
        )
        print(f"{counts['harm']} let go though needed")
    for way, found in zip(ways, results, strict=True):
        if set(found.values()) != {"right"}:
            print(
                f"  {way.name:<40}"
                + "  ".join(f"{name} {kind}" for name, kind in found.items() if kind != "right")
            )


if __name__ == "__main__":
    main()
