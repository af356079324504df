"""What measurements fetch once and keep, outside the repository: sources of real packages, tools to compare with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

_ATTEMPTS = 3


def cache() -> Path:
    """Return the folder in which is kept what was fetched: ENVSMITH_BENCH_DIR, else one among the user's caches."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("ENVSMITH_BENCH_DIR") or base / "envsmith-bench")


def made_once(name: str, key: Sequence[str], make: Callable[[Path], None]) -> Path:
    """Return a folder that is made where there is none for this key; one half made does not count.

    Args:
        name: what it is.
        key: what it depends on.
        make: fills an empty folder.
    """
    place = cache() / f"{name}-{sha256(repr(tuple(key)).encode()).hexdigest()[:12]}"
    mark = place / ".made"
    if not mark.exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        print(f"fetching {name} into {place}", file=sys.stderr)
        make(place)
        mark.touch()
    return place


def install(folder: Path, package: str) -> None:
    """Unpack one package's wheel into a folder, the same wheel on every machine that runs this."""
    target = ("--python-platform", "x86_64-manylinux_2_28", "--python-version", "3.11")
    words = ("pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--target", folder)
    uv(*words, *target, package)


def uv(*words: str | Path) -> None:
    """Run uv, again where a network fails it.

    Raises:
        RuntimeError: when it fails all the same.
    """
    command = [Path(sys.executable).parent / "uv", "--no-config", *words]
    for _ in range(_ATTEMPTS):
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
        if done.returncode == 0:
            return
    raise RuntimeError(f"{command} ended with {done.returncode}:\n{done.stderr}")
