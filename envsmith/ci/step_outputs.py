"""What a step of a CI job tells the jobs after it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from envsmith.errors import ToolError

VARIABLE = "GITHUB_OUTPUT"


def append(path: Path, outputs: Mapping[str, str]) -> None:
    """Add outputs, each of one line, to the file that GitHub's runner reads when the step ends.

    Raises:
        ToolError: TOL013 when the system refuses.
    """
    try:
        with path.open("a", encoding="utf-8", newline="\n") as stream:
            stream.writelines(f"{name}={value}\n" for name, value in outputs.items())
    except OSError as error:
        raise ToolError(
            "TOL013",
            f"the system refuses: {error.strerror or error}",
            where=f"${VARIABLE}: {path}",
            hint=f"let {VARIABLE} name a file that can be written, or unset it",
        ) from error
