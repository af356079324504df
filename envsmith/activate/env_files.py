"""Files of variables, as other programs read them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from envsmith.environment.model import RECORD
from envsmith.errors import EnvsmithError
from envsmith.model.shell import quote_sh


def write(form: str, profile: str, values: Mapping[str, str], unset: Iterable[str]) -> str:
    """Return the text of a file that sets variables.

    Args:
        form: ``dotenv``, ``github``, ``systemd`` or ``envrc``.
        profile: whose session it is.
        values: variables to set.
        unset: variables that must not be there; set to nothing where the form cannot unset.

    Raises:
        EnvsmithError: ENV055 when a value cannot be written in that form.
    """
    if form == "envrc":
        return _envrc(profile)
    entry = {"dotenv": _dotenv, "github": _github, "systemd": _systemd}[form]
    return "".join(entry(name, value) for name, value in {**values, **dict.fromkeys(unset, "")}.items())


def _dotenv(name: str, value: str) -> str:
    r"""Write between single quotes, where ``\'`` and ``\\`` are special; names in ``${}`` are replaced even there.

    A backslash before anything else stands as it is: readers to which none is special find Windows' paths as they are.

    Source: python-dotenv's documentation, "File format" and "Variable expansion"
    (https://saurabh-kumar.com/python-dotenv/#file-format), read 2026-11-21.
    """
    if "${" in value:
        raise _unsayable(name, "dotenv", "readers of such files replace what stands in ${}")
    escaped = re.sub(r"\\(?=[\\']|\Z)", r"\\\\", value).replace("'", "\\'")
    return f"{name}='{escaped}'\n"


def _github(name: str, value: str) -> str:
    """Write with a delimiter that is no line of the value.

    Source: https://docs.github.com/actions/reference/workflow-commands-for-github-actions#multiline-strings,
    read 2026-11-21.
    """
    if "\r" in value:
        raise _unsayable(name, "github", "a carriage return would be lost")
    delimiter = "END"
    while delimiter in value:
        delimiter += "_"
    return f"{name}<<{delimiter}\n{value}\n{delimiter}\n"


def _systemd(name: str, value: str) -> str:
    r"""Write between double quotes, where a backslash goes before ``"``, ``\``, a backtick and ``$``.

    Source: systemd.exec(5), EnvironmentFile= (https://www.freedesktop.org/software/systemd/man/systemd.exec.html),
    read 2026-11-21.
    """
    if re.search(r"[\x01-\x08\x0b-\x1f\x7f]", value):
        raise _unsayable(name, "systemd", "it has control characters")
    return f'{name}="' + re.sub(r'(["\\`$])', r"\\\1", value) + '"\n'


def _envrc(profile: str) -> str:
    """Read the activation script, as direnv's bash does, and leave putting back to direnv."""
    script = f"lockfiles/{profile}/activate.sh"
    # Another environment becomes current with another record: what was refused may be entered then.
    watched = "".join(f"watch_file {quote_sh(path)}\n" for path in (script, f".venv/{RECORD}"))
    return f"{watched}. {quote_sh('./' + script)}\n"


def _unsayable(name: str, form: str, why: str) -> EnvsmithError:
    return EnvsmithError(
        "ENV055",
        f"{name} cannot be written as {form}: {why}",
        where="envsmith env",
        hint="envsmith env --json",
    )
