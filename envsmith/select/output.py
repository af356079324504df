"""Output of a selection: the machine, the choice, and the other candidates with reasons."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from envsmith.errors import HostError
from envsmith.select.select import LockChoice, LockVerdict, Selection
from envsmith.select.verdicts import UNKNOWN, BackendVerdict

Lines = list[tuple[str, str]]
_SHOWN_OTHERS = 2
_SHOWN_NAMES = 4


def selection_lines(selection: Selection) -> Lines:
    """Return label and text of three lines: host, choice, others."""
    lines = [("host", f"{selection.host} · Python {selection.python}")]
    best = selection.choice
    if best is None:
        lines.append(("choice", "no known build works here"))
    else:
        lines.append(("choice", f"{best.title}: {_because(best)}"))
    others = "; ".join(_others(best, selection.verdicts))
    return [*lines, ("others", others or "none")]


def lock_choice_lines(choice: LockChoice) -> Lines:
    """Return label and text of three lines for a chosen lock."""
    best = choice.best
    working = [item for item in choice.others if item.verdict.works]
    here = [
        item for item in choice.others if item.target.python == choice.python and item.is_for(choice.host)
    ]
    refused = [item.verdict for item in here if _is_near(item.verdict, best.verdict)]
    alike = [item for item in _best_per_profile(working, best) if _is_equal(item, best)]
    others = [item.title for item in _best_per_profile(working, best)][:_SHOWN_OTHERS] + list(
        _refusals(refused)
    )[:_SHOWN_OTHERS]
    equal = (
        f"; equally good: {', '.join(item.profile for item in alike)} (`default-profiles` sets the preference)"
        if alike
        else ""
    )
    return [
        ("host", f"{choice.host} · Python {choice.python}"),
        ("choice", f"{best.title}: {_because(best.verdict)}{equal}"),
        ("others", "; ".join(others) or "no other lock fits"),
    ]


def show_lock_choice(choice: LockChoice, *, explain: bool) -> None:
    """Print the three lines of a choice, and with ``explain`` a table of all locks."""
    from envsmith.console import printer

    for label, text in lock_choice_lines(choice):
        printer.labelled(label, text)
    if explain:
        here = [item for item in (choice.best, *choice.others) if item.is_for(choice.host)]
        rows = [(item.profile, item.target.slug, *all_lines([item.verdict])[0][1:]) for item in here]
        printer.table(("profile", "target", "torch", "answer", "why"), rows)
        if left := len(choice.others) + 1 - len(here):
            printer.labelled("", f"{left} more for other systems")


def show_only_lock(name: str, error: HostError) -> None:
    """Print that the only locked profile is used although it was not found to fit.

    Args:
        name: of the profile.
        error: HST010 with the reason.
    """
    from envsmith.console import printer

    why = dict(error.details).get(name, error.message)
    printer.labelled("profile", f"{name} (the only locked profile; {why})")


def all_lines(verdicts: Iterable[BackendVerdict]) -> list[tuple[str, str, str, str]]:
    """Return one row per backend: name, newest torch, status, reason."""
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
    for item in [one for one in working if one.backend.family != "cpu"][:_SHOWN_OTHERS]:
        yield item.title
    refused = [item for item in verdicts if _is_near(item, best)]
    yield from list(_refusals(refused))[:_SHOWN_OTHERS]
    for item in (one for one in working if one.backend.family == "cpu"):
        yield item.title


def _is_near(item: BackendVerdict, best: BackendVerdict | None) -> bool:
    """Return whether to mention an excluded backend: it is newer than the choice, or its GPU is present."""
    if item.works or item.cause in ("device", "wheels"):
        return False
    is_other = best is None or item.backend.family != best.backend.family
    return is_other or (best is not None and item.backend.version > best.backend.version)


def _refusals(refused: Iterable[BackendVerdict]) -> Iterable[str]:
    """Yield backends grouped by reason: ``not cu130, cu132: needs driver ≥ 580``."""
    groups: dict[tuple[str, str], list[str]] = {}
    for item in refused:
        word = "perhaps" if item.status == UNKNOWN else "not"
        groups.setdefault((word, item.reason), []).append(str(item.backend))
    for (word, reason), names in groups.items():
        several = list(dict.fromkeys(names))
        older = f" and {len(several) - _SHOWN_NAMES} older" if len(several) > _SHOWN_NAMES else ""
        yield f"{word} {', '.join(several[:_SHOWN_NAMES])}{older}: {reason}"


def _is_equal(item: LockVerdict, best: LockVerdict) -> bool:
    one, other = item.verdict, best.verdict
    return (one.backend, one.torch) == (other.backend, other.torch)


def _best_per_profile(working: Iterable[LockVerdict], best: LockVerdict) -> Iterable[LockVerdict]:
    """Yield the best lock of each other profile."""
    seen = {best.profile}
    for item in working:
        if item.profile not in seen:
            seen.add(item.profile)
            yield item
