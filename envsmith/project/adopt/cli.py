"""``envsmith adopt``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envsmith.console.options import TypedPath
from envsmith.lock.cli import lock_command

if TYPE_CHECKING:
    from envsmith.config.profiles import ProfileStore
    from envsmith.project.adopt.installed import InstalledPackages

_VARIABLES = ("VIRTUAL_ENV", "CONDA_PREFIX")
_OF_LOCK = (
    *("as_of", "mode", "index_base", "accepted", "insecure_hosts", "offline", "allow_sdist"),
    *("indexes", "default_index", "dry_run", "folder", "jobs", "as_json"),
)


@click.command(
    name="adopt",
    params=[
        click.Argument(["prefix"], required=False, type=TypedPath(path_type=Path)),
        click.Option(["--name"], default="", help="Name of the profile [default: the backend]."),
        click.Option(["--deep"], is_flag=True, help="Compare the hash of every file with its RECORD."),
        click.Option(["--no-lock"], is_flag=True, help="Write the profile only."),
        *(item for item in lock_command.params if item.name in _OF_LOCK),
    ],
)
@click.pass_obj
def adopt_command(settings: dict[str, Any], /, **options: Any) -> int:  # noqa: ANN401 - click checks each option
    """Make a profile and a lock of the environment at PREFIX, made by uv, pip or conda.

    PREFIX is by default the active environment (VIRTUAL_ENV, CONDA_PREFIX), else .venv. Every installed version becomes
    a constraint of profiles/NAME.toml; packages that no other one requires become its requirements. What a lock cannot
    contain is listed, and the lock is compared with the environment: exits with 1 on any difference. Without a lock,
    nothing is written.
    """
    from envsmith.catalog import Catalog
    from envsmith.config.profiles import ProfileStore
    from envsmith.console import printer
    from envsmith.files.edits import edits_of, write_edits
    from envsmith.host.current import utc_text
    from envsmith.lock.cli import lock_options, lock_tools
    from envsmith.lock.output import add_command
    from envsmith.project.adopt import output
    from envsmith.project.adopt.draft import draft_of
    from envsmith.project.adopt.drafted_lock import Adopted, drafted_files, drafted_request, lock_draft

    prefix, is_deep = options.pop("prefix") or _active_prefix(), options.pop("deep")
    no_lock, sources = options.pop("no_lock"), options.pop("allow_sdist")
    installed = _installed(prefix, deep=is_deep)
    draft = draft_of(
        installed, Catalog.embedded(), name=options.pop("name"), allow_sdist=sources, now_utc=utc_text()
    )
    store = ProfileStore.of_project(Path())
    _check_name(draft.name, store, options["folder"])
    files = drafted_files(draft, store)
    if no_lock:
        found = Adopted(
            installed=installed,
            draft=draft,
            edits=edits_of(Path(), files),
            findings=draft.findings,
            is_dry_run=options["dry_run"],
        )
        if not found.is_dry_run:
            write_edits(Path(), found.edits)
    else:
        chosen = lock_options({**options, "profiles": (draft.name,)}, quiet=settings["quiet"])
        request = drafted_request(files, chosen, Path())
        with lock_tools((request,), chosen) as (tools, pool):
            found = lock_draft(draft, installed, request, chosen, tools=tools, pool=pool)
    if found.error:
        add_command(found.error, settings["words"])
    status = output.status(found)
    if options["as_json"]:
        word = ("ok", "no", "failed")[status]
        printer.envelope("adopt", word, output.data(found), [found.error] if found.error else ())
    else:
        output.show(found)
    return status


def _check_name(name: str, store: ProfileStore, folder: Path) -> None:
    """Check that neither a profile nor a lock has the name.

    Raises:
        ProfileError: PRF048 when one has it, PRF006 when it is invalid.
    """
    from envsmith.errors import ProfileError
    from envsmith.files.text import folders_with
    from envsmith.lockfile.manifest import FILENAME
    from envsmith.project.init import check_new

    check_new(store, name, "--name")
    if name in folders_with(folder, FILENAME):
        raise ProfileError(
            "PRF048",
            f"the profile {name} is locked already",
            where=(folder / name).as_posix(),
            hint="choose another name with --name NAME",
        )


def _active_prefix() -> Path:
    from envsmith.host.current import variables

    return Path(next((path for name in _VARIABLES if (path := variables().get(name))), ".venv"))


def _installed(prefix: Path, *, deep: bool) -> InstalledPackages:
    from envsmith.environment.interpreter import Probe
    from envsmith.process.runner import Processes
    from envsmith.project.adopt.installed import read_installed

    processes = Processes()
    try:
        return read_installed(prefix, Probe(processes=processes), deep=deep)
    finally:
        processes.close()
