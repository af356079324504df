"""Whether an install has nothing to do; answered without starting anything, and without all that an install needs."""

from __future__ import annotations

import hashlib

from envsmith.model.generation import Generation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from envsmith.ports import Files
    from envsmith.workflows.keeping import Environments


def settled(
    profile: str, folder: Path, python: str, *, guard: bool, environments: Environments, files: Files
) -> Generation | None:
    """Return the current generation if it is what an install would lead to; None where that must be looked into.

    Args:
        profile: its name.
        folder: where its locks lie.
        python: what is asked of the interpreter; only versions are understood here.
        guard: whether the constraints are wanted.
        environments: those there are.
        files: reads locks.
    """
    current = environments.current()
    one = environments.generation(current) if current else None
    if one is None or (one.profile, one.guard) != (profile, guard) or not _is_of(one, python):
        return None
    if environments.is_busy() or not environments.is_intact(one):
        return None
    text = files.read_files(folder).get(f"requirements.{one.target}.txt", b"")
    return one if hashlib.sha256(text).hexdigest() == one.lock_sha256 else None


def _is_of(one: Generation, python: str) -> bool:
    return not python or f"{one.python}.".startswith(f"{python}.")
