"""``envsmith ci``.

What a step of a CI job tells the jobs after it.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import click

from envsmith.errors import NO, OK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envsmith.ci.job import Job
    from envsmith.ci.workflows import CiPipeline
    from envsmith.config.settings import CiSettings
    from envsmith.errors import EnvsmithError
    from envsmith.files.edits import Edit


LOCKFILES = "lockfiles"
_PIPELINE, _INCLUDE = ".gitlab-ci.yml", ".gitlab/envsmith.yml"


@click.group(name="ci")
def ci_command() -> None:
    """Write what a CI service runs."""


@ci_command.command(short_help="Write workflows that keep the promises of the locks.")
@click.option(
    "--format", "form", type=click.Choice(("github", "gitlab")), required=True, help="Which CI service."
)
@click.option("--check", is_flag=True, help="Only say whether the files are as they would be written.")
@click.option("--yes", "is_agreed", is_flag=True, help="Replace files without asking.")
@click.option(
    "-o", "folder", type=click.Path(path_type=Path), default=LOCKFILES, help="Folder of the lock folders."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def init(form: str, folder: Path, *, check: bool, is_agreed: bool, as_json: bool) -> int:
    """Write workflows: locks checked, each installed in a job of its own, verified, tested; once a week locked anew.

    What they do is said under [tool.envsmith.ci] in pyproject.toml: `setup` (the lines that install envsmith, whose
    distribution is envsmith-torch: the envsmith on PyPI is another project), `profiles` to try, `test` (the words of a
    command), `cpu-fallback`, and the runners. What would be replaced is shown first, and asked for.
    """
    from envsmith.console import printer
    from envsmith.console.options import inside

    place = inside(folder)
    jobs = _jobs(form, place)
    changes = [change for change in _edits(form, place, jobs) if change.has_changes]
    is_apart = _lacks_include(form)
    if as_json:
        written = _write(changes) if is_agreed and not check else ()
        is_done = not is_apart and len(written) == len(changes)
        printer.envelope("ci", "ok" if is_done else "no", _data(changes, written, is_apart=is_apart))
        return OK if is_done else NO
    status = _show_and_write(changes, check=check, is_agreed=is_agreed) if changes else OK
    if is_apart:
        printer.labelled("note", f"{_PIPELINE} does not take them in: include: [{{ local: {_INCLUDE} }}]")
    elif not changes:
        printer.say(f"the files for {form} are as they would be written")
    if not check:
        _show_awaited(form, jobs)
    return NO if is_apart and check else status


def _data(changes: Sequence[Edit], written: Sequence[str], *, is_apart: bool) -> dict[str, object]:
    return {
        "lacks_include": is_apart,
        "changes": [
            {"file": change.file, "is_new": change.before is None, "diff": change.diff()}
            for change in changes
        ],
        "written": list(written),
    }


def _edits(form: str, folder: PurePosixPath, jobs: tuple[Job, ...]) -> tuple[Edit, ...]:
    from envsmith.ci import workflows
    from envsmith.files.edits import edits_of
    from envsmith.templates import read_template

    write = {"github": workflows.github, "gitlab": workflows.gitlab}[form]
    texts = write(_pipeline(form, folder, jobs), read_template)
    edits = edits_of(Path(), texts)
    # A project's own pipeline stays as it is: only the line that takes the jobs in belongs there.
    return tuple(edit for edit in edits if edit.file != _PIPELINE or edit.before is None)


def _lacks_include(form: str) -> bool:
    """Say whether the project has a pipeline at GitLab that does not take the jobs in; a comment does not."""
    path = Path(_PIPELINE)
    if form != "gitlab" or not path.is_file():
        return False
    lines = path.read_bytes().splitlines()
    return not any(_INCLUDE.encode() in line.partition(b"#")[0] for line in lines)


def _settings() -> CiSettings:
    from envsmith.config.profiles import ProfileStore

    return ProfileStore.of_project(Path()).settings.ci


def _jobs(form: str, folder: PurePosixPath) -> tuple[Job, ...]:
    from envsmith.ci.matrix_cli import jobs_for

    if not str(folder).isprintable():
        raise click.UsageError("-o: a folder's name with control characters cannot be written into YAML")
    ci = _settings()
    if not ci.setup:
        raise _no_setup()
    return jobs_for(form, ci.profiles, folder, has_cpu_fallback=ci.has_cpu_fallback)


def _show_awaited(form: str, jobs: tuple[Job, ...]) -> None:
    """Say which jobs would wait for a machine that nobody lends and the project has not named."""
    from envsmith.ci.matrix import awaited
    from envsmith.config.settings import Runners
    from envsmith.console import printer
    from envsmith.console.printer import counted

    for labels, count in awaited(jobs, _settings().runners.get(form, Runners())).items():
        printer.labelled(
            "note",
            f"{counted(count, 'job')} will wait for a runner of yours with the labels {', '.join(labels)}: "
            f"[tool.envsmith.ci.{form}] names another, cpu-fallback = true does without a GPU",
        )


def _pipeline(form: str, folder: PurePosixPath, jobs: tuple[Job, ...]) -> CiPipeline:
    from envsmith.catalog.ci import read_actions, runners_of
    from envsmith.ci import matrix
    from envsmith.ci.workflows import CiPipeline

    lent = runners_of(form)
    return CiPipeline(
        ci=_settings(),
        folder=str(folder),
        parts=len(matrix.split(jobs, lent.most_jobs)),
        runner=lent.runners.labels["linux-x86_64"][0],
        actions=tuple(action.pinned for action in read_actions()),
        has_pytest=all(job.lock.pins.version("pytest") for job in jobs),
    )


def _no_setup() -> EnvsmithError:
    """Return the error for a project whose settings lack the lines that install envsmith in a CI job."""
    from envsmith.errors import ProfileError

    return ProfileError(
        "PRF046",
        "no setting says how a CI installs envsmith (named envsmith-torch; the envsmith on PyPI is another project)",
        where="pyproject.toml: tool.envsmith.ci.setup",
        hint="setup = [\"python -m pip install 'envsmith-torch @ git+https://HOST/REPOSITORY@COMMIT'\"] "
        "under [tool.envsmith.ci], with the place and commit you have it from",
    )


def _show_and_write(changes: Sequence[Edit], *, check: bool, is_agreed: bool) -> int:
    """Show what would be replaced, ask where that is not agreed to yet, and write."""
    from envsmith.console import printer

    replaced = [change for change in changes if change.before is not None]
    for change in replaced:
        for line in change.diff().splitlines():
            printer.say(line)
    if check:
        for change in changes:
            printer.labelled("differs" if change.before is not None else "missing", change.file)
        return NO
    if replaced and not is_agreed and not _is_agreed(replaced):
        printer.say("nothing is written", err=True)
        return NO
    _write(changes)
    for change in changes:
        printer.labelled("wrote", change.file)
    return OK


def _write(changes: Sequence[Edit]) -> tuple[str, ...]:
    from envsmith.files.edits import write_edits

    return write_edits(Path(), changes)


def _is_agreed(replaced: Sequence[Edit]) -> bool:
    from envsmith.console.terminal import agrees

    otherwise = "nothing is written: files would be replaced"
    named = ", ".join(change.file for change in replaced)
    return agrees(f"replace {named}", where="envsmith ci init", otherwise=otherwise)
