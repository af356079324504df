"""Projects, environments and toolkits on disk, as the situations need them."""

from __future__ import annotations

from pathlib import Path

from envsmith.activate.model import CONSTRAINTS, Activation
from envsmith.activate.scripts import activation_files
from envsmith.templates import read_template
from tests.shells.drivers import Driver
from tests.shells.situations import Activator, Place

PROFILE = Activation(
    profile="cu128",
    env={"CUDA_VISIBLE_DEVICES": "0", "GREETING": 'it\'s $HOME; `x` "q"'},
    cuda_major=12,
)
OTHER = Activation(profile="other", env={"GREETING": "other"}, cuda_major=12)


def made_around(folder: Path) -> Path:
    """Make the environments and toolkits of others."""
    for name in ("other", "o ther"):
        (folder / name / "bin").mkdir(parents=True)
        (folder / name / "lib").mkdir()
        (folder / name / "pyvenv.cfg").write_text("")
    for name in ("bin", "condabin", "conda-meta"):
        (folder / "conda" / name).mkdir(parents=True)
    (folder / "conda" / "conda-meta" / "history").write_text("")
    (folder / "cuda" / "lib64").mkdir(parents=True)
    (folder / "cuda" / "lib64" / "libcudart.so.11.0").write_text("")
    (folder / "driver").mkdir()
    for name in ("libcuda.so.1", "libcudart.so.11.0"):
        (folder / "driver" / name).write_text("")
    return folder


def made_project(folder: Path, around: Path, *, guard: bool = False) -> Place:
    """Make a project with an environment, and the scripts of two profiles."""
    for name in ("bin", "Scripts"):
        (folder / ".venv" / name).mkdir(parents=True)
    (folder / ".venv" / "pyvenv.cfg").write_text("")
    if guard:
        (folder / ".venv" / CONSTRAINTS).write_text("")
    for activation in (PROFILE, OTHER):
        write_scripts(folder, activation, folder=activation.profile)
    return Place(root=folder, around=around)


def write_scripts(project: Path, activation: Activation, *, folder: str) -> None:
    """Write a profile's scripts as a lock does."""
    place = project / "lockfiles" / folder
    place.mkdir(parents=True, exist_ok=True)
    for name, content in activation_files(activation, read_template).items():
        (place / name).write_bytes(content)


def _ours(place: Place, driver: Driver) -> Path:
    return place.root / "lockfiles" / PROFILE.profile / driver.file


def _others(place: Place, driver: Driver) -> Path:
    return place.root / "lockfiles" / OTHER.profile / driver.file


ENVSMITH = Activator(name="envsmith", script=_ours, other=_others)
