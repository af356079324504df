"""``envsmith doctor``, and the explanation of failed commands, ``envsmith doctor -- COMMAND``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envsmith.activate.cli import AfterDashes, words_after
from envsmith.console.options import INSPECTED_PREFIX, LOCK_FOLDERS, STORE, TRUST, location
from envsmith.errors import INTERRUPTED, NO, OK

if TYPE_CHECKING:
    from envsmith.doctor.checks import DoctorCheck, DoctorReport


def watch_and_explain(words: Sequence[str]) -> int:
    """Run a command and return its exit status, or 128 plus the signal that ended it (a signed NTSTATUS on Windows).

    Print known failures found in its output to standard error, unless the command was interrupted.

    Raises:
        ToolError: TOL001 when the command cannot be started.
    """
    from envsmith.catalog import Catalog
    from envsmith.console import printer
    from envsmith.environment.package_findings import known_failures
    from envsmith.host.current import variables
    from envsmith.process.capture import run_teed
    from envsmith.process.exit_status import CONTROL_C_EXIT, cause_of, exit_code, number_of

    done = run_teed(words, variables())
    status = exit_code(done.status)
    if status in (OK, INTERRUPTED, exit_code(CONTROL_C_EXIT)):
        return status
    found = tuple(known_failures(done.text, Catalog.embedded()))
    known = printer.counted(len(found), "known failure") if found else "no known failure"
    printer.say(f"\n{words[0]} ended with {number_of(done.status)}: {known} in its output", err=True)
    printer.findings(found, err=True)
    if cause := cause_of(done.status):
        printer.say(f"cause     {cause}", err=True)
    if not found:
        printer.say(
            "hint: `envsmith doctor` checks machine and environment; `envsmith report` prints a report for an issue",
            err=True,
        )
    return status


@click.command(name="doctor", cls=AfterDashes)
@click.argument("checks", nargs=-1, metavar="[CHECK]...")
@click.option("--list", "is_list", is_flag=True, help="List the checks.")
@INSPECTED_PREFIX
@STORE
@LOCK_FOLDERS
@click.option("--fix", "is_fix", is_flag=True, help="Repair the environment, after asking.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="With --fix: show the repair plan; change nothing, and run no command of the profile.",
)
@click.option("--yes", is_flag=True, help="With --fix: do not ask.")
@TRUST
@click.option(
    "--wheelhouse", type=location, default="", metavar="DIR", help="With --fix: folder with all locked files."
)
@click.option(
    "--offline", is_flag=True, help="With --fix: do not use the network, only uv's cache or the wheelhouse."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def doctor_command(ctx: click.Context, /, checks: tuple[str, ...], **flags: Any) -> int:  # noqa: ANN401 - click checks them
    """Diagnose the machine and environment and suggest fixes.

    Runs all checks unless CHECKs are given, and changes nothing. Exits with 1 if there are errors.

    With --fix, compare the environment with its lock, show a repair plan, ask, apply it, and verify the result. An
    environment managed by envsmith is rebuilt; in others, distributions that differ from the lock are reinstalled with
    its hashes, and conflicting files are moved to set-aside/ in it. `doctor path --fix` removes environment directories
    from the PATH in Windows's registry.

    With -- COMMAND, run the command and explain known failures in its output. The exit status is the command's.
    """
    is_list, as_json = flags["is_list"], flags["as_json"]
    if words := words_after(ctx):
        if checks or is_list or as_json or flags["is_fix"]:
            raise click.UsageError("-- COMMAND cannot be combined with checks, --list, --fix or --json")
        return watch_and_explain(words)
    if is_list:
        _list(as_json=as_json)
        return OK
    if flags["is_fix"]:
        return _fix(checks, flags)
    if flags["dry_run"] or flags["yes"]:
        raise click.UsageError("--dry-run and --yes require --fix")
    prefix, folder = flags["prefix"], flags["folder"]
    chosen = _chosen(checks)
    begun = time.monotonic()
    found, machine = _diagnose(chosen, prefix, folder)
    if as_json:
        from envsmith.console import printer

        printer.envelope("doctor", "no" if found.report.has_errors else "ok", _data(found, machine))
    else:
        _show(found, time.monotonic() - begun, prefix)
    return NO if found.report.has_errors else OK


def _fix(checks: tuple[str, ...], flags: dict[str, Any]) -> int:
    from envsmith.doctor.fix_cli import FixOptions, fix
    from envsmith.doctor.path_cli import fix_registry
    from envsmith.install.options import wheelhouse_location

    _chosen(checks)
    options = FixOptions(
        prefix=flags["prefix"],
        store=flags["store"],
        folder=flags["folder"],
        checks=checks,
        wheelhouse=wheelhouse_location(flags["wheelhouse"]),
        offline=flags["offline"],
        is_dry_run=flags["dry_run"],
        is_confirmed=flags["yes"],
        is_trusted=flags["is_trusted"],
        as_json=flags["as_json"],
    )
    status = fix_registry(options) if checks == ("path",) else None
    return fix(options) if status is None else status


def _chosen(names: tuple[str, ...]) -> tuple[DoctorCheck, ...]:
    from envsmith.doctor.checks import CHECKS
    from envsmith.model.naming import suggestion

    known = {check.name: check for check in CHECKS}
    for name in names:
        if name not in known:
            raise click.UsageError(f"unknown check `{name}`; {suggestion(name, known)}")
    return tuple(known[name] for name in dict.fromkeys(names)) or CHECKS


def _diagnose(checks: tuple[DoctorCheck, ...], prefix: Path, folder: Path) -> tuple[DoctorReport, str]:
    from envsmith.doctor.checks import diagnose
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
        printer.table(("check", "finds"), [(check.name, check.summary) for check in CHECKS], indent=0)


def _data(found: DoctorReport, machine: str) -> dict[str, object]:
    return {
        "machine": machine,
        "checks": list(found.completed),
        "not_made": [{"check": name, "reason": reason} for name, reason in found.skipped],
        "findings": [item.to_json() for item in found.report.findings],
    }


def _show(found: DoctorReport, seconds: float, prefix: Path) -> None:
    from envsmith.console import printer

    count = printer.counted(len(found.report.findings), "finding")
    checks = printer.counted(len(found.completed), "check")
    printer.say(
        f"{count if found.report.findings else 'no findings'} on this machine · {checks} · {seconds:.1f} s"
    )
    if not prefix.exists():
        printer.labelled("note", f"no environment at {prefix}; only the machine was checked")
    if found.report.findings:
        printer.say("")
        printer.findings(found.report.findings)
    for names, reason in found.reasons():
        printer.labelled("skipped", f"{names}: {reason}")
