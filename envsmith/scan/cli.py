"""``envsmith scan``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envsmith.console.options import TypedPath, recorded_file
from envsmith.errors import OK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envsmith.usage.scan import PackageUsage, ScanResult

ASKED_ALWAYS = ("torchvision", "torchaudio")
MOST_LINES = 5


@click.command(name="scan")
@click.argument("paths", nargs=-1, type=TypedPath(path_type=Path, exists=True))
@click.option(
    "-n", "--name", "names", multiple=True, metavar="PROJECT", help="Package to search; may be repeated."
)
@click.option(
    "-r",
    "--requirement",
    "files",
    type=recorded_file,
    multiple=True,
    metavar="FILE",
    help="Search the packages in this requirements file.",
)
@click.option(
    "--unused", "only_unused", is_flag=True, help="List direct requirements without a use; changes nothing."
)
@click.option("--quick", is_flag=True, help="Stop searching for a package at its first use.")
@click.option(
    "--fix",
    "is_fix",
    is_flag=True,
    help="Remove unused requirements from files; asks first.",
)
@click.option("-y", "--yes", "is_agreed", is_flag=True, help="With --fix: write without asking.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def scan_command(**options: Any) -> int:  # noqa: ANN401 - click checks each option
    """Find out whether a project uses torchvision, torchaudio or other packages, and where.

    PATH is the project's folder [default: the project]; several folders or files are sources of the current
    project. Nothing is run or imported.

    --fix edits requirements files and pyproject.toml. Without -n it removes torchvision, torchaudio and the packages
    under `prune` in the project's profiles if no file uses them. -r adds files to requirements*.txt, *.in and
    requirements/.
    """
    asking = ScanOptions(**options)
    asking.check()
    return _fix(asking) if asking.is_fix else _answer(asking)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanOptions:
    """Parsed command line."""

    paths: tuple[Path, ...]
    names: tuple[str, ...]
    files: tuple[str, ...]
    only_unused: bool
    quick: bool
    is_fix: bool
    is_agreed: bool
    as_json: bool

    @property
    def is_project(self) -> bool:
        """Whether a whole project is scanned."""
        return not self.paths or (len(self.paths) == 1 and self.paths[0].is_dir())

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.paths[0] if self.paths and self.is_project else Path()

    def check(self) -> None:
        """Refuse options that contradict each other.

        Raises:
            UsageError: when they do.
        """
        if self.is_agreed and not self.is_fix:
            raise click.UsageError("--yes needs --fix")
        if self.is_fix and self.only_unused:
            raise click.UsageError("--unused only lists packages: name the packages for --fix with -n")
        if self.is_fix and not self.is_project:
            raise click.UsageError("--fix works on a whole project: give its folder alone, or nothing")


def _scanned(asking: ScanOptions, projects: Iterable[str]) -> ScanResult:
    from envsmith.config.profiles import ProfileStore
    from envsmith.usage.scan import scan
    from envsmith.wiring import known_modules

    settings = ProfileStore.of_project(asking.root).settings
    named = () if asking.is_project else tuple(_inside(asking.root, asking.paths))
    return scan(
        asking.root,
        projects,
        installed=known_modules(),
        folders=named or settings.sources,
        enough=1 if asking.quick else None,
    )


def _answer(asking: ScanOptions) -> int:
    from envsmith.console import printer

    asked = asking.names or (() if asking.files or asking.only_unused else ASKED_ALWAYS)
    found = _scanned(asking, (*asked, *_required(asking)))
    shown = [item for item in found.answers if not asking.only_unused or item.verdict.is_unneeded]
    if asking.as_json:
        printer.envelope("scan", "ok", _values(found, shown))
        return OK
    _show(found, shown)
    if not shown:
        printer.say("every requirement is used or may be used")
    return OK


def _fix(asking: ScanOptions) -> int:
    from envsmith.console import printer
    from envsmith.scan import fix_cli

    names = asking.names or (*ASKED_ALWAYS, *fix_cli.prunable(asking.root))
    found = _scanned(asking, names)
    way = fix_cli.ScanFixOptions(root=asking.root, files=asking.files, is_agreed=asking.is_agreed)
    proposed = fix_cli.proposal(found.answers, way)
    if not asking.as_json:
        _show(found, found.answers, with_leftovers=False)
        return fix_cli.show_and_ask(proposed, way)
    values, status = fix_cli.as_json(proposed, way)
    printer.envelope("scan", "no" if status else "ok", {**_values(found, found.answers), "fix": values})
    return status


def _values(found: ScanResult, shown: Iterable[PackageUsage]) -> dict[str, object]:
    return {
        "files_read": found.usage.files_read,
        "answers": [item.to_json() for item in shown],
        "unread": [item.to_json() for item in found.usage.unread],
    }


def _inside(root: Path, paths: tuple[Path, ...]) -> Iterator[str]:
    """Yield paths relative to the root.

    Raises:
        UsageError: when one is outside.
    """
    base = root.resolve()
    for path in paths:
        if not path.resolve().is_relative_to(base):
            raise click.UsageError(
                f"{path} is outside the current folder: give it alone, or change to its project"
            )
        yield path.resolve().relative_to(base).as_posix()


def _required(asking: ScanOptions) -> Iterable[str]:
    """Return the names of the direct requirements as written.

    Raises:
        ProfileError: when a requirements file or pyproject.toml is malformed, or there are no requirements.
    """
    from envsmith.config.requirements.requirements_files import read_pyproject, read_requirements

    root = asking.root
    if asking.files:
        found = read_requirements(root, asking.files)
    elif not asking.only_unused:
        return []
    elif (written := read_pyproject(root)) is not None:
        found = written
    else:
        found = read_requirements(root, [path.name for path in sorted(root.glob("requirements*.txt"))])
    return [item.requirement.name for item in found.requirements]


def _show(found: ScanResult, shown: Iterable[PackageUsage], *, with_leftovers: bool = True) -> None:
    from envsmith.console import printer

    count = found.usage.files_read
    printer.say(f"read {count} {'file' if count == 1 else 'files'}")
    for item in shown:
        printer.say(f"{item.project} · {item.verdict.answer} · {item.verdict.reason}")
        _lines([f"{use.place}   {use.kind}: {use.module}" for use in item.uses])
        if with_leftovers:
            _lines([f"{left.place}   unused {left.kind}: {left.text}" for left in item.leftovers])
        _lines([f"{unread.file}   unread: {unread.reason}" for unread in item.unread])


def _lines(texts: list[str]) -> None:
    from envsmith.console import printer

    more = len(texts) - MOST_LINES
    for text in texts if more <= 1 else [*texts[:MOST_LINES], f"and {more} more (--json lists all)"]:
        for number, line in enumerate(printer.wrapped(text, 4)):
            printer.say(f"{'    ' if number else '  '}{line}")
