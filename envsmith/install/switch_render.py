"""What ``envsmith rollback`` and ``envsmith generations`` show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from envsmith.console import output as render

if TYPE_CHECKING:
    from envsmith.install.switch import Listed, Switched

_STATES = {"failed": "not proved", "foreign": "made by others"}


def waiting(holder: str) -> None:
    """Say for whom one waits."""
    render.say(f"waiting for {holder}", err=True)


def switched(done: Switched, link: Path, *, as_json: bool) -> None:
    """Print what is current now."""
    if as_json:
        render.envelope("rollback", "ok", asdict(done))
        return
    before = done.before or done.aside
    after = f"  (before: {before}; `envsmith rollback` returns to it)" if before else ""
    if done.is_foreign:
        render.labelled("current", f"{link} is again what it was before envsmith's first install{after}")
    else:
        render.labelled("current", f"{link} → {done.id}{after}")


def listed(found: Sequence[Listed], gone: Sequence[str], *, as_json: bool) -> None:
    """Print the list, and what was removed."""
    if as_json:
        data = {"generations": [asdict(item) for item in found], "removed": list(gone)}
        render.envelope("generations", "ok", data)
        return
    if found:
        head = ("", "generation", "torch", "python", "used", "own", "shared")
        render.table(head, [_row(item) for item in found], indent=0)
    else:
        render.say("there is no environment of envsmith's here", err=True)
    for name in gone:
        render.labelled("removed", name)


def _row(item: Listed) -> tuple[str, ...]:
    one = item.generation
    return (
        "→" if item.is_current else " ",
        item.id,
        one.torch or "-" if one else _STATES[item.kind],
        one.python if one else "-",
        item.used_utc.replace("T", " ").removesuffix("Z") or "never",
        render.size(item.own_bytes),
        render.size(item.shared_bytes),
    )
