"""Switch between environments that are there: back to the one before, to any other; list them, remove old ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from envsmith.environment.model import Generation
from envsmith.errors import InstallError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from envsmith.install.ports import EnvironmentStore

_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchResult:
    """What is current now, and what was before."""

    id: str
    """Id of a generation, or the name under which an environment made by others had been kept."""
    is_foreign: bool
    generation: Generation | None
    before: str
    aside: str
    """Name under which an environment made by others is kept that stood in the link's place; else empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationListing:
    """One generation in the list."""

    id: str
    is_current: bool
    generation: Generation | None
    """None for those that were made by others, or not proved."""
    kind: str
    """``proved``, ``failed`` or ``foreign``."""
    used_utc: str
    """When it last became current; empty where it never was."""
    own_bytes: int
    shared_bytes: int


def rollback(asked: str, environments: EnvironmentStore, *, is_forced: bool = False) -> SwitchResult:
    """Switch to a generation, or put back what others had made.

    Args:
        asked: id, its beginning where that is enough, or name; empty for the one before the current one.
        environments: those there are.
        is_forced: return even to one of which files are gone.

    Raises:
        InstallError: ENV030 when there is none before, or none of that name; ENV031 when its interpreter is gone,
            ENV034 when files of it are.
    """
    if not environments.generations() and not environments.asides():
        raise _nothing("there is nothing to return to", [])  # and nothing is left behind
    with environments.alone("switching back"):
        before = environments.current()
        names = [one.id for one in environments.generations()]
        foreign = environments.asides()
        id_ = _named(asked, [*names, *foreign]) if asked else _previous(environments, [*names, *foreign])
        if id_ in foreign:
            aside = environments.restore(id_)
            return SwitchResult(id=id_, is_foreign=True, generation=None, before=before, aside=aside)
        generation = environments.generation(id_)
        _check_interpreter(id_, environments)
        if generation and not is_forced:
            _check_files(generation, environments)
        aside = environments.switch(id_)
        return SwitchResult(id=id_, is_foreign=False, generation=generation, before=before, aside=aside)


def _check_interpreter(id_: str, environments: EnvironmentStore) -> None:
    if not environments.has_interpreter(id_):
        raise InstallError(
            "ENV031",
            f"{id_} cannot be returned to: its interpreter is gone",
            where=str(environments.prefix(id_)),
            hint="install the Python it was made with again, or run `envsmith install`",
        )


def _check_files(one: Generation, environments: EnvironmentStore) -> None:
    """Refuse to return to what is there in part only."""
    if lost := environments.lost(one):
        more = f" and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
        raise InstallError(
            "ENV034",
            f"{one.id} is damaged: {len(lost)} of its files {'is' if len(lost) == 1 else 'are'} gone or changed: "
            f"{', '.join(lost[:_NAMED])}{more}",
            where=str(environments.prefix(one.id)),
            hint=f"what was current still is; `envsmith install {one.profile}` builds what is locked, "
            "and --force returns to it as it is",
        )


def _named(asked: str, names: list[str]) -> str:
    found = [name for name in names if name == asked] or [name for name in names if name.startswith(asked)]
    if len(found) == 1:
        return found[0]
    problem = f"{asked!r} may be {' or '.join(found)}" if found else f"there is no environment {asked!r}"
    raise _nothing(problem, names)


def _previous(environments: EnvironmentStore, names: list[str]) -> str:
    """Return what was current before, by the history; else the newest that never was."""
    current = environments.current()
    used = [id_ for id_, _ in environments.uses()]
    for id_ in (*reversed(used), *reversed(names)):
        if id_ != current and id_ in names:
            return id_
    raise _nothing("there is nothing to return to", names)


def _nothing(problem: str, names: list[str]) -> InstallError:
    return InstallError(
        "ENV030",
        problem,
        where="envsmith rollback",
        details=tuple(("there is", name) for name in names),
        hint="`envsmith generations` lists what there is",
    )


def listed(
    environments: EnvironmentStore, measured: Callable[[Path], tuple[int, int]]
) -> tuple[GenerationListing, ...]:
    """List generations, oldest use first, then what failed, then what others had made.

    Args:
        environments: those there are.
        measured: returns own and shared bytes of a folder.
    """
    used = environments.last_uses()
    current = environments.current()
    proved = [(one.id, one, "proved") for one in environments.generations()]
    proved.sort(key=lambda item: used.get(item[0], ""))
    others = [(name, None, "failed") for name in environments.failed()]
    others += [(name, None, "foreign") for name in environments.asides()]
    found = []
    for id_, generation, kind in [*proved, *others]:
        own, shared = measured(environments.place(id_))
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


def keep(count: int, environments: EnvironmentStore) -> tuple[str, ...]:
    """Remove all generations but those used last, and all that failed; what is in use stays, whatever the count.

    Returns:
        The names removed; what others had made is never among them.
    """
    with environments.alone("removing old environments"):
        used = environments.last_uses()
        in_use = environments.in_use()
        order = sorted(
            environments.generations(),
            key=lambda one: (one.id in in_use, used.get(one.id, ""), one.built_utc),
            reverse=True,
        )
        gone = [one.id for one in order[count:] if one.id not in in_use] + list(environments.failed())
        for id_ in gone:
            environments.discard(id_)
    return tuple(gone)
