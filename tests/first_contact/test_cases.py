"""Real projects' declarations, each with the command of a newcomer: a lock, or one refusal that says everything.

A case has the files of a public project, with their source in ``case.toml``:

- ``command``: as typed; ``max-runs``: after a failure the command of the last hint is typed next.
- ``outcome``: ``locks``, ``refuses``, or ``locks-or-lists``: a lock, or one run that names all packages of ``lists``.
- ``must``: requirements that each lock satisfies; ``or-must``: the same where a refusal is expected and a lock comes.
- ``say``, ``not-say``: patterns that the output has or lacks.

``python -m tests.first_contact.test_cases`` prints a table. PyPI is asked, PyTorch's index is the embedded one.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.commands import Project

CASES = {path.parent.name: path.parent for path in sorted(Path(__file__).parent.glob("cases/*/case.toml"))}
_HINT = re.compile(r"hint: .*?(envsmith lock [^\n`]*)")
PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s\\;]+)", re.MULTILINE)
_LONGEST_LINE = 2000


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a case."""

    status: int
    runs: int
    seconds: float
    outputs: tuple[str, ...]
    locks: tuple[dict[str, str], ...]
    """Project → version, of each lock."""

    @property
    def said(self) -> str:
        return "".join(self.outputs)

    def lacks(self, wanted: list[str]) -> list[str]:
        """Return the requirements that some lock does not satisfy."""
        return sorted({text for text in wanted for lock in self.locks if not is_satisfied(text, lock)})


def is_satisfied(text: str, lock: dict[str, str]) -> bool:
    """Return whether a lock, project → version, satisfies a requirement."""
    requirement = Requirement(text)
    version = lock.get(canonicalize_name(requirement.name), "")
    return bool(version) and requirement.specifier.contains(Version(version), prereleases=True)


def play(folder: Path, spec: dict[str, Any], scratch: Path) -> Outcome:
    """Type the command of a case, and then those of its hints."""
    project = Project(root=scratch / folder.name)
    shutil.copytree(folder, project.root, ignore=shutil.ignore_patterns("case.toml"))
    command, outputs, begin = spec["command"], [], time.monotonic()
    status = 1
    for _ in range(spec["max-runs"]):
        ran = project.run_online(*command.split()[1:], "--catalog", "embedded")
        status = ran.status
        outputs.append(ran.said)
        hints = _HINT.findall(ran.said)
        if status == 0 or not hints:
            break
        command = re.split(r"\s{2,}|[;:,] | \(| or | to ", hints[-1])[0].replace(" --catalog embedded", "")
    texts = [path.read_text("utf-8") for path in sorted(project.root.glob("lockfiles/*/requirements.*.txt"))]
    return Outcome(
        status=status,
        runs=len(outputs),
        seconds=time.monotonic() - begin,
        outputs=tuple(outputs),
        locks=tuple(
            {canonicalize_name(name): version for name, version in PIN.findall(text)} for text in texts
        ),
    )


def faults(spec: dict[str, Any], found: Outcome) -> list[str]:
    """Return what is not as the case wants it."""
    outcome = spec["outcome"]
    wrong = [
        f"said {text!r}" for text in (*spec.get("not-say", ()), "Traceback") if re.search(text, found.said)
    ]
    if found.status == 0:
        wanted = spec["or-must"] if outcome == "refuses" else spec.get("must", [])
        wrong += [f"lacks {text}" for text in found.lacks(wanted)]
        wrong += [] if found.locks else ["nothing is locked"]
    elif outcome == "locks":
        wrong += [line for line in found.said.splitlines() if line.startswith("error")][-1:] or ["failed"]
    elif outcome == "locks-or-lists":
        missing = [[text for text in spec["lists"] if not re.search(text, said)] for said in found.outputs]
        wrong += [f"no run names {text} beside the others" for text in min(missing, key=len)]
    else:
        wrong += [f"does not say {text!r}" for text in spec["say"] if not re.search(text, found.said)]
        wrong += [] if re.search(r"(?m)^error ", found.said) else ["refuses without an error"]
    if max(map(len, found.said.splitlines()), default=0) > _LONGEST_LINE:
        wrong.append("a line is too long")
    return wrong


@pytest.mark.online
@pytest.mark.weekly
@pytest.mark.parametrize("name", CASES)
def test_a_real_project_at_first_contact(name: str, tmp_path: Path) -> None:
    spec = tomllib.loads((CASES[name] / "case.toml").read_text("utf-8"))
    found = play(CASES[name], spec, tmp_path)
    assert faults(spec, found) == [], found.said


def main() -> None:
    """Print a table of all cases."""
    right = 0
    for name, folder in CASES.items():
        spec = tomllib.loads((folder / "case.toml").read_text("utf-8"))
        with tempfile.TemporaryDirectory() as scratch:
            found = play(folder, spec, Path(scratch))
        wrong = faults(spec, found)
        right += not wrong
        verdict = "WRONG" if wrong else "right"
        sys.stdout.write(f"{name:26}{verdict} {found.runs} runs {found.seconds:6.1f} s  {'; '.join(wrong)}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{right} of {len(CASES)} right\n")


if __name__ == "__main__":
    os.environ.setdefault("NO_COLOR", "1")
    main()
