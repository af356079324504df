"""``envsmith matrix``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import click

from envsmith.ci.job_planning import Machines, Parts, split
from envsmith.ci.service_formats import FORMATS, github_outputs
from envsmith.config.pyproject_settings import Runners
from envsmith.console.options import LOCK_FOLDERS, project_path
from envsmith.errors import OK, ToolError

if TYPE_CHECKING:
    from envsmith.ci.job import Job
    from envsmith.ci.jobs import MatrixTools

OUTPUT_VARIABLE = "GITHUB_OUTPUT"


@click.command(name="matrix")
@click.argument("profiles", nargs=-1)
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", *FORMATS, "json")),
    default="text",
    help="Output format [default: text].",
)
@click.option(
    "--only-changed", metavar="REV", default="", help="Only locks that changed since a git revision."
)
@click.option(
    "--max",
    "most",
    type=click.IntRange(1),
    metavar="N",
    help="Maximum number of jobs in one matrix [default: the service's limit].",
)
@click.option(
    "--cpu-fallback",
    is_flag=True,
    help="Replace GPU locks without a runner in pyproject.toml by CPU locks of the same versions.",
)
@LOCK_FOLDERS
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def matrix_command(**options: Any) -> int:  # noqa: ANN401 - click checks each option
    """Print the jobs of a CI matrix, one per lock of PROFILES.

    Without PROFILES: the project's default profiles, else all locked ones. Set runners in pyproject.toml under
    `[tool.envsmith.ci.github]` (gitlab, azure): linux-x86_64-gpu = "my-label". --format github also writes `count` and
    `matrix` to $GITHUB_OUTPUT, or `matrix-1`, `matrix-2`, ... if the jobs exceed one matrix.
    """
    from envsmith.console import printer

    form = "json" if options["as_json"] else options["form"]
    folder = project_path(options["folder"])
    most = _most_jobs(form, options["most"])
    jobs = jobs_for(
        form,
        options["profiles"],
        folder,
        only_changed=options["only_changed"],
        has_cpu_fallback=options["cpu_fallback"],
    )
    if form == "text" and not jobs:
        printer.say(f"no locks changed since {options['only_changed']}")
        return OK
    _show(jobs, form, most)
    return OK


def _most_jobs(form: str, maximum: int | None) -> int | None:
    """Return the maximum number of jobs in one matrix; None without a limit."""
    from envsmith.catalog.ci import runners_of

    limit = runners_of(form).most_jobs if form in FORMATS else None
    if maximum and limit and maximum > limit:
        raise click.UsageError(f"--max {maximum}: {form} allows at most {limit} jobs in one matrix")
    return maximum or limit


def jobs_for(
    form: str,
    profiles: tuple[str, ...],
    folder: PurePosixPath,
    *,
    only_changed: str = "",
    has_cpu_fallback: bool = False,
) -> tuple[Job, ...]:
    """Return the jobs for an output format, with runners if it is a CI service.

    Raises:
        EnvsmithError: as `matrix_jobs`.
    """
    from envsmith.ci.jobs import Locks, MatrixOptions, matrix_jobs
    from envsmith.files.text import folders_with
    from envsmith.lock.inputs.request import profile_names
    from envsmith.lockfile.manifest import FILENAME

    project = Path()
    options = MatrixOptions(
        only_changed=only_changed,
        has_cpu_fallback=has_cpu_fallback,
        service=form if form in FORMATS else "",
        machines=_machines(form, project),
    )
    locks = Locks(
        folder=folder,
        profiles=profile_names(profiles, project, project / folder),
        every=folders_with(project / folder, FILENAME),
    )
    return matrix_jobs(locks, options, _tools(project))


def _machines(form: str, project: Path) -> Machines:
    from envsmith.catalog.ci import runners_of
    from envsmith.config.profiles import ProfileStore

    if form not in FORMATS:
        return Machines(own=Runners(), hosted=Runners())
    own = ProfileStore.of_project(project).settings.ci.runners
    return Machines(own=own.get(form, Runners()), hosted=runners_of(form).runners)


def _tools(project: Path) -> MatrixTools:
    from functools import cache

    from envsmith.ci.jobs import MatrixTools
    from envsmith.files import atomic
    from envsmith.files.git import GitRevisions
    from envsmith.wiring import CatalogOptions, wheel_contents

    return MatrixTools(
        project=project,
        files=atomic,
        revisions=GitRevisions(project=project),
        cached_contents=cache(wheel_contents(CatalogOptions(is_offline=True)).cached),
    )


def _show(jobs: tuple[Job, ...], form: str, most: int | None) -> None:
    from envsmith.console import printer

    if form == "json":
        printer.envelope("matrix", "ok", {"jobs": [job.to_json() for job in jobs]})
    elif form == "text":
        _table(jobs)
    else:
        printer.document(FORMATS[form](jobs, most))
    if form == "github":
        _github(split(jobs, most))


def _github(parts: Parts) -> None:
    """Write the step's outputs, and say how many matrices there are."""
    from envsmith.console import printer
    from envsmith.host.current import variables

    if path := variables().get(OUTPUT_VARIABLE):
        append_outputs(Path(path), github_outputs(parts))
    if len(parts) > 1:
        names = ", ".join(f"matrix-{number}" for number in range(1, len(parts) + 1))
        printer.labelled(
            "parts", f"{sum(map(len, parts))} jobs exceed one matrix: split into {names}", err=True
        )


def _table(jobs: tuple[Job, ...]) -> None:
    """Print a table of the jobs; omit size columns without any known size."""
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
    """Return the minimum disk space of an install, and the packages of unknown size."""
    from envsmith.console import printer

    if job.disk is None or not job.disk.known_bytes:
        return ""
    first, *others = sorted(job.disk.unknown, key=lambda name: (name != "torch", name)) or [""]
    more = f" and {others[0] if len(others) == 1 else f'{len(others)} more'}" if others else ""
    return f"≥ {printer.size(job.disk.known_bytes)}" + (f" without {first}{more}" if first else "")


def append_outputs(path: Path, outputs: Mapping[str, str]) -> None:
    """Append a step's outputs to the file that GitHub's runner reads when the step ends.

    Args:
        path: the file.
        outputs: name → value of one line.

    Raises:
        ToolError: TOL011 when the disk is full, TOL013 when the file cannot be written.
    """
    from envsmith.files.os_errors import translate_os_errors

    place = f"${OUTPUT_VARIABLE}: {path}"
    hint = f"set {OUTPUT_VARIABLE} to a writable file, or unset it"
    with (
        translate_os_errors(place, ToolError, ("TOL011", "TOL013"), hint=hint),
        path.open("a", encoding="utf-8", newline="\n") as stream,
    ):
        stream.writelines(f"{name}={value}\n" for name, value in outputs.items())
