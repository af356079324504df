"""The code of the shims, and where in an environment it is put."""

from __future__ import annotations

import errno
from pathlib import Path

from envsmith.files.folders import python_of, refusals
from envsmith.model.shim import ShimPackage
from envsmith.process.runner import Processes, inherited

_COMPILE_S = 60.0
_KEPT = ("PATH", "HOME", "USERPROFILE", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP")
_SOURCES = Path(__file__).parents[1] / "runtime" / "shims"


def sources() -> dict[str, bytes]:
    """Return the shims' code: file name → content, line ends as they were written."""
    return {path.name: path.read_bytes().replace(b"\r\n", b"\n") for path in sorted(_SOURCES.glob("*.py"))}


def lay(prefix: Path, package: ShimPackage, processes: Processes) -> None:
    """Put a package of shims into a new environment, and compile it: where nobody may write there, Python cannot.

    Args:
        prefix: the environment's root.
        package: what to put there.
        processes: run the environment's Python.

    Raises:
        InstallError: ENV021 when the disk is full, ENV024 when the system refuses.
    """
    with refusals(prefix):
        site = _site(prefix)
        for name, data in package.files.items():
            (site / name).parent.mkdir(parents=True, exist_ok=True)
            (site / name).write_bytes(data)
    modules = [site / name for name in package.files if name.endswith(".py")]
    processes.run(
        [python_of(prefix), "-I", "-m", "compileall", "-q", *modules],
        env=inherited(_KEPT),
        timeout_s=_COMPILE_S,
    )


def _site(prefix: Path) -> Path:
    """Return where an environment's packages lie."""
    for pattern in ("lib/python3*/site-packages", "Lib/site-packages"):
        for path in prefix.glob(pattern):
            return path
    raise FileNotFoundError(errno.ENOENT, "it has no folder for packages", str(prefix))
