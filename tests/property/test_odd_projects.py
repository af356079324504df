"""No command changes anything but its own, whatever files, links, FIFOs and modes a project consists of."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path, PurePath
from pkgutil import walk_packages

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

import envsmith
from envsmith import __main__ as program
from envsmith.cli import main as command_line
from envsmith.download.part_file import PartFile, PartOrigin
from envsmith.download.wheelhouse import change_record
from envsmith.errors import FAILED, NO, OK, EnvsmithError
from envsmith.files import atomic
from envsmith.files.own_folder import MARK
from envsmith.install.generation_store import GenerationStore
from envsmith.install.install import install
from tests.install.install_values import order, tools
from tests.install.locked import locked_shop
from tests.install.test_generation_store import A, B, C, built
from tests.locks import LINUX, folder_files
from tests.wheelhouses import AsLocked, downloader

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="makes symbolic links, FIFOs and processes")

SHA256 = "ab" * 32
USER = 12345
"""Owns the things of another user, where the tests run as root."""
TIME_LIMIT_S = 60
BROKEN = 99
TIME = "20261121T120000Z"
GENERATIONS = ".envsmith/g"
INSTALLED = f"{GENERATIONS}/{{installed}}"
"""The environment that a real install made."""
TREES = int(os.environ.get("ENVSMITH_TEST_TREES", "75"))
"""How many projects are made up."""
SITE = f"{INSTALLED}/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
IN_GENERATIONS = (
    A,
    C,
    "notes",
    "thesis-abcdef",
    f".removing-{C}",
    f"{C}-failed-{TIME}",
    f"{A}/envsmith.json",
)
FOLDERS = ("g", "generations", "aside", "digests")
IN_OWN = ("", "/g", "/generations", "/aside", "/notes", "/link-.venv", f"/aside/.venv-{TIME}", "/aside/mine")
WRITTEN = ("busy", "left", ".gitignore", "history-.venv.jsonl")
PARTS = tuple(f"wheels/.envsmith-partial/{SHA256}.{end}" for end in ("part", "json", "lock"))
NAMES = (
    *(f"{GENERATIONS}/{name}" for name in (*IN_GENERATIONS, f"{C}/{MARK}", f"{A}/{MARK}", f"{A}/lib/deep")),
    *(f".envsmith{name}" for name in IN_OWN),
    *(f".envsmith/{name}{end}" for name in WRITTEN for end in ("", ".new")),
    *(
        f"{INSTALLED}{name}"
        for name in ("", "/bin/python", "/bin/activate.bash", "/pyvenv.cfg", "/envsmith.json")
    ),
    *(f"{SITE}{name}" for name in ("", "/added.pth", "/sitecustomize.py", "/torch", "/torch/version.py")),
    *(f"{SITE}/torch-2.20.0+cu134.dist-info{name}" for name in ("", "/RECORD", "/METADATA")),
    *(".venv", ".venv/pyvenv.cfg", ".venv/envsmith.json", ".venv-backup", "deep/link", "notes"),
    *("lockfiles", "lockfiles/any", "lockfiles/any/manifest.toml", "lockfiles/any/.envsmith-journal"),
    *("lockfiles/any/.envsmith-new-manifest.toml", "profiles", "profiles/own.toml", "torch", "torch.py"),
    *(
        f"lockfiles/own{name}"
        for name in ("", "/manifest.toml", "/{pylock}", "/{requirements}", "/activate.bash")
    ),
    *(
        "requirements.txt",
        "pyproject.toml",
        "src",
        "src/link.py",
        "src/app.py",
        ".github",
        ".github/workflows",
    ),
    *(".github/workflows/envsmith.yml", ".gitlab-ci.yml", ".gitlab", ".git", ".git/config"),
    *("wheels", "wheels/{wheel}", "wheels/.envsmith-partial", *PARTS),
    *("wheels/envsmith-download.toml", "wheels/.envsmith-partial/record.lock"),
)
TARGETS = (
    "{outside}",
    "{outside}/file",
    "../outside/thesis-abcdef",
    "..",
    "itself",
    "missing",
    f"{GENERATIONS}/{A}",
    INSTALLED,
)
PLACES: dict[str, str] = {}
"""Names that are known once the project was made."""
FILES: Mapping[str, str] = {
    ".gitignore": "/.venv\n",
    "pyproject.toml": "[project]\nname = 'a'\ndependencies = ['torchvision']\n"
    "[tool.envsmith]\nrequirements-from = 'profile'\n[tool.envsmith.ci]\nsetup = ['true']\n",
    "requirements.txt": "torch\ntorchvision\n",
    "src/app.py": "import torch\n",
}


@dataclass(frozen=True)
class Odd:
    """One thing in a project."""

    name: str
    kind: str
    target: str
    mode: int
    is_others: bool

    def make(self, project: Path, outside: Path) -> None:
        path = project / self.name.format_map(PLACES)
        with suppress(OSError):
            for parent in [*reversed(path.relative_to(project).parents)][1:]:
                if (project / parent).is_symlink() or not (project / parent).is_dir():
                    _clear(project / parent)
                    (project / parent).mkdir()
            _clear(path)
            if self.kind == "link":
                target = (
                    path.name if self.target == "itself" else self.target.format(outside=outside, **PLACES)
                )
                path.symlink_to(target)
            elif self.kind == "hard":
                path.hardlink_to(outside / "file")
            elif self.kind == "fifo":
                os.mkfifo(path)
            elif self.kind == "folder":
                path.mkdir()
                (path / "file").write_text("mine", "utf-8")
            else:
                path.write_text(f"{self.target}\n", "utf-8")
            if self.kind in ("folder", "file", "fifo"):
                path.chmod(self.mode)
            if self.is_others and os.geteuid() == 0:
                os.lchown(path, USER, USER)


def _clear(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


ODD = st.builds(
    Odd,
    st.sampled_from(NAMES),
    st.sampled_from(("link", "link", "hard", "fifo", "folder", "file")),
    st.sampled_from(TARGETS),
    st.sampled_from((0o755, 0o755, 0, 0o500, 0o444)),
    st.sampled_from((False, False, False, True)),
)


def _install() -> None:
    install(order(), tools(Path.cwd()))


def _lock() -> None:
    """Write and read a lock folder as `envsmith lock` does after the resolution."""
    for folder in (Path("lockfiles/any"), Path("lockfiles/any").absolute()):
        atomic.write_files(folder, folder_files("any", {LINUX: ("torch==2.11.0+cpu",)}, backend="cpu"))
        atomic.read_files(folder)


def _download() -> None:
    """Write what `envsmith download -d wheels` writes."""
    downloader(Path("../cache")).fill(Path("wheels"), [], AsLocked())
    with PartFile(Path("wheels"), SHA256) as part:
        part.begin_response(PartOrigin(size_bytes=4))
        part.write(b"ours")
    change_record(Path("wheels"), lambda held: held)


RUN = "run own -- true"
"""Replaces the process."""
QUICK = (
    *(
        "lock --check",
        "lock --check own",
        "diff",
        "diff HEAD own",
        "matrix --only-changed HEAD",
        "explain torch",
    ),
    *(f"export own --format {form}" for form in ("constraints", "uv", "dockerfile", "cyclonedx --offline")),
    *("env own", "env own --format envrc", "activate --shell bash", "activate --shell fish", RUN),
    *("profiles", "profiles show own", "catalog refresh cu134 --timeout 5", "generations", "shims list"),
    *(
        "scan",
        "scan --unused",
        "scan src",
        "doctor -- true",
        "ci init --check --format github",
    ),
    # Without a terminal and without --yes.
    *("scan --fix", "shims add torchaudio-legacy-api --profile own"),
)
SLOW = (
    *("lock own --dry-run --offline --as-of 2026-11-16", "report", "select", "shims status", "doctor"),
    *("verify own", "verify own --deep", "verify own --probe torch --timeout 20"),
    *("doctor --fix --dry-run --offline", "adopt --dry-run --no-lock"),
)
"""Commands that change nothing in a project, as those of `QUICK` do not; `SLOW` ones are tried less often."""
PARTS_OF_COMMANDS: Mapping[str, Callable[[], None]] = {
    "install": _install,
    "lock": _lock,
    "download": _download,
}
EDITED: Mapping[str, tuple[str, ...]] = {
    "install": (),
    "lock": ("lockfiles/any/",),
    "download": ("wheels/",),
    "download own --all -d wheels --rewrite https://download.pytorch.org/whl={index}": ("wheels/",),
    "generations --keep 1": (),
    "generations --keep 1 --store ../store": (),
    "rollback --force": (),
    "scan --fix --yes": ("requirements.txt", "pyproject.toml"),
    "shims add torchaudio-legacy-api --profile own --yes": ("profiles/own.toml",),
    "init --backend cpu --yes": ("pyproject.toml", "profiles/"),
    "add timm --no-lock": ("profiles/own.toml",),
    "add timm -r requirements.txt --no-lock": ("requirements.txt",),
    "remove torch --no-lock": ("profiles/own.toml",),
    "remove torchvision -r requirements.txt --no-lock": ("requirements.txt",),
    "ci init --format github --yes": (".github/",),
    "ci init --format gitlab --yes": (".gitlab-ci.yml", ".gitlab/"),
    "doctor --fix --yes --offline family": (),
}
"""Command → the names that it may change besides those of the environment."""
SLOWLY_EDITED: Mapping[str, tuple[str, ...]] = {
    "install own --offline --wheelhouse ../wheelhouse": (),
    "lock own --offline --as-of 2026-11-16": ("lockfiles/own/",),
    "sync own --offline --wheelhouse ../wheelhouse": ("lockfiles/own/",),
    "doctor --fix --yes --offline --wheelhouse ../wheelhouse": (),
}
CHANGING = {**EDITED, **SLOWLY_EDITED}
SWITCHING = ("generations --keep 1", "rollback --force")
WITHOUT_EFFECT = {"generations --keep 1 --store ../store", "doctor --fix --yes --offline family"}
COMMANDS = (*QUICK, *SLOW, *CHANGING)
OFTEN = (*(*EDITED, *EDITED, *QUICK) * 4, *SLOWLY_EDITED, *SLOW)


@pytest.fixture(scope="module")
def base() -> Iterator[Path]:
    """Make a locked and installed project, and import all of envsmith, so that the child processes need not."""
    for module in walk_packages(envsmith.__path__, "envsmith."):
        if not module.name.startswith("envsmith.runtime."):
            import_module(module.name)
    memory = "/dev/shm"  # noqa: S108 - hundreds of copies take a third of the time there
    made = Path(os.path.realpath(tempfile.mkdtemp(dir=memory if os.access(memory, os.W_OK) else None)))
    made.chmod(0o755)
    project, kept = made / "project", made / "kept"
    try:
        with locked_shop(made) as shop, pytest.MonkeyPatch.context() as patch:
            for name, text in FILES.items():
                (project / name).parent.mkdir(exist_ok=True)
                (project / name).write_text(text, "utf-8")
            ran = shop.install(profile="own")
            assert ran.status == 0, ran.said
            kept.mkdir()
            (project / "cache/listings").rename(kept / "listings")
            shutil.rmtree(project / "cache")
            _commit(project)
            PLACES.update(
                installed=shop.current(),
                pylock=next(project.glob("lockfiles/own/pylock.*")).name,
                requirements=next(project.glob("lockfiles/own/requirements.*")).name,
                wheel=next(shop.wheelhouse.iterdir()).name,
                index=shop.index.base,
            )
            project.rename(kept / "project")
            own = {"ENVSMITH_PYTORCH_INDEX": shop.index.base, "ENVSMITH_CACHE_DIR": str(made / "cache")}
            for name, text in {
                **shop.project.env,
                **own,
                "HOME": str(made / "home"),
                "NO_PROXY": "*",
            }.items():
                patch.setenv(name, text)
            patch.delenv("GITHUB_OUTPUT", raising=False)
            cached = _snapshot(made / "uv-cache/archive-v0")
            yield made
            later = _snapshot(made / "uv-cache/archive-v0")
            assert cached
            assert not {name for name in cached.keys() & later if cached[name] != later[name]}
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _commit(project: Path) -> None:
    git = ("git", "-c", "user.name=x", "-c", "user.email=x", "-c", "commit.gpgsign=false", "-C", project)
    for words in ("init --quiet --template=", "add --all", "commit --quiet --message=x", "gc --quiet"):
        subprocess.run([*git, *words.split()], check=True)


def _start(command: str) -> int:
    if command not in PARTS_OF_COMMANDS:
        return program._run(command.format_map(PLACES).split())
    try:
        PARTS_OF_COMMANDS[command]()
    except EnvsmithError as error:
        return error.exit_code
    return OK


@contextmanager
def _folders(base: Path, state: str) -> Iterator[tuple[Path, Path]]:
    """Yield a project and a folder of the user outside it, below a folder that every user may enter.

    Args:
        base: where they lie.
        state: ``installed`` for a project with a real environment, ``made up`` for one with files in its place.
    """
    project, outside = base / "project", base / "outside"
    here = [project, outside, *(base / name for name in ("cache", "home", "tmp", "store"))]
    try:
        ignored = () if state == "installed" else (".venv", ".envsmith")
        shutil.copytree(
            base / "kept/project", project, symlinks=True, ignore=shutil.ignore_patterns(*ignored)
        )
        shutil.copytree(base / "kept/listings", base / "cache/listings")
        for folder in (outside / "thesis-abcdef", base / "home", base / "tmp"):
            folder.mkdir(parents=True)
        for name in ("file", "thesis-abcdef/file"):
            (outside / name).write_text("mine", "utf-8")
        if state == "made up":
            store = GenerationStore(link=project / ".venv")
            with store.lock("testing"):
                built(store, B, is_made=True)
                built(store, A, is_made=True)
            store.switch(B)
            store.switch(A)
        yield project, outside
    finally:
        for folder in here:
            shutil.rmtree(folder, ignore_errors=True)


Snapshot = Mapping[str, tuple[int, str]]


def _snapshot(folder: Path) -> dict[str, tuple[int, str]]:
    """Return path → mode, and the content of a file or the target of a link."""
    found = {}
    for path in folder.rglob("*"):
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            content = os.readlink(path)  # noqa: PTH115 - the text
        else:
            content = path.read_text("utf-8", "replace") if stat.S_ISREG(mode) else ""
        found[str(path.relative_to(folder))] = (mode, content)
    return found


def _is_allowed(path: str, project: Path, commands: list[str], before: Snapshot, after: Snapshot) -> bool:
    """Return whether commands may change, create or remove a path of a project."""
    changing = [command for command in commands if command in CHANGING]
    if path == ".venv" or path.startswith((".venv/", ".envsmith")):
        is_environment = any(not CHANGING[command] or command.startswith("sync") for command in changing)
        return is_environment and (
            path.startswith(".venv") or _is_own(path, before) or _is_put_back(path, before, after)
        )  # then see `_check_moved`
    names = [name for command in changing for name in CHANGING[command]]
    real = {os.path.relpath(os.path.realpath(project / name), project) for name in names}
    is_edited = any(path == name or path.startswith(f"{name}/") for name in real)
    return is_edited or any(path == name.rstrip("/") or path.startswith(name) for name in names)


def _is_put_back(path: str, before: Snapshot, after: Snapshot) -> bool:
    """Return whether a path of an environment that was set aside is in the place of the environment now."""
    parts = PurePath(path).parts
    place = "/".join((".venv", *parts[3:]))
    return parts[:2] == (".envsmith", "aside") and path in before and after.get(place) == before[path]


def _is_own(path: str, before: Snapshot) -> bool:
    """Return whether a path in ``.envsmith`` is envsmith's own, or did not exist."""
    parts = PurePath(path).parts[1:]
    folder, name = [*parts, "", ""][:2]
    if folder.removesuffix(".new") in WRITTEN or folder == "link-.venv":
        return not stat.S_ISDIR(before.get(path, (0, ""))[0])
    if not name or folder not in FOLDERS:
        return path not in before and folder in ("", *FOLDERS)
    # A killed switch leaves a link to a generation in the place of an environment that was to be moved.
    mode, content = before.get(path, (0, ""))
    if folder == "aside" and stat.S_ISLNK(mode) and content.startswith(f"{GENERATIONS}/"):
        return True
    id_ = name.removesuffix(".json")
    is_made = before.get(f"{GENERATIONS}/{id_}/{MARK}", (0, ""))[1].strip() == id_ or id_ == B
    return is_made or f".envsmith/{folder}/{name}" not in before


def _drop_capabilities() -> None:
    """Let modes bind root, and the programs it starts, as they bind other users.

    Source: prctl(2), PR_SET_NO_NEW_PRIVS, and capset(2), Linux man-pages.
    """
    if sys.platform == "linux" and os.geteuid() == 0:
        system, header, none = ctypes.CDLL(None), struct.pack("Ii", 0x20080522, 0), bytes(24)
        assert system.prctl(38, 1, 0, 0, 0) == 0
        assert system.capset(header, none) == 0


def _run(commands: list[str], base: Path) -> tuple[int, str]:
    """Run commands in the project in a child process, modes bind it; fail if one hangs or breaks.

    Returns:
        The exit status of the last one, and the output.
    """
    child = os.fork()
    if not child:
        status = BROKEN
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(TIME_LIMIT_S)
            _redirect(base / "log")
            os.environ["TMPDIR"] = tempfile.tempdir = str(base / "tmp")
            os.chdir(base / "project")
            _drop_capabilities()
            for command in sorted(commands, key=RUN.__eq__):
                status = _start(command)
                if status not in (OK, NO, FAILED):
                    break
        except BaseException:  # noqa: BLE001 - the parent reads it
            traceback.print_exc()
        finally:
            for stream in (sys.stdout, sys.stderr):
                with suppress(OSError, ValueError, AttributeError):
                    stream.flush()
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    said = (base / "log").read_text("utf-8", "replace")
    assert status in (OK, NO, FAILED), f"{commands}: {status}: {said}"
    assert "Traceback" not in said, said
    return status, said


def _redirect(path: Path) -> None:
    """Let the standard streams of this process be nothing and a file; those of pytest are other objects."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    for number in (1, 2):
        os.dup2(file, number)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", encoding="utf-8", closefd=False) for number in (1, 2))


# Trees are small already; reducing one further takes minutes.
@settings(max_examples=TREES, phases=(Phase.explicit, Phase.generate))
@given(
    st.lists(ODD, max_size=6),
    st.lists(st.sampled_from(OFTEN), min_size=1, max_size=2, unique=True),
    st.sampled_from(("", "made up", "installed")),
)
@example([Odd("torch", "folder", "", 0, is_others=False)], ["explain torch", "scan"], "installed")
@example([Odd("lockfiles", "folder", "", 0, is_others=False)], ["env own", "scan --unused"], "installed")
@example([Odd("profiles", "folder", "", 0, is_others=False)], ["lock --check", "profiles"], "installed")
@example([Odd(INSTALLED, "folder", "", 0, is_others=False)], ["activate --shell fish", RUN], "installed")
@example([Odd(GENERATIONS, "link", "{outside}", 0, is_others=False)], ["generations --keep 1", "install"], "")
@example(
    [Odd(".envsmith/generations/thesis-abcdef", "folder", "", 0o755, is_others=True)],
    ["generations --keep 1"],
    "made up",
)
@example(
    [Odd(f"{GENERATIONS}/{C}/{MARK}", "file", C, 0o755, is_others=True)],
    ["install", "generations --keep 1"],
    "made up",
)
@example(
    [Odd(f".envsmith/aside/.venv-{TIME}", "link", f"{GENERATIONS}/{A}", 0, is_others=True)],
    ["generations --keep 1"],
    "",
)
def test_only_what_is_envsmiths_changes(base: Path, odds: list[Odd], commands: list[str], state: str) -> None:
    with _folders(base, state) as (project, outside):
        for odd in odds:
            odd.make(project, outside)
        theirs, before = _snapshot(outside), _snapshot(project)
        beside = {path.name for path in base.iterdir()}
        _run(commands, base)
        after = _snapshot(project)
        assert _snapshot(outside) == theirs
        assert {path.name for path in base.iterdir()} - {"store", "log"} == beside - {"log"}
        assert not [*(base / "home").iterdir(), *(base / "tmp").iterdir()]
        changed = sorted(name for name in before.keys() | after if before.get(name) != after.get(name))
        for name in changed:
            assert _is_allowed(name, project, commands, before, after), (
                name,
                before.get(name),
                after.get(name),
            )
        _check_moved(before, after)


def test_every_command_is_tried() -> None:
    assert {command.split()[0] for command in COMMANDS} == command_line.COMMANDS.keys()


def test_reading_commands_work_in_an_ordinary_project(base: Path) -> None:
    """So that the test above is one of commands that do something."""
    statuses = {"ci init --check --format github": NO, "verify own --probe torch --timeout 20": NO}
    unasked = {"scan --fix": FAILED, "shims add torchaudio-legacy-api --profile own": FAILED}
    with _folders(base, "installed") as (project, _):
        before = _snapshot(project)
        for command in (*QUICK, *SLOW):
            status, said = _run([command], base)
            assert status == {**statuses, **unasked}.get(command, OK), said
        assert before == _snapshot(project)


@pytest.mark.parametrize("command", CHANGING)
def test_a_changing_command_works_in_an_ordinary_project(base: Path, command: str) -> None:
    with _folders(base, "made up" if command in SWITCHING else "installed") as (project, _):
        if command in SLOWLY_EDITED:
            (project / SITE.format_map(PLACES) / "torch/version.py").unlink()
        before = _snapshot(project)
        status, said = _run([command], base)
        assert status == OK, said
        assert (before != _snapshot(project)) == (command not in WITHOUT_EFFECT), said


def _check_moved(before: Snapshot, after: Snapshot) -> None:
    """Check that an environment of others is at its place, or was moved aside as a whole."""
    found = {name: value for name, value in before.items() if name == ".venv" or name.startswith(".venv/")}
    if GENERATIONS in found.get(".venv", (0, GENERATIONS))[1]:
        return
    places = {name for name in after if name == ".venv" or name.startswith(".envsmith/aside/.venv-")}
    moved = [{place + name.removeprefix(".venv"): value for name, value in found.items()} for place in places]
    assert any(item.items() <= after.items() for item in moved), found
