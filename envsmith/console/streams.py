"""Standard streams that are closed or cannot be written. On the start-up path: few imports."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def open_closed() -> None:
    """Open the standard streams that the parent has closed, before a file that envsmith writes gets their number.

    Standard output is opened so that writing to it fails, as it does in other programs; errors are dropped.
    """
    for number, mode in ((0, os.O_RDONLY), (1, os.O_RDONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # gets the lowest free number, which is this one
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - open until the end
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def exit_interrupted() -> NoReturn:
    """End the process at once: a second interrupt, while it ends, would show a traceback."""
    try:
        os.write(2, b"interrupted\n")
    finally:
        os._exit(130)


def is_output_error(error: OSError, *modules: str) -> bool:
    """Return whether an error was raised where modules write to a standard stream, not to a file."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_globals["__name__"] in modules
