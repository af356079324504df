"""Environment files for other programs: dotenv, GitHub, systemd and direnv."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from envsmith.environment.generation import RECORD
from envsmith.errors import EnvsmithError
from envsmith.lockfile import LOCKFILES
from envsmith.model.shell import quote_sh


def write(form: str, profile: str, values: Mapping[str, str], unset: Iterable[str]) -> str:
    """Return the text of a file that sets variables.

    Args:
        form: ``dotenv``, ``github``, ``systemd`` or ``envrc``.
        profile: the session's profile.
        values: variables to set.
        unset: variables to unset; set to an empty value in formats without unset.

    Raises:
        EnvsmithError: ENV055 if the format cannot express a value.
    """
    if form == "envrc":
        return _envrc(profile)
    entry = {"dotenv": _dotenv, "github": _github, "systemd": _systemd}[form]
    return "".join(entry(name, value) for name, value in {**values, **dict.fromkeys(unset, "")}.items())


def _dotenv(name: str, value: str) -> str:
    r"""Write in single quotes, where ``\'`` and ``\\`` are special, and where readers still expand ``${NAME}``.

    Other backslashes stay single, so that readers without escapes get Windows paths right.

    Source: python-dotenv's documentation, "File format" and "Variable expansion"
    (https://saurabh-kumar.com/python-dotenv/#file-format), read 2026-11-21.
    """
    if "${" in value:
        raise _unwritable(name, "dotenv", "readers of such files expand ${...}")
    escaped = re.sub(r"\\(?=[\\']|\Z)", r"\\\\", value).replace("'", "\\'")
    return f"{name}='{escaped}'\n"


def _github(name: str, value: str) -> str:
    """Write with a delimiter that does not occur in the value.

    Source: https://docs.github.com/actions/reference/workflow-commands-for-github-actions#multiline-strings,
    read 2026-11-21.
    """
    if "\r" in value:
        raise _unwritable(name, "github", "a carriage return would be lost")
    delimiter = "END"
    while delimiter in value:
        delimiter += "_"
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def _systemd(name: str, value: str) -> str:
    r"""Write in double quotes, with a backslash before ``"``, ``\``, a backtick and ``$``.

    Source: systemd.exec(5), EnvironmentFile= (https://www.freedesktop.org/software/systemd/man/systemd.exec.html),
    read 2026-11-21.
    """
    if re.search(r"[\x01-\x08\x0b-\x1f\x7f]", value):
        raise _unwritable(name, "systemd", "it contains control characters")
    return f'{name}="' + re.sub(r'(["\\`$])', r"\\\1", value) + '"\n'


def _envrc(profile: str) -> str:
    """Source the activation script in direnv's bash; direnv restores the variables itself."""
    script = f"{LOCKFILES}/{profile}/activate.sh"
    # Reload after an install or a rollback, which replace the environment's record.
    watched = "".join(f"watch_file {quote_sh(path)}\n" for path in (script, f".venv/{RECORD}"))
    return f"{watched}. {quote_sh('./' + script)}\n"


def _unwritable(name: str, form: str, reason: str) -> EnvsmithError:
    return EnvsmithError(
        "ENV055",
        f"cannot write {name} as {form}: {reason}",
        where="envsmith env",
        hint="envsmith env --json",
    )
