"""Loads models in environments, and hashes their files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from envsmith.config.model_files import ModelTold
from envsmith.environment.interpreter import Probe, read_answer
from envsmith.errors import ToolError
from envsmith.files.folders import python_of

CHECK = Path(__file__).parents[1] / "runtime" / "model_check.py"


class ModelProbe(Probe):
    """Loads models in the environments that are to serve them."""

    __slots__ = ()

    def model(self, prefix: Path, spec: Mapping[str, Any], timeout_s: float) -> ModelTold:
        """Load one model in a process of its own, and run it where inputs are declared.

        Args:
            prefix: the environment's root.
            spec: what `runtime/model_check.py` is told.
            timeout_s: seconds it has.

        Raises:
            InstallError: ENV023 when that process dies.
            ToolError: TOL002 when it takes too long.
        """
        executable = python_of(prefix)
        values = self._answer(executable, (json.dumps(spec),), {}, timeout_s, script=CHECK)
        return read_answer(ModelTold.from_json, values, executable)


def hash_model(path: str) -> str:
    """Return the sha256 of a file of the project; empty where there is none.

    Raises:
        ToolError: TOL013 when the system refuses to read it.
    """
    place = Path(path)
    if not place.is_file():
        return ""
    try:
        with place.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ToolError(
            "TOL013",
            f"the system refuses: {error.strerror or error}",
            where=path,
            hint="correct the permissions; then try again",
        ) from error
