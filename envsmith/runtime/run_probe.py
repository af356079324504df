"""Runner of one library's probe in the environment to check.

Run as ``python -I run_probe.py NAME [WORD ...]``. Each probe is a ``probe_*.py`` beside this file, which records facts
and raises on failure. Output of the library goes to standard error; standard output has one JSON object per line:
``{"step": ...}`` at the start of each step, and the answer last. After a crash or a hang, the last step is the cause.

Standard library only, no import of envsmith: runs on Python 3.9 and later.
"""

from __future__ import annotations

import json
import os
import runpy
import sys
import time
import traceback
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO

SCRIPTS = {
    "torch": "probe_torch",
    "gpu": "probe_gpu",
    "compile": "probe_compile",
    "onnxruntime": "probe_onnxruntime",
    "rembg": "probe_onnxruntime",
    "opencv": "probe_opencv",
}
OTHER_LIBRARIES = "probe_others"


class Steps:
    """Reporter of a probe's steps."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, name: str) -> None:
        """Report the start of a step."""
        self.write({"step": name})

    def write(self, answer: dict[str, Any]) -> None:
        """Write one line of JSON."""
        self._stream.write(json.dumps(answer) + "\n")
        self._stream.flush()


def answer_stream() -> TextIO:
    """Return a stream to standard output; redirect everything else printed there to standard error."""
    stdout = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(stdout, "w", encoding="utf-8")


def peak_bytes() -> int:
    """Return the peak memory of this process; 0 if unknown."""
    try:
        for line in Path("/proc/self/status").read_text("ascii", "replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:  # not Linux
        pass
    try:
        import resource
    except ImportError:
        return _peak_on_windows()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most if sys.platform == "darwin" else most * 1024)


def _peak_on_windows() -> int:
    """Return the peak working set.

    Source: Microsoft, psapi.h, PROCESS_MEMORY_COUNTERS (read 2026-11-21): two 32-bit numbers, then sizes, the first of
    which is the peak of the working set.
    """
    import ctypes

    sizes = (ctypes.c_size_t * 10)()
    try:
        kernel = ctypes.windll.kernel32  # type: ignore[attr-defined,unused-ignore]
        kernel.GetCurrentProcess.restype = ctypes.c_void_p
        process = ctypes.c_void_p(kernel.GetCurrentProcess())
        is_known = kernel.K32GetProcessMemoryInfo(
            process, sizes, ctypes.sizeof(sizes) - ctypes.sizeof(ctypes.c_size_t)
        )
    except (AttributeError, OSError):
        return 0
    return int(sizes[8 // ctypes.sizeof(ctypes.c_size_t)]) if is_known else 0


def run(name: str, words: list[str], step: Steps) -> dict[str, Any]:
    """Run a probe and return its facts, error, seconds and peak memory.

    Args:
        name: library to probe.
        words: arguments of the probe.
        step: reporter of steps.
    """
    begun = time.perf_counter()
    facts: dict[str, Any] = {}
    answer: dict[str, Any] = {"name": name, "error": "", "place": "", "facts": facts}
    try:
        file = Path(__file__).with_name(f"{SCRIPTS.get(name, OTHER_LIBRARIES)}.py")
        runpy.run_path(str(file))["probe"](name, words, facts, step)
    except BaseException as error:  # noqa: BLE001 - report SystemExit and the like, too
        last = traceback.extract_tb(error.__traceback__)[-1:]
        answer["error"] = f"{type(error).__name__}: {error}"[:2000]
        answer["place"] = f"{last[0].filename}:{last[0].lineno}" if last else ""
    return {**answer, "seconds": time.perf_counter() - begun, "peak_bytes": peak_bytes()}


if __name__ == "__main__":
    steps = Steps(answer_stream())
    steps.write(run(sys.argv[1], sys.argv[2:], steps))
    sys.stdout.flush()
    os._exit(0)  # skip exit handlers of libraries: they are not part of the probe
