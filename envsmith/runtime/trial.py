"""Try one library in the environment that is asked about, and say as JSON how that went.

Run as ``python -I trial.py NAME [WORD ...]``. What is tried lies in a file beside this one, which fills in facts and
raises where something fails. Whatever the library prints goes to standard error; standard output has one JSON object a
line: ``{"step": ...}`` when something is begun, and last the answer. So it is known what was being done when a library
crashes the interpreter or hangs.

Standard library only, and no name of envsmith's: any Python from 3.9 on runs it.
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

FILES = {
    "torch": "trial_torch",
    "gpu": "trial_gpu",
    "compile": "trial_compile",
    "onnxruntime": "trial_onnxruntime",
    "rembg": "trial_onnxruntime",
    "opencv": "trial_opencv",
}
OTHERS = "trial_others"


class Steps:
    """Where a trial says what it begins."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, what: str) -> None:
        """Say that something is begun."""
        self.say({"step": what})

    def say(self, answer: dict[str, Any]) -> None:
        """Write one line."""
        self._stream.write(json.dumps(answer) + "\n")
        self._stream.flush()


def answers() -> TextIO:
    """Keep standard output for the answers: what anything else prints there goes to standard error."""
    kept = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(kept, "w", encoding="utf-8")


def peak_bytes() -> int:
    """Return the most memory this process ever held; 0 where the system does not say."""
    try:
        for line in Path("/proc/self/status").read_text("ascii", "replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        import resource
    except ImportError:
        return _peak_on_windows()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(most if sys.platform == "darwin" else most * 1024)


def _peak_on_windows() -> int:
    """Ask Windows.

    Source: PROCESS_MEMORY_COUNTERS of psapi.h, Microsoft (read 2026-11-21): two 32-bit numbers, then sizes, the first
    of which is the peak of the working set.
    """
    import ctypes

    sizes = (ctypes.c_size_t * 10)()
    try:
        kernel = ctypes.windll.kernel32  # type: ignore[attr-defined,unused-ignore]
        kernel.GetCurrentProcess.restype = ctypes.c_void_p
        process = ctypes.c_void_p(kernel.GetCurrentProcess())
        is_told = kernel.K32GetProcessMemoryInfo(
            process, sizes, ctypes.sizeof(sizes) - ctypes.sizeof(ctypes.c_size_t)
        )
    except (AttributeError, OSError):
        return 0
    return int(sizes[8 // ctypes.sizeof(ctypes.c_size_t)]) if is_told else 0


def tried(name: str, words: list[str], step: Steps) -> dict[str, Any]:
    """Try a library, and return how that went."""
    begun = time.perf_counter()
    facts: dict[str, Any] = {}
    answer: dict[str, Any] = {"name": name, "error": "", "place": "", "facts": facts}
    try:
        file = Path(__file__).with_name(f"{FILES.get(name, OTHERS)}.py")
        runpy.run_path(str(file))["trial"](name, words, facts, step)
    except BaseException as error:  # noqa: BLE001 - SystemExit and the like must be told, too
        last = traceback.extract_tb(error.__traceback__)[-1:]
        answer["error"] = f"{type(error).__name__}: {error}"[:2000]
        answer["place"] = f"{last[0].filename}:{last[0].lineno}" if last else ""
    return {**answer, "seconds": time.perf_counter() - begun, "peak_bytes": peak_bytes()}


if __name__ == "__main__":
    steps = Steps(answers())
    steps.say(tried(sys.argv[1], sys.argv[2:], steps))
    sys.stdout.flush()
    os._exit(0)  # what a library does at the end of the interpreter is not what is tried
