"""Looks for what torch's companions need of the system: FFmpeg's libraries, OpenGL, CUDA toolkits."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from envsmith.host.system import Toolbox

# libavutil's own number → FFmpeg's.
# Source: FFmpeg, doc/APIchanges and the releases' libavutil/version.h (read 2026-11-21).
_FFMPEG = {"56": "4", "57": "5", "58": "6", "59": "7", "60": "8"}
_AVUTIL = re.compile(r"(?:libavutil\.so\.|libavutil\.|avutil-)(\d+)")
_FOLDERS = ("usr/lib/*-linux-gnu", "usr/lib64", "usr/lib", "usr/local/lib", "opt/homebrew/lib", "lib64")
_NAMES = ("libavutil.so.*", "libavutil.*.dylib")
_TOOLKIT = re.compile(r"CUDA_PATH_V(\d+)_(\d+)", re.IGNORECASE)


def toolbox(root: Path, variables: Mapping[str, str]) -> Toolbox:
    """Say what there is.

    Args:
        root: of the file system.
        variables: for PATH, where Windows looks for libraries, and for toolkits there.
    """
    libraries = [*_found(root), *_on_path(variables)]
    numbers = {match[1] for name in libraries if (match := _AVUTIL.match(name))}
    return Toolbox(
        ffmpeg=tuple(sorted(_FFMPEG.get(number, f"libavutil {number}") for number in numbers)),
        has_libgl=any(any(root.glob(f"{folder}/libGL.so.1")) for folder in _FOLDERS),
        toolkits=tuple(sorted({*_toolkits(root), *(f"{a}.{b}" for a, b in _registered(variables))})),
    )


def _found(root: Path) -> Iterator[str]:
    for folder in _FOLDERS:
        for name in _NAMES:
            yield from (path.name for path in root.glob(f"{folder}/{name}"))


def _on_path(variables: Mapping[str, str]) -> Iterator[str]:
    """Yield the libraries that Windows finds on PATH; other systems do not look there."""
    if os.name != "nt":
        return
    for entry in filter(None, variables.get("PATH", "").split(os.pathsep)):
        try:
            yield from (path.name for path in Path(entry).glob("avutil-*.dll"))
        except OSError:
            continue


def _toolkits(root: Path) -> Iterator[str]:
    for path in root.glob("usr/local/cuda-[0-9]*"):
        yield path.name.removeprefix("cuda-")


def _registered(variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name in variables:
        if match := _TOOLKIT.fullmatch(name):
            yield match[1], match[2]
