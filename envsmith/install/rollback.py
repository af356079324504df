"""`envsmith rollback` and `envsmith generations`: switch between generations, list them, remove old ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from envsmith.environment.generation import Generation
from envsmith.errors import InstallError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from envsmith.install.generation_store import GenerationStore

_MAX_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchResult:
    """The current environment after a switch, and the previous one."""

    id: str
    """Id of a generation, or name of an environment not managed by envsmith."""
    is_foreign: bool
    generation: Generation | None
    before: str
    aside: str
    """Name in ``.envsmith/aside`` of an environment not managed by envsmith that was replaced; else empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationListing:
    """One line of `envsmith generations`."""

    id: str
    is_current: bool
    generation: Generation | None
    """None for failed generations, and environments not managed by envsmith."""
    kind: Literal["proved", "failed", "foreign"]
    """Verified, failed its verification, or not managed by envsmith."""
    used_utc: str
    """Time it last became current; empty if never."""
    own_bytes: int
    shared_bytes: int


def rollback(target: str, store: GenerationStore, *, is_forced: bool = False) -> SwitchResult:
    """Switch to a generation, or restore an environment not managed by envsmith.

    Args:
        target: id, unique beginning of an id, name, or profile with one generation; empty for the previous one.
        store: the generations.
        is_forced: switch even to a generation with missing files.

    Raises:
        InstallError: ENV030 when there is no such environment, ENV031 when its interpreter is missing, ENV034 when
            files of it are.
    """
    if not store.generations() and not store.asides():
        raise _not_found("no previous environment found", [])  # before the lock creates any file
    with store.lock("switching back"):
        before = store.current()
        profiles = {generation.id: generation.profile for generation in store.generations()}
        foreign = store.asides()
        profiles |= dict.fromkeys(foreign, "")
        id_ = _match(target, profiles) if target else _previous(store, [*profiles])
        if id_ in foreign:
            aside = store.restore(id_)
            return SwitchResult(id=id_, is_foreign=True, generation=None, before=before, aside=aside)
        generation = store.generation(id_)
        _check_interpreter(id_, store)
        if generation and not is_forced:
            _check_files(generation, store)
        aside = store.switch(id_)
        return SwitchResult(id=id_, is_foreign=False, generation=generation, before=before, aside=aside)


def _check_interpreter(id_: str, store: GenerationStore) -> None:
    if not store.has_interpreter(id_):
        raise InstallError(
            "ENV031",
            f"cannot switch to {id_}: its interpreter is missing",
            where=str(store.prefix(id_)),
            hint="install the Python it was created with, or run `envsmith install`",
        )


def _check_files(generation: Generation, store: GenerationStore) -> None:
    if lost := store.lost_files(generation):
        more = f" and {len(lost) - _MAX_NAMED} more" if len(lost) > _MAX_NAMED else ""
        files = "1 file is" if len(lost) == 1 else f"{len(lost)} files are"
        raise InstallError(
            "ENV034",
            f"cannot switch to {generation.id}: {files} missing or changed: "
            f"{', '.join(lost[:_MAX_NAMED])}{more}; the current environment is unchanged",
            where=str(store.prefix(generation.id)),
            hint=f"rebuild it with `envsmith install {generation.profile}`, or switch anyway with --force",
        )


def _match(target: str, profiles: dict[str, str]) -> str:
    names = [*profiles]
    found = (
        [name for name in names if name == target]
        or [name for name in names if profiles[name] == target]
        or [name for name in names if name.startswith(target)]
    )
    if len(found) == 1:
        return found[0]
    raise _not_found(
        f"{target!r} is ambiguous: {' or '.join(found)}" if found else f"environment {target!r} not found",
        names,
    )


def _previous(store: GenerationStore, names: list[str]) -> str:
    """Return the previous environment by the history; without one the newest that was never current."""
    current = store.current()
    used = [id_ for id_, _ in store.uses()]
    for id_ in (*reversed(used), *reversed(names)):
        if id_ != current and id_ in names:
            return id_
    raise _not_found("no previous environment found", names)


def _not_found(problem: str, names: list[str]) -> InstallError:
    return InstallError(
        "ENV030",
        problem,
        where="envsmith rollback",
        details=tuple(("found", name) for name in names),
        hint="run `envsmith generations` for a list",
    )


def list_generations(
    store: GenerationStore, measure: Callable[[Path], tuple[int, int]]
) -> tuple[GenerationListing, ...]:
    """List generations in order of their last use, then failed ones, then environments not managed by envsmith.

    Args:
        store: the generations.
        measure: returns own and shared bytes of a folder.
    """
    used = store.last_uses()
    current = store.current()
    verified = sorted(store.generations(), key=lambda item: used.get(item.id, ""))
    entries: list[tuple[str, Generation | None, Literal["proved", "failed", "foreign"]]] = [
        *((generation.id, generation, "proved") for generation in verified),
        *((name, None, "failed") for name in store.failed()),
        *((name, None, "foreign") for name in store.asides()),
    ]
    found = []
    for id_, generation, kind in entries:
        own, shared = measure(store.folder_of(id_))
        found.append(
            GenerationListing(
                id=id_,
                is_current=id_ == current,
                generation=generation,
                kind=kind,
                used_utc=used.get(id_, ""),
                own_bytes=own,
                shared_bytes=shared,
            )
        )
    return tuple(found)


def prune(count: int, store: GenerationStore) -> tuple[str, ...]:
    """Remove failed generations, and all but the last used ones; those that a link of the project leads to are kept.

    Args:
        count: number of generations to keep.
        store: the generations.

    Returns:
        The names removed, never one of an environment not managed by envsmith.
    """
    with store.lock("removing old environments"):
        used = store.last_uses()
        in_use = store.in_use(is_deep=True)
        newest_first = sorted(
            store.generations(),
            key=lambda item: (item.id in in_use, used.get(item.id, ""), item.built_utc),
            reverse=True,
        )
        removed = [item.id for item in newest_first[count:] if item.id not in in_use]
        return tuple(name for name in (*removed, *store.leftovers()) if store.discard(name))
