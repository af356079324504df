"""Shims in environments: installing them, checking them, and the package of a profile's shims.

Checks run ``runtime/shim_check.py`` in the environment, with its shims and without.
"""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

from envsmith.catalog.shims import ShimFacts, ShimUser
from envsmith.config.profile import Profile
from envsmith.environment.interpreter import Probe, probe_command, read_answer
from envsmith.environment.prefix import interpreter_path
from envsmith.files.atomic import write_atomic
from envsmith.files.os_errors import environment_errors
from envsmith.files.own_folder import site_folders
from envsmith.lockfile.pins import Pin, Pins
from envsmith.model.shim import PROJECT, SHIMS, ShimPackage, package
from envsmith.process.runner import Processes, inherited_environ
from envsmith.shims.status import TIMEOUT_S, ShimCheckResult, ShimState, judge

_COMPILE_S = 60.0
_INHERITED_VARIABLES = ("PATH", "HOME", "TMPDIR", "TEMP", "TMP")
_SOURCES = Path(__file__).parents[1] / "runtime" / "shims"
_CHECK = Path(__file__).parents[1] / "runtime" / "shim_check.py"
_SHIMS_OFF = {"ENVSMITH_SHIMS": "off"}


def shim_sources() -> dict[str, bytes]:
    """Return the code of the shims by file name, with the line ends of the repository."""
    return {path.name: path.read_bytes().replace(b"\r\n", b"\n") for path in sorted(_SOURCES.glob("*.py"))}


def install_shims(prefix: Path, package: ShimPackage, processes: Processes) -> None:
    """Install a package of shims into a new environment, and compile it, since users may have no write access later.

    Args:
        prefix: root of the environment.
        package: package to install.
        processes: starts the environment's Python.

    Raises:
        InstallError: ENV021 when the disk is full, ENV024 when a file cannot be written.
    """
    with environment_errors(prefix):
        sites = site_folders(prefix)
        if not sites:
            raise FileNotFoundError(errno.ENOENT, "no site-packages folder", str(prefix))
        site = sites[0]
        for name, data in package.files.items():
            (site / name).parent.mkdir(parents=True, exist_ok=True)
            write_atomic(site / name, data)
    modules = [site / name for name in package.files if name.endswith(".py")]
    processes.run(
        [interpreter_path(prefix), "-I", "-S", "-m", "compileall", "-q", *modules],
        env=inherited_environ(_INHERITED_VARIABLES),
        timeout_s=_COMPILE_S,
    )


class ShimProbe(Probe):
    """Checks of shims in environments."""

    __slots__ = ()

    def check_shims(
        self, prefix: Path, words: tuple[str, ...], *, is_off: bool, timeout_s: float
    ) -> ShimCheckResult:
        """Check a shim in a child process.

        Args:
            prefix: root of the environment.
            words: the shim, its module, projects, and further words, as `shim_check.py` takes them.
            is_off: disable the shims.
            timeout_s: timeout of the process.

        Raises:
            InstallError: ENV023 when the interpreter does not answer, ENV029 when it times out.
        """
        executable = interpreter_path(prefix)
        env = _SHIMS_OFF if is_off else {}
        values = self._answer(executable, probe_command(prefix, _CHECK, words), env, timeout_s)
        return read_answer(ShimCheckResult.from_json, values, executable)


def with_shims(pins: Pins, package: ShimPackage | None) -> Pins:
    """Return the packages of a lock with the shims added."""
    if package is None:
        return pins
    pin = Pin(name=PROJECT, version=package.version, sha256=())
    return replace(pins, packages=(*pins.packages, pin))


def shims_of(profile: Profile | None) -> ShimPackage | None:
    """Return the package of a profile's shims; None if it lists none."""
    if profile is None or not profile.texts("shims"):
        return None
    return package(profile.texts("shims"), profile.texts("safe-globals"), shim_sources())


def shim_states(
    prefix: Path,
    requested: tuple[str, ...],
    names: tuple[str, ...],
    facts: tuple[tuple[ShimFacts, ...], tuple[ShimUser, ...]],
    probe: ShimProbe,
    files: tuple[str, ...] = (),
) -> tuple[ShimState, ...]:
    """Return the state of each shim that the profile lists or the environment contains.

    Args:
        prefix: root of the environment.
        requested: shims of the profile.
        names: safe globals of the profile.
        facts: all shims, and the projects that need them.
        probe: runs the checks.
        files: checkpoints that decide whether safe globals are needed.

    Raises:
        InstallError: ENV023 when the interpreter does not answer, ENV029 when a check times out.
    """
    shims, users = facts
    found = []
    for shim in shims:
        projects = dict.fromkeys((shim.project, *(user.project for user in users if user.shim == shim.name)))
        words = (shim.name, SHIMS[shim.name], ",".join(projects), *names, "--", *files)
        on = probe.check_shims(prefix, words, is_off=False, timeout_s=TIMEOUT_S)
        off = probe.check_shims(prefix, words, is_off=True, timeout_s=TIMEOUT_S)
        state = judge(shim, users, (on, off), requested=requested)
        if state.is_requested or state.is_active:
            found.append(state)
    return tuple(found)
