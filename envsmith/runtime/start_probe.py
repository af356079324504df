"""Start of a probe without start-up code that belongs to no distribution.

Run as ``python -I -S start_probe.py SCRIPT [WORD ...]`` in the environment to inspect. It adds the environment's
packages as `site` does, but runs ``.pth`` files, ``sitecustomize`` and ``usercustomize`` only if a RECORD lists them:
other ones could answer in place of the probe, or hang. Folders in other ``.pth`` files, as of old editable installs,
are added.

Standard library only, no import of envsmith: runs on Python 3.9 and later.
"""

from __future__ import annotations

import runpy
import site
import sys
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


_NO_PATHS = ("#", "import ", "import\t")


@lru_cache
def recorded_names(folder: str) -> set[str]:
    """Return the names of single files in ``site-packages`` that a RECORD lists."""
    found: set[str] = set()
    for record in Path(folder).glob("*.dist-info/RECORD"):
        with suppress(OSError):
            names = (line.partition(",")[0] for line in record.read_text("utf-8", "replace").splitlines())
            found.update(name for name in names if "/" not in name)
    return found


def activate_site() -> None:
    """Add the environment's packages to the import path."""
    add_recorded = site.addpackage

    def add_package(sitedir: Any, name: Any, known_paths: set[str] | None) -> set[str] | None:  # noqa: ANN401 - as site's
        if name in recorded_names(sitedir):
            return add_recorded(sitedir, name, known_paths)
        with suppress(OSError):
            lines = Path(sitedir, name).read_text("utf-8", "replace").splitlines()
            paths = [Path(sitedir, line) for line in lines if line.strip() and not line.startswith(_NO_PATHS)]
            sys.path += [str(path) for path in paths if path.exists()]
        return known_paths

    site.addpackage = add_package
    for name in ("sitecustomize", "usercustomize"):
        _skip_unrecorded(name)
    site.main()


def _skip_unrecorded(module: str) -> None:
    run: Callable[[], None] = getattr(site, f"exec{module}")

    def run_recorded() -> None:
        if any(f"{module}.py" in recorded_names(folder) for folder in site.getsitepackages()):
            run()

    setattr(site, f"exec{module}", run_recorded)


if __name__ == "__main__":
    activate_site()
    script = sys.argv[1]
    del sys.argv[0]
    runpy.run_path(script, run_name="__main__")
