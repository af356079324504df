"""The command line: the one place where errors become exit codes.

A command is imported when it is run, so that ``envsmith --help`` imports click and nothing else.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

import click

from envsmith import __version__
from envsmith.errors import FAILED, INTERRUPTED, OK, EnvsmithError

COMMANDS = {
    "lock": ("envsmith.lock.cli", "Lock profiles: hashed requirements and a pylock for every target."),
    "catalog": ("envsmith.cli.catalog_command", "Show and refresh what is known of PyTorch's builds."),
    "profiles": ("envsmith.cli.profiles_command", "List the profiles, and show one."),
    "explain": ("envsmith.lock.explain_cli", "Say why a package is in a lock, and where it comes from."),
    "select": ("envsmith.select.cli", "Say which backends and torch versions work on a machine."),
    "activate": ("envsmith.activate.cli", "Print what a shell reads to enter an environment."),
    "run": ("envsmith.activate.cli", "Run one command in an environment, without a shell."),
    "env": ("envsmith.activate.cli", "Print the variables of a session in an environment."),
    "doctor": (
        "envsmith.doctor.cli",
        "Diagnose the machine and environment and suggest fixes.",
    ),
    "report": (
        "envsmith.report.cli",
        "Print a redacted environment report for bug reports.",
    ),
    "scan": ("envsmith.scan.cli", "Say which packages a project's files use, and where."),
    "download": (
        "envsmith.download.cli",
        "Fetch every file of locks into a folder, for installs without network.",
    ),
    "install": (
        "envsmith.install.cli",
        "Build the environment of a lock, prove it, and switch to it.",
    ),
    "rollback": (
        "envsmith.install.cli",
        "Return to the environment that was current before, or to any other.",
    ),
    "verify": ("envsmith.verify.cli", "Compare an environment with its lock."),
    "shims": (
        "envsmith.shims.cli",
        "Say what adds to packages what they lack, and edit what a profile asks for.",
    ),
    "matrix": ("envsmith.ci.matrix_cli", "Print the jobs of a CI matrix, one per lock."),
    "ci": ("envsmith.ci.cli", "Generate CI workflows that check, install and test every lock."),
    "diff": ("envsmith.diff.cli", "Show changes between two locks or revisions."),
    "export": (
        "envsmith.export.cli",
        "Export a lock as constraints, uv settings, Dockerfile or bill of materials.",
    ),
    "generations": ("envsmith.install.cli", "List the environments that were built; remove old ones."),
}
EVERYWHERE = ("-q", "--quiet", "-v", "-vv", "--verbose")
# Nothing was asked; before click 8.2 the help was simply printed.
_HELP: type[click.ClickException] | tuple[()] = getattr(click.exceptions, "NoArgsIsHelpError", ())
_REPORT = "this is a bug in envsmith: please report it with the lines above and what `envsmith report` prints"


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one only when it is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(COMMANDS[cmd_name][0]), f"{cmd_name}_command")
        if not isinstance(command, click.Command):
            raise TypeError(f"{cmd_name} is no command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command a line names, or say which one it may have meant."""
        if args[0] in COMMANDS or args[0].startswith("-"):
            return super().resolve_command(ctx, args)
        from difflib import get_close_matches

        near = get_close_matches(args[0], COMMANDS, n=1)
        ask = f"did you mean {near[0]}?" if near else f"there are {', '.join(COMMANDS)}"
        raise click.UsageError(f"there is no command {args[0]!r}; {ask}", ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """List the commands from the table, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="envsmith")
@click.option("-v", "--verbose", count=True, help="Tell more: -v names each program started.")
@click.option("-q", "--quiet", is_flag=True, help="Print results and errors only.")
@click.pass_context
def cli(ctx: click.Context, *, verbose: int, quiet: bool) -> None:
    """Reproducible, true PyTorch environments for every accelerator, system and Python."""
    ctx.obj = {"quiet": quiet, "words": ctx.obj}
    if verbose:
        import logging

        logging.basicConfig(
            level=logging.DEBUG if verbose else logging.WARNING, format="%(name)s: %(message)s"
        )


def main(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code: 0 done, 1 the answer is no, 2 failed, 130 interrupted."""
    try:
        return _run(list(arguments))
    except BrokenPipeError:
        # The reader went away; Python would complain about it once more at exit.
        sys.stdout = sys.stderr = None
        return FAILED
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted; nothing half-written was left", err=True)
        return INTERRUPTED
    except Exception:  # noqa: BLE001 - a bug must not look like an answer
        import traceback

        traceback.print_exc()
        click.echo(_REPORT, err=True)
        return FAILED


def _hoisted(arguments: list[str]) -> list[str]:
    """Put the options that hold for every command first, for people write them last."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    found = [word for word in arguments[:end] if word in EVERYWHERE]
    return [*found, *(word for word in arguments[:end] if word not in EVERYWHERE), *arguments[end:]]


def _run(arguments: list[str]) -> int:
    as_json = "--json" in arguments
    try:
        status = cli.main(
            args=_hoisted(arguments), prog_name="envsmith", standalone_mode=False, obj=arguments
        )
        return status if isinstance(status, int) else OK
    except click.exceptions.Exit as ending:
        return ending.exit_code
    except click.ClickException as error:
        from envsmith.cli.parent_folder import usage_of_parent
        from envsmith.console import printer

        if isinstance(error, _HELP) and not as_json:
            click.echo(error.format_message(), err=True)
            return FAILED
        printer.usage_error(usage_of_parent(error), as_json=as_json)
        return FAILED
    except EnvsmithError as error:
        return _told(error, arguments)
    except FileNotFoundError:
        from envsmith.host.current import check_folder

        try:
            check_folder()
        except EnvsmithError as error:
            return _told(error, arguments)
        raise


def _told(error: EnvsmithError, arguments: list[str]) -> int:
    from envsmith.cli.parent_folder import hint_of_parent
    from envsmith.console import printer

    if not error.where:
        error.at(" ".join(["envsmith", *arguments]))
    printer.error(hint_of_parent(error), command=_command(arguments), as_json="--json" in arguments)
    return error.exit_code


def _command(arguments: list[str]) -> str:
    return next((word for word in arguments if word in COMMANDS), "")
