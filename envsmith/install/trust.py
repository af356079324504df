"""Trust in the commands of a project's profile and in builds: asked once, bound to their text and the files they name.

Whoever clones a project runs what its profile names under ``checks``; imports and envsmith's own probes need no trust.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from envsmith.config.package_source import PackageSource
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
    if commands := tests.commands():
        texts = [item.text for item in commands]
        what = f"the checks of the profile {profile} run these commands on this machine"
        refused = f"the commands of the profile {profile}, or the files that they name, are not trusted yet"
        _ask(_digest(tests, Path.cwd()), what, texts, (refused, command), is_trusted=is_trusted)


def check_builds(sources: Mapping[str, str], command: str, *, is_trusted: bool) -> None:
    """Ask whether to build packages, which runs their code, unless the same content was trusted before.

    A commit or an archive is trusted by its hash, a folder by the files that decide how it is built.

    Args:
        sources: package → its pinned `PackageSource`.
        command: the command line to repeat with ``--trust``.
        is_trusted: trust them without asking.

    Raises:
        EnvsmithError: USE016 when they are not trusted, or nobody can be asked.
    """
    if not sources:
        return
    project = Path.cwd()
    found = {name: [text, *_build_files(text, project)] for name, text in sorted(sources.items())}
    digest = hashlib.sha256(json.dumps([str(project), found]).encode()).hexdigest()
    texts = [f"{name}  {text}" for name, text in sorted(sources.items())]
    refused = f"the builds of {', '.join(sorted(sources))} run their code, and are not trusted yet"
    _ask(
        digest,
        "these packages are built, which runs their code",
        texts,
        (refused, command),
        is_trusted=is_trusted,
        code="USE016",
    )


def _build_files(text: str, project: Path) -> Iterator[str]:
    """Yield path and sha256 of each file that decides how a folder is built."""
    source = PackageSource.parse(text)
    if source.kind != "folder":
        return
    folder = project / source.folder
    paths = [folder / name for name in ("pyproject.toml", "setup.py", "setup.cfg")]
    with suppress(OSError, ValueError):  # a build fails for such a file
        table = tomllib.loads((folder / "pyproject.toml").read_text("utf-8")).get("build-system", {})
        for name in table.get("backend-path", ()):
            paths += sorted((folder / name).glob("*.py"))
    for path in paths:
        with suppress(OSError), open_regular(path) as stream:
            yield f"{path.name} {hashlib.file_digest(stream, 'sha256').hexdigest()}"


def _ask(
    digest: str,
    what: str,
    texts: Iterable[str],
    refused: tuple[str, str],
    *,
    is_trusted: bool,
    code: str = "USE015",
) -> None:
    mark = cache_folder() / "trusted" / digest
    if mark.is_file():
        return
    problem, command = refused
    if not is_trusted:
        printer.say(f"{what}:", err=True)
        for text in texts:
            printer.say(f"    {text}", err=True)
        question, otherwise = ("Trust these commands", "commands are not trusted")
        if code == "USE016":
            question, otherwise = ("Trust these packages", "packages are not trusted")
        if not is_interactive() or not confirm(question, where=command, otherwise=otherwise):
            raise EnvsmithError(
                code, problem, where=command, hint=f"read them; to trust them: {command} --trust"
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
