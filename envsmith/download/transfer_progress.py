"""Progress of a download: bars with rate and time left on a terminal, a line as each file ends on a pipe."""

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

_WAYS = {"held": "was there", "kept": "from envsmith's cache", "shared": "fetched by another process"}


class TransferProgress:
    """Tells standard error how files come; called from several threads.

    Args:
        quiet: say nothing at all.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._guard = threading.Lock()
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
        """Hear how many files and bytes are to come; not exact where some server does not say."""
        with self._guard:
            if files and self._bars:
                self._total = self._bars.add_task("fetch", total=size_bytes if is_exact else None)
            elif files and not self._quiet:
                more = "" if is_exact else " or more"
                count = "1 file" if files == 1 else f"{files} files"
                printer.labelled("fetch", f"{count} · {printer.size(size_bytes)}{more}", err=True)

    def moved(self, filename: str, count: int) -> None:
        """Hear that bytes of a file came, or, below zero, that some are thrown away."""
        with self._guard:
            if self._bars:
                if filename not in self._files:
                    self._files[filename] = self._bars.add_task(
                        f"  {filename.split('-', maxsplit=1)[0]}", total=None
                    )
                self._bars.advance(self._files[filename], count)
                if self._total is not None:
                    self._bars.advance(self._total, count)

    def waiting(self, filename: str) -> None:
        """Hear that another process is fetching the file, and is waited for."""
        self._tell(f"{filename}  waiting: another process is fetching it")

    def ended(self, brought: FetchedFile) -> None:
        """Hear that a file is there, proved."""
        if brought.way == "fetched":
            rate = f"{printer.size(brought.size_bytes / max(brought.seconds, 0.001))}/s"
            how = f"{printer.size(brought.size_bytes)}  {brought.seconds:.1f} s  {rate}"
        else:
            how = f"{printer.size(brought.size_bytes)}  {_WAYS[brought.way]}"
        self._end(brought.filename, "" if brought.way == "held" else f"{brought.filename}  {how}")

    def failed(self, filename: str, error: EnvsmithError) -> None:
        """Hear that a file cannot be had."""
        self._end(filename, f"{filename}  failed: {error.message}")

    def _end(self, filename: str, text: str) -> None:
        with self._guard:
            if self._bars and filename in self._files:
                self._bars.remove_task(self._files.pop(filename))
        if text:
            self._tell(text)

    def _tell(self, text: str) -> None:
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


def tell_idle(texts: Sequence[str], artifacts: Sequence[Artifact]) -> None:
    """Say which rewrites of the command line change nothing, for then they are hardly what was meant.

    Args:
        texts: the rewrites.
        artifacts: the files that are wanted.
    """
    from envsmith.config.mirrors import MirrorRules

    for rule in MirrorRules.parse(texts).idle([item.url for item in artifacts]):
        text = f"no file that is wanted lies below {rule.source}: that --rewrite changes nothing"
        printer.labelled("note", text, err=True)
