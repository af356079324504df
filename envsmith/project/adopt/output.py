"""Output of ``envsmith adopt``."""

from __future__ import annotations

from envsmith.console import printer
from envsmith.errors import NO, OK
from envsmith.lock import output as lock_output
from envsmith.project.adopt.drafted_lock import Adopted
from envsmith.project.adopt.installed import LEFT_OUT


def status(found: Adopted) -> int:
    """Return the exit code: 1 when the lock differs from the environment."""
    if found.error:
        return found.error.exit_code
    differs = (
        item.severity == "error" or (item.code == LEFT_OUT and item.severity == "warning")
        for item in found.findings
    )
    return NO if any(differs) else OK


def show(found: Adopted) -> None:
    """Print the environment, its lock, what differs, and the files written."""
    environment, draft = found.installed.environment, found.draft
    count = printer.counted(len(environment.distributions), "package")
    printer.labelled("adopts", f"{environment.prefix}: Python {environment.interpreter.version}, {count}")
    if found.locked and found.request:
        lock_output.outcome(found.request, found.locked)
    if found.findings:
        printer.say("")
        printer.findings(found.findings)
        printer.say("")
    if found.error:
        printer.error(found.error, command="adopt", as_json=False)
        printer.say("nothing written; --no-lock writes the profile alone", err=True)
        return
    if found.is_dry_run:
        for line in (line for edit in found.edits for line in edit.diff().splitlines()):
            printer.say(line)
    for edit in found.edits:
        printer.labelled(
            "wrote", f"nothing (dry run); would write {edit.file}" if found.is_dry_run else edit.file
        )
    if found.locked:
        lock_output.written([found.locked], dry_run=found.is_dry_run)
    if found.locked and status(found) == OK:
        locked = {item.name for item in draft.packages}
        without = ", ".join(item.name for item in found.installed.packages if item.name not in locked)
        without = f", without {without}" if without else ""
        printer.labelled("verified", f"the lock has the names and versions of the environment{without}")
    if not found.is_dry_run:
        printer.say(f"hint: envsmith {'install' if found.locked else 'lock'} {draft.name}", err=True)


def data(found: Adopted) -> dict[str, object]:
    """Return the values of the JSON document."""
    environment, draft = found.installed.environment, found.draft
    return {
        "prefix": environment.prefix,
        "profile": draft.name,
        "target": draft.target.slug,
        "backend": str(draft.target.backend),
        "packages": len(environment.distributions),
        "requirements": list(draft.requirements()),
        "constraints": list(draft.constraints()),
        "overrides": list(draft.overrides()),
        "is_dry_run": found.is_dry_run,
        "written": [] if found.is_dry_run or found.error else [edit.file for edit in found.edits],
        "locked": found.locked.targets[0].entry.packages if found.locked else None,
        "findings": [item.to_json() for item in found.findings],
    }
