"""Takes single distributions out of an environment and puts others in, by uv; and sets aside what uv cannot remove.

Source of what uv does: seen with uv 0.13.8, 2026-11-21.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from envsmith.doctor.repair_plan import SET_ASIDE
from envsmith.files.folders import refusals
from envsmith.lockfile.pins import Supply
from envsmith.model.naming import free_name
from envsmith.uv.installer import UvInstaller, failure


@dataclass(frozen=True, slots=True, kw_only=True)
class UvRepairer(UvInstaller):
    """Repairs environments that others made."""

    def set_aside(self, prefix: Path, site: str, folders: Sequence[str]) -> None:
        """Move files and folders out of ``site-packages`` to a place in the environment where nothing finds them.

        Raises:
            InstallError: ENV024 when the system refuses.
        """
        place = prefix / SET_ASIDE
        with refusals(place):
            place.mkdir(exist_ok=True)
            for folder in folders:
                free = free_name(folder, lambda name: (place / name).exists(), joint=".")
                (place / free).parent.mkdir(parents=True, exist_ok=True)
                (prefix / site / folder).rename(place / free)

    def remove(self, prefix: Path, names: Sequence[str]) -> None:
        """Remove distributions.

        Raises:
            InstallError: ENV020 when uv fails.
        """
        finished = self._run("pip", "uninstall", "--python", prefix, *names)
        if finished.status:
            raise failure(finished, f"{', '.join(names)} could not be removed")

    def put(self, prefix: Path, supply: Supply, *, is_hashed: bool) -> None:
        """Install distributions again, without what they require.

        Args:
            prefix: the environment's root.
            supply: requirements, one a line.
            is_hashed: whether each has hashes that must be met.

        Raises:
            InstallError: ENV020 when uv fails, ENV021 when the disk is full, ENV022 when a file has other bytes,
                ENV025 when the wheelhouse lacks a file or has a damaged one.
            ToolError: TOL022 when files cannot be reached.
        """
        flags = [flag for flag in self._flags(supply) if is_hashed or flag != "--require-hashes"]
        with tempfile.TemporaryDirectory(prefix="envsmith-") as scratch:
            source = Path(scratch) / "requirements.txt"
            source.write_text(supply.text, "utf-8")
            words = ("--python", prefix, "--no-deps", "--reinstall", "--requirement", source)
            finished = self._run("pip", "install", *flags, *words)
        if finished.status:
            raise failure(finished, "the packages could not be installed again", supply)

    def forget(self, names: Sequence[str]) -> None:
        """Take distributions out of uv's cache: files of it that an environment shares may have been changed there."""
        self._run("cache", "clean", *names)
