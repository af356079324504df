"""Trust in the commands of a project's profile: asked once, bound to their text, remembered outside the project.

Whoever clones a project runs what its profile names under ``checks``; imports and envsmith's own probes need no trust.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path

from envsmith.console import printer
from envsmith.console.terminal import confirm, is_interactive
from envsmith.errors import EnvsmithError, ToolError
from envsmith.index.cache import replace_file
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
                f"the commands of the profile {profile} are not trusted yet",
                where=command,
                hint=f"read them above; to trust them: {command} --trust",
            )
    with suppress(ToolError):  # a cache that cannot be written: ask again the next time
        replace_file(mark, b"")


def _digest(tests: SmokeTests, project: Path) -> str:
    """Return the digest of a project's folder, its commands and their variables."""
    commands = sorted(item.text for item in tests.commands())
    text = json.dumps([str(project), commands, sorted(tests.env.items())])
    return hashlib.sha256(text.encode()).hexdigest()
