"""Which of a profile's locks an interpreter can be installed from."""

from __future__ import annotations

from collections.abc import Iterable

from envsmith.environment.model import Interpreter
from envsmith.errors import LockError
from envsmith.model.target import Platform, Python, parse_slug


def fitting(slugs: Iterable[str], interpreter: Interpreter, *, profile: str) -> str:
    """Return the target of a profile whose wheels run on an interpreter; of several, the one of the latest floor.

    Raises:
        LockError: LCK004 when there is none.
    """
    slugs = sorted(slugs)
    found = [slug for slug in slugs if interpreter.runs(*parse_slug(slug))]
    if found:
        return max(found, key=lambda slug: parse_slug(slug)[1].floor)
    raise LockError(
        "LCK004",
        f"no lock of {profile} is for {interpreter}",
        where=interpreter.executable,
        details=tuple(("locked for", slug) for slug in slugs),
        hint=_way_out(slugs, interpreter, profile),
    )


def _way_out(slugs: Iterable[str], interpreter: Interpreter, profile: str) -> str:
    pairs = [parse_slug(slug) for slug in slugs]
    pythons = [str(python) for python, platform in pairs if interpreter_is_on(interpreter, platform)]
    if pythons:
        return f"name an interpreter it is locked for with --python {pythons[-1]}"
    return f"add this machine's platform to the profile and run `envsmith lock {profile}`"


def interpreter_is_on(interpreter: Interpreter, platform: Platform) -> bool:
    """Say whether a platform's wheels run where an interpreter does, in some Python."""
    return interpreter.runs(interpreter.python, platform)


def pythons_on(slugs: Iterable[str], here: Platform, preferred: Python) -> tuple[Python, ...]:
    """Return the Pythons that a profile is locked for on a platform, the preferred one first, then the newest.

    Args:
        slugs: of the locks.
        here: this machine's platform; its floor is not compared.
        preferred: the Python that is taken where it is among them.
    """
    pairs = (parse_slug(slug) for slug in slugs)
    found = {python for python, on in pairs if (on.os, on.machine) == (here.os, here.machine)}
    return tuple(sorted(found, key=lambda python: (python != preferred, -python.major, -python.minor)))
