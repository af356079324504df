"""Private values to redact from reports: users, folders, host names and secrets in variables."""

from __future__ import annotations

import contextlib
import getpass
import os
import platform
import re
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

from envsmith.report.redaction import PUBLIC_HOSTS, Redaction, address

# Names of variables with secrets, with addresses, and with lists of folders.
_SECRET_NAME = re.compile(
    r"TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|API_?KEY|ACCESS_?KEY|AUTH|_KEY$|_PAT$", re.IGNORECASE
)
_ADDRESS_NAME = re.compile(r"PROXY|INDEX|_URL$|FIND_LINKS|ENDPOINT|_HOST$|REGISTRY", re.IGNORECASE)
_USERS = ("USER", "LOGNAME", "USERNAME", "SUDO_USER")
_HOSTS = ("HOSTNAME", "COMPUTERNAME", "HOST", "USERDOMAIN", "LOGONSERVER", "USERDNSDOMAIN")
_HOMES = ("HOME", "USERPROFILE")
_SWITCHES = ("true", "false", "always", "never", "none", "null", "auto", "basic", "disabled", "subprocess")
_MIN_LENGTH = 4
_LIST_NAME = re.compile(r"PATH$|_HOME$|^CONDA_PREFIX$", re.IGNORECASE)
# Folders of the system and of installers, which are not private and useful in a report.
_PUBLIC_FOLDERS = (
    *("bin", "etc", "lib", "lib64", "nix", "opt", "proc", "run", "sbin", "snap", "sys", "usr"),
    *("applications", "library", "system", "program files", "program files (x86)", "programdata", "windows"),
    *("home", "users"),  # redacted as homes
)
_MAX_PUBLIC_DEPTH = 2
"""Parts of a folder such as /opt, which identifies no project."""


def collect_redaction(variables: Mapping[str, str], prefix: Path | None = None) -> Redaction:
    """Return the private values of this machine and its user.

    Args:
        variables: the environment variables.
        prefix: the environment of the report, possibly in another project's folder.
    """
    homes = {variables.get(name, "") for name in _HOMES} | {_text_or_empty(Path.home)}
    users = {variables.get(name, "") for name in _USERS} | {
        _text_or_empty(getpass.getuser),
        *_logins(variables),
    }
    hosts = {variables.get(name, "").strip("\\") for name in _HOSTS}
    hosts |= {_text_or_empty(socket.gethostname), platform.node()}
    named = {part for host in hosts for part in (host, host.partition(".")[0])} | set(_servers(variables))
    project = _text_or_empty(Path.cwd)
    return Redaction(
        project=project if project not in homes and len(Path(project).parts) > 1 else "",
        other_projects=tuple(
            sorted(
                {*_project_folders(variables, prefix, homes - {""}), *_list_folders(variables, homes - {""})}
            )
        ),
        homes=tuple(sorted(item for item in homes if len(item) > _MIN_LENGTH)),
        users=tuple(sorted(filter(None, users))),
        hosts=tuple(
            sorted(item for item in named if item and item not in PUBLIC_HOSTS and not _is_number(item))
        ),
        secrets=tuple(sorted(_secrets(variables))),
    )


def _project_folders(variables: Mapping[str, str], prefix: Path | None, homes: set[str]) -> Iterator[str]:
    """Yield the folders that contain environments, except below homes, which are redacted already."""
    places = [Path(text) for text in (variables.get("VIRTUAL_ENV", ""),) if text]
    for place in (*places, *([Path(os.path.normpath(prefix.absolute()))] if prefix else [])):
        for folder in {place.parent, place.resolve().parent}:
            is_at_home = any(folder.is_relative_to(home) for home in homes)
            if place.is_absolute() and len(folder.parts) > _MAX_PUBLIC_DEPTH and not is_at_home:
                yield str(folder)


def _list_folders(variables: Mapping[str, str], homes: set[str]) -> Iterator[str]:
    """Yield the private folders of lists such as PYTHONPATH, each without its last part."""
    for name, value in variables.items():
        for place in map(Path, value.split(os.pathsep) if _LIST_NAME.search(name) else ()):
            parts = place.parts
            if (
                not place.is_absolute()
                or len(parts) <= _MAX_PUBLIC_DEPTH
                or parts[1].lower() in _PUBLIC_FOLDERS
            ):
                continue
            if not any(place.is_relative_to(home) for home in homes):
                yield str(place.parent if len(parts) > _MAX_PUBLIC_DEPTH + 1 else place)


def _is_number(text: str) -> bool:
    """Return whether a name is a number, as the first part of 10.0.0.1."""
    return text.replace(".", "").isdigit() and "." not in text


def _text_or_empty(read: object) -> str:
    # Without a home, a user or a current folder these raise various errors.
    with contextlib.suppress(Exception):
        return str(read())  # type: ignore[operator]
    return ""


def _secrets(variables: Mapping[str, str]) -> Iterator[str]:
    """Yield values of variables with secrets, and passwords in addresses."""
    for name, value in variables.items():
        if _SECRET_NAME.search(name) and not os.path.isabs(value):  # noqa: PTH117 - a text
            yield from _secret(value)
        if _ADDRESS_NAME.search(name):
            for _, password, _ in map(address, value.split()):
                yield from _secret(password)


def _secret(value: str) -> Iterator[str]:
    """Yield a value unless it is a switch, or too short to be a secret."""
    if len(value) >= _MIN_LENGTH and value.lower() not in _SWITCHES:
        yield value


def _servers(variables: Mapping[str, str]) -> Iterator[str]:
    """Yield the servers in variables with addresses."""
    for name, value in variables.items():
        if _ADDRESS_NAME.search(name):
            yield from (host for _, _, host in map(address, value.split()))


def _logins(variables: Mapping[str, str]) -> Iterator[str]:
    """Yield the users in variables with addresses."""
    for name, value in variables.items():
        if _ADDRESS_NAME.search(name):
            yield from (user for user, _, _ in map(address, value.split()))
