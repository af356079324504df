"""``envsmith matrix``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import click

from envsmith.console.options import inside
from envsmith.errors import OK, ToolError

if TYPE_CHECKING:
    from envsmith.ci.job import Job
    from envsmith.ci.jobs import MatrixTools
    from envsmith.ci.matrix import Machines

LOCKFILES = "lockfiles"


@click.command(name="matrix")
@click.argument("profiles", nargs=-1)
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "github", "gitlab", "azure", "json")),
    default="text",
    help="For whom: people (the default), a CI service, or programs.",
)
@click.option("--only-changed", metavar="REV", default="", help="Only locks that differ from a git revision.")
@click.option(
    "--max", "most", type=click.IntRange(1), metavar="N", help="Jobs in one matrix; else as many as may be."
)
@click.option(
    "--cpu-fallback",
    is_flag=True,
    help="Where you name no runner with a GPU, take the lock of the same versions for the CPU.",
)
@click.option(
    "-o", "folder", type=click.Path(path_type=Path), default=LOCKFILES, help="Folder of the lock folders."
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def matrix_command(**options: Any) -> int:  # noqa: ANN401 - click checks each option
    """Print the jobs of a CI matrix, one for each lock of PROFILES.

    Without PROFILES: the project's default profiles, else all that are locked. `[tool.envsmith.ci.github]` in
    pyproject.toml (gitlab, azure) names runners: linux-x86_64-gpu = "my-label". With --format github the matrix goes to
    $GITHUB_OUTPUT, too: `count`, `matrix`, and where it is too large for one `matrix-1`, `matrix-2` instead.
    """
    from envsmith.console import printer

    form = "json" if options["as_json"] else options["form"]
    folder = inside(options["folder"])
    most = _most(form, options["most"])
    jobs = jobs_for(
        form,
        options["profiles"],
        folder,
        only_changed=options["only_changed"],
        has_cpu_fallback=options["cpu_fallback"],
    )
    if form == "text" and not jobs:
        printer.say(f"no lock differs from {options['only_changed']}")
        return OK
    _show(jobs, form, most)
    return OK


def _most(form: str, asked: int | None) -> int | None:
    """Return how many jobs one matrix may have."""
    from envsmith.catalog.ci import runners_of

    limit = runners_of(form).most_jobs if _is_service(form) else None
    if asked and limit and asked > limit:
        raise click.UsageError(f"--max {asked}: {form} takes {limit} jobs in one matrix")
    return asked or limit


def jobs_for(
    form: str,
    profiles: tuple[str, ...],
    folder: PurePosixPath,
    *,
    only_changed: str = "",
    has_cpu_fallback: bool = False,
) -> tuple[Job, ...]:
    """Return the jobs as a CI service, or whoever else reads them, is to have them.

    Raises:
        EnvsmithError: as `arrange`.
    """
    from envsmith.ci.jobs import Locks, MatrixOptions, arrange
    from envsmith.lock.request import locked_profiles, profile_names

    project = Path()
    wish = MatrixOptions(
        only_changed=only_changed,
        has_cpu_fallback=has_cpu_fallback,
        service=form if _is_service(form) else "",
        machines=_machines(form, project),
    )
    locks = Locks(
        folder=folder,
        profiles=profile_names(profiles, project, project / folder),
        every=tuple(locked_profiles(project / folder)),
    )
    return arrange(locks, wish, _tools(project))


def _is_service(form: str) -> bool:
    from envsmith.config.settings import SERVICES

    return form in SERVICES


def _machines(form: str, project: Path) -> Machines:
    from envsmith.catalog.ci import runners_of
    from envsmith.ci.matrix import Machines
    from envsmith.config.profiles import ProfileStore
    from envsmith.config.settings import Runners

    if not _is_service(form):
        return Machines(own=Runners(), lent=Runners())
    own = ProfileStore.of_project(project).settings.ci.runners
    return Machines(own=own.get(form, Runners()), lent=runners_of(form).runners)


def _tools(project: Path) -> MatrixTools:
    from functools import cache

    from envsmith.ci.jobs import MatrixTools
    from envsmith.files import atomic
    from envsmith.files.git import GitRevisions
    from envsmith.wiring import CatalogChoice, wheel_contents

    return MatrixTools(
        project=project,
        files=atomic,
        revisions=GitRevisions(project=project),
        held=cache(wheel_contents(CatalogChoice(is_offline=True)).cached),
    )


def _show(jobs: tuple[Job, ...], form: str, most: int | None) -> None:
    from envsmith.ci import matrix
    from envsmith.console import printer

    parts = matrix.split(jobs, most)
    if form == "json":
        printer.envelope("matrix", "ok", {"jobs": [job.to_json() for job in jobs]})
    elif form == "github":
        _github(parts)
    elif form == "gitlab":
        click.echo(matrix.to_gitlab(jobs, most), nl=False)
    elif form == "azure":
        for part in parts:
            click.echo(matrix.to_azure(part))
    else:
        _table(jobs)


def _github(parts: tuple[tuple[Job, ...], ...]) -> None:
    from envsmith.ci import matrix
    from envsmith.console import printer
    from envsmith.host.current import variables

    for part in parts:
        click.echo(matrix.to_github(part))
    if path := variables().get(VARIABLE):
        append(Path(path), matrix.github_outputs(parts))
    if len(parts) > 1:
        names = ", ".join(f"matrix-{number}" for number in range(1, len(parts) + 1))
        printer.labelled(
            "parts", f"{sum(map(len, parts))} jobs are too many for one matrix: {names}", err=True
        )


def _table(jobs: tuple[Job, ...]) -> None:
    """Print the jobs; the columns of sizes where one is known."""
    from envsmith.console import printer

    head = ("lock", "torch", "needs", "download", "disk", "cache key")
    rows = [_row(job) for job in jobs]
    kept = [
        column
        for column in range(len(head))
        if head[column] not in ("download", "disk") or any(row[column] for row in rows)
    ]
    printer.table(
        [head[column] for column in kept], [[row[column] for column in kept] for row in rows], indent=0
    )


def _row(job: Job) -> tuple[str, ...]:
    from envsmith.console import printer

    size = job.lock.download_bytes
    note = f"for {job.stands_for}" if job.stands_for else ""
    return (
        job.name,
        job.lock.pins.version("torch"),
        "GPU" if job.needs_gpu else "CPU",
        printer.size(size) if size is not None else "",
        _disk(job),
        f"{job.cache_key.rpartition('-')[2]} {note}".strip(),
    )


def _disk(job: Job) -> str:
    """Say what an install takes at least, and of which packages nobody knows it."""
    from envsmith.console import printer

    if job.disk is None or not job.disk.known_bytes:
        return ""
    first, *others = sorted(job.disk.unknown, key=lambda name: (name != "torch", name)) or [""]
    more = f" and {others[0] if len(others) == 1 else f'{len(others)} more'}" if others else ""
    return f"≥ {printer.size(job.disk.known_bytes)}" + (f" without {first}{more}" if first else "")


VARIABLE = "GITHUB_OUTPUT"


def append(path: Path, outputs: Mapping[str, str]) -> None:
    """Add outputs, each of one line, to the file that GitHub's runner reads when the step ends.

    Raises:
        ToolError: TOL013 when the system refuses.
    """
    try:
        with path.open("a", encoding="utf-8", newline="\n") as stream:
            stream.writelines(f"{name}={value}\n" for name, value in outputs.items())
    except OSError as error:
        raise ToolError(
            "TOL013",
            f"the system refuses: {error.strerror or error}",
            where=f"${VARIABLE}: {path}",
            hint=f"let {VARIABLE} name a file that can be written, or unset it",
        ) from error
