"""``envsmith doctor``.

``envsmith doctor -- COMMAND``: run it, and explain what its output tells when it fails.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envsmith.activate.cli import AfterDashes, words_after
from envsmith.console.options import INSPECTED_PREFIX, LOCK_FOLDERS
from envsmith.errors import NO, OK

if TYPE_CHECKING:
    from envsmith.doctor.diagnose import DoctorCheck, DoctorReport


_SIGNALLED = 128
_INTERRUPTED = (-2, _SIGNALLED + 2)
_SIGNALS = {
    4: "SIGILL: an instruction that this CPU lacks, mostly AVX or AVX2 (`envsmith verify --probe torch`)",
    6: "SIGABRT: a compiled library gave up; its reason stands above",
    7: "SIGBUS: a file that is mapped was cut off, or /dev/shm is full",
    9: "SIGKILL: on Linux mostly for want of memory; `dmesg` tells, or the limit of the container",
    11: "SIGSEGV: a compiled library crashed; PYTHONFAULTHANDLER=1 shows where",
}
"""Linux's numbers of the signals that end a program by no wish of its own, and what they mostly mean."""


def watch_and_explain(words: Sequence[str]) -> int:
    """Run a command as it would run by itself, and return its exit status; 128 and the signal where one ended it.

    What is known of its failure is told on standard error, after what it printed itself; an interruption is none.

    Raises:
        ToolError: TOL001 when it cannot be started.
    """
    from envsmith.catalog import Catalog
    from envsmith.console import printer
    from envsmith.environment.package_findings import explain
    from envsmith.host.current import variables
    from envsmith.process.capture import run_teed

    done = run_teed(words, variables())
    if done.status in (OK, *_INTERRUPTED):
        return _SIGNALLED - done.status if done.status < 0 else done.status
    found = tuple(explain(done.text, Catalog.embedded()))
    how = f"signal {-done.status}" if done.status < 0 else f"status {done.status}"
    known = printer.counted(len(found), "known failure") if found else "nothing known"
    printer.say(f"\n{words[0]} ended with {how}: {known} in its output", err=True)
    printer.findings(found, err=True)
    if meaning := _SIGNALS.get(_signal(done.status)) if sys.platform == "linux" else None:
        printer.say(f"signal    {meaning}", err=True)
    if not found:
        printer.say(
            "hint: `envsmith doctor` looks at machine and environment; `envsmith report` prints what an issue needs",
            err=True,
        )
    return _SIGNALLED - done.status if done.status < 0 else done.status


def _signal(status: int) -> int:
    """Return the signal that ended a program, or one that a shell has run; 0 where none did."""
    return -status if status < 0 else max(status - _SIGNALLED, 0)


@click.command(name="doctor", cls=AfterDashes)
@click.argument("checks", nargs=-1, metavar="[CHECK]...")
@click.option("--list", "is_list", is_flag=True, help="List the checks.")
@INSPECTED_PREFIX
@LOCK_FOLDERS
@click.option("--fix", "is_fix", is_flag=True, help="Cure what is wrong with the environment, after asking.")
@click.option("--dry-run", is_flag=True, help="With --fix: show what would be done, and change nothing.")
@click.option("--yes", is_flag=True, help="With --fix: do not ask.")
@click.option("--wheelhouse", default="", metavar="DIR", help="With --fix: folder that holds every file.")
@click.option("--offline", is_flag=True, help="With --fix: no network, only uv's cache or the wheelhouse.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def doctor_command(ctx: click.Context, /, checks: tuple[str, ...], **flags: Any) -> int:  # noqa: ANN401 - click checks them
    """Say what is wrong on this machine and in an environment, why, and what cures it.

    Without CHECK all are made. Nothing is changed. Ends with 1 where something is in error.

    With --fix the environment is compared with its lock, too, and what is wrong with it is cured: shown first, then
    asked, done, and looked at again. One that envsmith made is built anew beside itself; in others what is not as
    locked is installed by the lock's hashes, and what was in the way is kept. `doctor path --fix` takes folders of
    environments out of the PATH that Windows's registry keeps.

    With -- COMMAND it runs that, and when it fails says which known failures its output tells of, and what helps; the
    exit status is the command's.
    """
    is_list, as_json = flags["is_list"], flags["as_json"]
    if words := words_after(ctx):
        if checks or is_list or as_json or flags["is_fix"]:
            raise click.UsageError("before -- COMMAND stand neither checks nor --list, --fix or --json")
        # MERGED

        return watch_and_explain(words)
    if is_list:
        _list(as_json=as_json)
        return OK
    if flags["is_fix"]:
        return _fix(checks, flags)
    if flags["dry_run"] or flags["yes"]:
        raise click.UsageError("--dry-run and --yes say how to --fix")
    prefix, folder = flags["prefix"], flags["folder"]
    chosen = _chosen(checks)
    begun = time.monotonic()
    found, machine = _diagnosed(chosen, prefix, folder)
    if as_json:
        from envsmith.console import printer

        printer.envelope("doctor", "no" if found.report.has_errors else "ok", _data(found, machine))
    else:
        _show(found, time.monotonic() - begun, prefix)
    return NO if found.report.has_errors else OK


def _fix(checks: tuple[str, ...], flags: dict[str, Any]) -> int:
    from envsmith.doctor.fix_cli import FixOptions, fix
    from envsmith.doctor.path_cli import fix_registry
    from envsmith.install.options import wheelhouse_of

    _chosen(checks)
    fixing = FixOptions(
        prefix=flags["prefix"],
        folder=flags["folder"],
        checks=checks,
        wheelhouse=wheelhouse_of(flags["wheelhouse"]),
        offline=flags["offline"],
        is_trial=flags["dry_run"],
        is_agreed=flags["yes"],
        as_json=flags["as_json"],
    )
    status = fix_registry(fixing) if checks == ("path",) else None
    return fix(fixing) if status is None else status


def _chosen(names: tuple[str, ...]) -> tuple[DoctorCheck, ...]:
    from envsmith.doctor.checks import CHECKS
    from envsmith.model.naming import suggestion

    known = {check.name: check for check in CHECKS}
    for name in names:
        if name not in known:
            raise click.UsageError(f"there is no check {name!r}; {suggestion(name, known)}")
    return tuple(known[name] for name in dict.fromkeys(names)) or CHECKS


def _diagnosed(checks: tuple[DoctorCheck, ...], prefix: Path, folder: Path) -> tuple[DoctorReport, str]:
    from envsmith.doctor.diagnose import diagnose
    from envsmith.doctor.doctor_facts import DoctorFacts
    from envsmith.environment.interpreter import Probe
    from envsmith.process.runner import Processes

    processes = Processes()
    try:
        facts = DoctorFacts(prefix, folder, Probe(processes=processes))
        return diagnose(facts, checks), str(facts.host)
    finally:
        processes.close()


def _list(*, as_json: bool) -> None:
    from envsmith.console import printer
    from envsmith.doctor.checks import CHECKS

    if as_json:
        printer.envelope("doctor", "ok", {"checks": {check.name: check.summary for check in CHECKS}})
    else:
        printer.table(("check", "looks for"), [(check.name, check.summary) for check in CHECKS], indent=0)


def _data(found: DoctorReport, machine: str) -> dict[str, object]:
    return {
        "machine": machine,
        "checks": list(found.made),
        "not_made": [{"check": name, "reason": reason} for name, reason in found.unmade],
        "findings": [item.to_json() for item in found.report.findings],
    }


def _show(found: DoctorReport, seconds: float, prefix: Path) -> None:
    from envsmith.console import printer

    count = printer.counted(len(found.report.findings), "finding")
    checks = printer.counted(len(found.made), "check")
    printer.say(
        f"{count if found.report.findings else 'nothing found'} on this machine · {checks} · {seconds:.1f} s"
    )
    if not prefix.exists():
        printer.labelled("note", f"there is no environment at {prefix}: only the machine was looked at")
    if found.report.findings:
        printer.say("")
        printer.findings(found.report.findings)
    for names, reason in found.reasons():
        printer.labelled("not made", f"{names}: {reason}")
