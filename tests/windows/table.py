"""Every command under the Windows CPython of a drive, as a Markdown table: `python -m tests.windows.table`.

ENVSMITH_TEST_WINDOWS names the folder that `.ci/windows` has filled. A command is ok with the expected exit code and no
traceback; a bug has exit code 1 and a traceback. `add`, `remove` and `sync` ask PyPI.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.install.locked import index_entry, with_tags
from tests.install.made import made_torch
from tests.replay import ReplayIndex
from tests.windows.conftest import FOLDER, NETWORK, Drive, WindowsProject, opened_shop, running

SERVER = ("--rewrite", "https://download.pytorch.org/whl={index}", "--allow-insecure-host", "127.0.0.1")
HOUSE = ("--frozen", "--offline", "--wheelhouse", "house")
ROWS: tuple[tuple[int, tuple[str, ...]], ...] = (
    (0, ("--help",)),
    (0, ("--version",)),
    (0, ("catalog", "refresh", "cu134")),
    (0, ("catalog", "show")),
    (0, ("profiles",)),
    (0, ("profiles", "show", "cu128")),
    (0, ("profiles", "schema")),
    (0, ("lock", "own", "--offline", "--as-of", "2026-11-15")),
    (0, ("lock", "--check")),
    (0, ("explain", "torch")),
    (0, ("select",)),
    (0, ("scan",)),
    (0, ("download", "own", "-d", "house", *SERVER)),
    (0, ("install", "own", "--dry-run", *HOUSE)),
    (0, ("install", "own", *HOUSE)),
    (0, ("install", "own", *HOUSE)),
    (0, ("install", "own", "--compile-bytecode", *HOUSE)),
    (0, ("verify", "own", "--deep")),
    (1, ("verify", "own", "--probe", "torch")),  # made up: it does not multiply
    (0, ("generations",)),
    (0, ("rollback",)),
    (0, ("run", "--", "python", "-c", "import torch; print(torch.__version__)")),
    (3, ("run", "--", "python", "-c", "raise SystemExit(3)")),
    (0, ("env",)),
    (0, ("activate", "--shell", "cmd")),
    (0, ("activate", "--shell", "powershell")),
    (0, ("doctor",)),
    (0, ("doctor", "--fix", "--yes", "--offline", "--wheelhouse", "house")),
    (3, ("doctor", "--", "python", "-c", "raise SystemExit(3)")),
    (0, ("report",)),
    (0, ("shims", "list")),
    (0, ("matrix",)),
    (0, ("ci", "init", "--format", "github", "--yes")),
    (0, ("diff", "lockfiles/own", "lockfiles/own")),
    *((0, ("export", "own", "--format", form)) for form in ("constraints", "uv")),
    (2, ("export", "own", "--format", "cyclonedx", "--offline")),  # TOL056: the drive lacks its package
    (0, ("generations", "--keep", "1")),
    (0, ("init", "--profile", "mine", "--backend", "cpu", "--yes")),
    (0, ("shims", "add", "torchaudio-legacy-api", "--profile", "mine", "--yes")),
    (0, ("add", "filelock", "--profile", "mine")),
    (0, ("remove", "filelock", "--profile", "mine")),
    (0, ("sync", "own", *HOUSE[1:])),
)


def main() -> int:
    """Run all commands; return the number of those that are not ok."""
    wrong = 0
    drive = Drive(folder=Path(os.environ[FOLDER]).resolve())
    torch = with_tags(made_torch("2.20.0+cu134", "13.4"), "cp311-cp311-win_amd64")
    with running(drive), opened_shop(drive, "table") as shop, ReplayIndex([index_entry(torch)]) as replay:
        project = shop.project
        assert isinstance(project, WindowsProject)
        project.index = replay.base
        project.env |= {name: os.environ[name] for name in NETWORK if name in os.environ}
        project.profile(
            "own", backend="cu134", python=["3.11"], platforms=["windows"], requirements=["torch"]
        )
        text = '[tool.envsmith.ci]\nsetup = ["python -m pip install envsmith.whl"]\n'
        (project.root / "pyproject.toml").write_text(text, "utf-8")
        (project.root / "main.py").write_text("import torch\n", "utf-8")
        sys.stdout.write("| command | exit code | first line | ok |\n|---|---:|---|---|\n")
        for expected, words in ROWS:
            ran = project.run(*(word.format(index=replay.base) for word in words))
            is_ok = ran.status == expected and "Traceback" not in ran.said
            wrong += not is_ok
            first = next((line for line in (ran.out + ran.err).splitlines() if line.strip()), "")
            cells = (f"`{' '.join(words)}`", str(ran.status), first[:80], "yes" if is_ok else "**no**")
            sys.stdout.write(f"| {' | '.join(cells)} |\n")
            sys.stdout.flush()
            sys.stderr.write("" if is_ok else f"{ran.out}{ran.err}\n")
    return wrong


if __name__ == "__main__":
    sys.exit(main())
