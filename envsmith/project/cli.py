"""Commands `envsmith init`, `add`, `remove` and `sync`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from envsmith.console.options import recorded_file
from envsmith.errors import NO, OK, EnvsmithError
from envsmith.install.cli import install_command
from envsmith.lock.cli import lock_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from envsmith.catalog import Catalog
    from envsmith.files.edits import Edit
    from envsmith.lock.inputs.request import LockOptions
    from envsmith.plan.model import LockRequest
    from envsmith.project.requirement_lists import RequirementList

_OF_LOCK = ("upgrade", "upgrade_packages", "mode", "index_base", "accepted", "jobs")
_ASKED = (
    *("requirements_files", "extras", "all_extras", "groups", "all_groups", "no_default_groups"),
    *("backend", "as_of", "allow_sdist"),
)
"""Options of `lock` that the manifest remembers; `--python` of `sync` is that of `install`."""
_SHARED = ("offline", "insecure_hosts", "folder", "dry_run", "as_json")


def _options_of(command: click.Command, *names: str) -> Iterator[click.Parameter]:
    return (item for item in command.params if item.name in names)


@click.command(
    name="sync",
    params=[
        *(item for item in install_command.params if item.name != "is_checked"),
        *_options_of(lock_command, *_ASKED, *_OF_LOCK),
    ],
)
@click.pass_obj
def sync_command(settings: dict[str, Any], /, **options: Any) -> int:  # noqa: ANN401 - click checks each option
    """Lock the profiles whose locks are missing or stale, then install: `lock` if needed, and `install`.

    Without PROFILE: all profiles that are locked or default are kept current, and the lock that fits this machine and
    interpreter best is installed. With -U, -P or options for what to lock, they are locked in any case. Without
    changes, nothing is resolved and no network is used.
    """
    from envsmith.install.cli import install_lock
    from envsmith.lock.cli import lock_options

    lock_values = {name: options.pop(name) for name in (*_ASKED, *_OF_LOCK)}
    shared = {name: options[name] for name in _SHARED}
    names = (options["profile"],) if options["profile"] else _profiles(options["folder"])
    chosen = lock_options({**shared, **lock_values, "profiles": names}, quiet=settings["quiet"])
    status, inputs = _lock(chosen)
    if status != OK or (inputs is None and options["dry_run"]):
        return status
    return install_lock({**options, "is_checked": True}, settings, "sync", inputs or ())


def _profiles(folder: Path) -> tuple[str, ...]:
    """Return the default profiles and those that are locked."""
    from envsmith.config.profiles import ProfileStore
    from envsmith.files.text import folders_with
    from envsmith.lockfile.manifest import FILENAME

    defaults = ProfileStore.of_project(Path()).settings.default_profiles
    return tuple(dict.fromkeys((*defaults, *folders_with(folder, FILENAME))))


def _lock(options: LockOptions) -> tuple[int, Sequence[Path] | None]:
    """Lock the profiles that need it.

    Returns:
        The exit code, and the files that the answer depends on: None if a profile was locked, none if it depends on
        others too.
    """
    from envsmith.lock.cli import check_locks, requested, run_lock
    from envsmith.lock.inputs.request import reads_sources
    from envsmith.wiring import watched_paths

    requests, read = requested(options)
    is_asked = options.upgrade or options.upgrade_packages or options.remembered.to_plain()
    stale = [item for item in requests if is_asked or check_locks((item,), options).has_errors]
    if stale:
        return run_lock(stale, options, is_last=options.dry_run), None
    folders = [options.folder / item.profile.name for item in requests]
    return OK, () if any(map(reads_sources, requests)) else watched_paths(read, *folders)


_EDIT_OPTIONS = (
    click.Argument(["requirements"], nargs=-1, required=True, metavar="NAME..."),
    click.Option(
        ["-r", "file"], type=recorded_file, default="", metavar="FILE", help="Requirements file to edit."
    ),
    click.Option(["--group"], default="", metavar="NAME", help="Dependency group of pyproject.toml to edit."),
    click.Option(["--extra"], default="", metavar="NAME", help="Extra of pyproject.toml to edit."),
    click.Option(
        ["--profile", "profiles"],
        multiple=True,
        metavar="NAME",
        help="Profile to lock, and to edit if requirements are in profiles; may be repeated [default: as `lock`].",
    ),
    click.Option(["--no-lock"], is_flag=True, help="Edit the file only."),
    click.Option(["--dry-run"], is_flag=True, help="Show the edit; change nothing."),
    *_options_of(lock_command, *_OF_LOCK[2:], "offline", "insecure_hosts", "folder", "as_json"),
)


@click.command(
    name="add",
    params=[
        *_EDIT_OPTIONS,
        click.Option(
            ["-y", "--yes", "is_agreed"], is_flag=True, help="Add names like torch-vision without asking."
        ),
    ],
)
@click.pass_obj
def add_command(settings: dict[str, Any], /, **options: Any) -> int:  # noqa: ANN401 - click checks each option
    """Add requirements, such as fastapi or 'fastapi>=0.115', to the file that `lock` reads, and lock.

    That is -r FILE, else the requirements file recorded in the locks, else [project] in pyproject.toml, else the
    profile. A requirement on the same project is replaced; a bare name leaves it. Comments and layout are kept. If the
    lock fails, the file is as it was. Torch needs no index: the profile's backend selects the build.
    """
    from envsmith.catalog import Catalog
    from envsmith.console.terminal import confirm
    from envsmith.project.requirement_lists import checked, edits_to_add, with_present

    texts, warnings = checked(options.pop("requirements"), Catalog.embedded())
    is_agreed = options.pop("is_agreed")
    for warning in warnings:
        otherwise = f"{warning.message} ({warning.code})"
        if not is_agreed and not confirm(
            f"{warning.message} Add {warning.subject}", where="envsmith add", otherwise=otherwise
        ):
            return NO
    return _edit(
        options,
        settings,
        "add",
        lambda place, requests: edits_to_add(place, with_present(place, texts, requests, Path()), Path()),
    )


@click.command(name="remove", params=list(_EDIT_OPTIONS))
@click.pass_obj
def remove_command(settings: dict[str, Any], /, **options: Any) -> int:  # noqa: ANN401 - click checks each option
    """Remove requirements from the file that `lock` reads, and lock.

    The file is chosen as by `envsmith add`. Packages that others require stay in the lock. If the lock fails, the file
    is as it was.
    """
    from envsmith.project.requirement_lists import edits_to_remove, name_of

    names = [name_of(text) for text in options.pop("requirements")]
    return _edit(options, settings, "remove", lambda place, _: edits_to_remove(place, names, Path()))


def _edit(
    options: dict[str, Any],
    settings: dict[str, Any],
    command: str,
    edits_for: Callable[[RequirementList, Sequence[LockRequest]], Sequence[Edit]],
) -> int:
    """Show the edits, write them, and lock; undo them if that fails."""
    from envsmith.console import printer
    from envsmith.files.edits import write_edits
    from envsmith.lock.cli import lock_options
    from envsmith.project.requirement_lists import ListOptions, chosen_lists

    chosen = {name: options.pop(name) for name in ("file", "group", "extra")}
    if sum(map(bool, chosen.values())) > 1:
        raise click.UsageError("-r, --group and --extra cannot be combined")
    no_lock, is_dry_run = options.pop("no_lock"), options.pop("dry_run")
    places = chosen_lists(
        ListOptions(profiles=options["profiles"], folder=options["folder"], **chosen), Path()
    )
    requests = _requests(lock_options(options, quiet=True), is_needed=not no_lock)
    if not any(item.remembered.requirements_files for item in requests):
        options["requirements_files"] = (chosen["file"],) if chosen["file"] else ()
    edits = [edit for place in places for edit in edits_for(place, requests)]
    if not options["as_json"]:
        _show(edits, places[0].place, is_dry_run=is_dry_run)
    status, locked = OK, list[str]()
    if not is_dry_run and no_lock:
        write_edits(Path(), edits)
    elif not is_dry_run and edits:
        status, locked = _lock_edited(edits, lock_options(options, quiet=settings["quiet"]))
    if not options["as_json"]:
        for edit in () if is_dry_run else edits:
            printer.labelled("wrote" if status == OK else "restored", edit.file)
        for option in _not_locked(chosen, requests) if edits and status == OK else ():
            printer.labelled("note", f"not in the lock of any profile; envsmith lock PROFILE {option}")
    elif status == OK:
        changes = [{"file": edit.file, "diff": edit.diff()} for edit in edits]
        printer.envelope(command, "ok", {"is_dry_run": is_dry_run, "edits": changes, "locked": locked})
    return status


def _not_locked(chosen: Mapping[str, str], requests: Sequence[LockRequest]) -> Iterator[str]:
    """Yield the option of `lock` for a chosen group or extra that the locks do not have."""
    from envsmith.config.profiles import ProfileStore
    from envsmith.config.requirements.project_dependencies import ALL
    from envsmith.lock.inputs.remembered_options import extras_of, groups_of

    settings = ProfileStore.of_project(Path()).settings
    for kind, names_of in (("group", groups_of), ("extra", extras_of)):
        locked = {name for item in requests for name in names_of(item.remembered, item.profile, settings)}
        if chosen[kind] and not locked & {chosen[kind], ALL}:
            yield f"--{kind} {chosen[kind]}"


def _requests(options: LockOptions, *, is_needed: bool) -> Sequence[LockRequest]:
    """Return the lock requests of the files as they are; none if that fails and they are not needed."""
    from envsmith.lock.cli import requested

    try:
        return requested(options)[0]
    except EnvsmithError:
        if is_needed:
            raise
        return ()


def _show(edits: Sequence[Edit], place: str, *, is_dry_run: bool) -> None:
    from envsmith.console import printer

    for edit in edits:
        for line in edit.diff().splitlines():
            printer.say(line)
    if not edits:
        printer.say(f"nothing to change in {place}")
    elif is_dry_run:
        printer.say("nothing written (dry run)")


def _lock_edited(edits: Sequence[Edit], options: LockOptions) -> tuple[int, list[str]]:
    """Write edits and lock; unless that succeeds, restore the files and all locks.

    Returns:
        The exit code, and the names of the locked profiles.
    """
    from envsmith.errors import FAILED
    from envsmith.files.atomic import read_files
    from envsmith.files.edits import restore_edits, write_edits
    from envsmith.lock.cli import requested, run_lock

    before: dict[Path, dict[str, bytes]] = {}
    status = FAILED
    try:
        write_edits(Path(), edits)
        requests, _ = requested(options)
        before = {
            folder: read_files(folder) for item in requests if (folder := options.folder / item.profile.name)
        }
        status = run_lock(requests, options, is_last=False)
    finally:
        if status != OK:
            for folder, files in before.items():
                _restore_lock(folder, files)
            restore_edits(Path(), edits)
    return status, [item.profile.name for item in requests]


def _restore_lock(folder: Path, files: dict[str, bytes]) -> None:
    from contextlib import suppress

    from envsmith.files.atomic import read_files, write_files

    now = read_files(folder)
    if now != files:
        write_files(folder, files, remove=now.keys() - files.keys())
    if not files:
        with suppress(OSError):  # it was not there before
            folder.rmdir()


@click.command(name="init")
@click.option("--backend", default="", metavar="NAME", help="cpu, cu130, rocm7.2, xpu [default: asks].")
@click.option(
    "--profile", "name", default="", metavar="NAME", help="Name of the profile [default: the backend]."
)
@click.option("--python", multiple=True, metavar="X.Y", help="Python; may be repeated [default: this one].")
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    help="linux, linux-aarch64, macos, windows or a platform tag; may be repeated [default: this one].",
)
@click.option("-y", "--yes", "is_agreed", is_flag=True, help="Write without asking.")
def init_command(backend: str, name: str, *, is_agreed: bool, **targets: tuple[str, ...]) -> int:
    """Write profiles/NAME.toml, and make it a default profile in pyproject.toml.

    Shows the files before they are written; an existing profile is never changed. Requirements stay where they are: in
    [project], or in requirements.in or requirements.txt, which is recorded as requirements-from; without any, the
    profile requires torch. A missing pyproject.toml is created with [tool.envsmith] only.
    """
    from envsmith.catalog import Catalog
    from envsmith.console import printer
    from envsmith.console.terminal import confirm
    from envsmith.files.edits import write_edits
    from envsmith.host.current import this_platform, this_python
    from envsmith.model.backend import Backend
    from envsmith.model.target import ALIASES
    from envsmith.project.init import FirstProfile, starting_edits

    catalog = Catalog.embedded()
    chosen = catalog.backend(Backend.parse(backend or _asked_backend(catalog))).backend
    here = str(this_platform())
    profile = FirstProfile(
        name=name or str(chosen),
        backend=chosen,
        python=targets["python"] or (str(this_python()),),
        platforms=targets["platforms"] or (next((key for key, tag in ALIASES.items() if tag == here), here),),
    )
    edits = [edit for edit in starting_edits(profile, Path()) if edit.has_changes]
    for line in (line for edit in edits for line in edit.diff().splitlines()):
        printer.say(line)
    question = f"write {' and '.join(edit.file for edit in edits)}"
    if not is_agreed and not confirm(
        question, where="envsmith init", otherwise="nothing written: init asks first"
    ):
        return NO
    write_edits(Path(), edits)
    for edit in edits:
        printer.labelled("wrote", edit.file)
    printer.say("hint: envsmith sync", err=True)
    return OK


def _asked_backend(catalog: Catalog) -> str:
    """Ask for a backend; the default is the best one for this machine.

    Raises:
        UsageError: when there is no terminal.
    """
    from envsmith.console import printer
    from envsmith.console.terminal import is_interactive
    from envsmith.select.output import selection_lines
    from envsmith.select.select import select_here

    found = select_here(catalog)
    best = str(found.choice.backend) if found.choice else "cpu"
    if not is_interactive():
        raise click.UsageError(f"no terminal to ask on: give --backend (for this machine: --backend {best})")
    for label, text in selection_lines(found):
        printer.labelled(label, text, err=True)
    answer: str = click.prompt("backend", default=best, err=True)
    return answer
