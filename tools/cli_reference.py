"""Write docs/reference/cli.md from the commands themselves; with --check say whether it is as it would be written."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from envsmith.cli.main import COMMANDS, cli

PAGE = Path(__file__).parent.parent / "docs/reference/cli.md"
WIDTH = 100
HEAD = """# Command line

Generated from the commands by `make docs`. Exit codes: 0 done, 1 the answer is no, 2 it could not be done,
130 interrupted. `--json` prints one document: `schema_version`, `command`, `status`, `data`, `errors`.
"""


def page() -> str:
    """Return the text of the page."""
    parts = [HEAD, *_section(cli, "envsmith", None)]
    return "\n".join(parts)


def _section(command: click.Command, name: str, parent: click.Context | None) -> Iterator[str]:
    """Yield a command's help and, below it, that of its commands."""
    settings = {**command.context_settings, "terminal_width": WIDTH, "max_content_width": WIDTH}
    context = click.Context(command, info_name=name, parent=parent, **settings)
    yield f"## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            if found is None:
                raise LookupError(f"{child} is listed among {', '.join(COMMANDS)}, but is no command")
            yield from _section(found, child, context)


def main() -> int:
    """Write the page, or compare it."""
    text = page()
    if "--check" in sys.argv[1:]:
        if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
            return 0
        print(f"{PAGE.name} is not what the commands say: make docs", file=sys.stderr)
        return 1
    PAGE.write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
