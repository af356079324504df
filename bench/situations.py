"""Activation page (docs/reference/activation-situations.md): all situations in all shells, with virtualenv's results.

Usage: python -m bench.situations. It needs the shells that ``.ci/shells`` installs, and takes some minutes.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

from virtualenv.activation.batch import BatchActivator

from tests.shells.drivers import DRIVERS, Driver
from tests.shells.places import ENVSMITH, made_around, made_project
from tests.shells.situations import SITUATIONS, Activator, Place, Situation, check, executed
from tests.shells.wine import CMD, windows, wine_started

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "activation-situations.md"
NONE = "-"
LONGEST = 240  # characters of an example
EXECUTED = "executed instead of sourced"
ASKED = {"cmd": ("wine", "--version"), "dash": ("dpkg-query", "-Wf", "${Version}", "dash")}
"""Commands that print a shell's version, if not ``--version``."""
MEANINGS = {
    "P": "wrong `PATH` inside: entries of other environments, or duplicates",
    "L": "the library path contains libraries of other environments or toolkits",
    "V": "wrong variable inside: `PYTHONPATH` or `CONDA_PREFIX` is still set",
    "A": "after `deactivate`, `PATH` or a variable is neither restored nor the user's change",
    "S": "after `deactivate`, a function, an alias, a variable or an option of the shell remains or is changed",
    "E": "the script or `deactivate` fails",
    "N": "no script exists for such a path",
    "X": "no message, or a successful exit status",
}
STARTS = {
    "inside, PATH": "P",
    "inside, LD_": "L",
    "inside, DYLD_": "L",
    "inside, ": "V",
    "after, ": "A",
    "the shell": "S",
}
"""Start of a failure text → its letter."""
HEAD = """\
# Activation situations

<!-- Written by `python -m bench.situations`; do not edit. -->

Every situation in every shell, with envsmith's scripts and with the activators of virtualenv {rival}. Each cell is a
session that was run, as of **{date}**: {versions}.

- `ok`: `PATH` and all exported variables are correct inside and after `deactivate`, and the shell's own variables,
  functions, options and aliases are unchanged afterwards. The standard is envsmith's; virtualenv does not intend to
  clean lists, so **P**, **L** and **V** are not its errors.
- `-`: the situation does not exist in that shell (fish and tcsh replace an empty entry with `.`), or the tool has no
  such feature (a profile's variables).
- virtualenv's batch file is filled in by its own code for Wine's path. PowerShell scripts are not executed.

"""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """The result of one shell in one situation."""

    letters: str
    """``ok``, ``-``, or the letters of the failures."""
    wrong: tuple[str, ...] = ()


def main() -> int:
    """Run every session and write the page; return 1 if one of our cells has a failure."""
    with tempfile.TemporaryDirectory(prefix="envsmith-situations-") as name:
        folder = Path(name)
        around = made_around(folder / "around")
        with wine_started(folder / "wine") as wine:
            shells = [*DRIVERS, replace(CMD, base=wine)]
            ours = dict(_results(shells, ENVSMITH, folder / "ours", around))
            theirs = dict(_results(shells, VIRTUALENV, folder / "theirs", around))
            PAGE.write_text("".join(_page(shells, ours, theirs)), "utf-8")
    bad = [key for key, cell in ours.items() if cell.wrong]
    print(f"{len(ours)} cells, {len(bad)} of ours wrong: {bad}")
    return 1 if bad else 0


def _results(
    shells: list[Driver], activator: Activator, folder: Path, around: Path
) -> Iterator[tuple[tuple[str, str], Cell]]:
    make = made_project if activator is ENVSMITH else _made_by_virtualenv
    for number, situation in enumerate(SITUATIONS):
        for driver in shells:
            name = (driver.name == "cmd" and situation.on_windows) or situation.project.format()
            root = folder / str(number) / driver.programs / name
            place = (
                Place(root=root, around=around)
                if root.exists()
                else make(root, around, guard=situation.guard)
            )
            yield (situation.name, driver.name), _cell(situation, driver, activator, place)
    place = make(folder / "executed", around)
    here = str(folder.parent)
    for driver in shells:
        found = [] if driver.name == "cmd" else executed(driver, activator, place)
        wrong = tuple(text.replace(here, "…") for text in found)
        letters = NONE if driver.name == "cmd" else "X" if wrong else "ok"
        yield (EXECUTED, driver.name), Cell(letters=letters, wrong=wrong)


def _cell(situation: Situation, driver: Driver, activator: Activator, place: Place) -> Cell:
    if driver.name in situation.apart or (situation.flags and driver.name not in situation.flags):
        return Cell(letters=NONE)
    if situation.of_profile and not activator.has_profile:
        return Cell(letters=NONE)
    if not activator.script(place, driver).exists():
        return Cell(letters="N", wrong=("no script is made",))
    run = Path(tempfile.mkdtemp(dir=place.around.parent))
    try:
        wrong = check(situation, driver, activator, place, run)
    except (AssertionError, OSError, subprocess.TimeoutExpired) as error:
        wrong = [f"it ends with an error: {' '.join(str(error).split())[:160]}"]
    here = str(place.around.parent)
    said = [_without(windows(here).replace("\\", "\\\\"), _without(here, text)) for text in wrong]
    letters = "".join(sorted({_letter(text) for text in said}, key="PLVASE".index))
    return Cell(letters=letters or "ok", wrong=tuple(said))


def _without(folder: str, text: str) -> str:
    """Shorten the paths of the run."""
    return re.sub(re.escape(folder) + r"(?:[/\\\\]+theirs[/\\\\]+\w+[/\\\\]+(?:bin|Scripts))?", "…", text)


def _letter(text: str) -> str:
    return next((letter for start, letter in STARTS.items() if text.startswith(start)), "E")


def _page(
    shells: list[Driver], ours: Mapping[tuple[str, str], Cell], theirs: Mapping[tuple[str, str], Cell]
) -> Iterator[str]:
    names = [driver.name for driver in shells]
    rival = version("virtualenv")
    versions = ", ".join(_version(driver) for driver in shells)
    yield HEAD.format(date=datetime.now(UTC).date().isoformat(), versions=versions, rival=rival)
    for title, cells in (("envsmith", ours), (f"virtualenv {rival}", theirs)):
        good, run = _counts(cells)
        yield f"## {title}\n\nPassed: {good} of {run}.\n\n"
        yield f"| situation | {' | '.join(names)} |\n|---|{'---|' * len(names)}\n"
        for row in dict.fromkeys(situation for situation, _ in cells):
            yield f"| {_cell_text(row)} | {' | '.join(cells[row, name].letters for name in names)} |\n"
        yield "\n"
    yield from _wrong(names, theirs)


def _wrong(names: list[str], theirs: Mapping[tuple[str, str], Cell]) -> Iterator[str]:
    """Yield the meanings of the letters, and one example for each situation."""
    used = Counter(letter for cell in theirs.values() if cell.wrong for letter in cell.letters)
    for letter, meaning in MEANINGS.items():
        if used[letter]:
            yield f"- **{letter}** ({used[letter]}): {meaning}.\n"
    yield "\nOne example for each situation:\n\n"
    for row in dict.fromkeys(situation for situation, _ in theirs):
        name = next((name for name in names if theirs[row, name].wrong), None)
        if name is not None:
            yield f"- {row}; {name}: `` {_shortened(theirs[row, name].wrong[0])} ``\n"


def _shortened(text: str) -> str:
    """Cut out the middle of a long text."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} … {text[-LONGEST // 2 :]}"


def _counts(cells: Mapping[tuple[str, str], Cell]) -> tuple[int, int]:
    run = [cell for cell in cells.values() if cell.letters != NONE]
    return sum(not cell.wrong for cell in run), len(run)


def _cell_text(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*")


def _version(driver: Driver) -> str:
    words = ASKED.get(driver.name, (driver.program() or driver.name, "--version"))
    done = subprocess.run(words, capture_output=True, encoding="utf-8", check=False, stdin=subprocess.DEVNULL)
    first = next(iter((done.stdout or done.stderr).strip().splitlines()), "")
    number = next(
        (word for word in first.replace("/", " ").replace("-", " ").split() if word[:1].isdigit()), ""
    )
    return f"{driver.name} {number}".strip() if driver.name != "cmd" else f"cmd of Wine {number}"


def _made_by_virtualenv(folder: Path, around: Path, *, guard: bool = False) -> Place:  # noqa: ARG001 - it has none
    """Make two environments by virtualenv, with all its activators."""
    for name in (".venv", ".other"):
        command = [sys.executable, "-m", "virtualenv", "--quiet", "--without-pip", str(folder / name)]
        subprocess.run(command, check=True, env={**os.environ, "VIRTUALENV_NO_PERIODIC_UPDATE": "1"})
        write_batch(folder / name)
    return Place(root=folder, around=around)


class _Batch(BatchActivator):
    """virtualenv's own, for a path as Wine has it."""

    __module__ = BatchActivator.__module__  # where its template lies

    def replacements(self, creator: object, dest_folder: Path) -> dict[str, str]:
        values: dict[str, str] = super().replacements(creator, dest_folder)  # type: ignore[arg-type]
        return {**values, "__VIRTUAL_ENV__": windows(values["__VIRTUAL_ENV__"])}


def write_batch(prefix: Path) -> None:
    """Write virtualenv's batch files into an environment that it made, for the path that Wine has."""
    programs = prefix / "Scripts"
    programs.mkdir()
    made = SimpleNamespace(
        dest=prefix, bin_dir=programs, env_name=prefix.name, interpreter=None, pyenv_cfg={}
    )
    _Batch(SimpleNamespace(prompt=None)).generate(made)  # type: ignore[arg-type]
    for script in programs.glob("*.bat"):
        script.write_bytes(script.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))


def _in(folder: str, place: Place, driver: Driver) -> Path:
    return (
        place.root / folder / driver.programs / ("activate" if driver.file == "activate.sh" else driver.file)
    )


VIRTUALENV = Activator(
    name="virtualenv",
    script=lambda place, driver: _in(".venv", place, driver),
    other=lambda place, driver: _in(".other", place, driver),
    other_prefix="{root}/.other",
    has_profile=False,
    forms={
        "nu": {"activate": "overlay use {0}"},
        "cmd": {"deactivate": r'call "{raw[0]}\..\deactivate.bat"'},
    },
)

if __name__ == "__main__":
    sys.exit(main())
