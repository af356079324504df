"""Entering an environment: our scripts beside virtualenv's own, and ``envsmith run`` beside ``import click``.

What is fair: each side is one start of the shell that reads one script, with the same variables; virtualenv's
activators are those of an environment it made itself. Shells that are not installed are left out.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from bench.measure import Comparison, alternate, seconds
from bench.resolving import envsmith
from envsmith.adapters.templates import read_template
from envsmith.model.activation import Activation
from envsmith.workflows.activating import activation_files

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
        program = shutil.which(name, path=f"{Path(sys.executable).parent}:{env.get('PATH', '')}")
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
