"""``envsmith doctor --fix``: show what is wrong with an environment and what would cure it, ask, do it, look again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envsmith.doctor.repair_plan import ASIDE, REBUILD, SET_ASIDE
from envsmith.errors import NO, OK

if TYPE_CHECKING:
    from envsmith.doctor.repair import RepairResult, RepairTools
    from envsmith.doctor.repair_plan import RepairInput, RepairPlan, RepairStep
    from envsmith.install.request import InstallRequest
    from envsmith.model.finding import Finding
    from envsmith.process.runner import Processes
    from envsmith.verify.verify import Verified

CHECKS = ("family", "families", "onnxruntime", "broken", "shadows")


@dataclass(frozen=True, slots=True, kw_only=True)
class FixOptions:
    """What is to be fixed, and how."""

    prefix: Path
    folder: Path
    """Of the lock folders."""
    checks: tuple[str, ...] = ()
    """Those whose findings are cured; without any all that concern the environment, and its lock."""
    wheelhouse: str = ""
    offline: bool = False
    is_trial: bool = False
    is_agreed: bool = False
    as_json: bool = False


def fix(way: FixOptions) -> int:
    """Cure what can be cured without anything being lost, and return the exit code: 0 where all is well then.

    Raises:
        EnvsmithError: USE002 where nobody can be asked; ENV050 where there is no environment.
        InstallError: where a step fails.
        ToolError: where files cannot be reached.
    """
    from envsmith.doctor.repair import plan, repair

    with _at_work(way) as (sick, tools):
        cure = plan(sick, tools)
        if not way.as_json:
            _show(way, sick, cure)
        if not cure.steps or way.is_trial or not (way.is_agreed or _is_agreed(way, cure)):
            return _undone(way, sick, cure)
        return _done(way, repair(sick, cure, Path(sick.environment.prefix), tools))


@contextmanager
def _at_work(way: FixOptions) -> Iterator[tuple[RepairInput, RepairTools]]:
    """Lend the sick environment and the tools of its repair."""
    from envsmith.catalog import Catalog
    from envsmith.doctor.repair import RepairTools, UvRepairer
    from envsmith.lockfile.pins import InstallSource
    from envsmith.process.runner import Processes
    from envsmith.uv.command import find_uv

    processes = Processes()
    try:
        order = _order(way)
        verified, sick = _examined(way, order, processes)
        yield (
            sick,
            RepairTools(
                examine=lambda: _examined(way, order, processes)[1],
                repairer=UvRepairer(processes=processes, executable=find_uv(), offline=way.offline),
                rebuild=lambda: _rebuild(way, order),
                catalog=Catalog.embedded(),
                supply=verified.locked.supply
                if verified
                else InstallSource(
                    text="",
                    is_pylock=False,
                    wheelhouse=way.wheelhouse,
                    profile=order.profile if order else "",
                ),
            ),
        )
    finally:
        processes.close()


def _order(way: FixOptions) -> InstallRequest | None:
    """Return the order of the profile the environment was built for, else of the only one that is locked."""
    from envsmith.activate import session
    from envsmith.install.options import order_of

    name = session.installed_profile(way.prefix)
    locked = sorted(path.parent.name for path in way.folder.glob("*/manifest.toml"))
    if not name and len(locked) == 1:
        name = locked[0]
    if name not in locked:
        return None
    options = {
        "profile": name,
        "folder": way.folder,
        "deep": True,
        "python": "",
        "wheelhouse": way.wheelhouse,
    }
    return order_of({**options, "no_guard": False, "is_checked": False})


def _examined(
    way: FixOptions, order: InstallRequest | None, processes: Processes
) -> tuple[Verified | None, RepairInput]:
    from envsmith.activate import session
    from envsmith.doctor.checks import CHECKS as KNOWN
    from envsmith.doctor.diagnose import diagnose
    from envsmith.doctor.doctor_facts import DoctorFacts
    from envsmith.doctor.repair_plan import RepairInput
    from envsmith.environment.interpreter import VerifyingProbe
    from envsmith.install.generation_store import GenerationStore
    from envsmith.model.backend import Backend

    prefix = Path(session.environment_paths(way.prefix).prefix)
    probe = VerifyingProbe(processes=processes)
    facts = DoctorFacts(way.prefix, way.folder, probe)
    chosen = [check for check in KNOWN if check.name in (way.checks or CHECKS)]
    verified = _verified(order, prefix, probe) if order else None
    compared = verified.report.findings if verified and not way.checks else ()
    told = {item.subject for item in compared if item.code == "ENV014"}
    diagnosed = diagnose(facts, chosen).report.findings
    more = (item for item in diagnosed if item.code != "ENV067" or item.subject not in told)
    return verified, RepairInput(
        profile=order.profile if order and verified else "",
        is_ours=bool(GenerationStore(link=way.prefix.absolute()).current()),
        environment=verified.environment
        if verified
        else facts.environment or probe.environment(prefix, deep=False),
        condition=verified.condition if verified else facts.condition,
        pins=_pins(order, verified) if order and verified else None,
        backend=verified.locked.backend if verified else Backend.parse("cpu"),
        findings=tuple(dict.fromkeys((*compared, *more))),
    )


def _verified(order: InstallRequest, prefix: Path, probe: Any) -> Verified | None:  # noqa: ANN401 - a VerifyingProbe
    """Compare it with its lock; None where none is for its interpreter."""
    from envsmith.errors import NoMatchingTargetError
    from envsmith.files import atomic
    from envsmith.host.current import folders_before_packages
    from envsmith.verify.verify import VerifyTools, verify

    try:
        return verify(order, prefix, VerifyTools(probe=probe, files=atomic), before=folders_before_packages())
    except NoMatchingTargetError:
        return None


def _pins(order: InstallRequest, verified: Verified) -> Any:  # noqa: ANN401 - Pins
    """Read the lock's requirements: a pylock does not say of which index a file is."""
    from envsmith.files import atomic
    from envsmith.lockfile.pins import Pins

    name = f"requirements.{verified.target}.txt"
    return Pins.from_requirements(atomic.read_files(order.folder)[name].decode(), str(order.folder / name))


def _rebuild(way: FixOptions, order: InstallRequest | None) -> None:
    from envsmith.install.cli import at_work
    from envsmith.install.install import install
    from envsmith.install.links import check_runner

    check_runner(way.prefix.absolute())
    options = {"prefix": way.prefix, "offline": way.offline, "wheelhouse": way.wheelhouse, "rewrites": ()}
    if order:
        with at_work({**options, "compile_bytecode": False}, quiet=way.as_json) as tools:
            install(replace(order, anew=True), tools)


def _is_agreed(way: FixOptions, cure: RepairPlan) -> bool:
    from envsmith.console.printer import counted
    from envsmith.console.terminal import confirm

    if way.as_json:
        return False
    return confirm(
        f"carry out {counted(len(cure.steps), 'step')} on {way.prefix}",
        where="envsmith doctor --fix",
        otherwise="nothing is changed: --fix asks first",
    )


def _show(way: FixOptions, sick: RepairInput, cure: RepairPlan) -> None:
    from envsmith.console import printer

    by = f", compared with the lock of {sick.profile}" if sick.profile else ", of which there is no lock"
    printer.say(f"{printer.counted(len(sick.findings), 'finding')} in {way.prefix}{by}")
    if sick.findings:
        printer.say("")
        printer.findings([replace(item, hint="") for item in sick.findings])
        printer.say("")
    for number, step in enumerate(cure.steps):
        printer.labelled("cure" if number == 0 else "", f"{step.kind:<10} {_told(step)}")
    _left(cure.left)


def _told(step: RepairStep) -> str:
    text = ", ".join(step.subjects)
    if step.kind == REBUILD:
        return f"{text}: a new environment beside this one, proved, then switched to"
    if step.kind == ASIDE:
        return f"{text}: to {SET_ASIDE} in the environment"
    return f"{text}, by the hashes of the lock" if step.is_hashed else text


def _left(left: tuple[Finding, ...]) -> None:
    from envsmith.console import printer

    for number, item in enumerate(item for item in left if item.severity != "note"):
        way_out = f": {item.hint}" if item.hint else ""
        printer.labelled("by hand" if number == 0 else "", f"{item.code} {item.subject}{way_out}")


def _undone(way: FixOptions, sick: RepairInput, cure: RepairPlan) -> int:
    from envsmith.console import printer

    is_sick = any(item.severity == "error" for item in sick.findings)
    if way.as_json:
        printer.envelope("doctor", "no" if is_sick else "ok", _data(sick, cure, None))
    elif cure.steps:
        printer.say("nothing is changed", err=True)
    elif is_sick:
        printer.say("nothing that could be carried out", err=True)
    return NO if is_sick else OK


def _done(way: FixOptions, done: RepairResult) -> int:
    from envsmith.console import printer

    errors = [item for item in done.after.findings if item.severity == "error"]
    if way.as_json:
        printer.envelope("doctor", "no" if errors else "ok", _data(done.before, done.cure, done))
    elif errors:
        printer.say(f"\n{printer.counted(len(errors), 'finding')} left in {way.prefix}\n")
        printer.findings(errors)
    else:
        printer.labelled("cured", f"{way.prefix}: looked at again, and nothing is wrong")
    return NO if errors else OK


def _data(sick: RepairInput, cure: RepairPlan, done: RepairResult | None) -> dict[str, object]:
    prefix = sick.environment.prefix
    return {
        "prefix": prefix,
        "profile": sick.profile,
        "findings": [item.to_json() for item in sick.findings],
        "steps": [step.to_json(prefix) for step in (done.steps if done else cure.steps)],
        "carried_out": done is not None,
        "left": [item.to_json() for item in (done.after.findings if done else cure.left)],
    }
