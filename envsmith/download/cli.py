"""``envsmith download``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envsmith.console.options import LOCK_FOLDERS
from envsmith.errors import OK

if TYPE_CHECKING:
    from envsmith.config.mirrors import MirrorRules
    from envsmith.download.download import NeededFile
    from envsmith.download.record import DownloadResult


@click.command(name="download")
@click.argument("profiles", nargs=-1)
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="SLUG",
    help="Target, or half of its name: cp312, win_amd64, windows; may be repeated.",
)
@click.option("--all", "is_all", is_flag=True, help="Every target of the profiles.")
@click.option(
    "-d", "house", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to fill."
)
@click.option(
    "--rewrite",
    "rewrites",
    multiple=True,
    metavar="URL=URL",
    help="Fetch what lies below one address from another; may be repeated.",
)
@click.option("-j", "jobs", type=click.IntRange(1, 32), default=4, help="Files at once.")
@LOCK_FOLDERS
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def download_command(settings: dict[str, Any], /, **options: Any) -> int:  # noqa: ANN401 - click checks each option
    """Fetch every file of the locks of PROFILES into a folder, for any target, on any machine.

    Without --target or --all: this machine's platform, with the Python that runs envsmith. Each file gets its name when
    its sha256 is that of the lock, and not before; what breaks off is gone on with by the next run, and two runs may
    fill one folder. `envsmith install --wheelhouse DIR --offline` installs from it alone.
    """
    from envsmith.download.download import needed
    from envsmith.download.transfer_progress import tell_idle
    from envsmith.files import atomic
    from envsmith.lock.request import profile_names
    from envsmith.wiring import mirror_rules

    if options["is_all"] and options["targets"]:
        raise click.UsageError("--all means every target: leave --target out")
    project = Path()
    names = profile_names(options["profiles"], project, options["folder"])
    targets = () if options["is_all"] else options["targets"] or (_here(),)
    wanted = needed(options["folder"], names, targets, atomic)
    rewrites = mirror_rules(project, options["rewrites"])
    quiet = settings["quiet"] or options["as_json"]
    if not quiet:
        tell_idle(options["rewrites"], wanted.artifacts)
    filling = _download(wanted, rewrites, options["house"], jobs=options["jobs"], quiet=quiet)
    _show(filling, wanted, options["house"], as_json=options["as_json"])
    return OK


def _here() -> str:
    from envsmith.host.current import this_platform, this_python

    return f"{this_python().tag}-{this_platform()}"


def _download(
    wanted: NeededFile, rewrites: MirrorRules, house: Path, *, jobs: int, quiet: bool
) -> DownloadResult:
    from envsmith.download import wheelhouse
    from envsmith.download.download import DownloadTools, download
    from envsmith.download.transfer_progress import TransferProgress
    from envsmith.download.wheelhouse import WheelhouseDownloader
    from envsmith.files import atomic
    from envsmith.index.hashing import FileCache
    from envsmith.wiring import fetched_wheels_folder

    with TransferProgress(quiet=quiet) as heard:
        filler = WheelhouseDownloader(heard=heard, kept=FileCache(fetched_wheels_folder()), jobs=jobs)
        tools = DownloadTools(files=atomic, wheelhouse=filler, records=wheelhouse)
        return download(wanted, house, rewrites, tools)


def _show(filling: DownloadResult, wanted: NeededFile, house: Path, *, as_json: bool) -> None:
    from envsmith.console import printer
    from envsmith.console.printer import counted

    brought = sorted(filling.brought, key=lambda item: item.filename)
    if as_json:
        data = {
            "folder": house.as_posix(),
            "locks": dict(wanted.plans),
            "files": [item.to_json() for item in brought],
        }
        printer.envelope("download", "ok", data)
        return
    new = [item for item in brought if item.way != "held"]
    files, locks = counted(len(brought), "file"), counted(len(wanted.plans), "lock")
    total = printer.size(sum(item.size_bytes for item in brought))
    printer.labelled("holds", f"{house.as_posix()}: {files} of {locks} · {total} · each proved by sha256")
    told = f"{counted(len(new), 'file')} · {printer.size(sum(item.size_bytes for item in new))}"
    printer.labelled("new", told if new else "nothing")
