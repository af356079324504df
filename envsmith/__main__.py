"""``python -m envsmith``, and what the ``envsmith`` command starts."""

from __future__ import annotations

import sys


def run() -> None:
    """Run the command line and end the process with its exit code."""
    from envsmith.cli import main

    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    run()
