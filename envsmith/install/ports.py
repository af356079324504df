"""What keeps environments, as a protocol that an adapter fills."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from envsmith.environment.model import Generation


class Environments(Protocol):
    """Keeps generations of environments, one of them current."""

    @property
    def folder(self) -> Path:
        """Where generations lie."""
        ...

    def alone(self, doing: str) -> AbstractContextManager[bool]:
        """Keep others out, end what a killed process had begun, and say whether there was such a thing.

        Raises:
            InstallError: when the system refuses.
        """
        ...

    def current(self) -> str:
        """Return the id of the current generation; empty where none of ours is current."""
        ...

    def prefix(self, id_: str) -> Path:
        """Return the root of a generation."""
        ...

    def place(self, name: str) -> Path:
        """Return where a generation lies, or what others had made."""
        ...

    def has_interpreter(self, id_: str) -> bool:
        """Say whether the interpreter of a generation is there."""
        ...

    def generation(self, id_: str) -> Generation | None:
        """Return a proved generation; None where there is none of that id."""
        ...

    def generations(self) -> tuple[Generation, ...]:
        """Return all proved generations, oldest first."""
        ...

    def is_intact(self, one: Generation) -> bool:
        """Say whether a generation has its interpreter still, and the very distributions it was proved with."""
        ...

    def lost(self, one: Generation) -> tuple[str, ...]:
        """Return the files of a generation that are gone, or have another size than when it was proved."""
        ...

    def free_name(self, stem: str) -> str:
        """Return the id for a new generation."""
        ...

    def keep(self, one: Generation) -> None:
        """Write down that a generation is proved.

        Raises:
            InstallError: when the system refuses.
        """
        ...

    def set_failed(self, id_: str) -> Path:
        """Keep a generation that was not proved under a name of its own."""
        ...

    def discard(self, id_: str) -> None:
        """Remove a generation, half-built or whole."""
        ...

    def write(self, id_: str, name: str, text: str) -> None:
        """Write a file into a generation's root.

        Raises:
            InstallError: when the system refuses.
        """
        ...

    def switch(self, id_: str) -> str:
        """Make a generation current in one step; return the name of what others had made, where that made way.

        Raises:
            InstallError: when the system refuses; then what was current still is.
        """
        ...

    def restore(self, aside: str) -> str:
        """Put back what others had made; return the name of what others had made too, where that made way.

        Raises:
            InstallError: when the system refuses; then what was current still is.
        """
        ...

    def asides(self) -> tuple[str, ...]:
        """Return the names of what others had made and is kept, oldest first."""
        ...

    def in_use(self) -> frozenset[str]:
        """Return the ids that are current, here or under another name beside this one."""
        ...

    def failed(self) -> tuple[str, ...]:
        """Return the names of generations that were not proved."""
        ...

    def last_uses(self) -> Mapping[str, str]:
        """Return id or name → when it last became current, under this name or another beside it."""
        ...

    def uses(self) -> tuple[tuple[str, str], ...]:
        """Return what was current when, oldest first: id or name, and time."""
        ...
