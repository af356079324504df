"""What ``envsmith install``, ``generations`` and ``rollback`` show.

What ``envsmith rollback`` and ``envsmith generations`` show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from envsmith.console import printer

if TYPE_CHECKING:
    from envsmith.environment.model import Generation
    from envsmith.install.install import InstallResult
    from envsmith.install.space_needed import SpaceNeeded
    from envsmith.install.switch import GenerationListing, SwitchResult

_STATES = {"failed": "not proved", "foreign": "made by others"}


def installed(
    done: InstallResult, link: Path, cost: tuple[int, int] | None = None, *, as_json: bool = False
) -> None:
    """Print what an install did, and what it cost: bytes of its own, and shared ones."""
    if as_json:
        bytes_ = {"own_bytes": cost[0], "shared_bytes": cost[1]} if cost else {}
        printer.envelope("install", "ok", {**asdict(done), **bytes_})
        return
    one = done.generation
    packages = "1 package" if len(one.folders) == 1 else f"{len(one.folders)} packages"
    files = f"{packages} · {one.files:,} files"
    imports = " · ".join(
        f"{item.name}{f' {item.version}' if item.version else ''} imports ({item.seconds:.1f} s)"
        for item in done.imports
    )
    if done.need:
        _need(done.need, len(one.folders))
    if done.how == "built":
        ran = " · ".join(f"`{item.name}` runs ({item.seconds:.1f} s)" for item in done.runs)
        printer.labelled("proved", " · ".join(filter(None, (files, imports, ran))))
    if cost:
        own, shared = map(printer.size, cost)
        printer.labelled("cost", f"{own} of its own · {shared} shared with uv's cache or other environments")
    if done.aside:
        printer.labelled(
            "aside", f"{link} was not envsmith's: kept in {link.parent / '.envsmith' / 'aside' / done.aside}"
        )
    before = ""
    if done.before or done.aside:
        place = "" if str(link) == ".venv" else f" --prefix {quote(str(link))}"
        before = f"  (before: {done.before or done.aside}; `envsmith rollback{place}` returns to it)"
    if done.how == "unchanged":
        printer.labelled("current", idle(one, link)[printer.LABEL :])
    else:
        printer.labelled("current", f"{link} → {one.id}{before}")


def _need(need: SpaceNeeded, packages: int) -> None:
    """Say what was fetched; sizes that nobody tells beforehand are not in it."""
    what = f"{need.fetched} of {packages} packages" if need.fetched else "nothing: uv's cache has all"
    bytes_ = f", {printer.size(need.fetched_bytes)} known beforehand" if need.fetched_bytes else ""
    printer.labelled(
        "fetched", f"{what}{bytes_} · {printer.size(max(need.free_after_bytes, 0))} free by then"
    )


def idle(one: Generation, link: Path) -> str:
    """Return the line that says that there was nothing to do."""
    packages = "1 package" if len(one.folders) == 1 else f"{len(one.folders)} packages"
    text = f"{link} → {one.id}: nothing to do  ({packages} · {one.files:,} files)"
    return f"{'current':<{printer.LABEL}}{printer.plain(text)}"


def waiting(holder: str) -> None:
    """Say for whom one waits."""
    printer.say(f"waiting for {holder}", err=True)


def switched(done: SwitchResult, link: Path, *, as_json: bool) -> None:
    """Print what is current now."""
    if as_json:
        printer.envelope("rollback", "ok", asdict(done))
        return
    before = done.before or done.aside
    after = f"  (before: {before}; `envsmith rollback` returns to it)" if before else ""
    if done.is_foreign:
        printer.labelled("current", f"{link} is again what it was before envsmith's first install{after}")
    else:
        printer.labelled("current", f"{link} → {done.id}{after}")


def listed(found: Sequence[GenerationListing], gone: Sequence[str], *, as_json: bool) -> None:
    """Print the list, and what was removed."""
    if as_json:
        data = {"generations": [asdict(item) for item in found], "removed": list(gone)}
        printer.envelope("generations", "ok", data)
        return
    if found:
        head = ("", "generation", "torch", "python", "used", "own", "shared")
        printer.table(head, [_row(item) for item in found], indent=0)
    else:
        printer.say("there is no environment of envsmith's here", err=True)
    for name in gone:
        printer.labelled("removed", name)


def _row(item: GenerationListing) -> tuple[str, ...]:
    one = item.generation
    return (
        "→" if item.is_current else " ",
        item.id,
        one.torch or "-" if one else _STATES[item.kind],
        one.python if one else "-",
        item.used_utc.replace("T", " ").removesuffix("Z") or "never",
        printer.size(item.own_bytes),
        printer.size(item.shared_bytes),
    )
