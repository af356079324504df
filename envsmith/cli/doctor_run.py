"""``envsmith doctor -- COMMAND``: run it, and explain what its output tells when it fails."""

from __future__ import annotations

from collections.abc import Sequence

from envsmith.cli import OK

_SIGNALLED = 128


def watch_and_explain(words: Sequence[str]) -> int:
    """Run a command as it would run by itself, and return its exit status; 128 and the signal where one ended it.

    What is known of its failure is told on standard error, after what it printed itself.

    Raises:
        ToolError: TOL001 when it cannot be started.
    """
    from envsmith.adapters.host import variables
    from envsmith.adapters.watching import watch
    from envsmith.catalog import Catalog
    from envsmith.cli import finding_lines, render
    from envsmith.rules.diagnosis_output import explain

    done = watch(words, variables())
    if done.status == OK:
        return OK
    found = tuple(explain(done.text, Catalog.embedded()))
    how = f"signal {-done.status}" if done.status < 0 else f"status {done.status}"
    known = finding_lines.counted(len(found), "known failure") if found else "nothing known"
    render.say(f"\n{words[0]} ended with {how}: {known} in its output", err=True)
    finding_lines.show(found, err=True)
    if not found:
        render.say(
            "hint: `envsmith doctor` looks at machine and environment; `envsmith report` prints what an issue needs",
            err=True,
        )
    return _SIGNALLED - done.status if done.status < 0 else done.status
