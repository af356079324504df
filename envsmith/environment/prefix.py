"""Files of an environment, found without starting its Python: interpreter, site-packages, RECORDs, start-up files.

`envsmith rollback` imports this module: it stays quick to import.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from envsmith.files.own_folder import site_folders
from envsmith.files.text import read_regular

CONFIG = "pyvenv.cfg"
SYSTEM_PACKAGES = f"{CONFIG} has `include-system-site-packages = true`"
"""Among the changes of an environment that imports the packages of its base interpreter."""
_STARTUP_MODULES = ("sitecustomize", "usercustomize", "_virtualenv")
_STARTUP_SUFFIXES = (".pth", ".start")
_CODE_ENDINGS = (".py", ".pyc", ".pth", ".so", ".pyd", ".dll", ".dylib")


def interpreter_path(prefix: Path) -> Path:
    """Return the interpreter of an environment.

    conda on Windows has it in the root; the Python of a Linux distribution may be named ``python3`` only.
    """
    usual, other = ("Scripts/python.exe", "python.exe") if os.name == "nt" else ("bin/python", "bin/python3")
    is_other = not os.path.lexists(prefix / usual) and (prefix / other).exists()
    return prefix / (other if is_other else usual)


def startup_files(prefix: Path) -> tuple[Path, ...]:
    """Return the files in ``site-packages`` of the code that runs at every start of Python, sorted."""
    return tuple(
        sorted(
            path
            for site in site_folders(prefix)
            for path in site.glob("*")
            if path.name.endswith(_STARTUP_SUFFIXES) or path.name.partition(".")[0] in _STARTUP_MODULES
        )
    )


def includes_system_packages(prefix: Path) -> bool:
    """Return whether a virtual environment imports the packages of its base interpreter."""
    with suppress(OSError):
        for line in read_regular(prefix / CONFIG).decode("utf-8", "replace").splitlines():
            key, _, value = line.partition("=")
            if key.strip().lower() == "include-system-site-packages":
                return value.strip().lower() == "true"
    return False


def record_lines(record: Path) -> Iterator[list[str]]:
    """Yield the lines of a RECORD, each of at least one text; none if it cannot be read."""
    with suppress(OSError, csv.Error):
        text = read_regular(record).decode("utf-8", "surrogateescape")
        yield from (row for row in csv.reader(io.StringIO(text, newline="")) if row and row[0])


def is_compiled(path: str) -> bool:
    """Return whether a file is bytecode in ``__pycache__``: pip records it, and it may be deleted at any time."""
    return path.endswith(".pyc") and os.path.basename(os.path.dirname(path)) == "__pycache__"  # noqa: PTH119, PTH120


def is_code(name: str) -> bool:
    """Return whether a file is code by its name."""
    return name.endswith(_CODE_ENDINGS) or ".so." in name
