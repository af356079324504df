"""Generations: environments built beside each other, one of them current by a link, as in Nix.

Next to the link ``.venv`` is the folder ``.envsmith``::

    generations/<profile>-<digest>/           an environment; it contains a record once it is verified
    generations/<profile>-<digest>-failed-<time>/  one that failed its verification, kept for inspection
    aside/.venv-<time>/                       an environment not managed by envsmith that the link replaced
    history-.venv.jsonl                       the targets of the link
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from envsmith.environment.interpreter import interpreter_path
from envsmith.environment.model import RECORD, Generation, is_id
from envsmith.files.atomic import remove_folder, write_atomic
from envsmith.files.locks import lock_directory, lock_owner
from envsmith.files.os_errors import environment_errors
from envsmith.install import links, store_names
from envsmith.install.store_names import (
    append_history,
    asides_in,
    failed_in,
    failed_name,
    free_aside,
    is_incomplete,
    lost_files,
)
from envsmith.model.naming import unique_name

if TYPE_CHECKING:
    from envsmith.process.runner import Processes

_REMOVED = ".removing-"


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationStore:
    """The generations of one link.

    Args:
        link: the absolute path of ``.venv``, or of another --prefix.
        processes: programs started under the lock keep it if this process is killed.
        waiting: called with a description of the process that holds the lock.
    """

    link: Path
    processes: Processes | None = None
    waiting: Callable[[str], None] = lambda _: None

    @property
    def root(self) -> Path:
        """The folder ``.envsmith``."""
        return self.link.parent / ".envsmith"

    @property
    def folder(self) -> Path:
        """The folder of the generations."""
        return self.root / "generations"

    @property
    def _aside(self) -> Path:
        return self.root / "aside"

    @property
    def _spare(self) -> Path:
        return self.root / f"link-{self.link.name}"

    @property
    def _history(self) -> Path:
        return store_names.history_of(self.root, self.link.name)

    @contextmanager
    def lock(self, doing: str) -> Iterator[bool]:
        """Lock the generations against changes by other processes, after recovery from killed ones.

        Args:
            doing: shown to processes that wait.

        Yields:
            Whether a killed process had left an incomplete change.

        Raises:
            InstallError: ENV021 when the disk is full, ENV024 for any other OS error.
        """
        with environment_errors(self.root):
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.root / ".gitignore").write_text("*\n", "utf-8")
        busy = self.root / "busy"
        with (
            lock_directory(self.root, lambda: self.waiting(lock_owner(busy))) as handle,
            self._pass_on(handle),
        ):
            with environment_errors(self.root):
                is_recovered = self._recover()
                busy.write_text(f"process {os.getpid()}: {doing}\n", "utf-8")
            try:
                yield is_recovered
            finally:
                busy.unlink(missing_ok=True)

    def _pass_on(self, handle: int | None) -> AbstractContextManager[None]:
        return self.processes.passing_on(handle) if self.processes else nullcontext()

    def _recover(self) -> bool:
        links.recover(self.link, self._spare)
        incomplete = [
            path for path in self.folder.iterdir() if path.name.startswith(_REMOVED) or is_incomplete(path)
        ]
        asides = self._aside.iterdir() if self._aside.is_dir() else ()
        for name in {path.name.removesuffix(links.EXCHANGED) for path in asides}:
            aside = self._aside / name
            links.recover_exchange(self.link, aside)
            if self._is_ours(aside):
                links.unlink(aside)
        for path in incomplete:
            remove_folder(path)
        return bool(incomplete) or (self.root / "busy").exists()

    def current(self) -> str:
        """Return the id of the current generation; empty if the link is not ours."""
        target = links.read(self.link)
        return target.name if target is not None and self._is_ours(self.link) else ""

    def is_foreign(self) -> bool:
        """Return whether the link's path is taken by anything but our link."""
        return not self.current() and links.exists(self.link)

    def prefix(self, id_: str) -> Path:
        """Return the root folder of a generation."""
        return self.folder / id_

    def folder_of(self, name: str) -> Path:
        """Return the folder of a generation, or of an environment not managed by envsmith."""
        aside = self._aside / name
        return aside if links.exists(aside) else self.prefix(name)

    def has_interpreter(self, id_: str) -> bool:
        """Return whether the interpreter of a generation exists."""
        return interpreter_path(self.prefix(id_)).exists()

    def generation(self, id_: str) -> Generation | None:
        """Return a verified generation; None without one of that id."""
        try:
            return Generation.from_json((self.prefix(id_) / RECORD).read_text("utf-8"))
        except (OSError, ValueError):
            return None

    def generations(self) -> tuple[Generation, ...]:
        """Return all verified generations, oldest first."""
        names = (path.parent.name for path in self.folder.glob(f"*/{RECORD}"))
        found = [one for name in names if is_id(name) and (one := self.generation(name))]
        return tuple(sorted(found, key=lambda one: (one.built_utc, one.id)))

    def is_intact(self, generation: Generation) -> bool:
        """Return whether a generation has its interpreter and distributions, and was not moved."""
        prefix = self.prefix(generation.id)
        if generation.place and not _is_same_folder(Path(generation.place), prefix):
            return False
        try:
            names = [path.name for path in (prefix / generation.site).iterdir()]
        except OSError:
            return False
        folders = sorted(name for name in names if name.endswith(".dist-info"))
        return tuple(folders) == generation.folders and self.has_interpreter(generation.id)

    def lost_files(self, generation: Generation) -> tuple[str, ...]:
        """Return the files of a generation that are missing, or differ in size from their RECORD."""
        return lost_files(self.prefix(generation.id) / generation.site, generation.folders)

    def watched_paths(self, generation: Generation) -> tuple[Path, ...]:
        """Return the paths that change if a generation is no longer current and intact.

        The last one exists only while a process changes the generations, or after it was killed.
        """
        prefix = self.prefix(generation.id)
        return (
            self.link,
            prefix / RECORD,
            prefix / generation.site,
            interpreter_path(prefix),
            self.root / "busy",
        )

    def write(self, id_: str, name: str, text: str) -> None:
        """Write a file into the root folder of a generation.

        Raises:
            InstallError: ENV021 when the disk is full, ENV024 for any other OS error.
        """
        path = self.prefix(id_) / name
        with environment_errors(path):
            write_atomic(path, text)

    def free_name(self, stem: str) -> str:
        """Return a free id for a generation: the stem, numbered if a folder or a broken link has that name."""
        taken = self.in_use()
        return unique_name(stem, lambda name: name in taken or links.exists(self.prefix(name)))

    def record(self, generation: Generation) -> None:
        """Write the record of a verified generation.

        Raises:
            InstallError: ENV021 when the disk is full, ENV024 for any other OS error.
        """
        self.write(generation.id, RECORD, generation.to_json())

    def set_failed(self, id_: str) -> Path:
        """Rename a generation that failed its verification; older failed ones of its id are removed."""
        for path in failed_in(self.folder, id_):
            remove_folder(path)
        kept = self.folder / failed_name(id_)
        with environment_errors(kept):
            self.prefix(id_).rename(kept)
        return kept

    def discard(self, id_: str) -> None:
        """Remove a generation, complete or not."""
        removed = self.folder / f"{_REMOVED}{id_}"
        with environment_errors(removed):
            if links.exists(self.prefix(id_)):
                self.prefix(id_).rename(removed)
                remove_folder(removed)

    def switch(self, id_: str) -> str:
        """Make a generation current in one step.

        Returns:
            The name in ``aside`` of an environment not managed by envsmith that the link replaced; else empty.

        Raises:
            InstallError: ENV024 for an OS error; then the current environment is unchanged.
        """
        with environment_errors(self.link):
            append_history(self._history, self.current())
            aside = self._replace_foreign(id_) if self.is_foreign() else ""
            if not aside:
                links.point(self.link, self.prefix(id_), self._spare)
            append_history(self._history, id_)
        return aside

    def _replace_foreign(self, id_: str) -> str:
        """Exchange a new link with the environment in its place."""
        place = self._aside / free_aside(self._aside, self.link.name)
        place.parent.mkdir(exist_ok=True)
        links.make(place, self.prefix(id_), self.link.parent)
        append_history(self._history, place.name)
        links.exchange(self.link, place)
        return place.name

    def restore(self, aside: str) -> str:
        """Restore an environment not managed by envsmith.

        Returns:
            The name in ``aside`` of another such environment that it replaced; else empty.

        Raises:
            InstallError: ENV024 for an OS error; then the current environment is unchanged.
        """
        place, replaced = self._aside / aside, ""
        with environment_errors(self.link):
            append_history(self._history, self.current())
            if not links.exists(self.link):
                place.rename(self.link)
            elif self.is_foreign():
                replaced = free_aside(self._aside, self.link.name)
                links.exchange(self.link, place)
                place.rename(self._aside / replaced)
            else:
                links.exchange(self.link, place)
                links.unlink(place)
            for name in (replaced, aside):
                append_history(self._history, name)
        return replaced

    def asides(self) -> tuple[str, ...]:
        """Return the names of the environments in ``aside``, oldest first."""
        found = asides_in(self._aside, self.link.name)
        return tuple(path.name for path in found if not self._is_ours(path))

    def uses(self) -> tuple[tuple[str, str], ...]:
        """Return the history of the link, oldest first: id or name, and time (UTC, RFC 3339)."""
        return store_names.read_history(self._history)

    def last_uses(self) -> dict[str, str]:
        """Return id or name → time it last became current, of this link or another beside it."""
        return store_names.last_uses(self.root)

    def in_use(self) -> frozenset[str]:
        """Return the ids that this link, or another beside it, points to."""
        names = (*store_names.links_with(self.root), self.link.name)
        targets = (links.read(self.link.with_name(name)) for name in names)
        return frozenset(target.name for target in targets if target is not None)

    def failed(self) -> tuple[str, ...]:
        """Return the names of failed generations."""
        return tuple(path.name for path in failed_in(self.folder))

    def _is_ours(self, path: Path) -> bool:
        """Return whether a path is a link to a generation, relative to the folder of the link."""
        target = links.read(path, self.link.parent)
        return target is not None and target.parent.resolve() == self.folder.resolve()


def _is_same_folder(one: Path, other: Path) -> bool:
    try:
        return one == other or one.samefile(other)
    except OSError:
        return False
