"""Earlier versions of a project's files, read from its git repository."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from envsmith.errors import EnvsmithError
from envsmith.process.runner import CompletedProgram, Processes, inherited

_TIME_LIMIT_S = 60.0
# A hook's GIT_DIR and the like point elsewhere; where the repository is follows from the folder.
_NAMES = ("PATH", "HOME", "USERPROFILE", "SYSTEMROOT", "XDG_CONFIG_HOME", "TMPDIR", "TEMP", "TMP")
# What git says where there is no repository, and of one that belongs to another user, as in many a CI's container.
# Seen with git 2.39.5, 2026-11-21; LC_ALL=C keeps it in English.
_NOWHERE, _OTHERS = "not a git repository", "dubious ownership"


@dataclass(frozen=True, slots=True, kw_only=True)
class GitRevisions:
    """The git repository that a project lies in, at its root or below."""

    project: Path
    processes: Processes = field(default_factory=Processes)

    def has(self, revision: str) -> bool:
        """Say whether a text names a commit.

        Raises:
            EnvsmithError: USE014 where git does not read the repository at all.
        """
        asked = self._git("rev-parse", "--verify", "--quiet", *_meaning(f"{revision}^{{commit}}"))
        if asked.status != 0 and _OTHERS in asked.stderr:
            raise _refusal(asked, revision)
        return asked.status == 0

    def check(self, revision: str) -> None:
        """See that a revision is there.

        Raises:
            EnvsmithError: USE010 when there is no such commit, USE011 where the project is in no git repository,
                USE014 where git does not read it.
        """
        asked = self._git("rev-parse", "--git-dir")
        if asked.status != 0 and _NOWHERE not in asked.stderr:
            raise _refusal(asked, revision)
        if asked.status != 0:
            raise EnvsmithError(
                "USE011",
                "the project is in no git repository: there are no revisions",
                where=revision,
                hint="run the command in a clone",
            )
        if not self.has(revision):
            raise EnvsmithError(
                "USE010",
                f"there is no revision {revision!r}",
                where="git",
                hint="a shallow clone has but the newest: fetch the others (`fetch-depth: 0` in a checkout)",
            )

    def folders(self, revision: str, folder: PurePosixPath) -> dict[str, dict[str, bytes]]:
        """Return the files that a revision has one folder deep below a folder: folder's name → name → content.

        Args:
            revision: names a commit.
            folder: relative to the project.

        Raises:
            EnvsmithError: as `check`; USE014 where git has not the files either.
        """
        self.check(revision)
        below = f"{revision}:./{folder}"
        listed = self._git("ls-tree", "--full-tree", "-r", "-z", "--name-only", *_meaning(below))
        found: dict[str, dict[str, bytes]] = {}
        # A failure means that the revision has no such folder.
        for path in filter(None, listed.stdout.split("\0")) if listed.status == 0 else ():
            parts = PurePosixPath(path).parts
            if len(parts) == 2:
                shown = self._git("cat-file", "blob", f"{below}/{path}")
                if shown.status != 0:
                    raise _refusal(shown, f"{revision}:{folder}/{path}")
                found.setdefault(parts[0], {})[parts[1]] = shown.stdout.encode()
        return found

    def _git(self, *words: str) -> CompletedProgram:
        env = {**inherited(_NAMES, ("GIT_CONFIG",)), "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
        return self.processes.run(["git", *words], env=env, timeout_s=_TIME_LIMIT_S, cwd=self.project)


def _refusal(asked: CompletedProgram, where: str) -> EnvsmithError:
    """Say in git's own words why it does not read; what it tells to run is the hint."""
    lines = [line.strip() for line in asked.stderr.splitlines()]
    said = next(
        (line.removeprefix("fatal: ") for line in lines if line.startswith("fatal: ")), "it says nothing"
    )
    cure = next((line for line in lines if line.startswith("git config ")), "")
    return EnvsmithError(
        "USE014",
        f"git does not read the repository: {said}",
        where=where,
        hint=cure
        or "see what `git status` and `git fetch` say there; a partial clone asks its server for older files",
    )


def _meaning(revision: str) -> tuple[str, str]:
    """Return the words that make git take a text for a revision, whatever it begins with."""
    return "--end-of-options", revision
