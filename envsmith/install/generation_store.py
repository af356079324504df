"""Generations of environments: built beside each other, one of them current by a link.

Beside the link ``.venv`` lies ``.envsmith``::

    generations/<profile>-<digest>/           an environment; proved where its record is in it
    generations/<profile>-<digest>-failed-<time>/  one that failed its proof, kept for looking into
    aside/.venv-<time>/                       what stood in the link's place before, and was made by others
    history-.venv.jsonl                       what was current when
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
from envsmith.files.atomic import environment_errors, remove_folder, write_atomic
from envsmith.files.locks import lock_directory, lock_owner
from envsmith.install import links, store_names
from envsmith.install.store_names import asides_in, failed_in, failed_name, free_aside, is_half_built, lost
from envsmith.model.naming import unique_name

if TYPE_CHECKING:
    from envsmith.process.runner import Processes

_GONE = ".removing-"


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationStore:
    """The generations beside one link.

    Args:
        link: ``.venv``, or what stands for it; absolute.
        processes: programs started meanwhile keep the lock when this process is killed.
        waiting: called with what is known of the process that has the lock, where one has to wait for it.
    """

    link: Path
    processes: Processes | None = None
    waiting: Callable[[str], None] = lambda _: None

    @property
    def root(self) -> Path:
        """Where generations are kept."""
        return self.link.parent / ".envsmith"

    @property
    def folder(self) -> Path:
        """Where the generations themselves lie."""
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
    def alone(self, doing: str) -> Iterator[bool]:
        """Keep others from changing the generations, end what a killed process had begun, and lend the place.

        Args:
            doing: what others are told who have to wait.

        Yields:
            Whether a killed process had left something.

        Raises:
            InstallError: ENV021 when the disk is full, ENV024 when the system refuses.
        """
        with environment_errors(self.root):
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.root / ".gitignore").write_text("*\n", "utf-8")
        busy = self.root / "busy"
        with (
            lock_directory(self.root, lambda: self.waiting(lock_owner(busy))) as handle,
            self._lending(handle),
        ):
            with environment_errors(self.root):
                is_crashed = self._mend()
                busy.write_text(f"process {os.getpid()}: {doing}\n", "utf-8")
            try:
                yield is_crashed
            finally:
                busy.unlink(missing_ok=True)

    def _lending(self, handle: int | None) -> AbstractContextManager[None]:
        return self.processes.passing_on(handle) if self.processes else nullcontext()

    def _mend(self) -> bool:
        links.mend(self.link, self._spare)
        left = [path for path in self.folder.iterdir() if path.name.startswith(_GONE) or is_half_built(path)]
        left_aside = self._aside.iterdir() if self._aside.is_dir() else ()
        for name in {path.name.removesuffix(links.EXCHANGED) for path in left_aside}:
            place = self._aside / name
            links.mend_exchange(self.link, place)
            if self._is_ours(place):
                links.unlink(place)
        for path in left:
            remove_folder(path)
        return bool(left) or (self.root / "busy").exists()

    def current(self) -> str:
        """Return the id of the generation that the link points to; empty where it points to none of ours."""
        target = links.read(self.link)
        return target.name if target is not None and self._is_ours(self.link) else ""

    def is_foreign(self) -> bool:
        """Say whether something stands in the link's place that is not ours."""
        return not self.current() and links.is_there(self.link)

    def prefix(self, id_: str) -> Path:
        """Return the root of a generation."""
        return self.folder / id_

    def place(self, name: str) -> Path:
        """Return where a generation lies, or what others had made."""
        aside = self._aside / name
        return aside if links.is_there(aside) else self.prefix(name)

    def has_interpreter(self, id_: str) -> bool:
        """Say whether the interpreter of a generation is there."""
        return interpreter_path(self.prefix(id_)).exists()

    def generation(self, id_: str) -> Generation | None:
        """Return a proved generation; None where there is none of that id."""
        try:
            return Generation.from_json((self.prefix(id_) / RECORD).read_text("utf-8"))
        except (OSError, ValueError):
            return None

    def generations(self) -> tuple[Generation, ...]:
        """Return all proved generations, oldest first."""
        names = (path.parent.name for path in self.folder.glob(f"*/{RECORD}"))
        found = [one for name in names if is_id(name) and (one := self.generation(name))]
        return tuple(sorted(found, key=lambda one: (one.built_utc, one.id)))

    def is_intact(self, one: Generation) -> bool:
        """Say whether a generation lies where it was built, with its interpreter and the very distributions it had."""
        prefix = self.prefix(one.id)
        if one.place and not _is_same(Path(one.place), prefix):
            return False
        try:
            names = [path.name for path in (prefix / one.site).iterdir()]
        except OSError:
            return False
        folders = sorted(name for name in names if name.endswith(".dist-info"))
        return tuple(folders) == one.folders and self.has_interpreter(one.id)

    def lost(self, one: Generation) -> tuple[str, ...]:
        """Return the files of a generation that are gone, or have another size than when it was proved."""
        return lost(self.prefix(one.id) / one.site, one.folders)

    def tokens(self, one: Generation) -> tuple[Path, ...]:
        """Return the files and folders of which one is another, or gone, when a generation is not current or intact.

        One of them, which is there only while a process changes the generations or was killed meanwhile, is not there.
        """
        prefix = self.prefix(one.id)
        return (self.link, prefix / RECORD, prefix / one.site, interpreter_path(prefix), self.root / "busy")

    def write(self, id_: str, name: str, text: str) -> None:
        """Write a file into a generation's root.

        Raises:
            InstallError: ENV021 when the disk is full, ENV024 when the system refuses.
        """
        place = self.prefix(id_) / name
        with environment_errors(place):
            write_atomic(place, text)

    def free_name(self, stem: str) -> str:
        """Return the id for a new generation: the stem, numbered where it is taken, if by a link alone."""
        taken = self.in_use()
        return unique_name(stem, lambda name: name in taken or links.is_there(self.prefix(name)))

    def keep(self, one: Generation) -> None:
        """Write the record that says a generation is proved.

        Raises:
            InstallError: ENV021 when the disk is full, ENV024 when the system refuses.
        """
        self.write(one.id, RECORD, one.to_json())

    def set_failed(self, id_: str) -> Path:
        """Keep a generation that was not proved under a name of its own, and only the newest such of its id."""
        for path in failed_in(self.folder, id_):
            remove_folder(path)
        kept = self.folder / failed_name(id_)
        with environment_errors(kept):
            self.prefix(id_).rename(kept)
        return kept

    def discard(self, id_: str) -> None:
        """Remove a generation, half-built or whole."""
        gone = self.folder / f"{_GONE}{id_}"
        with environment_errors(gone):
            if links.is_there(self.prefix(id_)):
                self.prefix(id_).rename(gone)
                remove_folder(gone)

    def switch(self, id_: str) -> str:
        """Make a generation current in one step.

        Returns:
            The name under which what others had made is kept, where that stood in the link's place; else empty.

        Raises:
            InstallError: ENV024 when the system refuses; then what was current still is.
        """
        with environment_errors(self.link):
            store_names.note(self._history, self.current())
            aside = self._set_aside(id_) if self.is_foreign() else ""
            if not aside:
                links.point(self.link, self.prefix(id_), self._spare)
            store_names.note(self._history, id_)
        return aside

    def _set_aside(self, id_: str) -> str:
        """Let the link and what stands in its place change places."""
        place = self._aside / free_aside(self._aside, self.link.name)
        place.parent.mkdir(exist_ok=True)
        links.make(place, self.prefix(id_), self.link.parent)
        store_names.note(self._history, place.name)
        links.exchange(self.link, place)
        return place.name

    def restore(self, aside: str) -> str:
        """Put back what others had made.

        Returns:
            The name under which what others had made is kept that stood there now; empty where that was ours.

        Raises:
            InstallError: ENV024 when the system refuses; then what was current still is.
        """
        place, made_way = self._aside / aside, ""
        with environment_errors(self.link):
            store_names.note(self._history, self.current())
            if not links.is_there(self.link):
                place.rename(self.link)
            elif self.is_foreign():
                made_way = free_aside(self._aside, self.link.name)
                links.exchange(self.link, place)
                place.rename(self._aside / made_way)
            else:
                links.exchange(self.link, place)
                links.unlink(place)
            for name in (made_way, aside):
                store_names.note(self._history, name)
        return made_way

    def asides(self) -> tuple[str, ...]:
        """Return the names of what was moved aside and is still kept, oldest first."""
        found = asides_in(self._aside, self.link.name)
        return tuple(path.name for path in found if not self._is_ours(path))

    def uses(self) -> tuple[tuple[str, str], ...]:
        """Return what was current when, oldest first: id or name, and time (UTC, RFC 3339)."""
        return store_names.read(self._history)

    def last_uses(self) -> dict[str, str]:
        """Return id or name → when it last became current, under this name or another beside it."""
        return store_names.last_uses(self.root)

    def in_use(self) -> frozenset[str]:
        """Return the ids that a link points to: this one, or another one beside it that shares the generations."""
        names = (*store_names.links_with(self.root), self.link.name)
        targets = (links.read(self.link.with_name(name)) for name in names)
        return frozenset(target.name for target in targets if target is not None)

    def failed(self) -> tuple[str, ...]:
        """Return the names of generations that were not proved and are kept for looking into."""
        return tuple(path.name for path in failed_in(self.folder))

    def _is_ours(self, path: Path) -> bool:
        """Say whether something is a link to a generation, made for the place of the link."""
        target = links.read(path, self.link.parent)
        return target is not None and target.parent.resolve() == self.folder.resolve()


def _is_same(one: Path, other: Path) -> bool:
    """Say whether two names are of one folder."""
    try:
        return one == other or one.samefile(other)
    except OSError:
        return False
