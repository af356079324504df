"""A project in git: earlier versions of its files, and the line ends that git keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from envsmith.errors import EnvsmithError, ToolError
from envsmith.files.atomic import write_files
from envsmith.files.text import is_missing
from envsmith.process.runner import CompletedProgram, Processes, inherited_environ

_TIME_LIMIT_S = 60.0
# Not GIT_DIR and the like, which a hook sets: the repository follows from the folder.
_VARIABLES = ("PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR", "TEMP", "TMP")
# Messages of git 2.39.5 (2026-11-21) outside a repository, and in one of another user, as in containers of CI services.
# LC_ALL=C keeps them in English.
_NO_REPOSITORY, _OTHER_OWNER = "not a git repository", "dubious ownership"


@dataclass(frozen=True, slots=True, kw_only=True)
class GitRevisions:
    """Revisions of the git repository that contains a project."""

    project: Path
    processes: Processes = field(default_factory=Processes)

    def has(self, revision: str) -> bool:
        """Return whether a text names a commit.

        Raises:
            EnvsmithError: USE014 when git refuses to read the repository.
        """
        result = self._git("rev-parse", "--verify", "--quiet", *_revision_arguments(f"{revision}^{{commit}}"))
        if result.status != 0 and _OTHER_OWNER in result.stderr:
            raise _git_error(result, revision)
        return result.status == 0

    def check(self, revision: str) -> None:
        """Check that a revision exists.

        Raises:
            EnvsmithError: USE010 when the commit does not exist, USE011 when the project is not in a git repository,
                USE014 when git refuses to read it.
        """
        result = self._git("rev-parse", "--git-dir")
        if result.status != 0 and _NO_REPOSITORY not in result.stderr:
            raise _git_error(result, revision)
        if result.status != 0:
            raise EnvsmithError(
                "USE011",
                "not a git repository",
                where=revision,
                hint="run the command in a clone",
            )
        if not self.has(revision):
            raise EnvsmithError(
                "USE010",
                f"revision {revision!r} not found",
                where="git",
                hint="a shallow clone has only the latest commit: fetch the others (`fetch-depth: 0` in a checkout)",
            )

    def folders(self, revision: str, folder: PurePosixPath) -> dict[str, dict[str, bytes]]:
        """Return the files of a revision in the subfolders of a folder, one level deep: subfolder → name → content.

        Args:
            revision: name of a commit.
            folder: relative to the project.

        Raises:
            EnvsmithError: as `check`; USE014 also when git cannot read a file.
        """
        self.check(revision)
        below = f"{revision}:./{folder}"
        listed = self._git("ls-tree", "--full-tree", "-r", "-z", "--name-only", *_revision_arguments(below))
        found: dict[str, dict[str, bytes]] = {}
        # A failure means that the folder does not exist in the revision.
        for path in filter(None, listed.stdout.split("\0")) if listed.status == 0 else ():
            parts = PurePosixPath(path).parts
            if len(parts) == 2:
                shown = self._git("cat-file", "blob", f"{below}/{path}")
                if shown.status != 0:
                    raise _git_error(shown, f"{revision}:{folder}/{path}")
                found.setdefault(parts[0], {})[parts[1]] = shown.stdout.encode()
        return found

    def tracks(self, path: str) -> bool:
        """Return whether a file relative to the project is in the repository's index; False if git cannot tell."""
        try:
            return bool(self._git("ls-files", "-z", "--", f":(literal){path}").stdout)
        except ToolError:  # without git
            return False

    def _git(self, *words: str) -> CompletedProgram:
        env = {**inherited_environ(_VARIABLES, ("GIT_CONFIG",)), "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
        # The repository's own settings could name a program to be run.
        return self.processes.run(
            ["git", "-c", "core.fsmonitor=false", *words], env=env, timeout_s=_TIME_LIMIT_S, cwd=self.project
        )


def keep_line_ends(folder: Path) -> None:
    """Write a .gitattributes beside the locks unless there is one: shells need LF, and cmd needs CR LF, in scripts."""
    if is_missing(folder / ".gitattributes"):
        write_files(folder, {".gitattributes": b"* text eol=lf\n*.bat text eol=crlf\n"})


def _git_error(result: CompletedProgram, where: str) -> EnvsmithError:
    """Return the error with git's message; the command that git suggests becomes the hint."""
    lines = [line.strip() for line in result.stderr.splitlines()]
    reason = next(
        (line.removeprefix("fatal: ") for line in lines if line.startswith("fatal: ")), "no message"
    )
    suggestion = next((line for line in lines if line.startswith("git config ")), "")
    return EnvsmithError(
        "USE014",
        f"git cannot read the repository: {reason}",
        where=where,
        hint=suggestion
        or "run `git status` and `git fetch`; a partial clone needs its server for older files",
    )


def _revision_arguments(revision: str) -> tuple[str, str]:
    """Return arguments that make git treat a text as a revision, even if it begins with a dash."""
    return "--end-of-options", revision
