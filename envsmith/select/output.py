"""The lines that tell of a choice: the machine, what was taken, and what was not and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from envsmith.errors import HostError
from envsmith.select.rules import UNKNOWN, BackendVerdict
from envsmith.select.select import LockChoice, LockVerdict, Selection

Lines = list[tuple[str, str]]
MOST = 2
SHOWN = 4


def selection_lines(selection: Selection) -> Lines:
    """Return label and text of the three lines: host, choice, runners-up."""
    lines = [("host", f"{selection.host} · Python {selection.python}")]
    best = selection.choice
    if best is None:
        lines.append(("choice", "nothing on record works here"))
    else:
        lines.append(("choice", f"{best.title}: {_because(best)}"))
    others = "; ".join(_others(best, selection.verdicts))
    return [*lines, ("others", others or "none")]


def lock_choice_lines(choice: LockChoice) -> Lines:
    """Return label and text of the three lines for a lock that was chosen."""
    best = choice.best
    working = [item for item in choice.others if item.verdict.works]
    here = [
        item for item in choice.others if item.target.python == choice.python and item.is_for(choice.host)
    ]
    refused = [item.verdict for item in here if _is_near(item.verdict, best.verdict)]
    alike = [item for item in _one_each(working, best) if _is_alike(item, best)]
    others = [item.title for item in _one_each(working, best)][:MOST] + list(_refusals(refused))[:MOST]
    equal = (
        f"; as good: {', '.join(item.profile for item in alike)}; `default-profiles` decides" if alike else ""
    )
    return [
        ("host", f"{choice.host} · Python {choice.python}"),
        ("choice", f"{best.title}: {_because(best.verdict)}{equal}"),
        ("others", "; ".join(others) or "no other lock fits"),
    ]


def show_lock_choice(choice: LockChoice, *, explain: bool) -> None:
    """Print the three lines of a choice, and with `explain` a row for every lock."""
    from envsmith.console import printer

    for label, text in lock_choice_lines(choice):
        printer.labelled(label, text)
    if explain:
        here = [item for item in (choice.best, *choice.others) if item.is_for(choice.host)]
        rows = [(item.profile, item.target.slug, *all_lines([item.verdict])[0][1:]) for item in here]
        printer.table(("profile", "target", "torch", "answer", "why"), rows)
        if left := len(choice.others) + 1 - len(here):
            printer.labelled("", f"and {left} for other systems")


def show_only_lock(name: str, misfit: HostError) -> None:
    """Say that a lock is taken for want of another, and why the machine would not have it.

    Args:
        name: of the profile.
        misfit: what was said of it.
    """
    from envsmith.console import printer

    why = dict(misfit.details).get(name, misfit.message)
    printer.labelled(
        "choice", f"{name}, the only one that is locked, though this machine does not decide for it: {why}"
    )


def all_lines(verdicts: Iterable[BackendVerdict]) -> list[tuple[str, str, str, str]]:
    """Return one row per backend: name, newest torch, answer, and why."""
    return [
        (
            str(item.backend),
            f"{item.torch}{' (PyPI)' if item.index == 'pypi' else ''}" if item.torch else "-",
            item.status,
            "; ".join((item.reason, *item.notes)),
        )
        for item in verdicts
    ]


def _because(best: BackendVerdict) -> str:
    return "; ".join((best.reason, *best.notes))


def _others(best: BackendVerdict | None, verdicts: Sequence[BackendVerdict]) -> Iterable[str]:
    working = [item for item in verdicts if item.works and item is not best]
    for item in [one for one in working if one.backend.family != "cpu"][:MOST]:
        yield item.title
    refused = [item for item in verdicts if _is_near(item, best)]
    yield from list(_refusals(refused))[:MOST]
    for item in (one for one in working if one.backend.family == "cpu"):
        yield item.title


def _is_near(item: BackendVerdict, best: BackendVerdict | None) -> bool:
    """Say whether it is worth a word that a backend is not taken: it is newer, or a GPU is there for it."""
    if item.works or item.cause in ("device", "wheels"):
        return False
    is_other = best is None or item.backend.family != best.backend.family
    return is_other or (best is not None and item.backend.version > best.backend.version)


def _refusals(refused: Iterable[BackendVerdict]) -> Iterable[str]:
    """Yield ``not cu130, cu132: needs driver ≥ 580``: backends with the same reason together."""
    groups: dict[tuple[str, str], list[str]] = {}
    for item in refused:
        sure = "perhaps" if item.status == UNKNOWN else "not"
        groups.setdefault((sure, item.reason), []).append(str(item.backend))
    for (sure, reason), names in groups.items():
        several = list(dict.fromkeys(names))
        older = f" and {len(several) - SHOWN} older" if len(several) > SHOWN else ""
        yield f"{sure} {', '.join(several[:SHOWN])}{older}: {reason}"


def _is_alike(item: LockVerdict, best: LockVerdict) -> bool:
    one, other = item.verdict, best.verdict
    return (one.backend, one.torch) == (other.backend, other.torch)


def _one_each(working: Iterable[LockVerdict], best: LockVerdict) -> Iterable[LockVerdict]:
    """Yield the best lock of each profile but the chosen one."""
    seen = {best.profile}
    for item in working:
        if item.profile not in seen:
            seen.add(item.profile)
            yield item
