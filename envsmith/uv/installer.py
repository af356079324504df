"""Installer by uv: an interpreter found, an environment made, a lock's packages put into it.

Source of what uv does and does not do: seen with uv 0.13.8, 2026-11-21.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from envsmith.errors import InstallError, ToolError
from envsmith.lockfile.pins import InstallSource
from envsmith.model.shell import quote_path
from envsmith.process.runner import CompletedProgram, Processes, inherited_environ
from envsmith.uv.resolver import KEPT, OFFLINE, credentials

_LINK_MODE = ("UV_LINK_MODE",)
_KEPT = (*KEPT, *_LINK_MODE, "UV_CONCURRENT_INSTALLS", "UV_PYTHON_INSTALL_DIR", "CC", "CXX", "CFLAGS")
_FULL = re.compile(r"No space left on device|os error 28\b|Disk quota exceeded|os error 122\b", re.IGNORECASE)
_HASH = re.compile(r"Hash mismatch for `?([^`\n]+)`?", re.IGNORECASE)
_UNCACHED = re.compile(r"Identified uncached distribution: ([^\s=]+)==")
_UNHELD = re.compile(
    r"No solution found|(?P<absent>Failed to read `--find-links`)"
    r"|(?P<damaged>Failed to extract archive|Invalid zip file)",
    re.IGNORECASE,
)
_COUNT = re.compile(r"Would download (\d+) package")
_FILL = "`envsmith download PROFILE -d DIR` fills it, where there is a network"
_WHERE_FILES_LIE = "uv says"


@dataclass(frozen=True, slots=True, kw_only=True)
class UvInstaller:
    """Makes environments with ``uv venv`` and ``uv pip sync``, shut off from the user's uv settings."""

    processes: Processes
    executable: Path
    offline: bool = False
    compile_bytecode: bool = False
    timeout_s: float = 3600.0

    def find_python(self, request: str) -> Path | None:
        """Return an installed interpreter, or None where there is none.

        Where uv finds none, as with a PATH that lacks it, the one that runs this may be of the version asked for.

        Args:
            request: as uv reads it: ``3.12``, ``python3.12``, a path.
        """
        finished = self._run("python", "find", "--system", "--no-project", "--", request)
        if finished.status == 0:
            return Path(finished.stdout.strip())
        return Path(sys.executable) if request == "{}.{}".format(*sys.version_info) else None

    def cache(self) -> Path:
        """Return where uv keeps unpacked packages."""
        return Path(self._run("cache", "dir").stdout.strip() or ".")

    def is_copying(self) -> bool:
        """Say whether uv is told to copy files out of its cache, even where they could be shared with it."""
        return inherited_environ(_LINK_MODE).get(_LINK_MODE[0]) == "copy"

    def outstanding(self, supply: InstallSource, python: Path) -> frozenset[str] | None:
        """Return the names of packages that are not in uv's cache; None where uv does not say it.

        It says it in its log alone, whose form it does not promise: the number it says for people is the proof.
        """
        with tempfile.TemporaryDirectory(prefix="envsmith-") as scratch:
            words = ("--verbose", "--dry-run", "--target", Path(scratch, "target"), "--python", python)
            said = self._sync(Path(scratch), supply, *words).stderr
        names = frozenset(_UNCACHED.findall(said))
        count = _COUNT.search(said)
        return names if len(names) == (int(count[1]) if count else 0) else None

    def make(self, prefix: Path, python: Path, prompt: str) -> None:
        """Make an environment without packages.

        Raises:
            InstallError: ENV021 when the disk is full, ENV020 when uv fails otherwise.
        """
        finished = self._run("venv", "--no-project", "--python", python, "--prompt", prompt, prefix)
        if finished.status:
            raise failure(finished, "no environment could be made")

    def fill(self, prefix: Path, supply: InstallSource) -> None:
        """Put the packages of a lock into an environment, every file by its hash.

        Raises:
            InstallError: ENV021 when the disk is full, ENV022 when a file has other bytes than locked, ENV020 when
                uv fails otherwise, ENV025 when the wheelhouse lacks a file or has a damaged one.
            ToolError: TOL022 when files cannot be reached.
        """
        with tempfile.TemporaryDirectory(prefix="envsmith-") as scratch:
            finished = self._sync(Path(scratch), supply, "--python", prefix)
        if finished.status:
            raise failure(finished, "the packages could not be installed", supply)

    def _sync(self, scratch: Path, supply: InstallSource, *words: str | Path) -> CompletedProgram:
        source = scratch / ("pylock.toml" if supply.is_pylock else "requirements.txt")
        source.write_text(supply.text, "utf-8")
        return self._run("pip", "sync", *words, *self._flags(supply), source)

    def _flags(self, supply: InstallSource) -> Sequence[str | Path]:
        flags: list[str | Path] = ["--require-hashes", "--preview-features", "pylock"]
        if supply.wheelhouse:
            flags += ["--no-index", "--find-links", supply.wheelhouse]
        elif not supply.is_pylock:
            # By hash it is decided anyway: the same names on two indexes cannot do harm.
            flags += ["--index-strategy", "unsafe-best-match"]
        if supply.sources:
            flags += [
                "--only-binary",
                ":all:",
                *(word for name in supply.sources for word in ("--no-binary", name)),
            ]
        else:
            flags.append("--no-build")
        if self.compile_bytecode:
            flags.append("--compile-bytecode")
        return flags

    def _run(self, *words: str | Path) -> CompletedProgram:
        env = {
            **credentials(),
            **inherited_environ(_KEPT),
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_NO_PROGRESS": "1",
            "NO_COLOR": "1",
        }
        offline = ["--offline"] if self.offline else []
        return self.processes.run(
            [self.executable, "--no-config", *offline, *words], env=env, timeout_s=self.timeout_s
        )


def failure(
    finished: CompletedProgram, what: str, supply: InstallSource | None = None
) -> InstallError | ToolError:
    """Return what uv's words of a failure mean.

    Args:
        finished: the run that failed.
        what: what it was to do, and did not.
        supply: where the files were to come from.
    """
    text = finished.stderr.strip() or "nothing"
    told = ((_WHERE_FILES_LIE, text),)
    if _FULL.search(text):
        return InstallError(
            "ENV021",
            f"{what}: the disk is full",
            details=told,
            hint="make room where the environment and uv's cache lie (`uv cache dir`), then try again",
        )
    if _HASH.search(text):
        return InstallError(
            "ENV022",
            f"{what}: a file has other bytes than were locked",
            details=told,
            hint=_anew(supply) or "try again; if it stays so, what is served was replaced: do not use it",
        )
    if supply and supply.wheelhouse and (match := _UNHELD.search(text)):
        why = "a file in it is damaged" if match["damaged"] else "it does not hold every file of the lock"
        why = "there is no such wheelhouse" if match["absent"] else why
        return InstallError(
            "ENV025", f"{what}: {why}", where=supply.wheelhouse, details=told, hint=_anew(supply) or _FILL
        )
    if OFFLINE.search(text) or "was not found in the cache" in text:
        return ToolError(
            "TOL022",
            f"{what}: not all files could be reached",
            details=told,
            hint="check the network or proxy; or install from a wheelhouse: --wheelhouse DIR --offline",
        )
    return InstallError(
        "ENV020",
        f"{what}: uv failed with status {finished.status}",
        details=told,
        hint="if the lock is right, report it with the output of `envsmith -v install`",
    )


def _anew(supply: InstallSource | None) -> str:
    """Return the command that puts into a wheelhouse what it should hold; empty where it is none that people fill."""
    if not supply or not supply.wheelhouse or not supply.profile or "://" in supply.wheelhouse:
        return ""
    return f"envsmith download {supply.profile} -d {quote_path(supply.wheelhouse)}, where there is a network"
