"""What an install gathers beforehand: from a server of one's own, or through mirrors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envsmith.console import output as render
from envsmith.download.transfer_progress import tell_idle

if TYPE_CHECKING:
    from envsmith.download.artifact import Artifact
    from envsmith.download.download import Locations
    from envsmith.download.locations import Transfers
    from envsmith.download.record import Brought
    from envsmith.errors import EnvsmithError
    from envsmith.install.request import Locked
    from envsmith.lockfile.manifest import Manifest
    from envsmith.lockfile.supply import Supply
    from envsmith.model.progress import Progress


class TransfersTold:
    """Tells an install's own progress how files come; called from several threads.

    Args:
        progress: shows one line for each file.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._come: dict[str, int] = {}

    def planned(self, files: int, size_bytes: int, *, is_exact: bool) -> None:
        """Hear what is to come: each file is told when it does."""

    def moved(self, filename: str, count: int) -> None:
        """Hear that bytes of a file came."""
        self._come[filename] = self._come.get(filename, 0) + count
        self._progress.started(filename, f"fetching: {render.size(self._come[filename])}")

    def waiting(self, filename: str) -> None:
        """Hear that another process is fetching the file."""
        self._progress.started(filename, "waiting: another process is fetching it")

    def ended(self, brought: Brought) -> None:
        """Hear that a file is there, proved."""
        if brought.way != "held":
            self._progress.ended(brought.filename, brought.seconds, render.size(brought.size_bytes))

    def failed(self, filename: str, error: EnvsmithError) -> None:
        """Hear that a file cannot be had: the error tells it at the end."""


def gathering(
    options: Mapping[str, Any], heard: Transfers
) -> Callable[[Locked, Manifest, Mapping[str, bytes]], Supply] | None:
    """Return what brings the files of a lock together; None where uv fetches them, or a folder holds them.

    Args:
        options: ``wheelhouse``, ``rewrites`` and ``offline`` of the command.
        heard: hears how files come.

    Raises:
        UsageError: when the wheelhouse is neither a folder nor an address that can be read.
        ProfileError: PRF044 when a rewrite is malformed.
    """
    from envsmith.wiring import cache_folder, kept_folder, rewrites_of

    wheelhouse = options["wheelhouse"]
    scheme, is_address, _ = wheelhouse.partition("://")
    if is_address and scheme not in ("http", "https", "file"):
        raise click.UsageError(
            f"--wheelhouse is a folder, or an address that begins with https://, not {scheme}://"
        )
    rewrites = rewrites_of(Path(), options["rewrites"])
    locations: Locations
    if wheelhouse.startswith(("http://", "https://")):
        from envsmith.download.served_files import ServedFiles

        locations = ServedFiles(base=rewrites.apply(wheelhouse))
    elif rewrites.rules and not wheelhouse and not options["offline"]:
        from envsmith.download.download import Rewritten

        locations = Rewritten(rewrites=rewrites)
    else:
        return None
    from envsmith.download.wheelhouse import Filler
    from envsmith.index.file_cache import KeptFiles
    from envsmith.install.workflows_gathering import Gathering

    filler = Filler(heard=heard, kept=KeptFiles(kept_folder()))
    folder = cache_folder() / "wheelhouses"
    begun = partial(_begun, options["rewrites"])
    return Gathering(wheelhouse=filler, locations=locations, folder=folder, begun=begun).gather


def _begun(texts: Sequence[str], house: Path, artifacts: Sequence[Artifact]) -> None:
    from envsmith.install import prefetch as unused_houses

    unused_houses.use(house)
    tell_idle(texts, artifacts)
