"""``envsmith download``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envsmith.console.options import INSECURE_HOSTS, LOCK_FOLDERS, TypedPath
from envsmith.errors import OK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envsmith.config.mirrors import MirrorRules
    from envsmith.download.download import NeededFiles
    from envsmith.download.record import DownloadResult
    from envsmith.lockfile.manifest import LockedBuild


@click.command(name="download")
@click.argument("profiles", nargs=-1)
@click.option(
    "--target",
    "targets",
    multiple=True,
    metavar="SLUG",
    help="Target, or one half of its name (cp312, win_amd64, windows); repeatable [default: this machine].",
)
@click.option("--all", "is_all", is_flag=True, help="Download for all locked targets.")
@click.option(
    "-d",
    "wheelhouse",
    type=TypedPath(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the files.",
)
@click.option(
    "--rewrite",
    "rewrites",
    multiple=True,
    metavar="URL=URL",
    help="Download files below the first URL from the second instead; repeatable.",
)
@INSECURE_HOSTS
@click.option(
    "-j", "jobs", type=click.IntRange(1, 32), default=4, help="Number of parallel downloads [default: 4]."
)
@LOCK_FOLDERS
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_obj
def download_command(settings: dict[str, Any], /, **options: Any) -> int:  # noqa: ANN401 - click checks each option
    """Download all files of the locks of PROFILES into a folder, for any target.

    Without --target or --all: for the platform of this machine and the Python that runs envsmith. A file gets its final
    name only after its sha256 matches the lock. Interrupted downloads are resumed by the next run, and several runs may
    share one folder. `envsmith install --wheelhouse DIR --offline` installs from it.
    """
    from envsmith.download.download import needed_files
    from envsmith.download.transfer_progress import warn_unused_rewrites
    from envsmith.files import atomic
    from envsmith.lock.inputs.request import profile_names
    from envsmith.wiring import lock_rules, mirror_rules

    if options["is_all"] and options["targets"]:
        raise click.UsageError("--all and --target cannot be combined")
    project = Path()
    names = profile_names(options["profiles"], project, options["folder"])
    targets = () if options["is_all"] else options["targets"] or (_this_target(),)
    needed = needed_files(options["folder"], names, targets, atomic, lock_rules(options["insecure_hosts"]))
    rewrites = mirror_rules(project, options["rewrites"], options["insecure_hosts"])
    quiet = settings["quiet"] or options["as_json"]
    if not quiet:
        warn_unused_rewrites(options["rewrites"], needed.artifacts)
    result = _download(needed, rewrites, options["wheelhouse"], jobs=options["jobs"], quiet=quiet)
    if needed.builds:
        _hand_over(needed.builds, options["wheelhouse"], quiet=quiet)
    _show(result, needed, options["wheelhouse"], as_json=options["as_json"])
    return OK


def _this_target() -> str:
    from envsmith.host.current import this_platform, this_python

    return f"{this_python().tag}-{this_platform()}"


def _download(
    needed: NeededFiles, rewrites: MirrorRules, wheelhouse: Path, *, jobs: int, quiet: bool
) -> DownloadResult:
    from envsmith.download.download import download
    from envsmith.download.transfer_progress import TransferProgress
    from envsmith.download.wheelhouse import WheelhouseDownloader
    from envsmith.index.hashing import FileCache
    from envsmith.wiring import fetched_wheels_folder, index_credentials

    with TransferProgress(quiet=quiet) as progress:
        downloader = WheelhouseDownloader(
            listener=progress,
            cache=FileCache(fetched_wheels_folder()),
            jobs=jobs,
            credentials=index_credentials(needed.indexes),
        )
        return download(needed, wheelhouse, rewrites, downloader.fill)


def _hand_over(builds: Mapping[tuple[str, str], LockedBuild], wheelhouse: Path, *, quiet: bool) -> None:
    """Copy the wheels that this machine has built; name the packages that are to be built yet."""
    from envsmith.console import printer
    from envsmith.process.runner import Processes
    from envsmith.wiring import wheel_builder

    builder = wheel_builder(Processes())
    missing = sorted(
        {name for (slug, name), build in builds.items() if not builder.hand_over(build, slug, wheelhouse)}
    )
    if missing and not quiet:
        text = f"{', '.join(missing)}: not built on this machine yet; install, then download again to take it along"
        printer.labelled("source", text, err=True)


def _show(result: DownloadResult, needed: NeededFiles, wheelhouse: Path, *, as_json: bool) -> None:
    from envsmith.console import printer
    from envsmith.console.printer import counted

    files = sorted(result.files, key=lambda item: item.filename)
    if as_json:
        data = {
            "folder": wheelhouse.as_posix(),
            "locks": dict(needed.plans),
            "files": [item.to_json() for item in files],
        }
        printer.envelope("download", "ok", data)
        return
    if needed.apart:
        text = f"{', '.join(needed.apart)}: built from their places at install, which must be reachable then"
        printer.labelled("not in it", text, err=True)
    new = [item for item in files if item.source != "held"]
    total, locks = counted(len(files), "file"), counted(len(needed.plans), "lock")
    size = printer.size(sum(item.size_bytes for item in files))
    printer.labelled("folder", f"{wheelhouse.as_posix()}: {total} of {locks} · {size} · verified by sha256")
    new_size = printer.size(sum(item.size_bytes for item in new))
    printer.labelled("new", f"{counted(len(new), 'file')} · {new_size}" if new else "none")
