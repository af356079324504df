"""Trust in the commands of a project's profile: asked once, bound to their text and to the project's files they name.

Whoever clones a project runs what its profile names under ``checks``; imports and envsmith's own probes need no trust.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from envsmith.console.build_trust import ask_trust
from envsmith.environment.interpreter import command_words
from envsmith.files.own_folder import is_below
from envsmith.files.text import open_regular
from envsmith.install.smoke_tests import SmokeTests


def check_trust(tests: SmokeTests, profile: str, command: str, *, is_trusted: bool) -> None:
    """Ask whether to run the commands of a profile's smoke tests, unless they were trusted before.

    Args:
        tests: smoke tests of the profile.
        profile: its name.
        command: the command line to repeat with ``--trust``, such as ``envsmith install voice``.
        is_trusted: trust them without asking.

    Raises:
        EnvsmithError: USE015 when they are not trusted, or nobody can be asked.
    """
    if commands := tests.commands():
        texts = [item.text for item in commands]
        what = f"the checks of the profile {profile} run these commands on this machine"
        refused = f"the commands of the profile {profile}, or the files that they name, are not trusted yet"
        ask_trust(_digest(tests, Path.cwd()), what, texts, (refused, command), is_trusted=is_trusted)


def _digest(tests: SmokeTests, project: Path) -> str:
    """Return the digest of a project's folder, its commands with their variables, and the files that they name."""
    commands = sorted(item.text for item in tests.commands())
    files = dict(found for text in commands for found in _named_files(text, project))
    text = json.dumps([str(project), commands, sorted(tests.env.items()), sorted(files.items())])
    return hashlib.sha256(text.encode()).hexdigest()


def _named_files(command: str, project: Path) -> Iterator[tuple[str, str]]:
    """Yield the path and sha256 of each file of a project that a command names, itself or as ``-m MODULE``."""
    words: list[str] = []
    with suppress(ValueError):  # an open quotation mark: the command cannot run
        words = command_words(command)
    for word in words:
        module = word.replace(".", "/")
        for name in (word, word.partition("=")[2], f"{module}.py", f"{module}/__main__.py"):
            if is_below(project, project / name):
                with suppress(OSError), open_regular(project / name) as stream:
                    yield name, hashlib.file_digest(stream, "sha256").hexdigest()
