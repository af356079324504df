"""Trust in code that a project brings: asked once, bound to its content; here that of builds."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from envsmith.config.package_source import PackageSource
from envsmith.console import printer
from envsmith.console.terminal import confirm, is_interactive
from envsmith.errors import EnvsmithError, ToolError
from envsmith.files.cache_dir import cache_root
from envsmith.files.text import open_regular
from envsmith.host.current import variables
from envsmith.index.cache import write_cached


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
    ask_trust(
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
    with suppress(OSError, ValueError, TypeError, AttributeError):  # a build fails for such a file
        table = tomllib.loads((folder / "pyproject.toml").read_text("utf-8")).get("build-system", {})
        module = re.split(r"\W", table.get("build-backend", ""))[0]
        for name in table.get("backend-path", ()):
            paths += sorted((folder / name).glob("*.py"))
            paths += sorted((folder / name / module).rglob("*.py")) if module else ()
    for path in paths:
        with suppress(OSError), open_regular(path) as stream:
            yield f"{path} {hashlib.file_digest(stream, 'sha256').hexdigest()}"


def ask_trust(
    digest: str,
    what: str,
    texts: Iterable[str],
    refused: tuple[str, str],
    *,
    is_trusted: bool,
    code: str = "USE015",
) -> None:
    """Ask whether to run code, unless it was trusted before.

    Args:
        digest: of the code.
        what: it is, for the question.
        texts: its parts.
        refused: the problem if it is not trusted, and the command to repeat with ``--trust``.
        is_trusted: trust it without asking.
        code: of the error.

    Raises:
        EnvsmithError: when it is not trusted, or nobody can be asked.
    """
    mark = Path(cache_root(variables())) / "trusted" / digest
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
