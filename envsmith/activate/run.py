"""``envsmith run``."""

from __future__ import annotations

from shlex import quote

import click


class AfterDashes(click.Command):
    """A command that leaves what stands after ``--`` as it is."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Part the arguments at the first ``--``."""
        if "--" in args:
            place = args.index("--")
            ctx.meta[__name__] = args[place + 1 :]
            args = args[:place]
        elif self.name == "run" and len(args) > 1 and not args[0].startswith("-"):
            profile, *words = map(quote, args)
            raise click.UsageError(
                f"write -- before the command: envsmith run {profile} -- {' '.join(words)}", ctx
            )
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Return the words of the usage line."""
        return [*super().collect_usage_pieces(ctx), "--", "COMMAND..."]


def words_after(ctx: click.Context) -> list[str]:
    """Return the words after ``--``; none where it was not written."""
    words: list[str] = ctx.meta.get(__name__, [])
    return words


@click.command(name="run", cls=AfterDashes)
@click.argument("profile", required=False, default="")
@click.pass_context
def command(ctx: click.Context, profile: str) -> int:
    """Run COMMAND in PROFILE's environment: no shell reads it, and signals and exit status are its own.

    Without PROFILE, the one the environment was built for. The environment is .venv, or what ENVSMITH_PREFIX names.
    """
    words = words_after(ctx)
    if not words:
        raise click.UsageError(
            "no command is named; write it after --, as in: envsmith run cpu -- python app.py"
        )
    from envsmith.activate.fast_run import outside, session
    from envsmith.process.replace import become

    _, _, changes = session(profile)
    return become(words, changes.over(outside()))
