"""Generations: environments built beside each other, one of them current by a link, as in Nix.

Next to the link ``.venv`` is the folder ``.envsmith``::

    g/<6 hex digits>/       an environment; it contains a mark, and a record once it is verified
    aside/.venv-<time>/     an environment not managed by envsmith that the link replaced
    digests/<id>.json       digests of an environment's RECORDs and start-up files
    history-.venv.jsonl     the targets of the link
    left                    names of generations that could not be removed

One that failed its verification is kept for inspection, with another mark instead of the record. Earlier versions
wrote to ``generations/<profile>-<digest>``, and renamed what failed; `prefix` finds all of them.

With a store elsewhere, all but ``aside`` is in a subfolder of the store, one for each project. Only folders with names
of this form and our mark are removed.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from envsmith.environment import kept_digests
from envsmith.environment.generation import FAILED, FOLDERS, RECORD, Generation, folder_of, is_id
from envsmith.environment.prefix import interpreter_path
from envsmith.errors import InstallError
from envsmith.files.atomic import write_atomic
from envsmith.files.locks import lock_directory, lock_owner
from envsmith.files.os_errors import environment_errors, retried
from envsmith.files.own_folder import (
    MARK,
    first_link,
    has_mark,
    is_link,
    make_marked,
    read_own,
    remove_folder,
)
from envsmith.install import links, store_names
from envsmith.install.store_names import (
    REMOVED,
    append_history,
    asides_in,
    free_aside,
    id_in,
    is_failed,
    lost_files,
    recorded_folders,
)
from envsmith.model.windows_errors import reason_of

FOLDER = ".envsmith"
_MAX_WAIT_S = 7200.0
"""For another process that changes the generations, on Windows; elsewhere there is no limit."""

if TYPE_CHECKING:
    from envsmith.process.runner import Processes


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationStore:
    """The generations of one link.

    Args:
        link: the path of ``.venv``, or of another --prefix.
        store: keep the generations in a subfolder of this folder, instead of beside the link.
        processes: programs started under the lock keep it if this process is killed.
        notify: called with one line for each wait and each removal.
        words: the command line that installs the environment, for hints.

    Raises:
        InstallError: ENV035 when a folder of the project that is to be changed is a link.
    """

    link: Path
    store: Path | None = None
    processes: Processes | None = None
    notify: Callable[[str], None] = lambda _: None
    words: Sequence[str] = ("install",)
    root: Path = field(init=False)
    """The folder of all files but environments not managed by envsmith."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "link", Path(os.path.abspath(self.link)))  # noqa: PTH100 - resolves no links
        object.__setattr__(self, "root", self._own_root())
        self._check_links(
            self.link.parent, *self._folders, *(() if self.store else (self._aside, self.root / "digests"))
        )

    def _own_root(self) -> Path:
        if self.store is None:
            return self.link.parent / FOLDER
        import hashlib  # imported here: slow, and `rollback` seldom needs it

        project = os.path.realpath(self.link.parent)
        key = hashlib.sha256(os.fsencode(project)).hexdigest()[:12]
        # Unlike `Path.expanduser`, it keeps the name of an unknown user.
        store = os.path.abspath(os.path.expanduser(self.store))  # noqa: PTH100, PTH111
        return Path(store, f"{Path(project).name}-{key}")

    def _check_links(self, *folders: Path) -> None:
        """Check that folders are reached without a link below the project, the folder of the link, and the store."""
        for folder in folders:
            bases = (Path.cwd(), self.link.parent, self.root.parent)
            for base in filter(folder.is_relative_to, bases):
                if found := first_link(base, folder):
                    raise self._link_error(found, folder)

    def _link_error(self, found: Path, folder: Path) -> InstallError:
        where = target = os.path.realpath(found)
        dropped = {"--store", str(self.store), f"--store={self.store}"} if self.store else set[str]()
        if folder == self.link.parent:
            where = os.path.realpath(self.root)
            dropped |= {"--prefix", os.path.relpath(self.link), str(self.link)}
        words = [word for word in self.words if word not in dropped]
        return InstallError(
            "ENV035",
            f"this is a link to {target}: envsmith keeps and removes environments only in folders of the project",
            where=str(found),
            hint="replace the link by a folder, or name the place from outside the project: "
            f"`ENVSMITH_STORE={shlex.quote(where)} {shlex.join(('envsmith', *words))}`",
        )

    @property
    def folder(self) -> Path:
        """The folder of new generations."""
        return self._folders[0]

    @property
    def _folders(self) -> tuple[Path, ...]:
        return tuple(self.root / name for name in FOLDERS)

    @property
    def _aside(self) -> Path:
        """The folder of environments not managed by envsmith; always on the file system of the link."""
        return self.link.parent / FOLDER / "aside"

    @property
    def _spare(self) -> Path:
        if self.store is None:
            return self.root / f"link-{self.link.name}"
        return self.link.with_name(f".{self.link.name}.envsmith-new")

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
            _ignore(self.root)
        busy = self.root / "busy"
        with (
            lock_directory(
                self.root, lambda: self.notify(f"waiting for {lock_owner(busy)}"), _MAX_WAIT_S
            ) as handle,
            self._pass_on(handle),
        ):
            with environment_errors(self.root):
                is_recovered = self._recover()
                write_atomic(busy, f"process {os.getpid()}: {doing}\n")
            try:
                yield is_recovered
            finally:
                with suppress(OSError):  # the next process finds it, and looks for incomplete changes
                    retried(busy.unlink)

    def _pass_on(self, handle: int | None) -> AbstractContextManager[None]:
        return self.processes.passing_on(handle) if self.processes else nullcontext()

    def _recover(self) -> bool:
        links.recover(self.link, self._spare)
        if self._has_asides():
            for name in {path.name.removesuffix(links.EXCHANGED) for path in self._aside.iterdir()}:
                aside = self._aside / name
                if store_names.is_aside(name, self.link.name):
                    links.recover_exchange(self.link, aside)
                    if self._is_ours(aside):
                        links.unlink(aside)
        left = self._left()
        incomplete = [name for name in self._names() if name not in left and self._is_incomplete(name)]
        is_removed = [self._remove(self.prefix(name)) for name in incomplete]
        return any(is_removed) or links.exists(self.root / "busy")

    def _names(self) -> tuple[str, ...]:
        """Return the names of generations, also of failed ones and those being removed."""
        with environment_errors(self.folder, "read"):
            found = [path for folder in self._folders if folder.is_dir() for path in folder.iterdir()]
            return tuple(sorted(path.name for path in found if self._is_name(path) and not is_link(path)))

    def _is_name(self, path: Path) -> bool:
        return id_in(path.name) != "" and self.prefix(path.name) == path

    def _is_incomplete(self, name: str) -> bool:
        is_removing = name.startswith(REMOVED)
        return is_removing or not (self._is_failed(name) or links.exists(self.prefix(name) / RECORD))

    def _is_failed(self, name: str) -> bool:
        prefix = self.prefix(name)
        return is_failed(name) or (links.exists(prefix / FAILED) and not links.exists(prefix / RECORD))

    def _is_own(self, path: Path) -> bool:
        """Return whether a folder has our mark, or the record of envsmith before there were marks."""
        id_ = id_in(path.name)
        recorded = self._read_record(path)
        return has_mark(path, id_) or (recorded is not None and recorded.id == id_)

    def _left(self) -> tuple[str, ...]:
        """Return the names of folders that could not be removed, which was reported; any text of the project's."""
        with suppress(OSError):  # unreadable: they are reported again
            return tuple(read_own(self.root / "left").splitlines())
        return ()

    def _remove(self, path: Path) -> bool:
        """Remove a folder if it has our mark; one that cannot be removed is reported once and left.

        Returns:
            Whether it was removed.
        """
        shown = path if self.store else path.relative_to(self.link.parent)
        why = "it has no mark of envsmith" if path.is_dir() else "not a folder"
        if self._is_own(path):
            try:
                # First the record: what is left is incomplete, and by its mark still ours.
                with suppress(OSError):
                    write_atomic(path / MARK, f"{id_in(path.name)}\n")
                remove_folder(path, MARK, first=(RECORD, FAILED))
            except OSError as error:
                why = reason_of(error).lower()
            else:
                name = path.name.removeprefix(REMOVED).partition("~")[0]
                self.notify(f"removed {shown.with_name(name)}")
                return True
        left = self._left()
        if path.name not in left:
            self.notify(f"{shown} is not removed: {why}; delete it yourself if you do not need it")
            kept = [name for name in left if id_in(name) and links.exists(self.prefix(name))]
            with suppress(OSError):  # reported again the next time
                write_atomic(self.root / "left", "".join(f"{name}\n" for name in [*kept, path.name]))
        return False

    def current(self) -> str:
        """Return the id of the current generation; empty if the link is not ours."""
        target = links.read(self.link)
        return target.name if target is not None and self._is_ours(self.link) else ""

    def is_foreign(self) -> bool:
        """Return whether the link's path is taken by anything but our link."""
        return not self.current() and links.exists(self.link)

    def prefix(self, name: str) -> Path:
        """Return the root folder of a generation; it also has another name if an earlier version left it so."""
        return self.root / (folder_of(id_in(name)) or FOLDERS[0]) / name

    def folder_of(self, name: str) -> Path:
        """Return the folder of a generation, or of an environment not managed by envsmith."""
        aside = self._aside / name
        return aside if links.exists(aside) else self.prefix(name)

    def has_interpreter(self, id_: str) -> bool:
        """Return whether the interpreter of a generation exists."""
        return interpreter_path(self.prefix(id_)).exists()

    def generation(self, id_: str) -> Generation | None:
        """Return a verified generation; None without one of that id."""
        return self._read_record(self.prefix(id_)) if is_id(id_) else None

    @staticmethod
    def _read_record(folder: Path) -> Generation | None:
        try:
            return Generation.from_json(read_own(folder / RECORD))
        except (OSError, ValueError):
            return None

    def generations(self) -> tuple[Generation, ...]:
        """Return all verified generations, oldest first."""
        found = [one for name in self._names() if (one := self.generation(name))]
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

    def keep_digests(self, id_: str, digests: Mapping[str, str]) -> None:
        """Keep the digests of a new generation outside it.

        Raises:
            InstallError: ENV021 when the disk is full, ENV024 for any other OS error.
        """
        with environment_errors(self.prefix(id_)):
            kept_digests.keep(self.prefix(id_), digests)

    def is_unchanged(self, generation: Generation) -> bool:
        """Return whether the files with kept digests are unchanged; false for a generation without digests."""
        return kept_digests.changes(self.prefix(generation.id)) == ()

    def watched_paths(self, generation: Generation) -> tuple[Path, ...]:
        """Return the paths that change if a generation is no longer current and intact.

        The last one exists only while a process changes the generations, or after it was killed.
        """
        prefix = self.prefix(generation.id)
        return (
            self.link,
            prefix / RECORD,
            prefix / generation.site,
            prefix / "pyvenv.cfg",
            interpreter_path(prefix),
            interpreter_path(prefix).parent,
            self.root / "busy",
            *filter(None, (kept_digests.place_of(prefix),)),
        )

    def watched_folders(self, generation: Generation) -> tuple[str, tuple[str, ...]]:
        """Return ``site-packages``, and the folders of its code, which change if a file is added or deleted."""
        site = self.prefix(generation.id) / generation.site
        return os.fspath(site), recorded_folders(site, generation.folders)

    def write(self, id_: str, name: str, text: str) -> None:
        """Write a file into the root folder of a generation.

        Raises:
            InstallError: ENV021 when the disk is full, ENV024 for any other OS error.
        """
        path = self.prefix(id_) / name
        with environment_errors(path):
            write_atomic(path, text)

    def free_id(self, digest: str) -> str:
        """Return a free id for a generation; a failed one that was built from the same lock is removed for it.

        Args:
            digest: hexadecimal sha256 of the lock: the id is its beginning, or that of further digests of it if a
                folder or a broken link has that name.
        """
        import hashlib  # imported here: slow, and `rollback` does not need it

        taken = {*self.in_use(), *map(id_in, self._left())}
        while (id_ := digest[:6]) in taken or links.exists(self.prefix(id_)):
            if id_ not in taken and self._is_failed(id_) and self._remove(self.prefix(id_)):
                break
            digest = hashlib.sha256(digest.encode()).hexdigest()
        return id_

    def record(self, generation: Generation) -> None:
        """Write the record of a verified generation.

        Raises:
            InstallError: ENV021 when the disk is full, ENV024 for any other OS error.
        """
        self.write(generation.id, RECORD, generation.to_json())

    def create(self, id_: str) -> Path:
        """Create the folder of a generation, with our mark in it; return it.

        Raises:
            InstallError: ENV021 when the disk is full, ENV024 for any other OS error.
        """
        with environment_errors(self.prefix(id_)):
            make_marked(self.prefix(id_), id_)
        return self.prefix(id_)

    def set_failed(self, id_: str) -> Path:
        """Mark a generation that failed its verification, which keeps its name; return its folder."""
        kept = self.prefix(id_)
        with environment_errors(kept):
            (kept / RECORD).unlink(missing_ok=True)  # a package may have brought one
            write_atomic(kept / FAILED, "")
        return kept

    def discard(self, name: str) -> bool:
        """Remove a generation, complete or not; return whether it existed and was removed."""
        path = self.prefix(name)
        with suppress(OSError):  # without a generation of this id, its digests are ignored
            kept_digests.forget(path)
        return links.exists(path) and self._remove(path)

    def check_link(self) -> None:
        """Check that the file system has links, as exFAT and some network shares do not.

        Raises:
            InstallError: ENV024 when it has none.
        """
        with environment_errors(self.link):
            links.make(self._spare, self.folder, self.link.parent)
            links.unlink(self._spare)

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
        self._check_links(self._aside)
        place = self._aside / free_aside(self._aside, self.link.name)
        place.parent.mkdir(parents=True, exist_ok=True)
        _ignore(place.parents[1])
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
                retried(place.rename, self.link)
            elif self.is_foreign():
                replaced = free_aside(self._aside, self.link.name)
                links.exchange(self.link, place)
                retried(place.rename, self._aside / replaced)
            else:
                links.exchange(self.link, place)
                links.unlink(place)
            for name in (replaced, aside):
                append_history(self._history, name)
        return replaced

    def asides(self) -> tuple[str, ...]:
        """Return the names of the environments in ``aside``, oldest first."""
        with environment_errors(self._aside, "read"):
            found = asides_in(self._aside, self.link.name) if self._has_asides() else ()
            return tuple(path.name for path in found if not self._is_ours(path))

    def _has_asides(self) -> bool:
        return self._aside.is_dir() and not first_link(self.link.parent, self._aside)

    def uses(self) -> tuple[tuple[str, str], ...]:
        """Return the history of the link, oldest first: id or name, and time (UTC, RFC 3339)."""
        return store_names.read_history(self._history)

    def last_uses(self) -> dict[str, str]:
        """Return id or name → time it last became current, of this link or another beside it."""
        return store_names.last_uses(self.root)

    def in_use(self, *, is_deep: bool = False) -> frozenset[str]:
        """Return the ids of the generations that links lead to, directly or by other links.

        Args:
            is_deep: search the whole project, not only the folder of the link.
        """
        folders = tuple(map(os.path.realpath, self._folders))
        found = set[str]()
        places = {self.link.parent, *((Path.cwd(),) if is_deep else ())}
        for link in (link for place in places for link in links.links_in(place, is_deep=is_deep)):
            first = links.read(link) or link
            nearest = Path(os.path.realpath(first.parent), first.name)
            for target in (nearest, Path(os.path.realpath(link))):
                for folder in filter(target.is_relative_to, folders):
                    found.update(target.relative_to(folder).parts[:1])
        return frozenset(found)

    def leftovers(self) -> tuple[str, ...]:
        """Return the names of failed generations, and of those whose removal failed before."""
        # Names of the folder, not texts of the file, which may be paths out of it.
        left = {*self._left()}
        return (*self.failed(), *(one for one in self._names() if one in left and self._is_incomplete(one)))

    def failed(self) -> tuple[str, ...]:
        """Return the names of failed generations."""
        names = (name for name in self._names() if not name.startswith(REMOVED))
        return tuple(name for name in names if self._is_failed(name))

    def _is_ours(self, path: Path) -> bool:
        """Return whether a path is a link to a generation, relative to the folder of the link."""
        target = links.read(path, self.link.parent)
        if target is None or not is_id(target.name):
            return False
        return os.path.realpath(target.parent) == os.path.realpath(self.prefix(target.name).parent)


def _ignore(root: Path) -> None:
    """Keep git from listing a folder of envsmith."""
    with suppress(OSError):  # unreadable: written again
        if read_own(root / ".gitignore") == "*\n":
            return
    write_atomic(root / ".gitignore", "*\n")


def _is_same_folder(one: Path, other: Path) -> bool:
    try:
        return one == other or one.samefile(other)
    except OSError:
        return False
