"""``envsmith diff``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envsmith.console.options import LOCK_FOLDERS
from envsmith.errors import NO, OK

if TYPE_CHECKING:
    from envsmith.diff.model import LockDiff


@click.command(name="diff")
@click.argument("before", metavar="[A", required=False, default="")
@click.argument("after", metavar="[B]]", required=False, default="")
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "md", "json")),
    default="text",
    help="Output format [default: text].",
)
@LOCK_FOLDERS
@click.option(
    "--licences", "reads_licences", is_flag=True, help="Download licence metadata that is not cached."
)
@click.option(
    "--exit-code", "has_code", is_flag=True, help="Exit with 1 if anything changed, as git diff does."
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def diff_command(**options: Any) -> int:  # noqa: ANN401 - click checks each option
    """Show changes between locks: torch, drivers, kernels, packages, licences, decisions and targets.

    A and B are each a profile, a git revision (all profiles), REV:PROFILE, a lock folder or one of its files. A single
    revision is compared with the current locks, a single profile with HEAD; without arguments, all profiles with HEAD.
    """
    from envsmith.console import printer
    from envsmith.diff import output

    form = options["form"]
    words = tuple(word for word in (options["before"], options["after"]) if word)
    found = _diffs(words, options["folder"], reads_licences=options["reads_licences"])
    if options["as_json"] or form == "json":
        printer.envelope("diff", "ok", {"profiles": [item.to_json() for item in found]})
    elif form == "md":
        printer.document(output.markdown(found))
    else:
        output.text(found)
    return NO if options["has_code"] and not all(item.is_empty for item in found) else OK


def _diffs(words: tuple[str, ...], folder: Path, *, reads_licences: bool) -> tuple[LockDiff, ...]:
    from envsmith.catalog import Catalog
    from envsmith.console.options import project_path
    from envsmith.diff.diff import DiffTools, diff_locks
    from envsmith.files import atomic
    from envsmith.files.git import GitRevisions
    from envsmith.wiring import CatalogOptions, licences, wheel_contents

    tools = DiffTools(
        project=Path(),
        folder=project_path(folder),
        files=atomic,
        revisions=GitRevisions(project=Path()),
        catalog=Catalog.embedded(),
        licences=licences(CatalogOptions(is_offline=not reads_licences)).licences,
        cached_contents=wheel_contents(CatalogOptions(is_offline=True)).cached,
    )
    return diff_locks(words, tools)
