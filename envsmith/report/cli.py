"""``envsmith report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from envsmith.console.options import INSPECTED_PREFIX, LOCK_FOLDERS
from envsmith.errors import OK

if TYPE_CHECKING:
    from envsmith.report.model import Summary

_READ_IT = "names of users, folders, servers and whatever looks like a secret are left out; read it before you post it"


@click.command(name="report")
@INSPECTED_PREFIX
@LOCK_FOLDERS
@click.option(
    "--format",
    "form",
    type=click.Choice(["md", "json"]),
    default="md",
    help="Markdown, or one JSON document.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def report_command(prefix: Path, folder: Path, form: str, *, as_json: bool) -> int:
    """Print what those who help need to know of this machine, the environment and its lock, in one paste.

    Driver, GPUs, interpreter, the torch family and every package, lock and decisions, and what the doctor finds. Names
    of users, folders and servers, logins and tokens are left out. Ends with 0 whatever is found.
    """
    from envsmith.console import printer
    from envsmith.host.current import variables
    from envsmith.report.identity import redaction
    from envsmith.report.output import markdown

    summary, hidden = _summary(prefix, folder), redaction(variables(), prefix)
    if as_json or form == "json":
        printer.envelope("report", "ok", summary.to_json(hidden))
    else:
        for line in markdown(summary, hidden).splitlines():
            printer.say(line)
        printer.say(_READ_IT, err=True)
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
