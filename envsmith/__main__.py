"""Entry point of the ``envsmith`` command and of ``python -m envsmith``."""

from __future__ import annotations

import sys

from envsmith.console.streams import exit_interrupted, open_closed


def run() -> None:
    """Run the command line and end the process with its exit code."""
    try:
        status = _run(sys.argv[1:])
    except KeyboardInterrupt:  # while modules were imported: the command line reports the others
        exit_interrupted()
    sys.exit(status)


def _run(words: list[str]) -> int:
    if sys.platform != "win32":
        from resource import RLIM_INFINITY, RLIMIT_FSIZE, getrlimit

        # Python 3.11 cuts compiled modules at the limit of file sizes, and fails to read them ever after.
        sys.dont_write_bytecode |= getrlimit(RLIMIT_FSIZE)[0] != RLIM_INFINITY
    if None in (sys.stdin, sys.stdout, sys.stderr):
        open_closed()
    from envsmith.host.project_folder import enter

    words = enter(words)
    # These two answer before click is imported, which takes longer than a plain `run` as a whole.
    if words[:1] == ["run"]:
        from envsmith.activate.fast_run import exec_command

        status = exec_command(words[1:])
        if status is not None:
            return status
    if {"install", "sync", "lock"} & {*words} and _is_unchanged(words):
        return 0

    from envsmith.process import signals

    signals.catch()
    from envsmith.cli.main import main

    status = main(words)
    if signals.is_received():  # whatever the command made of it: its answer may be that of an ended program
        return 130  # the handler stays, and ignores a second signal
    signals.release()
    return status


def _is_unchanged(words: list[str]) -> bool:
    """Print the remembered answer of a command that had nothing to do, if nothing has changed since."""
    from envsmith.console.answer_cache import recall

    # `lock` compares the index with the files once a day.
    is_daily = "lock" in words and "--check" not in words
    if not (answer := recall(words, 86_400.0 if is_daily else None)):
        return False
    encoding = sys.stdout.encoding or "utf-8"
    try:
        print(answer.encode(encoding, "replace").decode(encoding), flush=True)  # noqa: T201 - click is not imported yet
    except OSError:  # a closed pipe: the command line reports it
        return False
    return True


if __name__ == "__main__":
    run()
