"""Gather: bring the files of one lock together before an install, from a server of one's own or through mirrors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from envsmith.download.artifact import Artifact, artifacts_of, joined
from envsmith.download.download import Locations, Wheelhouse, failure, pylock_of
from envsmith.install.request import Locked
from envsmith.lockfile.manifest import Manifest
from envsmith.lockfile.pylock import read_pylock
from envsmith.lockfile.supply import Supply


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathering:
    """Where the files of a lock come from, and where they are put."""

    wheelhouse: Wheelhouse
    locations: Locations
    folder: Path
    """Of the cache; the files of each lock get a folder of their own, for names may mean other bytes elsewhere."""
    begun: Callable[[Path, Sequence[Artifact]], None] = lambda _, __: None
    """Hears of the folder of a lock, and of what is to lie in it, before it is filled."""

    def gather(self, locked: Locked, manifest: Manifest, found: Mapping[str, bytes]) -> Supply:
        """Bring the files of a lock into a folder, each proved, and return how to install from it alone.

        Raises:
            EnvsmithError: as `download`: TOL040 where the pylock with the files' names is not at hand.
        """
        lock = f"{locked.profile}/{locked.slug}"
        text = pylock_of(found, manifest, locked.slug, locked.profile)
        house = self.folder / locked.sha256[:16]
        artifacts = joined(artifacts_of(read_pylock(text, lock), lock))
        self.begun(house, artifacts)
        filling = self.wheelhouse.fill(house, artifacts, self.locations)
        if filling.failed:
            raise failure(filling.failed, f"envsmith install {locked.profile}")
        return Supply(
            text=found[f"requirements.{locked.slug}.txt"].decode("utf-8", "replace"),
            is_pylock=False,
            sources=locked.supply.sources,
            wheelhouse=str(house),
        )
