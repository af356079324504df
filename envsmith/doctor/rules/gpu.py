"""Whether the installed torch suits the machine: driver, toolkit, GPU and kernels."""

from __future__ import annotations

from collections.abc import Iterator

from envsmith.catalog import BackendFacts
from envsmith.host.model import Host
from envsmith.model.backend import Backend
from envsmith.model.finding import Finding
from envsmith.select.rules import Verdict

_SELECT = "`envsmith select --explain` says which builds work here"


def driver(torch: str, verdict: Verdict, host: Host) -> Iterator[Finding]:
    """Find a driver too old for the toolkit torch was built with, or for the GPU."""
    if verdict.cause == "driver":
        found = host.driver("nvidia")
        has = f"; here is {found}" if found else ""
        text = f"torch {torch} {verdict.reason}{has}"
        yield _finding("HST020", "error", text, f"update the driver, or take another build: {_SELECT}")


def devices(host: Host, *, is_given: bool) -> Iterator[Finding]:
    """Find GPUs whose driver is not there.

    Args:
        host: the machine.
        is_given: whether it has its GPUs from another system, Windows or that of a container, and with them the driver.
    """
    for device in () if is_given else host.of_family("cuda"):
        if host.driver("nvidia") is None:
            text = f"{device} is there, but no NVIDIA driver answers"
            hint = "install the driver; after an update of the kernel, build its module anew and restart"
            yield _finding("HST023", "warning", text, hint)
            return


def kernels(torch: str, verdict: Verdict) -> Iterator[Finding]:
    """Find a GPU that the installed torch has no kernels for."""
    if verdict.cause == "capability":
        built = "".join(f"; {note}" for note in verdict.notes if note.startswith("built for"))
        yield _finding("ENV073", "error", f"torch {torch} has {verdict.reason}{built}", _SELECT)


def build(torch: str, verdict: Verdict, best: Verdict | None, locked: Backend | None) -> Iterator[Finding]:
    """Find a CPU build where a GPU could be used, and a GPU build where there is none.

    Args:
        torch: the installed version.
        verdict: whether its build works here.
        best: what works best here; None where nothing does.
        locked: the backend that a lock asks for; None where there is no lock.
    """
    backend = verdict.backend
    if backend.family == "cpu" and best and best.backend.family != "cpu":
        is_wanted = locked is not None and locked.family == "cpu"
        text = f"torch {torch} is a CPU build, and {best.backend} would run here: {best.reason}"
        hint = "" if is_wanted else f"envsmith lock {best.backend} && envsmith install {best.backend}"
        more = "; the lock asks for it" if is_wanted else ""
        yield _finding("ENV071", "note" if is_wanted else "warning", text + more, hint)
    if verdict.cause == "device":
        text = f"torch {torch} is built for {backend.title}, and this machine has {verdict.reason}: it runs on the CPU"
        yield _finding(
            "ENV072", "warning", text, "envsmith lock cpu && envsmith install cpu: some gigabytes less"
        )


def retired(torch: str, facts: BackendFacts) -> Iterator[Finding]:
    """Find a backend that gets no more builds."""
    is_nightly = ".dev" in torch
    if facts.is_retired:
        then = f"; {facts.successor} follows it" if facts.successor else ""
        text = f"{facts.backend.title} gets no more builds: torch {facts.last_torch} is its last{then}"
        hint = f"envsmith lock {facts.successor}" if facts.successor else ""
        yield _finding("ENV076", "warning", text, hint)
    elif is_nightly:
        text = (
            f"torch {torch} is a nightly: its index lists only the newest, so that it vanishes within months"
        )
        yield _finding(
            "ENV077", "warning", text, "`envsmith download` keeps its files, or take a stable build"
        )


def _finding(code: str, severity: str, message: str, hint: str) -> Finding:
    return Finding(code=code, severity=severity, subject="torch", message=message, hint=hint)
