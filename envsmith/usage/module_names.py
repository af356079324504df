"""Import names of installed or locked projects, read from an environment's RECORD files or cached wheels."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path, PurePosixPath

from packaging.utils import canonicalize_name

from envsmith.files.own_folder import site_folders
from envsmith.files.text import read_regular
from envsmith.lockfile import LOCKFILES
from envsmith.lockfile.pins import requirements_lines
from envsmith.model.wheel import WheelContents

ENVIRONMENTS = (".venv", "venv", "env")
_CODE = (".py", ".so", ".pyd")
# URL and sha256 of a file in a pylock, as `envsmith lock` writes it.
_URL = re.compile(r'\burl = "([^"\n]+)"[^\n]*?\bsha256 = "([0-9a-f]{64})"')


def installed_modules(root: Path, projects: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return project → modules, for the projects installed in an environment inside the project folder.

    Args:
        root: the project's folder.
        projects: normalised names.
    """
    found: dict[str, tuple[str, ...]] = {}
    for name in ENVIRONMENTS:
        if not (root / name / "pyvenv.cfg").is_file():
            continue
        for site in site_folders(root / name):
            for folder in sorted(site.glob("*.dist-info")):
                project = canonicalize_name(folder.name.partition("-")[0])
                if project in projects and project not in found and (modules := _modules(folder / "RECORD")):
                    found[project] = modules
    return found


def _modules(record: Path) -> tuple[str, ...]:
    try:
        text = read_regular(record).decode()
        return modules_of(row[0] for row in csv.reader(text.splitlines()) if row)
    except (OSError, ValueError, csv.Error):
        return ()


def modules_of(files: Iterable[str]) -> tuple[str, ...]:
    """Return the modules of a wheel, each as short as its folder allows without ambiguity.

    Args:
        files: paths in RECORD, relative to the installation folder.

    Source: packaging specification "Recording installed projects", RECORD (read 2026-11-21).
    """
    paths = [PurePosixPath(name) for name in files if name.endswith(_CODE) and ".." not in name.split("/")]
    packages = {path.parent for path in paths if path.name.startswith("__init__.")}
    return tuple(sorted({_module(path, packages) for path in paths if _is_code(path)}))


def _is_code(path: PurePosixPath) -> bool:
    folders = path.parts[:-1]
    return all(part.isidentifier() for part in folders) and path.name.partition(".")[0].isidentifier()


def _module(path: PurePosixPath, packages: set[PurePosixPath]) -> str:
    """Return the outermost package of a file, or the file's own module."""
    outer = [folder for folder in reversed(path.parents) if folder in packages and folder.parts]
    return ".".join(outer[0].parts if outer else (*path.parts[:-1], path.name.partition(".")[0]))


class KnownModules:
    """Import names of installed projects, and of locked wheels whose contents are cached.

    Args:
        kept: sha256 and URL of a wheel → its cached contents, None if not cached. Nothing is fetched.
    """

    def __init__(self, kept: Callable[[str, str], WheelContents | None]) -> None:
        self._kept = kept

    def installed_modules(self, root: Path, projects: Collection[str]) -> dict[str, tuple[str, ...]]:
        """Return project → modules, for known projects.

        Args:
            root: the project's folder, with its environment and lock folders.
            projects: normalised names.
        """
        found = installed_modules(root, projects)
        for project, sha256, url in _locked(root, set(projects) - found.keys()):
            contents = None if project in found else self._kept(sha256, url)
            if contents and (modules := modules_of(contents.members)):
                found[project] = modules
        return found


def _locked(root: Path, projects: Collection[str]) -> Iterator[tuple[str, str, str]]:
    """Yield project, sha256 and URL of each file that a lock pins for one of the projects."""
    if not projects:
        return
    for path in sorted(root.glob(f"{LOCKFILES}/*/requirements.*.txt")):
        try:
            lines = requirements_lines(read_regular(path).decode())
            pylock = path.with_name(
                f"pylock.{path.name.removeprefix('requirements.').removesuffix('.txt')}.toml"
            )
            text = read_regular(pylock).decode() if pylock.is_file() else ""
            urls = dict(map(reversed, _URL.findall(text)))
        except (OSError, UnicodeError):
            continue
        for line in lines:
            project = str(canonicalize_name(line.name))
            if project in projects:
                yield from ((project, sha256, urls.get(sha256, "")) for sha256 in line.sha256)
