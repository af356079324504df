"""Reads under which names installed projects are imported, out of an environment's own records."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterable
from pathlib import Path, PurePosixPath

from packaging.utils import canonicalize_name

ENVIRONMENTS = (".venv", "venv", "env")
_CODE = (".py", ".so", ".pyd")


def installed_modules(root: Path, projects: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return project → the modules its files are, for those installed in an environment within a project's folder.

    Args:
        root: the project's folder.
        projects: normalised names.
    """
    found: dict[str, tuple[str, ...]] = {}
    for name in ENVIRONMENTS:
        if not (root / name / "pyvenv.cfg").is_file():
            continue
        for pattern in ("lib/python3*/site-packages/*.dist-info", "Lib/site-packages/*.dist-info"):
            for folder in sorted((root / name).glob(pattern)):
                project = canonicalize_name(folder.name.partition("-")[0])
                if project in projects and project not in found and (modules := _modules(folder / "RECORD")):
                    found[project] = modules
    return found


def _modules(record: Path) -> tuple[str, ...]:
    try:
        text = record.read_text("utf-8")
        return modules_of(row[0] for row in csv.reader(text.splitlines()) if row)
    except (OSError, ValueError, csv.Error):
        return ()


def modules_of(files: Iterable[str]) -> tuple[str, ...]:
    """Return the modules that a wheel's files are, each as short as it can be told from others in its folder.

    Args:
        files: as RECORD names them, relative to where they are installed.

    Source: packaging specification "Recording installed projects", RECORD (read 2026-11-21).
    """
    paths = [PurePosixPath(name) for name in files if name.endswith(_CODE) and ".." not in name.split("/")]
    packages = {path.parent for path in paths if path.name.startswith("__init__.")}
    return tuple(sorted({_module(path, packages) for path in paths if _is_code(path)}))


def _is_code(path: PurePosixPath) -> bool:
    folders = path.parts[:-1]
    return all(part.isidentifier() for part in folders) and path.name.partition(".")[0].isidentifier()


def _module(path: PurePosixPath, packages: set[PurePosixPath]) -> str:
    """Return the outermost package that a file is in, else the file's own module."""
    outer = [folder for folder in reversed(path.parents) if folder in packages and folder.parts]
    return ".".join(outer[0].parts if outer else (*path.parts[:-1], path.name.partition(".")[0]))
