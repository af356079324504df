"""Facts about an interpreter, and imports in its environment, as JSON.

Run in the environment to inspect::

    python -I -S inspect_environment.py interpreter      version and platform of the interpreter
    python -I -S inspect_environment.py layout PREFIX    the same, and the folders of its packages and modules
    ... import NAME                                      import a module; the seconds it took, or the error

With ``-S``, no ``.pth`` file and no ``sitecustomize`` of the environment runs. `start_probe.py` starts ``import``.
Files are listed and hashed by envsmith's own interpreter (`environment/distributions.py`).

Standard library only, no import of envsmith: runs on Python 3.9 and later.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import sys
import sysconfig
import time
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO


def interpreter() -> dict[str, Any]:
    """Return the properties that decide which wheels this interpreter accepts."""
    libc, libc_version = platform.libc_ver() if sys.platform.startswith("linux") else ("", "")
    return {
        "executable": sys.executable,
        "base": str(Path(sys.base_prefix)),
        "base_executable": getattr(sys, "_base_executable", None) or sys.executable,
        "version": platform.python_version(),
        "implementation": sys.implementation.name,
        "is_free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "bits": 64 if sys.maxsize > 1 << 32 else 32,
        "system": sys.platform,
        "machine": machine(),
        "libc": libc,
        "libc_version": libc_version,
        "macos_version": platform.mac_ver()[0] if sys.platform == "darwin" else "",
    }


def machine() -> str:
    """Return the machine of this interpreter: on Windows for ARM, programs for x64 run as well."""
    if sys.platform == "win32":
        return {"win-amd64": "AMD64", "win-arm64": "ARM64"}.get(sysconfig.get_platform(), "x86")
    return platform.machine()


def layout(prefix: str) -> dict[str, Any]:
    """Return the folders of an environment, and the names that its Python imports."""
    import importlib
    import site

    if Path(prefix, "pyvenv.cfg").is_file():  # with -S, Python 3.13 and older do not do this
        sys.prefix = sys.exec_prefix = prefix
        importlib.reload(sysconfig)
    return {
        "prefix": sys.prefix,
        "is_virtual": sys.prefix != sys.base_prefix,
        "interpreter": interpreter(),
        "suffixes": EXTENSION_SUFFIXES,
        "stdlib_names": sorted(
            set(getattr(sys, "stdlib_module_names", ())) - set(sys.builtin_module_names)  # Python 3.10
        ),
        "user_site": site.getusersitepackages(),
        **{name: sysconfig.get_path(name) for name in ("purelib", "platlib", "scripts")},
        "stdlib": [sysconfig.get_path(name) for name in ("stdlib", "platstdlib")],
    }


def import_module(name: str) -> dict[str, Any]:
    """Import a module; return its version and the seconds it took, or the error and its place."""
    import importlib
    import traceback

    begun = time.perf_counter()
    try:
        module = importlib.import_module(name)
    except BaseException as error:  # noqa: BLE001 - report SystemExit and the like, too
        last = traceback.extract_tb(error.__traceback__)[-1:]
        place = f"{last[0].filename}:{last[0].lineno}" if last else ""
        return {"name": name, "error": f"{type(error).__name__}: {error}", "place": place}
    version = getattr(module, "__version__", "")
    return {"name": name, "seconds": time.perf_counter() - begun, "version": str(version)}


def answer_stream() -> TextIO:
    """Return a stream to standard output; redirect everything else printed there to standard error."""
    stdout = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(stdout, "w", encoding="utf-8")


def main(words: list[str]) -> None:
    """Run a command and print its answer on the last line of standard output."""
    command, *rest = words
    stream = answer_stream()
    if command == "interpreter":
        answer = interpreter()
    elif command == "layout":
        answer = layout(rest[0])
    elif command == "import":
        answer = import_module(rest[0])
    else:
        raise SystemExit(f"unknown: {command}")
    with stream:
        stream.write("\n" + json.dumps(answer) + "\n")
    if command == "import":
        with contextlib.suppress(Exception):
            sys.stderr.flush()
        os._exit(0)  # threads left by the imported module would block a normal exit


if __name__ == "__main__":
    main(sys.argv[1:])
