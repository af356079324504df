"""``envsmith scan``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from envsmith.cli import OK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envsmith.workflows.scanning import Answer, Scanned

ASKED_ALWAYS = ("torchvision", "torchaudio")
MOST_LINES = 5


@click.command(name="scan")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option(
    "-n", "--name", "names", multiple=True, metavar="PROJECT", help="Ask for this package; may be repeated."
)
@click.option(
    "-r", "--requirement", "files", multiple=True, metavar="FILE", help="Ask for what a file requires."
)
@click.option(
    "--unused", "only_unused", is_flag=True, help="List direct requirements without a use; advice only."
)
@click.option("--quick", is_flag=True, help="Look no further for a package once it is found to be used.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    paths: tuple[Path, ...],
    names: tuple[str, ...],
    files: tuple[str, ...],
    *,
    only_unused: bool,
    quick: bool,
    as_json: bool,
) -> int:
    """Say whether a project's files use torchvision, torchaudio, or the packages named, and where.

    PATH is a project's folder, by default this one; several folders or files are taken as sources of this one. Nothing
    is run or imported.
    """
    from envsmith.adapters import installed_modules, sources
    from envsmith.adapters.profiles import Profiles
    from envsmith.cli import render
    from envsmith.workflows.scanning import scan

    is_project = len(paths) == 1 and paths[0].is_dir()
    root = paths[0] if is_project else Path()
    settings = Profiles.of_project(root).settings
    folders = settings.sources if is_project else tuple(_inside(root, paths)) or settings.sources
    asked = names or (() if files or only_unused else ASKED_ALWAYS)
    projects = (*asked, *_required(root, files, only_unused=only_unused))
    found = scan(
        root,
        projects,
        sources=sources,
        installed=installed_modules,
        folders=folders,
        enough=1 if quick else None,
    )
    shown = [item for item in found.answers if not only_unused or item.verdict.is_unneeded]
    if as_json:
        unread = [item.to_json() for item in found.usage.unread]
        data = {
            "files_read": found.usage.files_read,
            "answers": [item.to_json() for item in shown],
            "unread": unread,
        }
        render.envelope("scan", "ok", data)
    else:
        _show(found, shown)
    return OK


def _inside(root: Path, paths: tuple[Path, ...]) -> Iterator[str]:
    """Yield paths relative to the root.

    Raises:
        UsageError: when one lies outside.
    """
    base = root.resolve()
    for path in paths:
        if not path.resolve().is_relative_to(base):
            raise click.UsageError(
                f"{path} is not inside this folder: name it alone, or change into its project"
            )
        yield path.resolve().relative_to(base).as_posix()


def _required(root: Path, files: tuple[str, ...], *, only_unused: bool) -> Iterable[str]:
    """Return the names of what is asked for directly, as they are written.

    Raises:
        ProfileError: when a requirements file or pyproject.toml is malformed, or nothing is asked for anywhere.
    """
    from envsmith.adapters.requirement_files import read_pyproject, read_requirements

    if files:
        found = read_requirements(root, files)
    elif not only_unused:
        return []
    elif (written := read_pyproject(root)) is not None:
        found = written
    else:
        found = read_requirements(root, [path.name for path in sorted(root.glob("requirements*.txt"))])
    return [item.requirement.name for item in found.asked]


def _show(found: Scanned, shown: list[Answer]) -> None:
    from envsmith.cli import render

    count = found.usage.files_read
    render.say(f"read {count} {'file' if count == 1 else 'files'}")
    for item in shown:
        render.say(f"{item.project} · {item.verdict.answer} · {item.verdict.reason}")
        _lines([f"{use.place}   {use.kind}: {use.module}" for use in item.uses])
        _lines([f"{left.place}   left over ({left.kind}): {left.text}" for left in item.leftovers])
        _lines([f"{unread.file}   unread: {unread.reason}" for unread in item.unread])
    if not shown:
        render.say("every package asked for is used, or may be")


def _lines(texts: list[str]) -> None:
    from envsmith.cli import render

    more = len(texts) - MOST_LINES
    for text in texts if more <= 1 else [*texts[:MOST_LINES], f"and {more} more (--json lists all)"]:
        for number, line in enumerate(render.wrapped(text, 4)):
            render.say(f"{'    ' if number else '  '}{line}")
