"""No command changes anything but its own, whatever files, links, FIFOs and modes a project consists of."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import stat
import struct
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePath

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from envsmith.cli.main import main
from envsmith.download.part_file import PartFile, PartOrigin
from envsmith.download.wheelhouse import change_record
from envsmith.errors import EnvsmithError
from envsmith.files import atomic
from envsmith.files.own_folder import MARK
from envsmith.install.generation_store import GenerationStore
from envsmith.install.install import install
from tests.install.install_values import order, tools
from tests.install.test_generation_store import A, B, C, built
from tests.locks import LINUX, folder_files
from tests.wheelhouses import AsLocked, downloader

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="makes symbolic links, FIFOs and processes")

SHA256 = "ab" * 32
USER = 12345
"""Owns the things of another user, where the tests run as root."""
TIME_LIMIT_S = 60
TIME = "20261121T120000Z"
GENERATIONS = ".envsmith/generations"
IN_GENERATIONS = (
    A,
    C,
    "notes",
    "thesis-abcdef",
    f".removing-{C}",
    f"{C}-failed-{TIME}",
    f"{A}/envsmith.json",
)
IN_OWN = ("", "/generations", "/aside", "/notes", "/link-.venv", f"/aside/.venv-{TIME}", "/aside/mine")
WRITTEN = ("busy", "left", ".gitignore", "history-.venv.jsonl")
PARTS = tuple(f"wheels/.envsmith-partial/{SHA256}.{end}" for end in ("part", "json", "lock"))
NAMES = (
    *(f"{GENERATIONS}/{name}" for name in (*IN_GENERATIONS, f"{C}/{MARK}", f"{A}/{MARK}", f"{A}/lib/deep")),
    *(f".envsmith{name}" for name in IN_OWN),
    *(f".envsmith/{name}{end}" for name in WRITTEN for end in ("", ".new")),
    *(".venv", ".venv/pyvenv.cfg", ".venv/envsmith.json", ".venv-backup", "deep/link", "notes"),
    *("lockfiles", "lockfiles/any", "lockfiles/any/manifest.toml", "lockfiles/any/.envsmith-journal"),
    *("lockfiles/any/.envsmith-new-manifest.toml", "profiles", "profiles/own.toml"),
    *("requirements.txt", "pyproject.toml", "src/link.py", ".github", ".github/workflows"),
    *(".github/workflows/envsmith.yml", "wheels", "wheels/.envsmith-partial", *PARTS),
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
)
FILES: Mapping[str, str] = {
    "pyproject.toml": "[project]\nname = 'a'\ndependencies = ['torchvision']\n[tool.envsmith.ci]\nsetup = ['true']\n",
    "requirements.txt": "torch\ntorchvision\n",
    "src/app.py": "import torch\n",
    "profiles/own.toml": 'summary = "x"\nbackend = "cpu"\npython = ["3.12"]\nplatforms = ["linux"]\n',
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
        path = project / self.name
        with suppress(OSError):
            for parent in [*reversed(path.relative_to(project).parents)][1:]:
                if (project / parent).is_symlink() or not (project / parent).is_dir():
                    _clear(project / parent)
                    (project / parent).mkdir()
            _clear(path)
            if self.kind == "link":
                target = path.name if self.target == "itself" else self.target.format(outside=outside)
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


COMMANDS: Mapping[str, Callable[[], object]] = {
    "install": _install,
    "lock": _lock,
    "download": _download,
    "keep": lambda: main(["generations", "--keep", "1"]),
    "rollback": lambda: main(["rollback", "--force"]),
    "store": lambda: main(["generations", "--keep", "1", "--store", "../store"]),
    "scan": lambda: main(["scan", "--fix", "--yes"]),
    "shims": lambda: main(["shims", "add", "torchaudio-legacy-api", "--profile", "own", "--yes"]),
    "ci": lambda: main(["ci", "init", "--format", "github", "--yes"]),
    "fix": lambda: main(["doctor", "--fix", "--yes", "--offline", "family"]),
    "env": lambda: main(["env"]),
    "init": lambda: main(["init", "--backend", "cpu", "--yes"]),
    "add": lambda: main(["add", "timm", "--no-lock"]),
    "add to a file": lambda: main(["add", "timm", "-r", "requirements.txt", "--no-lock"]),
    "remove": lambda: main(["remove", "torchvision", "--no-lock"]),
    "remove from a file": lambda: main(["remove", "torchvision", "-r", "requirements.txt", "--no-lock"]),
}
EDITED = {
    "scan": ("requirements.txt", "pyproject.toml"),
    "shims": ("profiles/own.toml",),
    "init": ("pyproject.toml", "profiles/"),
    "add": ("pyproject.toml", "requirements.txt", "profiles/own.toml"),
    "add to a file": ("requirements.txt",),
    "remove": ("pyproject.toml", "requirements.txt", "profiles/own.toml"),
    "remove from a file": ("requirements.txt",),
    "ci": (".github/",),
    "lock": ("lockfiles/any/",),
    "download": ("wheels/",),
}
"""The names that a command may change besides those of the environment."""


@contextmanager
def _folders() -> Iterator[tuple[Path, Path]]:
    """Yield a project and a folder of the user outside it, below a folder that every user may enter."""
    base = Path(os.path.realpath(tempfile.mkdtemp()))
    try:
        base.chmod(0o755)
        project, outside = base / "project", base / "outside"
        for folder in (project / "src", project / "profiles", outside / "thesis-abcdef", base / "cache"):
            folder.mkdir(parents=True)
        for name, text in FILES.items():
            (project / name).write_text(text, "utf-8")
        (project / "lockfiles/own").mkdir(parents=True)
        for name, data in folder_files("own", {LINUX: ("torch==2.11.0+cpu",)}, backend="cpu").items():
            (project / "lockfiles/own" / name).write_bytes(data)
        for name in ("file", "thesis-abcdef/file"):
            (outside / name).write_text("mine", "utf-8")
        yield project, outside
    finally:
        shutil.rmtree(base, ignore_errors=True)


@pytest.fixture(scope="module", autouse=True)
def _imported() -> None:
    """Run all commands once, so that the child processes need no imports."""
    with _folders() as (project, _), pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        patch.setenv("ENVSMITH_CACHE_DIR", str(project.parent / "cache"))
        for name in sorted(COMMANDS):
            with suppress(EnvsmithError):
                COMMANDS[name]()


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


def _is_allowed(path: str, project: Path, commands: tuple[str, ...], before: Snapshot) -> bool:
    """Return whether commands may change, create or remove a path of a project."""
    own = path.removeprefix(".envsmith/")
    if (
        path == ".envsmith"
        or own in ("generations", "aside", "digests")
        or path.startswith(("../", ".envsmith/digests/"))
    ):
        return path not in before
    if own in (*WRITTEN, "link-.venv"):
        return not stat.S_ISDIR(before.get(path, (0, ""))[0])
    if own.removesuffix(".new") in WRITTEN:
        return path not in before or not stat.S_ISDIR(before[path][0])
    for folder in ("generations", "aside"):
        if own.startswith(f"{folder}/"):
            name = PurePath(own).parts[1]
            # A killed switch leaves a link to a generation in the place of an environment that was to be moved.
            mode, content = before.get(path, (0, ""))
            if folder == "aside" and stat.S_ISLNK(mode) and content.startswith(f"{GENERATIONS}/"):
                return True
            is_made = before.get(f"{GENERATIONS}/{name}/{MARK}", (0, ""))[1].strip() == name or name == B
            return is_made or f".envsmith/{folder}/{name}" not in before
    names = [name for command in commands for name in EDITED.get(command, ())]
    real = {os.path.relpath(os.path.realpath(project / name), project) for name in names}
    is_edited = any(path == name or path.startswith(f"{name}/") for name in real)
    return is_edited or any(path == name.rstrip("/") or path.startswith(name) for name in names)


def _drop_capabilities() -> None:
    """Let modes bind root as they bind other users. Source: capset(2), Linux man-pages."""
    if sys.platform == "linux" and os.geteuid() == 0:
        header, none = struct.pack("Ii", 0x20080522, 0), bytes(24)
        assert ctypes.CDLL(None).capset(header, none) == 0


def _run(commands: tuple[str, ...], project: Path, log: Path) -> None:
    """Run commands in the project in a child process, modes bind it; fail if one hangs or breaks."""
    child = os.fork()
    if not child:
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(TIME_LIMIT_S)
            handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(handle, 1)
            os.dup2(handle, 2)
            os.environ["ENVSMITH_CACHE_DIR"] = str(project.parent / "cache")
            os.chdir(project)
            _drop_capabilities()
            for command in commands:
                with suppress(EnvsmithError):
                    COMMANDS[command]()
        except BaseException:  # noqa: BLE001 - the parent reads it
            os.write(2, traceback.format_exc().encode())
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, f"{commands} did not end"
    said = log.read_text("utf-8", "replace")
    assert "Traceback" not in said, said


# Trees are small already; reducing one further takes minutes.
@settings(max_examples=500, phases=(Phase.explicit, Phase.generate))
@given(
    st.lists(ODD, max_size=6),
    st.lists(st.sampled_from(sorted(COMMANDS)), min_size=1, max_size=2, unique=True),
    st.booleans(),
)
@example([Odd(GENERATIONS, "link", "{outside}", 0, is_others=False)], ["keep", "install"], False)
@example([Odd(".envsmith/generations/thesis-abcdef", "folder", "", 0o755, is_others=True)], ["keep"], True)
@example([Odd(f"{GENERATIONS}/{C}/{MARK}", "file", C, 0o755, is_others=True)], ["install", "keep"], True)
@example(
    [Odd(f".envsmith/aside/.venv-{TIME}", "link", f"{GENERATIONS}/{A}", 0, is_others=True)], ["keep"], False
)
def test_only_what_is_envsmiths_changes(odds: list[Odd], commands: list[str], has_generations: bool) -> None:
    with _folders() as (project, outside):
        if has_generations:
            store = GenerationStore(link=project / ".venv")
            with store.lock("testing"):
                built(store, B, is_made=True)
                built(store, A, is_made=True)
            store.switch(A)
        if os.geteuid() == 0:
            for path in (
                project,
                *project.rglob("*"),
                outside,
                *outside.rglob("*"),
                project.parent / "cache",
            ):
                os.lchown(path, USER, USER)
        for odd in odds:
            odd.make(project, outside)
        theirs, before = _snapshot(outside), _snapshot(project)
        beside = sorted(path.name for path in project.parent.iterdir())
        _run(tuple(commands), project, project.parent / "log")
        after = _snapshot(project)
        assert _snapshot(outside) == theirs
        assert {path.name for path in project.parent.iterdir()} - {"store", "log"} == set(beside) - {"log"}
        changed = sorted(name for name in before.keys() | after if before.get(name) != after.get(name))
        for name in changed:
            if name == ".venv" or name.startswith(".venv/"):
                continue
            assert _is_allowed(name, project, tuple(commands), before), (
                name,
                before.get(name),
                after.get(name),
            )
        _check_moved(before, after)


def _check_moved(before: Snapshot, after: Snapshot) -> None:
    """Check that an environment of others is at its place, or was moved aside as a whole."""
    found = {name: value for name, value in before.items() if name == ".venv" or name.startswith(".venv/")}
    if GENERATIONS in found.get(".venv", (0, GENERATIONS))[1]:
        return
    places = {name for name in after if name == ".venv" or name.startswith(".envsmith/aside/.venv-")}
    moved = [{place + name.removeprefix(".venv"): value for name, value in found.items()} for place in places]
    assert any(item.items() <= after.items() for item in moved), found
