"""Runs ``runtime/shim_check.py`` in an environment, with its shims and without."""

from __future__ import annotations

from pathlib import Path

from envsmith.environment.adapters_interpreter import Probe, read_answer
from envsmith.files.folders import python_of
from envsmith.shims.model import ShimTold

_CHECK = Path(__file__).parents[1] / "runtime" / "shim_check.py"
_OFF = {"ENVSMITH_SHIMS": "off"}


class ShimProbe(Probe):
    """Asks environments about shims."""

    __slots__ = ()

    def shims(self, prefix: Path, words: tuple[str, ...], *, is_off: bool, timeout_s: float) -> ShimTold:
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
        executable = python_of(prefix)
        env = _OFF if is_off else {}
        values = self._answer(executable, words, env, timeout_s, script=_CHECK)
        return read_answer(ShimTold.from_json, values, executable)
