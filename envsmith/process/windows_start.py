"""Start of programs on Windows: from PATH only, and no syntax of cmd in arguments of batch files.

`CreateProcess` searches the current folder before PATH, where a cloned project could have its own `git.exe`, and
starts batch files by cmd, which runs what follows an ampersand in an argument.
Source: CreateProcessW, Microsoft Learn; CVE-2024-24576 (read 2026-11-30).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from envsmith.errors import ToolError

_IS_WINDOWS = os.name == "nt"
_BATCH = (".bat", ".cmd")
# Endings of files that `CreateProcess` starts; PATHEXT has others, which need a shell.
_STARTABLE = (".com", ".exe", *_BATCH)
_FOR_CMD = frozenset('&|<>^%"!()\r\n')


def words_to_start(command: Sequence[str | Path], env: Mapping[str, str]) -> list[str]:
    """Return a program, on Windows as an absolute path if it is a plain name, and its arguments.

    Args:
        command: program and arguments.
        env: environment of the program.

    Raises:
        FileNotFoundError: for a plain name that is not on PATH (Windows).
        ToolError: TOL006 for arguments of a batch file that cmd would interpret (Windows).
    """
    words = [str(word) for word in command]
    if not _IS_WINDOWS:
        return words
    words[0] = _find_program(words[0], env)
    # `CreateProcess` ignores dots and spaces at the end of a name.
    if words[0].rstrip(". ").lower().endswith(_BATCH):
        _check_batch_file(*words)
    return words


def _find_program(name: str, env: Mapping[str, str]) -> str:
    """Return the first file of a name in the absolute entries of PATH; a name with a folder is searched there only."""
    endings: Sequence[str] = ("",)
    if not name.lower().endswith(_STARTABLE):
        named = [ending for ending in env.get("PATHEXT", "").lower().split(";") if ending in _STARTABLE]
        endings = named or _STARTABLE
    if os.path.basename(name) != name:  # noqa: PTH119 - as text: a path would lose `.\`
        return next((name + ending for ending in endings if Path(name + ending).is_file()), name)
    path = env.get("PATH", os.environ.get("PATH", ""))
    for entry in (Path(text.strip('"')) for text in path.split(os.pathsep)):
        for found in (entry / (name + ending) for ending in endings if entry.is_absolute()):
            if found.is_file():
                return str(found)
    raise FileNotFoundError(errno.ENOENT, "not found on PATH; programs of the current folder need `.\\`")


def _check_batch_file(path: str, *arguments: str) -> None:
    """Refuse texts that cmd would interpret, in quotes or not."""
    # Folders such as `Program Files (x86)` have parentheses.
    for text, special in ((path, _FOR_CMD - {*"()"}), *((word, _FOR_CMD) for word in arguments)):
        if found := special.intersection(text):
            raise ToolError(
                "TOL006",
                f"cmd would interpret {min(found)!r} in {text!r}: the program is a batch file",
                where=path,
                hint="""leave out & | < > ^ % " ! ( ) and line breaks, or name the .exe that the batch file starts""",
            )
