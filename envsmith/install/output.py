"""Output of `envsmith install`, `generations` and `rollback`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from envsmith.console import printer

if TYPE_CHECKING:
    from envsmith.environment.generation import Generation
    from envsmith.install.disk_space import SpaceNeeded
    from envsmith.install.install import InstallPlan, InstallResult
    from envsmith.install.rollback import GenerationListing, SwitchResult

_STATES = {"failed": "not verified", "foreign": "not managed by envsmith"}


def show_install(
    done: InstallResult,
    link: Path,
    cost: tuple[int, int] | None = None,
    *,
    as_json: bool = False,
    command: str = "install",
) -> None:
    """Print the result of an install; cost: own and shared bytes of the environment."""
    if as_json:
        bytes_ = {"own_bytes": cost[0], "shared_bytes": cost[1]} if cost else {}
        printer.envelope(command, "ok", {**asdict(done), **bytes_})
        return
    generation = done.generation
    if done.need:
        _show_need(done.need, len(generation.folders))
    if done.how == "built":
        imports = [
            f"{item.name}{f' {item.version}' if item.version else ''} imports ({item.seconds:.1f} s)"
            for item in done.imports
        ]
        runs = [f"`{item.name}` runs ({item.seconds:.1f} s)" for item in done.runs]
        printer.labelled("verified", " · ".join([_content(generation), *imports, *runs]))
    if cost:
        own, shared = map(printer.size, cost)
        printer.labelled("size", f"{own}, and {shared} shared with uv's cache or other environments")
    if done.aside:
        place = link.parent / ".envsmith" / "aside" / done.aside
        printer.labelled("moved", f"{link} was not managed by envsmith: moved to {place}")
    if done.how == "unchanged":
        printer.labelled("current", unchanged_line(generation, link)[printer.LABEL :])
        return
    before = ""
    if done.before or done.aside:
        option = "" if str(link) == ".venv" else f" --prefix {quote(str(link))}"
        before = f"  (before: {done.before or done.aside}; `envsmith rollback{option}` returns to it)"
    printer.labelled("current", f"{link} → {generation.id}{before}")


def show_plan(plan: InstallPlan, link: Path, *, as_json: bool, command: str) -> None:
    """Print the changes that an install would make."""
    if as_json:
        printer.envelope(command, "ok", {"is_dry_run": True, **asdict(plan)})
        return
    name = f"{plan.profile}/{plan.target} with Python {plan.python}"
    if plan.how == "built":
        printer.labelled("would", f"build {name}, and switch {link} to it")
        if plan.need:
            _show_need(plan.need, plan.packages, "download")
        if plan.downloads:
            printer.labelled("", ", ".join(plan.downloads))
        if plan.sources:
            printer.labelled("", f"built from source: {', '.join(plan.sources)}")
    elif plan.how == "switched":
        printer.labelled("would", f"switch {link} to {plan.generation}, built from {name}")
    else:
        printer.labelled("would", f"change nothing: {link} → {plan.generation}, built from {name}")


def _show_need(need: SpaceNeeded, packages: int, label: str = "fetched") -> None:
    """Print the downloads and the free disk space; unknown sizes are not included."""
    size = f" ({printer.size(need.fetched_bytes)})" if need.fetched_bytes else ""
    fetched = f"{need.fetched} of {packages} packages{size}" if need.fetched else "nothing: all in uv's cache"
    free = printer.size(max(need.free_after_bytes, 0))
    printer.labelled(label, f"{fetched}; {free} disk space left")


def _content(generation: Generation) -> str:
    return f"{printer.counted(len(generation.folders), 'package')} · {generation.files:,} files"


def unchanged_line(generation: Generation, link: Path) -> str:
    """Return the line for an install without changes."""
    text = f"{link} → {generation.id}: nothing to do  ({_content(generation)})"
    return f"{'current':<{printer.LABEL}}{printer.plain(text)}"


def show_note(text: str) -> None:
    """Print a wait for another process, or a removal."""
    printer.say(text, err=True)


def show_switch(done: SwitchResult, link: Path, *, as_json: bool) -> None:
    """Print the current environment after a rollback."""
    if as_json:
        printer.envelope("rollback", "ok", asdict(done))
        return
    before = done.before or done.aside
    after = f"  (before: {before}; `envsmith rollback` returns to it)" if before else ""
    if done.is_foreign:
        printer.labelled("current", f"{link} → the environment before envsmith's first install{after}")
    else:
        printer.labelled("current", f"{link} → {done.id}{after}")


def show_generations(found: Sequence[GenerationListing], removed: Sequence[str], *, as_json: bool) -> None:
    """Print the generations, and the names of those removed."""
    if as_json:
        data = {"generations": [asdict(item) for item in found], "removed": list(removed)}
        printer.envelope("generations", "ok", data)
        return
    if found:
        head = ("", "generation", "profile", "torch", "python", "used", "own", "shared")
        printer.table(head, [_row(item) for item in found], indent=0)
    else:
        printer.say("no environments found", err=True)
    for name in removed:
        printer.labelled("removed", name)


def _row(item: GenerationListing) -> tuple[str, ...]:
    generation = item.generation
    return (
        "→" if item.is_current else " ",
        item.id,
        generation.profile if generation else "-",
        generation.torch or "-" if generation else _STATES[item.kind],
        generation.python if generation else "-",
        item.used_utc.replace("T", " ").removesuffix("Z") or "never",
        printer.size(item.own_bytes),
        printer.size(item.shared_bytes),
    )
