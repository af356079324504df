"""The code of the shims, and where in an environment it is put.

Runs ``runtime/shim_check.py`` in an environment, with its shims and without.


The shims that a profile names, as a package of an installation.
"""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path

from envsmith.config.profile import Profile
from envsmith.environment.interpreter import Probe, interpreter_path, read_answer
from envsmith.files.atomic import environment_errors
from envsmith.lockfile.pins import Pin, Pins
from envsmith.model.shim import PROJECT, ShimPackage, package
from envsmith.process.runner import Processes, inherited_environ
from envsmith.shims.status import ShimCheckResult

_COMPILE_S = 60.0
_KEPT = ("PATH", "HOME", "USERPROFILE", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP")
_SOURCES = Path(__file__).parents[1] / "runtime" / "shims"
_CHECK = Path(__file__).parents[1] / "runtime" / "shim_check.py"
_OFF = {"ENVSMITH_SHIMS": "off"}


def sources() -> dict[str, bytes]:
    """Return the shims' code: file name → content, line ends as they were written."""
    return {path.name: path.read_bytes().replace(b"\r\n", b"\n") for path in sorted(_SOURCES.glob("*.py"))}


def install_shims(prefix: Path, package: ShimPackage, processes: Processes) -> None:
    """Put a package of shims into a new environment, and compile it: where nobody may write there, Python cannot.

    Args:
        prefix: the environment's root.
        package: what to put there.
        processes: run the environment's Python.

    Raises:
        InstallError: ENV021 when the disk is full, ENV024 when the system refuses.
    """
    with environment_errors(prefix):
        site = _site(prefix)
        for name, data in package.files.items():
            (site / name).parent.mkdir(parents=True, exist_ok=True)
            (site / name).write_bytes(data)
    modules = [site / name for name in package.files if name.endswith(".py")]
    processes.run(
        [interpreter_path(prefix), "-I", "-m", "compileall", "-q", *modules],
        env=inherited_environ(_KEPT),
        timeout_s=_COMPILE_S,
    )


def _site(prefix: Path) -> Path:
    """Return where an environment's packages lie."""
    for pattern in ("lib/python3*/site-packages", "Lib/site-packages"):
        for path in prefix.glob(pattern):
            return path
    raise FileNotFoundError(errno.ENOENT, "it has no folder for packages", str(prefix))


class ShimProbe(Probe):
    """Asks environments about shims."""

    __slots__ = ()

    def shims(
        self, prefix: Path, words: tuple[str, ...], *, is_off: bool, timeout_s: float
    ) -> ShimCheckResult:
        """Ask what torchaudio or torch can do, in a process of its own.

        Args:
            prefix: the environment's root.
            words: ``audio``, or ``globals`` and dotted names.
            is_off: leave the shims out.
            timeout_s: seconds it has.

        Raises:
            InstallError: ENV023 when its interpreter gives no answer.
            ToolError: TOL002 when it takes too long.
        """
        executable = interpreter_path(prefix)
        env = _OFF if is_off else {}
        values = self._answer(executable, words, env, timeout_s, script=_CHECK)
        return read_answer(ShimCheckResult.from_json, values, executable)


def with_shims(pins: Pins, package: ShimPackage | None) -> Pins:
    """Return what is to be installed: the packages of a lock, and the shims where there are any."""
    if package is None:
        return pins
    pin = Pin(name=PROJECT, version=package.version, sha256=())
    return replace(pins, packages=(*pins.packages, pin))


def shims_of(profile: Profile | None) -> ShimPackage | None:
    """Return the shims that the profile asks for, as the package they come as; None where it asks for none."""
    if profile is None or not profile.texts("shims"):
        return None
    # MERGED

    return package(profile.texts("shims"), profile.texts("safe-globals"), sources())
