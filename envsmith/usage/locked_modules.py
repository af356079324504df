"""Finds under which names projects are imported: out of an environment's records, else out of the locked wheels."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from packaging.utils import canonicalize_name

from envsmith.model.contents import Contents
from envsmith.usage.module_names import installed_modules, modules_of

LOCKFILES = "lockfiles"
_PIN = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==\S+")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


class KnownModules:
    """Knows the modules of what is installed, and of what is locked and was looked into.

    Args:
        kept: sha256 of a wheel → its contents as remembered, None where nobody has looked into it. Nothing is fetched.
    """

    def __init__(self, kept: Callable[[str], Contents | None]) -> None:
        self._kept = kept

    def installed_modules(self, root: Path, projects: Collection[str]) -> dict[str, tuple[str, ...]]:
        """Return project → modules, for those it knows.

        Args:
            root: the project's folder, with its environment and its lock folders.
            projects: normalised names.
        """
        found = installed_modules(root, projects)
        for project, sha256 in _locked(root, set(projects) - found.keys()):
            contents = None if project in found else self._kept(sha256)
            if contents and (modules := modules_of(contents.members)):
                found[project] = modules
        return found


def _locked(root: Path, projects: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield the hash of each file that a lock pins for one of the projects."""
    if not projects:
        return
    for path in sorted(root.glob(f"{LOCKFILES}/*/requirements.*.txt")):
        try:
            lines = path.read_text("utf-8").splitlines()
        except (OSError, UnicodeError):
            continue
        project = ""
        for line in lines:
            if match := _PIN.match(line):
                project = str(canonicalize_name(match["name"]))
            elif project in projects and (hashed := _HASH.search(line)):
                yield project, hashed[1]
