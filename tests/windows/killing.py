"""Start-up of envsmith that ends the process before its nth change of a file, as TerminateProcess of others does.

``python killing.py N words…``; N = 0 runs to the end, and prints the number of changes to stderr.
"""

import _winapi
import atexit
import os
import sys

assert sys.platform == "win32"
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
# The emulated junctions of `junctions.py` are made, moved and removed by programs of the host.
_CHANGES = {
    "os.mkdir",
    "os.rename",
    "os.remove",
    "os.rmdir",
    "_winapi.CreateFile",
    "_winapi.CreateJunction",
    "_winapi.CreateProcess",
}
_last = int(sys.argv.pop(1))
_seen: list[str] = []


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    flags = arguments[2] if event == "open" else 0
    if event in _CHANGES or (isinstance(flags, int) and flags & _WRITES):
        _seen.append(event)
        if len(_seen) == _last:
            _winapi.TerminateProcess(_winapi.GetCurrentProcess(), 9)


if not _last:
    atexit.register(lambda: sys.stderr.write(f"{len(_seen)}\n"))
sys.addaudithook(_watch)

from envsmith.__main__ import run  # noqa: E402 - watched from its import on

run()
