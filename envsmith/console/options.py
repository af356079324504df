"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path

import click

PREFIX = click.option(
    "--prefix", type=click.Path(path_type=Path), default=".venv", help="The environment, by default .venv."
)
"""Of commands that change which environment is current."""
PREFIX_TO_LOOK_AT = click.option(
    "--prefix",
    type=click.Path(path_type=Path),
    default=".venv",
    envvar="ENVSMITH_PREFIX",
    help="The environment, by default ENVSMITH_PREFIX, else .venv.",
)
"""Of commands that look at one, as a session in it would."""
