"""What keeps environments, as a protocol that an adapter fills."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from envsmith.environment.model import Environment, Generation, Import, Interpreter
from envsmith.lockfile.pins import InstallSource

if TYPE_CHECKING:
    from envsmith.install.space_needed import Disk


class EnvironmentStore(Protocol):
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


class Installer(Protocol):
    """Makes environments and puts packages into them."""

    def find_python(self, request: str) -> Path | None:
        """Return an installed interpreter for a version, a name or a path, or None where there is none."""
        ...

    def cache(self) -> Path:
        """Return where unpacked packages are kept."""
        ...

    def is_copying(self) -> bool:
        """Say whether files are copied out of the cache, even where they could be shared with it."""
        ...

    def outstanding(self, supply: InstallSource, python: Path) -> frozenset[str] | None:
        """Return the names of packages that are not in the cache; None where that cannot be said."""
        ...

    def make(self, prefix: Path, python: Path, prompt: str) -> None:
        """Make an environment without packages.

        Raises:
            InstallError: when that fails.
        """
        ...

    def fill(self, prefix: Path, supply: InstallSource) -> None:
        """Put the packages of a lock into an environment.

        Raises:
            InstallError: when that fails.
            ToolError: when files cannot be reached.
        """
        ...


class DiskInfo(Protocol):
    """Knows what is free, and what files hold."""

    def disk_of(self, place: Path) -> Disk:
        """Return the file system of a place."""
        ...

    def weights(self, folder: Path) -> Mapping[tuple[str, str], tuple[int, int]]:
        """Return `key_of` → bytes packed and unpacked, of the wheels in a folder."""
        ...

    def key_of(self, name: str, version: str) -> tuple[str, str]:
        """Return what a name and version are found by."""
        ...


class EnvironmentProbe(Protocol):
    """Asks interpreters about themselves and their environments."""

    def interpreter(self, executable: Path) -> Interpreter:
        """Ask a Python what it is.

        Raises:
            InstallError: when it gives no answer.
        """
        ...

    def environment(self, prefix: Path, *, deep: bool) -> Environment:
        """Look what is installed in an environment, and what is not as its RECORD says; deep: by hashes.

        Raises:
            InstallError: when its interpreter gives no answer.
        """
        ...

    def imports(self, prefix: Path, name: str, env: Mapping[str, str], timeout_s: float) -> Import:
        """Import a module in a process of its own."""
        ...

    def runs(self, prefix: Path, order: str, env: Mapping[str, str], timeout_s: float) -> Import:
        """Run a command in an environment, without a shell, and say how that went."""
        ...
