"""``envsmith ci``."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import click

from envsmith.ci.job_planning import split, waiting_jobs
from envsmith.ci.service_formats import INCLUDES, WRITERS, CiPipeline
from envsmith.config.pyproject_settings import CiSettings, Runners
from envsmith.console.options import LOCK_FOLDERS
from envsmith.errors import NO, OK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envsmith.ci.job import Job
    from envsmith.errors import EnvsmithError
    from envsmith.files.edits import Edit


@click.group(name="ci")
def ci_command() -> None:
    """Write CI workflows for a project's locks."""


@ci_command.command(short_help="Generate CI workflows that check, install and test every lock.")
@click.option("--format", "form", type=click.Choice(tuple(WRITERS)), required=True, help="Which CI service.")
@click.option("--check", is_flag=True, help="Do not write files; exit with 1 if they are not up to date.")
@click.option("--yes", "is_confirmed", is_flag=True, help="Replace files without asking.")
@LOCK_FOLDERS
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def init(form: str, folder: Path, *, check: bool, is_confirmed: bool, as_json: bool) -> int:
    """Generate workflows that check the locks, install, verify and test each in its own job, and relock weekly.

    Configure them under [tool.envsmith.ci] in pyproject.toml: `setup` (the lines that install envsmith, distributed
    as envsmith-torch; the envsmith on PyPI is a different project), `profiles` to test, `test` (the command's
    arguments), `cpu-fallback` and the runners.

    Writes .github/workflows/envsmith.yml and .github/workflows/envsmith-relock.yml, or .gitlab/envsmith.yml,
    .gitlab/envsmith-jobs.yml and .gitlab-ci.yml unless it exists. Existing files are replaced only after showing the
    changes and asking.
    """
    from envsmith.console import printer
    from envsmith.console.options import project_path

    place = project_path(folder)
    jobs = _jobs(form, place)
    changes = [change for change in _edits(form, place, jobs) if change.has_changes]
    own, included = INCLUDES.get(form, ("", ""))
    lacks_include = _lacks_include(Path(own), included)
    if as_json:
        written = _write(changes) if is_confirmed and not check else ()
        is_done = not lacks_include and len(written) == len(changes)
        printer.envelope(
            "ci", "ok" if is_done else "no", _data(changes, written, lacks_include=lacks_include)
        )
        return OK if is_done else NO
    status = _show_and_write(changes, check=check, is_confirmed=is_confirmed) if changes else OK
    if lacks_include:
        printer.labelled("note", f"{own} does not include them; add: include: [{{ local: {included} }}]")
    elif not changes:
        printer.say(f"the files for {form} are up to date")
    if not check:
        _show_waiting_jobs(form, jobs)
    return NO if lacks_include and check else status


def _data(changes: Sequence[Edit], written: Sequence[str], *, lacks_include: bool) -> dict[str, object]:
    return {
        "lacks_include": lacks_include,
        "changes": [
            {"file": change.file, "is_new": change.before is None, "diff": change.diff()}
            for change in changes
        ],
        "written": list(written),
    }


def _edits(form: str, folder: PurePosixPath, jobs: tuple[Job, ...]) -> tuple[Edit, ...]:
    from envsmith.files.edits import edits_of

    texts = WRITERS[form](_pipeline(form, folder, jobs), read_template)
    own, _ = INCLUDES.get(form, ("", ""))
    # Never change a project's own pipeline; it only needs the `include` line.
    return tuple(edit for edit in edits_of(Path(), texts) if edit.file != own or edit.before is None)


def read_template(name: str) -> str:
    """Return the text of a workflow template by filename."""
    return (Path(__file__).parent / name).read_text("utf-8")


def _lacks_include(own: Path, included: str) -> bool:
    """Return whether the project's own pipeline lacks the `include` line (comments do not count)."""
    lines = own.read_bytes().splitlines() if own.is_file() else None
    return lines is not None and not any(included.encode() in line.partition(b"#")[0] for line in lines)


def _settings() -> CiSettings:
    from envsmith.config.profiles import ProfileStore

    return ProfileStore.of_project(Path()).settings.ci


def _jobs(form: str, folder: PurePosixPath) -> tuple[Job, ...]:
    from envsmith.ci.matrix_cli import jobs_for

    if not str(folder).isprintable():
        raise click.UsageError("-o: a folder name with control characters cannot be written to YAML")
    ci = _settings()
    if not ci.setup:
        raise _no_setup()
    return jobs_for(form, ci.profiles, folder, has_cpu_fallback=ci.has_cpu_fallback)


def _show_waiting_jobs(form: str, jobs: tuple[Job, ...]) -> None:
    """Print the jobs that would wait for a runner which neither the service nor the project provides."""
    from envsmith.console import printer
    from envsmith.console.printer import counted

    for labels, count in waiting_jobs(jobs, _settings().runners.get(form, Runners())).items():
        printer.labelled(
            "note",
            f"{counted(count, 'job')} will wait for a self-hosted runner with the labels {', '.join(labels)}: "
            f"set another under [tool.envsmith.ci.{form}], or `cpu-fallback = true` to test without a GPU",
        )


def _pipeline(form: str, folder: PurePosixPath, jobs: tuple[Job, ...]) -> CiPipeline:
    from envsmith.catalog.ci import read_actions, runners_of

    service = runners_of(form)
    return CiPipeline(
        ci=_settings(),
        folder=str(folder),
        parts=len(split(jobs, service.most_jobs)),
        runner=service.runners.labels["linux-x86_64"][0],
        actions=tuple(action.pinned for action in read_actions()),
        has_pytest=all(job.lock.pins.version("pytest") for job in jobs),
    )


def _no_setup() -> EnvsmithError:
    """Return the error for a project whose settings lack the lines that install envsmith in a CI job."""
    from envsmith.errors import ProfileError

    return ProfileError(
        "PRF046",
        "no command to install envsmith in CI is set (envsmith-torch; the envsmith on PyPI is a different project)",
        where="pyproject.toml: tool.envsmith.ci.setup",
        hint="setup = [\"python -m pip install 'envsmith-torch @ git+https://HOST/REPOSITORY@COMMIT'\"] "
        "under [tool.envsmith.ci], with your own repository and commit",
    )


def _show_and_write(changes: Sequence[Edit], *, check: bool, is_confirmed: bool) -> int:
    """Show the changes to existing files and the names of new ones, ask unless confirmed, and write."""
    from envsmith.console import printer

    replaced = [change for change in changes if change.before is not None]
    for change in replaced:
        for line in change.diff().splitlines():
            printer.say(line)
    if check:
        for change in changes:
            printer.labelled("differs" if change.before is not None else "missing", change.file)
        return NO
    for change in changes:
        if change.before is None:
            printer.labelled("new", change.file)
    if replaced and not is_confirmed and not _confirm(replaced):
        printer.say("no files were changed", err=True)
        return NO
    _write(changes)
    for change in changes:
        printer.labelled("wrote", change.file)
    return OK


def _write(changes: Sequence[Edit]) -> tuple[str, ...]:
    from envsmith.files.edits import write_edits

    return write_edits(Path(), changes)


def _confirm(replaced: Sequence[Edit]) -> bool:
    from envsmith.console.terminal import confirm

    otherwise = "existing files would be replaced"
    named = ", ".join(change.file for change in replaced)
    return confirm(f"replace {named}", where="envsmith ci init", otherwise=otherwise)
