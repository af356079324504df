"""``envsmith doctor path --fix`` on Windows: take folders of environments out of the registry's PATH."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from envsmith.errors import NO, OK

if TYPE_CHECKING:
    from envsmith.activate.model import RemovedVariable
    from envsmith.doctor.fix_cli import FixOptions
    from envsmith.doctor.path_repair import PathRepairResult
    from envsmith.doctor.windows_path import RegistryPaths
    from envsmith.host.system import PathRemoval

KEPT = "path"
"""Folder in the user's cache where is kept what was there before."""
_REFUSED = (
    "may be changed by an administrator alone: run this again in a terminal that was started as administrator"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """What the repair looks at and changes."""

    paths: RegistryPaths
    taken: Callable[[], Mapping[str, tuple[RemovedVariable, ...]]]
    """Says what no session should have on PATH, scope by scope, as it is now."""
    expanded: Callable[[str], str]
    """Puts variables into an entry."""


def fix_registry(way: FixOptions) -> int | None:
    """Repair this machine's, and return the exit code; None where it has no registry."""
    from envsmith.doctor.doctor_facts import DoctorFacts
    from envsmith.doctor.windows_path import registry_paths
    from envsmith.environment.interpreter import Probe
    from envsmith.files.cache_dir import cache_root
    from envsmith.host.current import variables
    from envsmith.host.system_probes import expand_variables
    from envsmith.process.runner import Processes

    paths = registry_paths(Path(cache_root(variables())) / KEPT)
    if paths is None:
        return None
    processes = Processes()

    def taken() -> Mapping[str, tuple[RemovedVariable, ...]]:
        return DoctorFacts(way.prefix, way.folder, Probe(processes=processes)).scopes

    try:
        return fix_path(
            way, Registry(paths=paths, taken=taken, expanded=lambda text: expand_variables(text, variables()))
        )
    finally:
        processes.close()


def fix_path(way: FixOptions, registry: Registry) -> int:
    """Show what would be taken out, ask, do it, look again; return the exit code: 0 where nothing is left.

    Raises:
        EnvsmithError: USE002 where nobody can be asked.
        HostError: HST029 where the registry was changed meanwhile, HST019 where it refuses.
        InstallError: where what was there before cannot be kept in a file; then it stays as it is.
    """
    from envsmith.doctor.path_repair import clear, plan

    cuts = plan(registry.paths, registry.taken(), registry.expanded)
    if not way.as_json:
        _show(cuts)
    done: tuple[PathRepairResult, ...] = ()
    if any(cut.may_write for cut in cuts) and not way.is_trial and (way.is_agreed or _is_agreed(way, cuts)):
        done = clear(cuts, registry.paths)
    left = plan(registry.paths, registry.taken(), registry.expanded) if done else cuts
    _tell(way, cuts, done, left)
    return NO if left else OK


def _is_agreed(way: FixOptions, cuts: Sequence[PathRemoval]) -> bool:
    from envsmith.console.terminal import confirm

    if way.as_json:
        return False
    scopes = " and ".join(cut.before.scope for cut in cuts if cut.may_write)
    return confirm(
        f"take these out of the Path of the {scopes}",
        where="envsmith doctor path --fix",
        otherwise="nothing is changed: --fix asks first",
    )


def _show(cuts: Sequence[PathRemoval]) -> None:
    from envsmith.console import printer

    count = printer.counted(sum(len(cut.removed) for cut in cuts), "folder")
    printer.say(f"{count} of environments on the Path that the registry keeps")
    for cut in cuts:
        for number, entry in enumerate(cut.removed):
            printer.labelled(cut.before.scope if number == 0 else "", entry)
    for cut in cuts:
        if not cut.may_write:
            printer.labelled("by hand", f"the {cut.before.scope}'s Path {_REFUSED}")


def _tell(
    way: FixOptions,
    cuts: Sequence[PathRemoval],
    done: Sequence[PathRepairResult],
    left: Sequence[PathRemoval],
) -> None:
    from envsmith.console import printer

    if way.as_json:
        kept = {item.cut.before.scope: str(item.kept) for item in done}
        data = {
            "cuts": [{**cut.to_json(), "kept": kept.get(cut.before.scope, "")} for cut in cuts],
            "carried_out": bool(done),
            "left": [cut.to_json() for cut in left],
        }
        printer.envelope("doctor", "no" if left else "ok", data)
        return
    for item in done:
        printer.labelled("kept", f'`reg import "{item.kept}"` puts the {item.cut.before.scope}\'s Path back')
    if done:
        printer.labelled("cured", "looked at again; shells that are open keep what they have: open a new one")
    elif cuts:
        printer.say("nothing is changed", err=True)
