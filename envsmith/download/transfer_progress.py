"""Progress of downloads: bars on a terminal, otherwise one line for each finished file."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from envsmith.console import printer
from envsmith.download.artifact import Artifact

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from envsmith.download.record import FetchedFile
    from envsmith.errors import EnvsmithError

_SOURCES = {
    "held": "already present",
    "kept": "from envsmith's cache",
    "shared": "downloaded by another process",
}


class TransferProgress:
    """Prints progress to standard error; its methods are called from several threads.

    Args:
        quiet: print nothing.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._mutex = threading.Lock()
        self._bars: Progress | None = None
        self._total: TaskID | None = None
        self._files: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        if sys.stderr.isatty() and not self._quiet:
            self._bars = _bars()
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars:
            self._bars.stop()

    def planned(self, files: int, size_bytes: int, *, is_exact: bool) -> None:
        """Report number and size of the files to download; not exact if a server does not state a size."""
        with self._mutex:
            if files and self._bars:
                self._total = self._bars.add_task("download", total=size_bytes if is_exact else None)
            elif files and not self._quiet:
                more = "" if is_exact else " or more"
                count = "1 file" if files == 1 else f"{files} files"
                printer.labelled("download", f"{count} · {printer.size(size_bytes)}{more}", err=True)

    def moved(self, filename: str, count: int) -> None:
        """Report received bytes of a file, negative for discarded ones."""
        with self._mutex:
            if self._bars:
                if filename not in self._files:
                    self._files[filename] = self._bars.add_task(
                        f"  {filename.split('-', maxsplit=1)[0]}", total=None
                    )
                self._bars.advance(self._files[filename], count)
                if self._total is not None:
                    self._bars.advance(self._total, count)

    def waiting(self, filename: str) -> None:
        """Report that another process is downloading the file."""
        self._print(f"{filename}  waiting: another process is downloading it")

    def ended(self, file: FetchedFile) -> None:
        """Report a verified file."""
        if file.source == "fetched":
            rate = f"{printer.size(file.size_bytes / max(file.seconds, 0.001))}/s"
            how = f"{printer.size(file.size_bytes)}  {file.seconds:.1f} s  {rate}"
        else:
            how = f"{printer.size(file.size_bytes)}  {_SOURCES[file.source]}"
        self._end(file.filename, "" if file.source == "held" else f"{file.filename}  {how}")

    def failed(self, filename: str, error: EnvsmithError) -> None:
        """Report a file that could not be downloaded."""
        self._end(filename, f"{filename}  failed: {error.message}")

    def _end(self, filename: str, text: str) -> None:
        with self._mutex:
            if self._bars and filename in self._files:
                self._bars.remove_task(self._files.pop(filename))
        if text:
            self._print(text)

    def _print(self, text: str) -> None:
        if self._bars is None and not self._quiet:
            printer.say(text, err=True)


def _bars() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def warn_unused_rewrites(rewrites: Sequence[str], artifacts: Sequence[Artifact]) -> None:
    """Print a note for each `--rewrite` that applies to no file: it is probably a mistake.

    Args:
        rewrites: as on the command line.
        artifacts: the files needed.
    """
    from envsmith.config.mirrors import MirrorRules

    for rule in MirrorRules.parse(rewrites).unused([item.url for item in artifacts]):
        text = f"--rewrite has no effect: no needed file is below {rule.source}"
        printer.labelled("note", text, err=True)
