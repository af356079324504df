"""``python -m envsmith``, and what the ``envsmith`` command starts."""

from __future__ import annotations

import signal
import sys
from types import FrameType


def run() -> None:
    """Run the command line and end the process with its exit code."""
    if sys.argv[1:2] == ["run"]:
        from envsmith.entering import take_over

        status = take_over(sys.argv[2:])
        if status is not None:
            sys.exit(status)

    from envsmith.cli import main

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # Who set it to be ignored, as nohup does, is obeyed.
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)
    sys.exit(main(sys.argv[1:]))


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """End as Ctrl-C does: by its default the process would die at once, and leave the programs it started running."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    run()
