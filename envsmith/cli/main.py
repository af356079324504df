"""Command line: the group of commands, global options, and exit codes.

Commands are imported when they run, so ``envsmith --help`` imports only click.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper

import click

from envsmith import __version__
from envsmith.console import streams
from envsmith.errors import FAILED, INTERRUPTED, OK, EnvsmithError
from envsmith.host.project_folder import OPTION
from envsmith.process import signals

COMMANDS = {
    "init": ("envsmith.project.cli", "Write a first profile for the project."),
    "adopt": ("envsmith.project.adopt.cli", "Make a profile and a lock of an environment that is there."),
    "add": ("envsmith.project.cli", "Add requirements to the project, and lock."),
    "remove": ("envsmith.project.cli", "Remove requirements from the project, and lock."),
    "sync": ("envsmith.project.cli", "Lock if needed, then install."),
    "lock": ("envsmith.lock.cli", "Lock profiles: hashed requirements and a pylock for every target."),
    "catalog": ("envsmith.cli.catalog_command", "Show PyTorch's builds, and refresh the cached index."),
    "profiles": ("envsmith.cli.profiles_command", "List the profiles, show one, or print their JSON Schema."),
    "explain": ("envsmith.lock.explain.cli", "Explain why a package is in a lock, and where it comes from."),
    "select": ("envsmith.select.cli", "Show the backends and torch versions that work on a machine."),
    "activate": ("envsmith.activate.cli", "Print the command that activates an environment in a shell."),
    "run": ("envsmith.activate.cli", "Run a command in an environment, without a shell."),
    "env": ("envsmith.activate.cli", "Print the environment variables of an activated session."),
    "doctor": ("envsmith.doctor.cli", "Diagnose the machine and environment and suggest fixes."),
    "report": ("envsmith.report.cli", "Print a redacted environment report for bug reports."),
    "scan": ("envsmith.scan.cli", "Find the packages that a project's files use."),
    "download": (
        "envsmith.download.cli",
        "Download all files of locks into a wheelhouse, for offline installs.",
    ),
    "install": (
        "envsmith.install.cli",
        "Install a lock into a new environment, verify it, and switch to it.",
    ),
    "rollback": ("envsmith.install.cli", "Switch back to the previous environment, or to any other."),
    "verify": ("envsmith.verify.cli", "Compare an environment with its lock."),
    "shims": ("envsmith.shims.cli", "List, add or remove compatibility shims."),
    "matrix": ("envsmith.ci.matrix_cli", "Print the jobs of a CI matrix, one per lock."),
    "ci": ("envsmith.ci.cli", "Generate CI workflows that check, install and test every lock."),
    "diff": ("envsmith.diff.cli", "Show changes between two locks or revisions."),
    "export": (
        "envsmith.export.cli",
        "Export a lock as constraints, uv settings, Dockerfile or bill of materials.",
    ),
    "generations": ("envsmith.install.cli", "List the installed environments, or remove old ones."),
}
GLOBAL_OPTIONS = ("-q", "--quiet", "-v", "-vv", "--verbose")
# Raised by `envsmith` without a command, from click 8.2 on; older versions print the help.
_HELP: type[click.ClickException] | tuple[()] = getattr(click.exceptions, "NoArgsIsHelpError", ())
_REPORT = (
    "this is a bug in envsmith: please report it with the lines above and the output of `envsmith report`"
)


class LazyGroup(click.Group):
    """Group of commands that are imported when they run."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(COMMANDS[cmd_name][0]), f"{cmd_name}_command")
        if not isinstance(command, click.Command):
            raise TypeError(f"{cmd_name} must be a command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command of a line, or suggest the closest one."""
        if args[0] in COMMANDS or args[0].startswith("-"):
            return super().resolve_command(ctx, args)
        from difflib import get_close_matches

        near = get_close_matches(args[0], COMMANDS, n=1)
        suggestion = f"did you mean `{near[0]}`?" if near else f"commands: {', '.join(COMMANDS)}"
        raise click.UsageError(f"unknown command `{args[0]}`; {suggestion}", ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """List the commands from the table, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="envsmith")
@click.option("-v", "--verbose", count=True, help="Log more: -v logs each program started.")
@click.option("-q", "--quiet", is_flag=True, help="Print results and errors only.")
@click.option(
    OPTION,
    "project",
    type=click.Path(exists=True, file_okay=False),
    metavar="DIR",
    expose_value=False,
    help="Folder of the project [default: found from here upwards].",
)
@click.pass_context
def cli(ctx: click.Context, *, verbose: int, quiet: bool) -> None:
    """Lock and install PyTorch environments with the right CUDA, ROCm or CPU build for every platform."""
    ctx.obj = {"quiet": quiet, "words": ctx.obj}
    if verbose:
        import logging

        logging.basicConfig(
            level=logging.DEBUG if verbose else logging.WARNING, format="%(name)s: %(message)s"
        )


def main(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code: 0 done, 1 the answer is no, 2 failed, 130 interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if sys.platform == "win32" and isinstance(stream, TextIOWrapper):
            stream.reconfigure(
                errors="replace"
            )  # a code page lacks most characters, and help texts may have them
    try:
        return _caught(list(arguments))
    except OSError:  # the error cannot be printed either
        sys.stdout = sys.stderr = None
        return FAILED


def _caught(arguments: list[str]) -> int:
    try:
        status = _run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The pipe was closed. Without this, Python reports it once more when it flushes the streams at exit.
        sys.stdout = sys.stderr = None
        return FAILED
    except (KeyboardInterrupt, click.Abort):
        return _interrupted()
    except OSError as error:
        return _os_error(error, arguments)
    except Exception:  # noqa: BLE001 - report a bug as one; its exit code must not be 1, "the answer is no"
        return _bug()
    return status


def _interrupted() -> int:
    click.echo("interrupted; no files are half-written", err=True)
    return INTERRUPTED


def _bug() -> int:
    import traceback

    if signals.is_received():  # an ended program may answer anything
        return _interrupted()
    traceback.print_exc()
    click.echo(_REPORT, err=True)
    return FAILED


def _os_error(error: OSError, arguments: list[str]) -> int:
    """Report standard output that cannot be written, a full disk, or denied permission; any other error is a bug."""
    import errno
    from pathlib import Path

    from envsmith.errors import ToolError
    from envsmith.files.os_errors import DISK_FULL, translate_os_errors
    from envsmith.model.windows_errors import KNOWN, windows_error

    if streams.is_output_error(error, "click.utils", __name__):
        sys.stdout = sys.stderr  # at exit Python would write the rest again, and report the error once more
        reason = ToolError("TOL005", f"cannot write to standard output: {error.strerror}")
        return _report_error(reason, [word for word in arguments if word != "--json"])
    if error.errno not in (*DISK_FULL, errno.EACCES, errno.EPERM) and windows_error(error) not in KNOWN:
        return _bug()
    place = Path(error.filename or "a temporary file")
    hint = "correct the permissions, then run the command again"
    try:
        with translate_os_errors(place, ToolError, ("TOL011", "TOL012"), hint=hint, action="access"):
            raise error
    except ToolError as translated:
        return _report_error(translated, arguments)


def _global_options_first(arguments: list[str]) -> list[str]:
    """Move the global options to the front, where click expects them; users write them anywhere."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    found = [word for word in arguments[:end] if word in GLOBAL_OPTIONS]
    return [*found, *(word for word in arguments[:end] if word not in GLOBAL_OPTIONS), *arguments[end:]]


def _run(arguments: list[str]) -> int:
    as_json = "--json" in arguments
    try:
        status = cli.main(
            args=_global_options_first(arguments), prog_name="envsmith", standalone_mode=False, obj=arguments
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
        return _report_error(error, arguments)
    except FileNotFoundError:
        # A deleted working folder makes any call fail: report that instead of the call.
        from envsmith.host.current import check_folder

        try:
            check_folder()
        except EnvsmithError as error:
            return _report_error(error, arguments)
        raise


def _report_error(error: EnvsmithError, arguments: list[str]) -> int:
    from envsmith.cli.parent_folder import hint_of_parent
    from envsmith.console import printer

    if not error.where:
        error.at(" ".join(["envsmith", *arguments]))
    printer.error(hint_of_parent(error), command=_command(arguments), as_json="--json" in arguments)
    return error.exit_code


def _command(arguments: list[str]) -> str:
    return next((word for word in arguments if word in COMMANDS), "")
