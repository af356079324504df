"""Effect of an environment's shims, as JSON.

Run as ``python -I shim_check.py SHIM MODULE PROJECT,... NAME ... -- FILE ...`` in the environment to check, once with
its shims and once with ``ENVSMITH_SHIMS=off``. The shim's own `check` uses the library.

Standard library only, no import of envsmith: runs on Python 3.9 and later.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import sys
from importlib import metadata
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def error_of(work: Any) -> str:  # noqa: ANN401 - anything that can be called
    """Call a function; return its error, empty without one."""
    try:
        work()
    except BaseException as error:  # noqa: BLE001 - any error is the answer
        lines = str(error).strip().splitlines() or [""]
        return f"{type(error).__name__}: {lines[0][:300]}"
    return ""


def _versions(projects: list[str]) -> dict[str, str]:
    found = {}
    for name in projects:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _check(shim: str, module: str, package: str, words: list[str]) -> dict[str, Any]:
    if error := error_of(lambda: importlib.import_module(module)):
        return {"error": error}
    # The code of the shim beside this script: the environment's own may be absent or older.
    sys.path.append(str(Path(__file__).parent / "shims"))
    cut = words.index("--")
    code: Any = importlib.import_module(shim.replace("-", "_"))
    found: dict[str, Any] = code.check(sys.modules[module], package, words[:cut], words[cut + 1 :], error_of)
    return found


def main(words: list[str]) -> None:
    """Run a check and print its answer on the last line of standard output."""
    shim, module, projects, *more = words
    versions = _versions(projects.split(","))
    project = projects.partition(",")[0]
    with contextlib.redirect_stdout(sys.stderr):
        answer = _check(shim, module, f"{project} {versions.get(project, '')}", more)
    shims: Any = sys.modules.get("envsmith_shims")
    answer["versions"] = versions
    answer["active"] = shims.active if shims else []
    answer["added"] = shims.added if shims else {}
    answer["failed"] = shims.failed if shims else {}
    print("\n" + json.dumps(answer))  # noqa: T201 - the answer


if __name__ == "__main__":
    main(sys.argv[1:])
