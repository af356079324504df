"""Names: of environment variables, unused ones, and suggestions for misspelt ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import count

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""Pattern of names of environment variables; use with ``fullmatch``."""


def any_case(*words: str) -> re.Pattern[str]:
    """Return a pattern of whole texts in any case, without a flag: JSON Schema has none."""
    either = ("".join(f"[{c.upper()}{c.lower()}]" if c.isalpha() else c for c in word) for word in words)
    return re.compile(f"^(?:{'|'.join(either)})$")


# Set by activation or used for its records, and those by which every program of a session would load other code first.
# Case-insensitive on Windows.
RESERVED_VARIABLE = any_case(
    *("PATH", "VIRTUAL_ENV(?:_PROMPT)?", "_?ENVSMITH_.*", "_ES_.*", "_"),
    *(
        "(?:LD|DYLD)_.*",
        "GCONV_PATH",
        "OPENSSL_(?:CONF|MODULES|ENGINES)",
        "(?:CUDA|NVTX)_INJECTION(?:32|64)_PATH",
    ),
    *("PYTHON(?:PATH|HOME|STARTUP|USERBASE|PLATLIBDIR|PYCACHEPREFIX)", "PERL5(?:OPT|LIB)", "NODE_OPTIONS"),
    *("BASH_ENV", "ZDOTDIR", "PROMPT_COMMAND", "GIT_(?:SSH|EXEC|CONFIG|ASKPASS|EXTERNAL_DIFF).*"),
)
"""Pattern of names that no profile and no lock may set; use with ``search``."""


def variable_problem(name: str, value: str) -> str:
    """Return why a profile or a lock cannot set a variable; empty if it can."""
    if not VARIABLE.fullmatch(name):
        return f"invalid variable name {name[:80]!r}"
    if RESERVED_VARIABLE.search(name):
        return f"{name} cannot be set by a profile: it belongs to activation or to your own session"
    return f"{name} contains a NUL character" if "\0" in value else ""


def unique_name(stem: str, is_taken: Callable[[str], bool], *, joint: str = "-", end: str = "") -> str:
    """Return a name that is not taken, with a number from 2 on if necessary: ``a.reg``, ``a-2.reg``.

    Args:
        stem: first part of the name.
        is_taken: tells whether a name is in use.
        joint: text before the number.
        end: last part of the name.
    """
    if not is_taken(f"{stem}{end}"):
        return f"{stem}{end}"
    return next(name for number in count(2) if not is_taken(name := f"{stem}{joint}{number}{end}"))


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return a hint for an unknown word: the closest known one, and the list of all."""
    from difflib import get_close_matches  # needed for errors alone, unlike this module

    known = sorted(name if name.isprintable() else repr(name) for name in known)
    near = get_close_matches(word, known, n=1)
    listed = ", ".join(known) or "none"
    return f"did you mean {near[0]}? known: {listed}" if near else f"known: {listed}"
