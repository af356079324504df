"""``python -m envsmith``, and what the ``envsmith`` command starts."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType


def run() -> None:
    """Run the command line and end the process with its exit code."""
    words = sys.argv[1:]
    if words[:1] == ["run"]:
        from envsmith.activate.fast_run import exec_command

        status = exec_command(words[1:])
        if status is not None:
            sys.exit(status)
    if ("install" in words or {"lock", "--check"} <= {*words}) and _is_unchanged(words):
        sys.exit(0)

    import signal

    from envsmith.cli import main

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # Who set it to be ignored, as nohup does, is obeyed.
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)
    sys.exit(main(words))


def _is_unchanged(words: list[str]) -> bool:
    """Print at once what was said to these words when there was nothing to do, where nothing has changed since."""
    from envsmith.console.answer_cache import recall

    if not (said := recall(words)):
        return False
    encoding = sys.stdout.encoding or "utf-8"
    try:
        print(said.encode(encoding, "replace").decode(encoding), flush=True)  # noqa: T201 - click is not there yet
    except OSError:  # nobody reads it any more, which the whole command line knows how to say
        return False
    return True


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """End as Ctrl-C does: by its default the process would die at once, and leave the programs it started running."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    run()
