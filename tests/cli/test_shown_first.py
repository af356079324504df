"""Commands that edit a project show each file before they write it, and write nothing unasked."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ci.test_cli import FILES
from tests.install.made import Shop, made
from tests.locks import LINUX, folder_files

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
WROTE = "\x1f"
"""Begins the line that names a file at its first change."""
# Names what is about to be created, changed or removed below the working folder, on the standard output of the command.
WATCH = f"""
import os, sys
CHANGES = {{"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.symlink", "os.link", "os.truncate", "shutil.rmtree"}}
root = os.getcwd() + "/"
def watch(event, args):
    is_write = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if event == "subprocess.Popen" and {{"install", "uninstall"}} & set(map(str, args[1])):
        os.write(1, b"{WROTE}uv\\n")
    if is_write or event in CHANGES:
        for arg in args[:2]:
            path = os.path.abspath(arg) if isinstance(arg, (str, os.PathLike)) else ""
            if path.startswith(root):
                os.write(1, b"{WROTE}" + os.fsencode(path) + b"\\n")
sys.addaudithook(watch)
from envsmith.__main__ import run
run()
"""
PROFILE = """\
summary = "x"
backend = "cpu"
python = ["3.12"]
platforms = ["linux"]
shims = ["torch-safe-globals"]
safe-globals = ["pkg.shapes.Shape"]
"""


@dataclass(frozen=True, kw_only=True)
class Edit:
    """A command that edits the project."""

    words: str
    files: tuple[str, ...] = ()
    """The files that it changes, each shown as a diff or by its name."""
    shown: tuple[str, ...] = ()
    """Further lines shown before the first change."""
    help: tuple[str, ...] = ()
    """How its help names the files; their own names by default."""


EDITS = {
    "scan": Edit(words="scan --fix", files=("pyproject.toml", "requirements.txt"),
                 help=("requirements files", "pyproject.toml")),
    "shims add": Edit(words="shims add torchaudio-legacy-api", files=("profiles/own.toml",),
                      help=("profiles/PROFILE.toml",)),
    "shims remove": Edit(words="shims remove torch-safe-globals", files=("profiles/own.toml",),
                         help=("profiles/PROFILE.toml",)),
    "ci github": Edit(words="ci init --format github", files=tuple(FILES["github"])),
    "ci gitlab": Edit(words="ci init --format gitlab", files=tuple(FILES["gitlab"])),
    "doctor managed": Edit(words="doctor --fix --offline --wheelhouse ../wheelhouse",
                           shown=("fix       rebuild    small: build a new environment",),
                           help=("environment managed by envsmith is rebuilt",)),
    "doctor other": Edit(words="doctor --fix --offline --wheelhouse ../wheelhouse --prefix env",
                         shown=("fix       move       ~beside", "          install    other==1.0"),
                         help=("set-aside/", "reinstalled with")),
}  # fmt: skip


@pytest.fixture(params=EDITS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def shop(name: str, tmp_path: Path) -> Shop:
    """A project that the command would edit."""
    shop = Shop.opened(tmp_path, ENVSMITH_CACHE_DIR=str(tmp_path / "cache"))
    root = shop.project.root
    texts = {
        "pyproject.toml": "[project]\nname = 'a'\ndependencies = ['torchvision']\n"
        "[tool.envsmith.ci]\nsetup = ['true']\n",
        "requirements.txt": "torch\ntorchvision\n",
        "src/app.py": "import torch\n",
        "profiles/own.toml": PROFILE,
        FILES["github"][1]: "on: push\n",
        FILES["gitlab"][2]: "job: {}\n",
    }
    for file, text in texts.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text, "utf-8")
    if name.startswith("ci"):
        (root / "lockfiles/own").mkdir(parents=True)
        for file, data in folder_files("own", {LINUX: ("torch==2.11.0+cpu",)}, backend="cpu").items():
            (root / "lockfiles/own" / file).write_bytes(data)
    if name.startswith("doctor"):
        wheels = (made("beside"), made("other"))
        shop.stock(*wheels)
        shop.lock(*wheels)
        assert shop.install().status == 0
        if name == "doctor other":
            shop.link.resolve().rename(root / "env")
            (root / "env/envsmith.json").unlink()
            shop.link.unlink()
        prefix = root / "env" if name == "doctor other" else shop.link
        site = next((prefix / "lib").glob("*/site-packages"))
        (site / "other/__init__.py").unlink()
        (site / "~beside").mkdir()
    return shop


def contents(root: Path) -> dict[str, bytes]:
    """Return path → content, of the files that are no caches of Python."""
    found = (path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(root)): path.read_bytes() for path in found}


def changed(before: dict[str, bytes], after: dict[str, bytes]) -> set[str]:
    return {file for file in before.keys() | after if before.get(file) != after.get(file)}


def test_each_file_is_shown_before_the_first_is_written(name: str, shop: Shop) -> None:
    edit, root = EDITS[name], shop.project.root
    before = contents(root)
    done = subprocess.run(
        [sys.executable, "-c", WATCH, *edit.words.split(), "--yes"],
        cwd=root, env=shop.project.environ(), capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    shown, _, later = done.stdout.partition(WROTE)
    assert later
    if edit.files:
        assert changed(before, contents(root)) == set(edit.files)
    for file in edit.files:
        assert f"b/{file}\n" in shown or f"new       {file}\n" in shown
    for line in edit.shown:
        assert line in shown


def test_nothing_is_written_unasked_or_where_it_cannot_be_shown(name: str, shop: Shop) -> None:
    words = EDITS[name].words.split()
    before = contents(shop.project.root)
    ran = shop.project.run(*words)
    assert (ran.status, "USE002" in ran.err) == (2, True), ran.said
    assert shop.project.run(*words, "--json").status == 1
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "envsmith", *words, "--yes"],
            cwd=shop.project.root,
            env=shop.project.environ(),
            stdout=full,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            check=False,
        )
    assert (done.returncode, "TOL005" in done.stderr) == (2, True), done.stderr
    assert not changed(before, contents(shop.project.root))


def test_a_user_at_a_terminal_decides_after_all_was_shown(name: str, shop: Shop) -> None:
    edit, root = EDITS[name], shop.project.root
    before = contents(root)
    for answer in ("n", "y"):
        pid, terminal = pty.fork()
        if not pid:
            os.chdir(root)
            words = [sys.executable, "-m", "envsmith", *edit.words.split()]
            os.execve(sys.executable, words, {**shop.project.environ(), "COLUMNS": "200"})  # noqa: S606 - needs no shell
        said = _read(terminal, "[y/N]: ")
        for text in (*edit.files, *edit.shown):
            assert text in said
        assert not changed(before, contents(root))
        os.write(terminal, f"{answer}\n".encode())
        said = _read(terminal, "")
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == (0 if answer == "y" else 1), said
        os.close(terminal)
        assert bool(changed(before, contents(root))) == (answer == "y")


def _read(terminal: int, question: str) -> str:
    """Return what a program writes to its terminal, until it asks a question or ends."""
    said = ""
    while not question or question not in said:
        try:
            said += os.read(terminal, 10_000).decode()
        except OSError:  # Linux reports the end of a terminal's other side so
            break
    return said


@pytest.mark.parametrize("name", EDITS)
def test_the_help_names_the_files(name: str) -> None:
    edit = EDITS[name]
    words = [*edit.words.partition(" --")[0].split(), "--help"]
    done = subprocess.run(
        [sys.executable, "-m", "envsmith", *words], capture_output=True, encoding="utf-8", check=True
    )
    for text in edit.help or edit.files:
        assert text.replace(" ", "") in "".join(done.stdout.split())
