"""Facts about an interpreter and its environment, as JSON.

Run as ``python -I inspect_environment.py COMMAND ...`` in the environment to inspect::

    interpreter                       version and platform of the interpreter
    environment [--hash] [--jobs N]   distributions, and missing or changed files of each RECORD
    import NAME                       import a module; the seconds it took, or the error

Standard library only, no import of envsmith: runs on Python 3.9 and later. Paths are strings: `Path` is slow for many
files.

Source: PyPA specification of recording installed projects (read 2026-11-21): a RECORD line is path, hash and size, the
path relative to the folder of the ``.dist-info``; hash and size may be empty.
"""

from __future__ import annotations

import base64
import contextlib
import csv
import hashlib
import json
import os
import platform
import runpy
import sys
import sysconfig
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, TextIO

MAX_PATHS = 20
_CHUNK = 1 << 20


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
        "machine": platform.machine(),
        "libc": libc,
        "libc_version": libc_version,
        "macos_version": platform.mac_ver()[0] if sys.platform == "darwin" else "",
    }


def environment(*, with_hashes: bool, jobs: int) -> dict[str, Any]:
    """Return the distributions of this environment, each with its missing and changed files.

    Args:
        with_hashes: compare hashes, too; without, sizes only.
        jobs: threads that compute hashes.
    """
    folders = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
    found = [path for folder in folders for path in sorted(Path(folder).glob("*.dist-info"))]
    rows = {path: list(_rows(path / "RECORD")) for path in found}
    harmless = _shared_unloadable(rows)
    with ThreadPoolExecutor(jobs) as pool:
        distributions = [
            _distribution(path, rows[path], harmless, pool if with_hashes else None) for path in found
        ]
    return {
        "prefix": sys.prefix,
        "site": os.path.relpath(sysconfig.get_path("purelib"), sys.prefix),
        "interpreter": interpreter(),
        "distributions": distributions,
        "torch": _torch(folders),
    }


def _shared_unloadable(rows: dict[Path, list[tuple[str, str, str]]]) -> set[str]:
    """Return the files with several owners that no program loads; any owner's content is right."""
    is_loaded = runpy.run_path(str(Path(__file__).with_name("loadable_files.py")))["is_loadable"]
    owners = Counter(path for found in rows.values() for path, _, _ in found)
    shared = {path for path, count in owners.items() if count > 1}
    return {
        path
        for folder, found in rows.items()
        for path, _, _ in found
        if path in shared and not is_loaded(os.path.relpath(path, folder.parent))
    }


def _distribution(
    folder: Path, rows: list[tuple[str, str, str]], harmless: set[str], pool: ThreadPoolExecutor | None
) -> dict[str, Any]:
    """Describe a distribution; compare hashes if there is a pool."""
    name, version = _name_and_version(folder)
    missing, changed, total = [], [], 0
    own = f"{folder.name}/METADATA"
    hashed = []
    for path, hash_, size in rows:
        try:
            found = os.stat(path)  # noqa: PTH116
        except OSError:
            if not _is_compiled(path):
                missing.append(path)
            continue
        total += found.st_size
        if path in harmless:
            continue
        if size and int(size) != found.st_size:
            changed.append(path)
        elif pool and hash_:
            hashed.append((path, hash_))
    right = pool.map(_has_hash, hashed, chunksize=1) if pool else ()
    changed += [path for (path, _), is_right in zip(hashed, right) if not is_right]  # noqa: B905 - 3.10's
    return {
        "name": name,
        "version": version,
        "folder": folder.name,
        "has_record": any(path.endswith(own) for path, _, _ in rows),
        "files": len(rows),
        "bytes": total,
        "missing": _relative_paths(folder, missing),
        "missing_count": len(missing),
        "changed": _relative_paths(folder, changed),
        "changed_count": len(changed),
    }


def _is_compiled(path: str) -> bool:
    """Say whether a file is bytecode in ``__pycache__``: pip records it, and it may be deleted at any time."""
    return path.endswith(".pyc") and os.path.basename(os.path.dirname(path)) == "__pycache__"  # noqa: PTH119, PTH120


def _relative_paths(folder: Path, paths: Iterable[str]) -> list[str]:
    return [os.path.relpath(path, folder.parent) for path in sorted(paths)[:MAX_PATHS]]


def _name_and_version(folder: Path) -> tuple[str, str]:
    """Read name and version from METADATA, else from the folder's name."""
    name, _, version = folder.name[: -len(".dist-info")].partition("-")
    try:
        with (folder / "METADATA").open(encoding="utf-8", errors="replace") as stream:
            for line in stream:
                key, _, value = line.partition(":")
                if not line.strip():
                    break
                if key.lower() == "name":
                    name = value.strip()
                elif key.lower() == "version":
                    version = value.strip()
    except OSError:  # no METADATA: the folder's name has both
        pass
    return name, version


def _rows(record: Path) -> Iterator[tuple[str, str, str]]:
    root = record.parent.parent
    try:
        with record.open(encoding="utf-8", errors="surrogateescape", newline="") as stream:
            for row in csv.reader(stream):
                if row and row[0]:
                    path, hash_, size = (*row, "", "")[:3]
                    full = os.path.join(root, path)  # noqa: PTH118
                    yield full, hash_, size if size.isdigit() else ""
    except (OSError, csv.Error):
        return


def _has_hash(item: tuple[str, str]) -> bool:
    path, hash_ = item
    kind, _, value = hash_.partition("=")
    try:
        digest = hashlib.new(kind)
        with open(path, "rb", buffering=0) as stream:  # noqa: PTH123
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    except (OSError, ValueError):
        return False
    return base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode() == value.rstrip("=")


def _torch(folders: Iterable[str]) -> dict[str, Any] | None:
    """Read torch's version.py without importing torch."""
    import ast

    for folder in folders:
        try:
            tree = ast.parse(Path(folder, "torch", "version.py").read_text("utf-8"))
        except (OSError, SyntaxError, ValueError):
            continue
        values = {}
        for node in tree.body:
            target: ast.expr | None = node.target if isinstance(node, ast.AnnAssign) else None
            if isinstance(node, ast.Assign) and len(node.targets) == 1:
                target = node.targets[0]
            value = getattr(node, "value", None)
            if isinstance(target, ast.Name) and isinstance(value, ast.Constant):
                values[target.id] = value.value
        return {key: values.get(name) for key, name in _TORCH_VERSION_NAMES.items()}
    return None


_TORCH_VERSION_NAMES = {"version": "__version__", "cuda": "cuda", "hip": "hip", "xpu": "xpu"}


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
    elif command == "environment":
        jobs = int(rest[rest.index("--jobs") + 1]) if "--jobs" in rest else (os.cpu_count() or 1)
        answer = environment(with_hashes="--hash" in rest, jobs=jobs)
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
