"""Entering an environment: our scripts beside virtualenv's own, and ``envsmith run`` beside ``import click``.

What is fair: each side is one start of the shell that reads one script, with the same variables; virtualenv's
activators are those of an environment it made itself. Shells that are not installed are left out; those that
``.ci/shells`` puts into a folder are found through ENVSMITH_TEST_SHELL_FOLDERS. cmd is Wine's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from bench.measure import Comparison, alternate, seconds
from bench.resolving import envsmith
from bench.situations import write_batch
from envsmith.activate.model import Activation
from envsmith.activate.scripts import activation_files
from envsmith.templates import read_template
from tests.shells.drivers import FOLDERS
from tests.shells.wine import wine_started

PROFILE = Activation(profile="cu128", env={"CUDA_VISIBLE_DEVICES": "0"}, cuda_major=12)
# shell → command, our script, virtualenv's, how it is read
SHELLS = {
    "bash": (("bash", "--norc", "--noprofile", "-c"), "activate.sh", "activate", ". '{}'"),
    "zsh": (("zsh", "-f", "-c"), "activate.sh", "activate", ". '{}'"),
    "ksh": (("ksh", "-c"), "activate.sh", "activate", ". '{}'"),
    "dash": (("dash", "-c"), "activate.sh", "activate", ". '{}'"),
    "fish": (("fish", "--no-config", "-c"), "activate.fish", "activate.fish", "source '{}'"),
    "tcsh": (("tcsh", "-f", "-c"), "activate.csh", "activate.csh", "source '{}'"),
    "nu": (("nu", "-n", "-c"), "activate.nu", "activate.nu", "overlay use '{}'"),
    "xonsh": (("xonsh", "--no-rc", "-c"), "activate.xsh", "activate.xsh", "source '{}'"),
}


def compare(folder: Path, env: Mapping[str, str], times: int) -> list[Comparison]:
    """Measure every shell that is here, then a command without a shell."""
    project = folder / "activating"
    scripts = project / "lockfiles" / PROFILE.profile
    scripts.mkdir(parents=True)
    for name, content in activation_files(PROFILE, read_template).items():
        (scripts / name).write_bytes(content)
    seconds([sys.executable, "-m", "virtualenv", "--quiet", "--without-pip", project / ".venv"], project, env)
    found = []
    for name, (words, ours, theirs, read) in SHELLS.items():
        folders = (os.environ.get(FOLDERS), str(Path(sys.executable).parent), env.get("PATH"))
        program = shutil.which(name, path=os.pathsep.join(filter(None, folders)))
        if program is None:
            continue
        start = [program, *words[1:]]
        mine, their = alternate(
            partial(seconds, [*start, read.format(scripts / ours)], project, env),
            partial(seconds, [*start, read.format(project / ".venv" / "bin" / theirs)], project, env),
            times,
        )
        title = f"activate in {name} : virtualenv's"
        found.append(Comparison(name=title, ours=mine, theirs=their, unit="s", bound=1.5))
    wine = shutil.which("wine")
    if wine:
        found.append(_in_cmd(wine, project, scripts, times))
    (project / "profiles").mkdir()
    profile = 'backend = "cu128"\npython = ["3.11"]\nplatforms = ["linux"]\n'
    (project / "profiles" / "cu128.toml").write_text(profile, "utf-8")
    (project / ".venv" / "envsmith.json").write_text('{"profile": "cu128"}', "utf-8")
    shutil.copytree(Path(__file__).parent.parent / "lockfiles" / "cu128", scripts, dirs_exist_ok=True)
    mine, their = alternate(
        lambda: seconds([envsmith(), "run", "--", "true"], project, env),
        lambda: seconds([sys.executable, "-c", "import click"], project, env),
        times,
    )
    found.append(Comparison(name="envsmith run : import click", ours=mine, theirs=their, unit="s", bound=1.5))
    return found


def _in_cmd(wine: str, project: Path, scripts: Path, times: int) -> Comparison:
    """Measure the two batch files in Wine, whose server and services are up."""
    write_batch(project / ".venv")
    with wine_started(project.parent / "wine") as env:

        def read(script: Path) -> float:
            (project / "read.bat").write_text(
                f"@call {script.relative_to(project)}\n".replace("/", "\\"), "ascii"
            )
            begun = time.perf_counter()
            # Not to a pipe, which a service that is started meanwhile would keep open.
            subprocess.run(
                [wine, "cmd", "/c", "read.bat"],
                cwd=project,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=True,
            )
            return time.perf_counter() - begun

        mine, their = alternate(
            lambda: read(scripts / "activate.bat"),
            lambda: read(project / ".venv" / "Scripts" / "activate.bat"),
            times,
        )
    title = "activate in cmd (Wine) : virtualenv's"
    return Comparison(name=title, ours=mine, theirs=their, unit="s", bound=1.5)
