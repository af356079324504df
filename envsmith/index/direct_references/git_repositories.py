"""Git repositories: the commit of a revision, and the files of a commit, without a checkout.

Code of a repository never runs: without a work tree, git starts no hooks or filters. git itself handles logins.

Source: gitprotocol-v2, git-ls-remote and git-fetch, "uploadpack.allowAnySHA1InWant"; git 2.39, tried 2026-11-30.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from envsmith.config.package_source import COMMIT, PackageSource
from envsmith.errors import ResolveError, ToolError
from envsmith.files.locks import lock_directory
from envsmith.model.url import redact_url
from envsmith.process.runner import CompletedProgram, Processes, inherited_environ

MOST_FILE_BYTES = 1 << 20
"""Of a file with metadata."""
_VARIABLES = (
    *(
        "PATH",
        "HOME",
        "TMPDIR",
        "XDG_CONFIG_HOME",
        "SSH_AUTH_SOCK",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_ASKPASS",
    ),
    *(
        "GIT_SSL_CAINFO",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_SYSTEM",
        "SSH_ASKPASS",
    ),
    *(
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "no_proxy",
    ),
)
_PROTOCOLS = "https:http:ssh:git:file"
"""Without ``ext``, which runs a command."""
_FLAGS = (
    *("-c", "protocol.ext.allow=never", "-c", "core.hooksPath=", "-c", "core.fsmonitor=false"),
    *(
        "-c",
        "core.attributesFile=",
        "-c",
        "fetch.fsckObjects=false",
        "-c",
        "gc.auto=0",
        "-c",
        "maintenance.auto=false",
    ),
)
_ALL = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
_ABBREVIATED = re.compile(r"[0-9a-f]{4,40}")
_TIMEOUT_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GitRepositories:
    """Bare repositories in a cache folder, one per address."""

    processes: Processes
    folder: Path
    offline: bool = False

    def commit_of(self, source: PackageSource) -> str:
        """Return the commit of a source's branch, tag or commit; of the default branch without one.

        Raises:
            ResolveError: RES150 when the repository has no such revision.
            ToolError: TOL065 without git, TOL066 when the repository cannot be read.
        """
        wanted = source.revision
        if COMMIT.fullmatch(wanted):
            return wanted
        listed = self._run("ls-remote", "--quiet", "--", source.place, source=source).stdout
        refs = {name: commit for commit, _, name in (line.partition("\t") for line in listed.splitlines())}
        names = [f"refs/heads/{wanted}", f"refs/tags/{wanted}^{{}}", f"refs/tags/{wanted}", wanted]
        for name in names if wanted else ["HEAD"]:
            if name in refs:
                return refs[name]
        if _ABBREVIATED.fullmatch(wanted):
            repository = self._repository(source)
            self._run("fetch", "--quiet", "--", source.place, *_ALL, source=source, where=repository)
            found = self._ask(repository, "rev-parse", "--verify", "--quiet", f"{wanted}^{{commit}}")
            if not found.status:
                return found.stdout.strip()
        raise _unknown(source)

    def tree(self, source: PackageSource) -> GitTree:
        """Return the files of a source's commit, fetched if they are not in the cache.

        Raises:
            ResolveError: RES150 when the repository has no such commit.
            ToolError: TOL065 without git, TOL066 when the repository cannot be read.
        """
        repository, commit = self._repository(source), source.revision
        with lock_directory(repository):
            if not self._has(repository, commit):
                try:
                    # One commit alone, which not every server allows; then all of them.
                    self._run(
                        "fetch",
                        "--quiet",
                        "--depth",
                        "1",
                        "--",
                        source.place,
                        commit,
                        source=source,
                        where=repository,
                    )
                except ToolError:
                    self._run("fetch", "--quiet", "--", source.place, *_ALL, source=source, where=repository)
        if not self._has(repository, commit):
            raise _unknown(source)
        return GitTree(repositories=self, repository=repository, commit=commit)

    def _has(self, repository: Path, commit: str) -> bool:
        return not self._ask(repository, "cat-file", "-e", f"{commit}^{{tree}}").status

    def _repository(self, source: PackageSource) -> Path:
        """Return the bare repository for an address; an empty one is made first."""
        path = self.folder / hashlib.sha256(source.place.encode()).hexdigest()[:32]
        if not (path / "HEAD").is_file():
            self._run("init", "--bare", "--quiet", "--template=", "--", path, source=source)
        return path

    def _run(self, *words: str | Path, source: PackageSource, where: Path | None = None) -> CompletedProgram:
        if words[0] != "init" and self.offline and not source.place.startswith("file:"):
            raise ToolError(
                "TOL066",
                f"{redact_url(source.place)} is not in the cache",
                hint="lock once without --offline to fill the cache",
            )
        finished = self._ask(where, *words)
        if finished.status:
            said = next(iter(finished.stderr.strip().splitlines()[-1:]), "nothing")
            raise ToolError(
                "TOL066",
                f"git cannot read {redact_url(source.place)}",
                details=(("git says", said[:300]),),
                hint="check the address, the network and git's login: git ls-remote URL",
            )
        return finished

    def _ask(self, repository: Path | None, *words: str | Path) -> CompletedProgram:
        if not shutil.which("git", path=inherited_environ(("PATH",)).get("PATH")):
            raise ToolError(
                "TOL065", "git is not installed", hint="install git: a requirement names a repository"
            )
        env = {
            **inherited_environ(_VARIABLES),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ALLOW_PROTOCOL": _PROTOCOLS,
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            # The cache may be in a project; the settings of its repository may name programs.
            "GIT_CEILING_DIRECTORIES": str(self.folder.parent.resolve()),
            "LC_ALL": "C",
        }
        place: list[str | Path] = ["--git-dir", repository] if repository else []
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.processes.run(
            ["git", *_FLAGS, *place, *words], env=env, timeout_s=_TIMEOUT_S, cwd=self.folder
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GitTree:
    """The files of one commit."""

    repositories: GitRepositories
    repository: Path
    commit: str

    def read(self, path: str) -> str | None:
        """Return the text of a file; None if it is missing, not a regular file, or too large."""
        listed = self._ask("ls-tree", "--long", "-z", self.commit, "--", path)
        match = re.fullmatch(r"100\d{3} blob ([0-9a-f]+) +(\d+)\t[^\0]*\0", listed)
        if not match or int(match[2]) > MOST_FILE_BYTES:
            return None
        return self._ask("cat-file", "blob", match[1])

    def folders(self) -> Iterator[str]:
        """Yield the folders that have a pyproject.toml."""
        for path in self._ask("ls-tree", "-r", "-z", "--name-only", self.commit).split("\0"):
            folder, _, name = path.rpartition("/")
            if name == "pyproject.toml":
                yield folder or "."

    def _ask(self, *words: str) -> str:
        finished = self.repositories._ask(self.repository, *words)  # noqa: SLF001 - of this module
        return finished.stdout if not finished.status else ""


def _unknown(source: PackageSource) -> ResolveError:
    return ResolveError(
        "RES150",
        f"{redact_url(source.place)} has no revision {source.revision[:80] or 'HEAD'}",
        hint="use a branch, a tag or a whole commit of the repository",
    )
