"""Finds out what tells who somebody is: name, folders, machine, and what their variables keep secret."""

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

_SECRET = re.compile(
    r"TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|API_?KEY|ACCESS_?KEY|AUTH|_KEY$|_PAT$", re.IGNORECASE
)
_ADDRESS = re.compile(r"PROXY|INDEX|_URL$|FIND_LINKS|ENDPOINT|_HOST$|REGISTRY", re.IGNORECASE)
_USERS = ("USER", "LOGNAME", "USERNAME", "SUDO_USER")
_HOSTS = ("HOSTNAME", "COMPUTERNAME", "HOST", "USERDOMAIN", "LOGONSERVER", "USERDNSDOMAIN")
_HOMES = ("HOME", "USERPROFILE")
_SWITCHES = ("true", "false", "always", "never", "none", "null", "auto", "basic", "disabled", "subprocess")
_LEAST = 4
_LISTS = re.compile(r"PATH$|_HOME$|^CONDA_PREFIX$", re.IGNORECASE)
# What lies there came with the system or by an installer, and is what a helper looks for.
_PUBLIC = (
    *("bin", "etc", "lib", "lib64", "nix", "opt", "proc", "run", "sbin", "snap", "sys", "usr"),
    *("applications", "library", "system", "program files", "program files (x86)", "programdata", "windows"),
    *("home", "users"),  # told as homes
)
_SHALLOW = 2
"""Parts of a folder such as /opt, which tells nothing of a project."""


def redaction(variables: Mapping[str, str], prefix: Path | None = None) -> Redaction:
    """Return what a text for others must not have of this machine and its user.

    Args:
        variables: of this process.
        prefix: the environment that the text is about: it may lie in another project's folder.
    """
    homes = {variables.get(name, "") for name in _HOMES} | {_quietly(Path.home)}
    users = {variables.get(name, "") for name in _USERS} | {_quietly(getpass.getuser), *_logins(variables)}
    hosts = {variables.get(name, "").strip("\\") for name in _HOSTS}
    hosts |= {_quietly(socket.gethostname), platform.node()}
    named = {part for host in hosts for part in (host, host.partition(".")[0])} | set(_servers(variables))
    project = _quietly(Path.cwd)
    return Redaction(
        project=project if project not in homes and len(Path(project).parts) > 1 else "",
        others=tuple(
            sorted({*_projects(variables, prefix, homes - {""}), *_listed(variables, homes - {""})})
        ),
        homes=tuple(sorted(item for item in homes if len(item) > _LEAST)),
        users=tuple(sorted(filter(None, users))),
        hosts=tuple(
            sorted(item for item in named if item and item not in PUBLIC_HOSTS and not _is_number(item))
        ),
        secrets=tuple(sorted(_secrets(variables))),
    )


def _projects(variables: Mapping[str, str], prefix: Path | None, homes: set[str]) -> Iterator[str]:
    """Yield the folders that environments lie in; below a home the folder's path is told as that of a home."""
    places = [Path(text) for text in (variables.get("VIRTUAL_ENV", ""),) if text]
    for place in (*places, *([Path(os.path.normpath(prefix.absolute()))] if prefix else [])):
        for folder in {place.parent, place.resolve().parent}:
            is_at_home = any(folder.is_relative_to(home) for home in homes)
            if place.is_absolute() and len(folder.parts) > _SHALLOW and not is_at_home:
                yield str(folder)


def _listed(variables: Mapping[str, str], homes: set[str]) -> Iterator[str]:
    """Yield the folders of lists such as PYTHONPATH that are somebody's own, each but for its last part."""
    for name, value in variables.items():
        for place in map(Path, value.split(os.pathsep) if _LISTS.search(name) else ()):
            parts = place.parts
            if not place.is_absolute() or len(parts) <= _SHALLOW or parts[1].lower() in _PUBLIC:
                continue
            if not any(place.is_relative_to(home) for home in homes):
                yield str(place.parent if len(parts) > _SHALLOW + 1 else place)


def _is_number(text: str) -> bool:
    """Say whether a name is a number, as the first part of 10.0.0.1 is."""
    return text.replace(".", "").isdigit() and "." not in text


def _quietly(ask: object) -> str:
    with contextlib.suppress(Exception):
        return str(ask())  # type: ignore[operator]
    return ""


def _secrets(variables: Mapping[str, str]) -> Iterator[str]:
    """Yield values of variables that are named for a secret, and logins in addresses."""
    for name, value in variables.items():
        if _SECRET.search(name) and not os.path.isabs(value):  # noqa: PTH117 - a text
            yield from _told(value)
        if _ADDRESS.search(name):
            for _, password, _ in map(address, value.split()):
                yield from _told(password)


def _told(value: str) -> Iterator[str]:
    """Yield a value that can be one's secret: no switch, and not so short that it stands in every text."""
    if len(value) >= _LEAST and value.lower() not in _SWITCHES:
        yield value


def _servers(variables: Mapping[str, str]) -> Iterator[str]:
    """Yield the servers that variables name."""
    for name, value in variables.items():
        if _ADDRESS.search(name):
            yield from (host for _, _, host in map(address, value.split()))


def _logins(variables: Mapping[str, str]) -> Iterator[str]:
    """Yield the users of addresses that variables name."""
    for name, value in variables.items():
        if _ADDRESS.search(name):
            yield from (user for user, _, _ in map(address, value.split()))
