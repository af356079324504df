"""What ``envsmith install``, ``generations`` and ``rollback`` show."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from envsmith.console import output as render

if TYPE_CHECKING:
    from envsmith.environment.model import Generation
    from envsmith.install.install import Installed
    from envsmith.install.space_needed import Need


def installed(
    done: Installed, link: Path, cost: tuple[int, int] | None = None, *, as_json: bool = False
) -> None:
    """Print what an install did, and what it cost: bytes of its own, and shared ones."""
    if as_json:
        bytes_ = {"own_bytes": cost[0], "shared_bytes": cost[1]} if cost else {}
        render.envelope("install", "ok", {**asdict(done), **bytes_})
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
        render.labelled("proved", " · ".join(filter(None, (files, imports, ran))))
    if cost:
        own, shared = map(render.size, cost)
        render.labelled("cost", f"{own} of its own · {shared} shared with uv's cache or other environments")
    if done.aside:
        render.labelled(
            "aside", f"{link} was not envsmith's: kept in {link.parent / '.envsmith' / 'aside' / done.aside}"
        )
    before = ""
    if done.before or done.aside:
        place = "" if str(link) == ".venv" else f" --prefix {quote(str(link))}"
        before = f"  (before: {done.before or done.aside}; `envsmith rollback{place}` returns to it)"
    if done.how == "unchanged":
        render.labelled("current", idle(one, link)[render.LABEL :])
    else:
        render.labelled("current", f"{link} → {one.id}{before}")


def _need(need: Need, packages: int) -> None:
    """Say what was fetched; sizes that nobody tells beforehand are not in it."""
    what = f"{need.fetched} of {packages} packages" if need.fetched else "nothing: uv's cache has all"
    bytes_ = f", {render.size(need.fetched_bytes)} known beforehand" if need.fetched_bytes else ""
    render.labelled("fetched", f"{what}{bytes_} · {render.size(max(need.free_after_bytes, 0))} free by then")


def idle(one: Generation, link: Path) -> str:
    """Return the line that says that there was nothing to do."""
    packages = "1 package" if len(one.folders) == 1 else f"{len(one.folders)} packages"
    text = f"{link} → {one.id}: nothing to do  ({packages} · {one.files:,} files)"
    return f"{'current':<{render.LABEL}}{render.plain(text)}"
