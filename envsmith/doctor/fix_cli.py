"""``envsmith doctor --fix``: show a repair plan, ask, apply it and verify the result."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from envsmith.doctor.repair_plan import ASIDE_FOLDER, StepKind
from envsmith.errors import NO, OK

if TYPE_CHECKING:
    from envsmith.doctor.repair import RepairResult, RepairTools
    from envsmith.doctor.repair_plan import RepairInput, RepairPlan, RepairStep
    from envsmith.install.request import InstallRequest
    from envsmith.model.finding import Finding
    from envsmith.process.runner import Processes
    from envsmith.verify.verify import Verified

_VERBS = {
    StepKind.REBUILD: "rebuild",
    StepKind.MOVE: "move",
    StepKind.REMOVE: "remove",
    StepKind.INSTALL: "install",
}
CHECKS = ("family", "families", "onnxruntime", "broken", "shadows")


@dataclass(frozen=True, slots=True, kw_only=True)
class FixOptions:
    """Options of ``envsmith doctor --fix``."""

    prefix: Path
    store: Path | None = None
    folder: Path
    """Folder of the lock folders."""
    checks: tuple[str, ...] = ()
    """Checks whose findings are fixed; by default CHECKS and the comparison with the lock."""
    wheelhouse: str = ""
    offline: bool = False
    is_dry_run: bool = False
    is_confirmed: bool = False
    is_trusted: bool = False
    as_json: bool = False


def fix(options: FixOptions) -> int:
    """Repair an environment without losing files, and return the exit code: 0 if no errors remain.

    Raises:
        EnvsmithError: USE002 when confirmation is needed without a terminal; ENV050 without an environment.
        InstallError: when a step fails.
        ToolError: when files cannot be downloaded.
    """
    from envsmith.doctor.repair import plan, repair

    with _repair_tools(options) as (damaged, tools):
        repair_plan = plan(damaged, tools)
        if not options.as_json:
            _show(options, damaged, repair_plan)
        if (
            not repair_plan.steps
            or options.is_dry_run
            or not (options.is_confirmed or _confirm(options, repair_plan))
        ):
            return _show_unchanged(options, damaged, repair_plan)
        return _show_result(options, repair(damaged, repair_plan, Path(damaged.environment.prefix), tools))


@contextmanager
def _repair_tools(options: FixOptions) -> Iterator[tuple[RepairInput, RepairTools]]:
    """Yield the input and the tools of a repair."""
    from envsmith.catalog import Catalog
    from envsmith.doctor.repair import RepairTools, UvRepairer
    from envsmith.install.trust import check_trust
    from envsmith.lockfile.pins import InstallSource
    from envsmith.process.runner import Processes
    from envsmith.uv.command import find_uv

    processes = Processes()
    try:
        request = _install_request(options)
        if request and not options.is_dry_run:
            check_trust(
                request.smoke_tests, request.profile, "envsmith doctor --fix", is_trusted=options.is_trusted
            )
        verified, damaged = _examine(options, request, processes)
        yield (
            damaged,
            RepairTools(
                examine=lambda: _examine(options, request, processes)[1],
                repairer=UvRepairer(processes=processes, executable=find_uv(), offline=options.offline),
                rebuild=lambda: _rebuild(options, request),
                catalog=Catalog.embedded(),
                supply=verified.locked.source
                if verified
                else InstallSource(
                    text="",
                    is_pylock=False,
                    wheelhouse=options.wheelhouse,
                    profile=request.profile if request else "",
                ),
            ),
        )
    finally:
        processes.close()


def _install_request(options: FixOptions) -> InstallRequest | None:
    """Return the request of the environment's profile, else of the only locked profile."""
    from envsmith.activate import session
    from envsmith.files.text import folders_with
    from envsmith.install.options import install_request
    from envsmith.lockfile.manifest import FILENAME

    name = session.installed_profile(options.prefix)
    locked = folders_with(options.folder, FILENAME)
    if not name and len(locked) == 1:
        name = locked[0]
    if name not in locked:
        return None
    install_options = {
        "profile": name,
        "folder": options.folder,
        "deep": True,
        "python": "",
        "wheelhouse": options.wheelhouse,
    }
    request = install_request({**install_options, "no_guard": False, "is_checked": False})
    return (
        replace(request, smoke_tests=request.smoke_tests.without_commands())
        if options.is_dry_run
        else request
    )


def _examine(
    options: FixOptions, request: InstallRequest | None, processes: Processes
) -> tuple[Verified | None, RepairInput]:
    from envsmith.activate import session
    from envsmith.doctor.checks import CHECKS as KNOWN
    from envsmith.doctor.checks import diagnose
    from envsmith.doctor.doctor_facts import DoctorFacts
    from envsmith.doctor.repair_plan import RepairInput
    from envsmith.environment.interpreter import VerifyingProbe
    from envsmith.install.generation_store import GenerationStore
    from envsmith.model.backend import Backend

    prefix = Path(session.environment_paths(options.prefix).prefix)
    probe = VerifyingProbe(processes=processes)
    facts = DoctorFacts(options.prefix, options.folder, probe)
    chosen = [check for check in KNOWN if check.name in (options.checks or CHECKS)]
    verified = _verified(request, prefix, probe) if request else None
    compared = verified.report.findings if verified and not options.checks else ()
    incomplete = {item.subject for item in compared if item.code == "ENV014"}
    diagnosed = diagnose(facts, chosen).report.findings
    more = (item for item in diagnosed if item.code != "ENV067" or item.subject not in incomplete)
    return verified, RepairInput(
        profile=request.profile if request and verified else "",
        is_managed=bool(GenerationStore(link=options.prefix, store=options.store).current()),
        environment=verified.environment
        if verified
        else facts.environment or probe.environment(prefix, deep=False),
        installed_state=verified.installed_state if verified else facts.installed_state,
        pins=_pins(request, verified) if request and verified else None,
        backend=verified.locked.entry.backend if verified else Backend.parse("cpu"),
        findings=tuple(dict.fromkeys((*compared, *more))),
    )


def _verified(request: InstallRequest, prefix: Path, probe: Any) -> Verified | None:  # noqa: ANN401 - a VerifyingProbe
    """Compare the environment with its lock; return None if no locked target fits its interpreter."""
    from envsmith.errors import NoMatchingTargetError
    from envsmith.files import atomic
    from envsmith.host.current import folders_before_packages
    from envsmith.verify.verify import VerifyTools, verify
    from envsmith.wiring import locked_wheels

    try:
        return verify(
            request,
            prefix,
            VerifyTools(
                probe=probe,
                files=atomic,
                wheels=lambda locked: locked_wheels(locked.pins.packages, ()),
            ),
            before=folders_before_packages(),
        )
    except NoMatchingTargetError:
        return None


def _pins(request: InstallRequest, verified: Verified) -> Any:  # noqa: ANN401 - Pins
    """Read the pins from the lock's requirements files, since a pylock lacks the index of each file."""
    from envsmith.files import atomic
    from envsmith.lockfile.pins import Pins
    from envsmith.lockfile.whole import LockTexts

    files = atomic.read_files(request.folder)
    texts = LockTexts.of(verified.target, verified.locked.entry, files, request.folder)
    return Pins.from_requirements(
        texts.requirements, texts.requirements_name, texts.unhashed, texts.unhashed_name
    )


def _rebuild(options: FixOptions, request: InstallRequest | None) -> None:
    from envsmith.install.cli import install_tools
    from envsmith.install.install import install
    from envsmith.install.links import check_runner

    check_runner(options.prefix.absolute())
    install_options = {
        "prefix": options.prefix,
        "store": options.store,
        "offline": options.offline,
        "wheelhouse": options.wheelhouse,
        "rewrites": (),
    }
    if request:
        with install_tools({**install_options, "compile_bytecode": False}, quiet=options.as_json) as tools:
            install(replace(request, rebuild=True), tools)


def _confirm(options: FixOptions, repair_plan: RepairPlan) -> bool:
    from envsmith.console.printer import counted
    from envsmith.console.terminal import confirm

    if options.as_json:
        return False
    return confirm(
        f"apply {counted(len(repair_plan.steps), 'step')} to {options.prefix}",
        where="envsmith doctor --fix",
        otherwise="--fix needs confirmation",
    )


def _show(options: FixOptions, damaged: RepairInput, repair_plan: RepairPlan) -> None:
    from envsmith.console import printer

    by = f", compared with the lock of {damaged.profile}" if damaged.profile else ", which has no lock"
    printer.say(f"{printer.counted(len(damaged.findings), 'finding')} in {options.prefix}{by}")
    if damaged.findings:
        printer.say("")
        printer.findings([replace(item, hint="") for item in damaged.findings])
        printer.say("")
    for number, step in enumerate(repair_plan.steps):
        printer.labelled("fix" if number == 0 else "", f"{_VERBS[step.kind]:<10} {_described(step)}")
    _show_manual(repair_plan.remaining)


def _described(step: RepairStep) -> str:
    text = ", ".join(step.subjects)
    if step.kind == StepKind.REBUILD:
        return f"{text}: build a new environment, verify it, then switch to it"
    if step.kind == StepKind.MOVE:
        return f"{text} to {ASIDE_FOLDER}/ in the environment"
    return f"{text}, with the hashes of the lock" if step.is_hashed else text


def _show_manual(remaining: tuple[Finding, ...]) -> None:
    from envsmith.console import printer

    for number, item in enumerate(item for item in remaining if item.severity != "note"):
        hint = f": {item.hint}" if item.hint else ""
        printer.labelled("manual" if number == 0 else "", f"{item.code} {item.subject}{hint}")


def _show_unchanged(options: FixOptions, damaged: RepairInput, repair_plan: RepairPlan) -> int:
    from envsmith.console import printer

    has_errors = any(item.severity == "error" for item in damaged.findings)
    if options.as_json:
        printer.envelope("doctor", "no" if has_errors else "ok", _data(damaged, repair_plan, None))
    elif repair_plan.steps:
        printer.say("no changes were made", err=True)
    elif has_errors:
        printer.say("no automatic fix available", err=True)
    return NO if has_errors else OK


def _show_result(options: FixOptions, done: RepairResult) -> int:
    from envsmith.console import printer

    errors = [item for item in done.after.findings if item.severity == "error"]
    if options.as_json:
        printer.envelope("doctor", "no" if errors else "ok", _data(done.before, done.plan, done))
    elif errors:
        printer.say(f"\n{printer.counted(len(errors), 'finding')} left in {options.prefix}\n")
        printer.findings(errors)
    else:
        printer.labelled("fixed", f"{options.prefix}: verified, no errors left")
    return NO if errors else OK


def _data(damaged: RepairInput, repair_plan: RepairPlan, done: RepairResult | None) -> dict[str, object]:
    prefix = damaged.environment.prefix
    return {
        "prefix": prefix,
        "profile": damaged.profile,
        "findings": [item.to_json() for item in damaged.findings],
        "steps": [step.to_json(prefix) for step in (done.steps if done else repair_plan.steps)],
        "carried_out": done is not None,
        "left": [item.to_json() for item in (done.after.findings if done else repair_plan.remaining)],
    }
