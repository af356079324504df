"""A folder of packages with shims in it, and Pythons that start with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envsmith.model.shim import LEGACY_API, SAFE_GLOBALS, package
from envsmith.shims import environment

LEGACY_NAMES = (
    "AudioMetaData",
    "get_audio_backend",
    "info",
    "list_audio_backends",
    "set_audio_backend",
)
# What torch/serialization.py has of this, by the names that count.
SERIALIZATION = """
from typing import Callable, Union
marked = []
def add_safe_globals(safe_globals: list[Union[Callable, tuple[Callable, str]]]) -> None:
    marked.extend(safe_globals)
"""
OLD_AUDIO = "\n".join(
    f"def {name}(): return 'own'" for name in (*LEGACY_NAMES, "load", "load_with_torchcodec")
)
NEW_AUDIO = "def load(): return 'own'\ndef load_with_torchcodec(): raise ImportError\n"


@dataclass(frozen=True, kw_only=True)
class Site:
    """A folder of packages, without any others."""

    folder: Path

    def write(self, **modules: str) -> None:
        """Write modules; two underscores stand for a dot."""
        for name, text in sorted(modules.items(), key=lambda item: -item[0].count("__")):
            *parents, last = name.split("__")
            for length in range(1, len(parents) + 1):
                place = self.folder.joinpath(*parents[:length])
                place.mkdir(exist_ok=True)
                (place / "__init__.py").touch()
            place = self.folder.joinpath(*parents, last)
            path = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
            path.write_text(text, "utf-8")

    def shims(
        self, names: Sequence[str] = (LEGACY_API, SAFE_GLOBALS), safe_globals: Sequence[str] = ()
    ) -> None:
        """Put shims there."""
        made = package(tuple(names), tuple(safe_globals), environment.shim_sources())
        for name, data in made.files.items():
            (self.folder / name).parent.mkdir(exist_ok=True)
            (self.folder / name).write_bytes(data)

    def run(
        self, code: str, *, python: str | Path = sys.executable, packages: bool = True, **env: str
    ) -> Any:
        """Run code in a Python that starts with the folder, or without it, and return what it sets as `said`."""
        added = f"; site.addsitedir({str(self.folder)!r})" if packages else ""
        begin = f"import site, json{added}\n"
        whole = f"{begin}{code}\nprint(json.dumps(said))"
        done = subprocess.run(
            [python, "-I", "-S", "-W", "error", "-c", whole],
            env={**os.environ, **env},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])
