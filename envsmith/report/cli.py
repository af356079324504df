"""``envsmith report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from envsmith.console.options import INSPECTED_PREFIX, LOCK_FOLDERS
from envsmith.errors import OK

if TYPE_CHECKING:
    from envsmith.report.model import Summary

_REVIEW_NOTE = (
    "users, folders, servers and apparent secrets are redacted; review the report before you post it"
)


@click.command(name="report")
@INSPECTED_PREFIX
@LOCK_FOLDERS
@click.option(
    "--format",
    "form",
    type=click.Choice(["md", "json"]),
    default="md",
    help="Output format [default: md].",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def report_command(prefix: Path, folder: Path, form: str, *, as_json: bool) -> int:
    """Print a redacted report on the machine, the environment and its lock for bug reports.

    Contains drivers, GPUs, the interpreter, the torch family, all packages, the lock with its decisions, and the
    doctor's findings. Users, folders, servers, logins and tokens are redacted. Exits with 0 even with findings.
    """
    from envsmith.console import printer
    from envsmith.host.current import variables
    from envsmith.report.output import markdown
    from envsmith.report.private_values import collect_redaction

    summary, hidden = _summary(prefix, folder), collect_redaction(variables(), prefix)
    if as_json or form == "json":
        printer.envelope("report", "ok", summary.to_json(hidden))
    else:
        for line in markdown(summary, hidden).splitlines():
            printer.say(line)
        printer.say(_REVIEW_NOTE, err=True)
    return OK


def _summary(prefix: Path, folder: Path) -> Summary:
    from envsmith import __version__
    from envsmith.doctor.checks import CHECKS
    from envsmith.doctor.doctor_facts import DoctorFacts
    from envsmith.environment.interpreter import Probe
    from envsmith.process.runner import Processes
    from envsmith.report.summarize import summarize

    processes = Processes()
    try:
        facts = DoctorFacts(prefix, folder, Probe(processes=processes))
        return summarize(facts, CHECKS, __version__)
    finally:
        processes.close()
