"""Trust in the commands of a project's profile: asked once, bound to their text and to the project's files they name.

Whoever clones a project runs what its profile names under ``checks``; imports and envsmith's own probes need no trust.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from envsmith.console import printer
from envsmith.console.terminal import confirm, is_interactive
from envsmith.environment.interpreter import command_words
from envsmith.errors import EnvsmithError, ToolError
from envsmith.files.own_folder import is_below
from envsmith.files.text import open_regular
from envsmith.index.cache import write_cached
from envsmith.install.smoke_tests import SmokeTests
from envsmith.wiring import cache_folder


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
    commands = tests.commands()
    mark = cache_folder() / "trusted" / _digest(tests, Path.cwd()) if commands else None
    if mark is None or mark.is_file():
        return
    if not is_trusted:
        printer.say(f"the checks of the profile {profile} run these commands on this machine:", err=True)
        for item in commands:
            printer.say(f"    {item.text}", err=True)
        if not is_interactive() or not confirm(
            "Trust these commands", where=command, otherwise="commands are not trusted"
        ):
            raise EnvsmithError(
                "USE015",
                f"the commands of the profile {profile}, or the files that they name, are not trusted yet",
                where=command,
                hint=f"read them; to trust them: {command} --trust",
            )
    with suppress(ToolError):  # a cache that cannot be written: ask again the next time
        write_cached(mark, b"")


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
