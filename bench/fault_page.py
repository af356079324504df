"""Fault-injection page (docs/reference/faults.md): each fault beside the real torch, its findings and its repair.

Usage: python -m bench.fault_page [--only NAME]. It needs PyPI, an index with torch 2.13.0+cpu, and about
15 minutes.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.fetching import made_once, uv
from tests.install.planted import FAULTS, Fault, Sound

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "faults.md"
TOOLS = Path(sys.executable).parent
TORCH = "2.13.0"
PROFILE = f"""\
backend = "cpu"
python = ["3.11"]
platforms = ["linux"]
requirements = ["torch=={TORCH}", "numpy<2.3", "onnxruntime", "opencv-python-headless", "filelock"]
checks = [{{ import = "cv2", timeout-s = 20 }}, {{ import = "onnxruntime", timeout-s = 20 }}]
"""
HEAD = """\
# Fault-injection results

<!-- Written by `python -m bench.fault_page`; do not edit. -->

Each fault is injected alone into a working environment with torch {torch}: {packages} packages, {files:,} files,
installed by `uv pip install` from an envsmith lock. As of **{date}**; {versions}.

| column | meaning |
|---|---|
| errors | codes of the errors that `envsmith doctor --fix --yes` [finds](findings.md); it compares every hash |
| pip check, uv pip check | their result; they compare requirements with versions only |
| steps | repair steps of `doctor --fix`, each with the number of its packages or files |
| left | errors in the check after the repair |
| s | seconds of the repair, both checks included, on two busy cores |

| fault | errors | pip check | uv pip check | steps | left | s |
|---|---|---|---|---|---|---:|
"""
TAIL = """\

Found: {found} of {all}; by `pip check`: {pip}; by `uv pip check`: {uv}. Repaired by `doctor --fix`: {cured}.
Not repairable, and undone by hand: {left}.

The distributions for other CUDA versions and onnxruntime-gpu are replaced by small packages with a RECORD, because the
real ones are too large or not available. Everything else is real.
"""


@dataclass(frozen=True, kw_only=True)
class Place:
    """A project, its environment, and the files that it can be made of."""

    root: Path
    wheelhouse: Path

    @property
    def prefix(self) -> Path:
        """The environment's root."""
        return self.root / ".venv"

    def envsmith(self, *words: str) -> tuple[int, dict[str, object]]:
        """Run a command, and return its status and the data of its answer."""
        done = self._run(TOOLS / "envsmith", *words, "--json")
        return done.returncode, json.loads(done.stdout)["data"] if done.stdout else {"errors": done.stderr}

    def says(self, *words: str | Path) -> bool:
        """Return whether a check of another tool finds something."""
        return self._run(*words).returncode != 0

    def _run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(words, cwd=self.root, capture_output=True, encoding="utf-8", check=False)


def made(root: Path) -> Place:
    """Lock, fetch and install."""
    (root / "profiles").mkdir(parents=True)
    (root / "profiles" / "faulty.toml").write_text(PROFILE, "utf-8")
    words: list[str | Path] = [TOOLS / "envsmith", "lock", "faulty", "--catalog", "embedded"]
    subprocess.run(words, cwd=root, check=True, stdout=sys.stderr)
    (locked,) = (root / "lockfiles" / "faulty").glob("requirements.*.txt")
    plain = root / "plain.txt"
    plain.write_text(
        "\n".join(line for line in locked.read_text("utf-8").splitlines() if line[:2] != "--"), "utf-8"
    )
    wheelhouse = made_once("faults", [plain.read_text("utf-8")], lambda folder: _fetch(folder, plain))
    uv("venv", "--quiet", "--python", "3.11", root / ".venv")
    source = (
        "--no-index",
        "--find-links",
        wheelhouse,
        "--require-hashes",
        "--no-deps",
        "--requirement",
        plain,
    )
    uv("pip", "install", "--quiet", "--python", root / ".venv", "--link-mode", "copy", *source)
    return Place(root=root, wheelhouse=wheelhouse)


def _fetch(folder: Path, plain: Path) -> None:
    words: list[str | Path] = [
        TOOLS / "python",
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        folder,
    ]
    subprocess.run([*words, "--require-hashes", "--requirement", plain], check=True)


@dataclass(frozen=True, kw_only=True)
class Row:
    """What came of one fault."""

    fault: Fault
    codes: tuple[str, ...]
    pip: bool
    uv: bool
    steps: tuple[str, ...]
    left: tuple[str, ...]
    seconds: float

    def __str__(self) -> str:
        """Return its line in the table."""
        cells = [
            self.fault.text,
            " ".join(self.codes) or "nothing",
            "**found**" if self.pip else "nothing",
            "**found**" if self.uv else "nothing",
            ", ".join(self.steps) or "none",
            " ".join(self.left) or "none",
            f"{self.seconds:.0f}",
        ]
        return f"| {' | '.join(cells)} |\n"


def tried(fault: Fault, place: Place) -> Row:
    """Plant a fault, ask the other checks, find and cure it, and leave the environment sound."""
    sound = Sound(prefix=place.prefix, root=place.root)
    undo = fault.plant(sound)
    python = place.prefix / "bin" / "python"
    pip = place.says(TOOLS / "pip", "--python", python, "check")
    of_uv = place.says(TOOLS / "uv", "--no-config", "pip", "check", "--python", place.prefix)
    begun = time.monotonic()
    words = ("--fix", "--yes", "--offline", "--wheelhouse", str(place.wheelhouse))
    _, cured = place.envsmith("doctor", *words)
    seconds = time.monotonic() - begun
    undo()
    shutil.rmtree(place.prefix / "set-aside", ignore_errors=True)
    return Row(
        fault=fault,
        codes=_codes(cured.get("findings")),
        pip=pip,
        uv=of_uv,
        steps=tuple(f"{step['kind']} {len(step['subjects'])}" for step in _list(cured.get("steps"))),
        left=_codes(cured.get("left", [{"code": "no answer", "severity": "error"}])),
        seconds=seconds,
    )


def _list(value: object) -> list[dict[str, list[str]]]:
    return value if isinstance(value, list) else []


def _codes(findings: object) -> tuple[str, ...]:
    errors = (item for item in _list(findings) if str(item["severity"]) == "error")
    return tuple(sorted({str(item["code"]) for item in errors}))


def page(place: Place, faults: tuple[Fault, ...]) -> Iterator[str]:
    """Yield the page, a row as soon as it is known."""
    status, sound = place.envsmith("verify", "faulty", "--deep")
    if status:
        raise RuntimeError(f"the environment is not sound to begin with: {sound}")
    versions = "pip {} and uv {}".format(*(_version(name) for name in ("pip", "uv")))
    date = datetime.now(UTC).date().isoformat()
    numbers = {"packages": sound["packages"], "files": sound["files"], "torch": f"{TORCH}+cpu"}
    yield HEAD.format(date=date, versions=versions, **numbers)
    rows = []
    for fault in faults:
        rows.append(tried(fault, place))
        yield str(rows[-1])
    status, sound = place.envsmith("verify", "faulty", "--deep")
    if status:
        raise RuntimeError(f"the environment is not sound in the end: {sound}")
    yield TAIL.format(
        found=sum(bool(row.codes) for row in rows),
        pip=sum(row.pip for row in rows),
        uv=sum(row.uv for row in rows),
        cured=sum(not row.left for row in rows),
        all=len(rows),
        left=", ".join(row.fault.text for row in rows if row.left) or "none",
    )


def _version(name: str) -> str:
    done = subprocess.run([TOOLS / name, "--version"], capture_output=True, encoding="utf-8", check=True)
    return done.stdout.split()[1]


def main() -> None:
    """Plant, and write the page; with --only, print the rows of some."""
    parser = argparse.ArgumentParser(prog="python -m bench.fault_page", description=__doc__)
    parser.add_argument("--only", action="append", default=[], help="a fault by name; may be repeated")
    only = parser.parse_args().only
    faults = tuple(fault for fault in FAULTS if not only or fault.name in only)
    with tempfile.TemporaryDirectory(prefix="envsmith-faults-") as folder:
        lines = []
        for line in page(made(Path(folder)), faults):
            sys.stderr.write(line)
            lines.append(line)
    if not only:
        PAGE.write_text("".join(lines), "utf-8")


if __name__ == "__main__":
    main()
