"""Files of a project that cannot be read are not taken as missing ones: another file would be used instead."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from envsmith.cli.main import main
from tests.wheelhouses import artifact, lock_files

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="makes symbolic links and pipes")
REASONS = ("symbolic links", "not a regular file", "ot a directory")
SLUG = "cp312-manylinux_2_28_x86_64"
COMMANDS = {
    "pyproject.toml": [["lock"], ["install"], ["profiles"], ["scan"], ["download", "-d", "house"]],
    "profiles/mine.toml": [["lock", "mine"], ["install", "mine"], ["profiles"]],
    "profiles": [["lock", "cu128"], ["lock", "mine"], ["install", "mine"]],
    "requirements.txt": [["lock", "mine", "-r", "requirements.txt"], ["scan", "-r", "requirements.txt"]],
    "lockfiles": [["lock", "mine", "--check"], ["install"], ["run", "--", "true"]],
    "lockfiles/mine": [["lock", "mine"], ["install"], ["verify", "mine"], ["matrix"]],
    "lockfiles/mine/manifest.toml": [
        ["lock", "mine", "--check"],
        ["install"],
        ["install", "mine", "--frozen"],
        ["verify"],
        ["download", "-d", "house"],
        ["export", "mine", "--format", "constraints"],
        ["explain", "torch"],
        ["env", "mine"],
    ],
    f"lockfiles/mine/requirements.{SLUG}.txt": [["install", "mine", "--frozen"], ["lock", "mine", "--check"]],
    f"lockfiles/mine/pylock.{SLUG}.toml": [
        ["download", "mine", "--all", "-d", "house"],
        ["export", "mine", "--format", "constraints"],
    ],
}


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ENVSMITH_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    Path("profiles").mkdir()
    Path("profiles/mine.toml").write_text(
        'backend = "cpu"\npython = ["3.12"]\nplatforms = ["linux"]\n', "utf-8"
    )
    Path("pyproject.toml").write_text('[tool.envsmith]\nrequirements-from = "profile"\n', "utf-8")
    Path("requirements.txt").write_text("torch\n", "utf-8")
    folder = Path("lockfiles/mine")
    folder.mkdir(parents=True)
    item = artifact("https://a.example/one-1-py3-none-any.whl", b"x", filename="one-1-py3-none-any.whl")
    for name, content in lock_files("mine", {SLUG: [item]}).items():
        (folder / name).write_bytes(content)
    Path(".venv/bin").mkdir(parents=True)
    Path(".venv/pyvenv.cfg").touch()


@pytest.mark.parametrize("kind", ["loop", "fifo"])
@pytest.mark.parametrize("name", COMMANDS)
def test_an_unreadable_file_is_an_error_that_names_it(
    name: str, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(name)
    if path.is_dir() and kind == "fifo":
        pytest.skip("a file in the place of a folder is another thing of the user's")
    path.rename("before")
    if kind == "loop":
        path.symlink_to(path.name)
    else:
        os.mkfifo(path)
    for words in COMMANDS[name]:
        status = main(words)
        said = " ".join("".join(capsys.readouterr()).split())
        assert (status, name in said) == (2, True), (words, said)
        assert any(text in said for text in REASONS), (words, said)
