"""Entry point of the ``envsmith`` command and of ``python -m envsmith``."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType


def run() -> None:
    """Run the command line and end the process with its exit code."""
    words = sys.argv[1:]
    # These two answer before click is imported, which takes longer than a plain `run` as a whole.
    if words[:1] == ["run"]:
        from envsmith.activate.fast_run import exec_command

        status = exec_command(words[1:])
        if status is not None:
            sys.exit(status)
    if ("install" in words or {"lock", "--check"} <= {*words}) and _is_unchanged(words):
        sys.exit(0)

    import signal

    from envsmith.cli.main import main

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # Leave a signal ignored if the parent did so, as nohup does.
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _interrupt)
    sys.exit(main(words))


def _is_unchanged(words: list[str]) -> bool:
    """Print the remembered answer of a command that had nothing to do, if nothing has changed since."""
    from envsmith.console.answer_cache import recall

    if not (answer := recall(words)):
        return False
    encoding = sys.stdout.encoding or "utf-8"
    try:
        print(answer.encode(encoding, "replace").decode(encoding), flush=True)  # noqa: T201 - click is not imported yet
    except OSError:  # a closed pipe: the command line reports it
        return False
    return True


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """End like Ctrl-C: by default the process would die at once and leave its children running."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    run()
