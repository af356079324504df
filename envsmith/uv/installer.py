"""Installer on top of ``uv venv`` and ``uv pip sync``.

Source for uv's behaviour: uv 0.13.8, seen 2026-11-21.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from envsmith.config.build_settings import ANY_SOURCE
from envsmith.errors import InstallError, ToolError
from envsmith.lockfile.pins import InstallSource
from envsmith.model.shell import quote_path
from envsmith.model.windows_errors import KNOWN, is_full
from envsmith.process.exit_status import describe
from envsmith.process.runner import CompletedProgram, Processes, inherited_environ
from envsmith.uv.command import (
    NETWORK_ERROR,
    excerpt,
    mirror_environ,
    refused_index,
    system_error,
    uv_environ,
)

# Variables that uv inherits for installs besides those for resolutions; those of compilers are for source packages.
_VARIABLES = ("UV_LINK_MODE", "UV_CONCURRENT_INSTALLS", "UV_PYTHON_INSTALL_DIR", "CC", "CXX", "CFLAGS")
_OF_GIT = (
    "SSH_AUTH_SOCK",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_ASKPASS",
    "GIT_CONFIG_GLOBAL",
    "GIT_SSL_CAINFO",
)
_NO_VARIABLES: Mapping[str, str] = MappingProxyType({})
# Messages of uv 0.13.8 (seen 2026-11-21).
_HASH = re.compile(r"Hash mismatch for `?([^`\n]+)`?", re.IGNORECASE)
_UNCACHED = re.compile(r"Identified uncached distribution: ([^\s=]+)==")
_WHEELHOUSE = re.compile(
    r"No solution found|(?P<absent>Failed to read `--find-links`)"
    r"|(?P<damaged>Failed to extract archive|Invalid zip file)",
    re.IGNORECASE,
)
_COUNT = re.compile(r"Would download (\d+) package")
_FILL = "with network access, `envsmith download PROFILE -d DIR` fills it"


@dataclass(frozen=True, slots=True, kw_only=True)
class UvInstaller:
    """Creates and fills environments, without the user's uv settings."""

    processes: Processes
    executable: Path
    offline: bool = False
    compile_bytecode: bool = False
    timeout_s: float = 3600.0

    def find_python(self, request: str) -> Path | None:
        """Return an installed interpreter, or None if there is none.

        The interpreter that runs envsmith counts, too, for uv does not find it if it is not on PATH.

        Args:
            request: in uv's syntax: ``3.12``, ``python3.12``, a path.
        """
        finished = self._run("python", "find", "--system", "--no-project", "--", request)
        if finished.status == 0:
            return _answered_path(finished)
        return Path(sys.executable) if request == "{}.{}".format(*sys.version_info) else None

    def cache(self) -> Path:
        """Return uv's cache folder."""
        return _answered_path(self._run("cache", "dir"))

    def is_copying(self) -> bool:
        """Say whether uv is set to copy files from its cache instead of linking them."""
        return inherited_environ(("UV_LINK_MODE",)).get("UV_LINK_MODE") == "copy"

    def outstanding(self, supply: InstallSource, python: Path) -> frozenset[str] | None:
        """Return the names of the packages that are not in uv's cache, or None if they are unknown.

        The names are in uv's log, whose format can change; the number in its normal output confirms them.
        """
        with tempfile.TemporaryDirectory(prefix="envsmith-") as scratch:
            flags = ("--verbose", "--dry-run", "--target", Path(scratch, "target"), "--python", python)
            log = self._sync(Path(scratch), supply, *flags).stderr
        names = frozenset(_UNCACHED.findall(log))
        count = _COUNT.search(log)
        return names if len(names) == (int(count[1]) if count else 0) else None

    def make(self, prefix: Path, python: Path, prompt: str, *, has_base_packages: bool = False) -> None:
        """Create an environment without packages of its own, in a folder that may exist.

        Args:
            prefix: its root.
            python: the interpreter.
            prompt: shown while it is active.
            has_base_packages: import the packages of the interpreter as well.

        Raises:
            InstallError: ENV021 when the disk is full, ENV020 when uv fails otherwise.
        """
        words = ("--no-project", "--allow-existing", "--python", python, "--prompt", prompt)
        system = ("--system-site-packages",) if has_base_packages else ()
        finished = self._run("venv", *words, *system, prefix)
        if finished.status:
            raise failure(finished, "the environment could not be created")

    def fill(self, prefix: Path, supply: InstallSource) -> None:
        """Install the packages of a lock into an environment, and verify every file's hash.

        Raises:
            InstallError: ENV021 when the disk is full, ENV022 when a file's hash differs from the lock's, ENV020 when
                uv fails otherwise, ENV025 when the wheelhouse lacks a file or has a damaged one.
            ToolError: TOL022 when files cannot be downloaded.
        """
        with tempfile.TemporaryDirectory(prefix="envsmith-") as scratch:
            finished = self._sync(Path(scratch), supply, "--python", prefix)
        if finished.status:
            refused = refused_index(finished.stderr, supply.indexes)
            raise refused or failure(finished, "the packages could not be installed", supply)
        if supply.apart:
            self._add(("--python", prefix), supply)

    def metadata(self, supply: InstallSource, python: Path) -> str:
        """Build the only package of a source, apart from any environment, and return its METADATA.

        Raises:
            InstallError: ENV020 when that fails.
            ToolError: as `fill`.
        """
        with tempfile.TemporaryDirectory(prefix="envsmith-") as scratch:
            self._add(("--target", scratch, "--python", python), supply)
            found = next(Path(scratch).glob("*.dist-info/METADATA"))
            return found.read_text("utf-8", "replace")

    def _add(self, where: Sequence[str | Path], supply: InstallSource) -> None:
        """Install commits, folders and files of this machine; uv builds them."""
        with tempfile.TemporaryDirectory(prefix="envsmith-") as scratch:
            lines = Path(scratch, "requirements.txt")
            lines.write_text("".join(f"{pin.line}\n" for pin in supply.apart), "utf-8")
            # A folder may have changed without another version; uv would take an earlier build.
            words: list[str | Path] = ["--no-deps", *where, *_index_flags(supply)]
            for pin in supply.apart:
                words += ["--reinstall-package", pin.name]
            env = {**mirror_environ(supply.indexes), **inherited_environ(_OF_GIT), "GIT_TERMINAL_PROMPT": "0"}
            finished = self._run("pip", "install", *words, "--requirement", lines, env=env)
        if finished.status:
            names = ", ".join(pin.name for pin in supply.apart)
            raise failure(finished, f"{names} could not be installed", supply)

    def add_wheels(self, prefix: Path, wheels: Mapping[str, Path]) -> None:
        """Install wheels that were built here: requirement on the version → file.

        Raises:
            InstallError: ENV021 when the disk is full, ENV020 when uv fails otherwise.
        """
        words: list[str | Path] = ["--no-deps", "--no-index", "--no-build", "--python", prefix]
        for path in wheels.values():
            words += ["--find-links", path.parent]
        if self.compile_bytecode:
            words.append("--compile-bytecode")
        finished = self._run("pip", "install", *words, *wheels)
        if finished.status:
            raise failure(finished, f"{', '.join(wheels)} could not be installed")

    def extend(self, prefix: Path, lines: Sequence[str], supply: InstallSource) -> None:
        """Install further packages into an environment: hashed pins, from a wheelhouse or else their indexes.

        Raises:
            InstallError: as `fill`.
            ToolError: as `fill`.
        """
        own = replace(supply, is_pylock=False, sources=(), wheelhouse="")
        places = ["--find-links", supply.wheelhouse] if supply.wheelhouse else []
        text = "".join(f"{line}\n" for line in (*supply.options, *lines))
        with tempfile.TemporaryDirectory(prefix="envsmith-") as scratch:
            source = Path(scratch, "requirements.txt")
            source.write_text(text, "utf-8")
            words = ["--no-deps", "--python", prefix, *self._flags(own), *places, "--requirement", source]
            finished = self._run("pip", "install", *words, env=mirror_environ(supply.indexes))
        if finished.status:
            refused = refused_index(finished.stderr, supply.indexes)
            raise refused or failure(finished, "the packages of a build could not be installed", supply)

    def _sync(self, scratch: Path, supply: InstallSource, *words: str | Path) -> CompletedProgram:
        source = scratch / ("pylock.toml" if supply.is_pylock else "requirements.txt")
        source.write_bytes(supply.text.encode())  # as it is: a clone on Windows may have CR LF already
        env = mirror_environ(supply.indexes)
        return self._run("pip", "sync", *words, *self._flags(supply), source, env=env)

    def _flags(self, supply: InstallSource) -> Sequence[str | Path]:
        flags: list[str | Path] = ["--require-hashes", "--preview-features", "pylock"]
        if supply.wheelhouse:
            flags += ["--no-index", "--find-links", supply.wheelhouse]
        elif not supply.is_pylock:
            # Safe, because the hashes decide: a file of the same name on another index does not match.
            flags += ["--index-strategy", "unsafe-best-match"]
        if not supply.wheelhouse:
            flags += _index_flags(supply)
        if ANY_SOURCE in supply.sources:
            pass  # the hashes decide
        elif supply.sources:
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

    def _run(self, *words: str | Path, env: Mapping[str, str] = _NO_VARIABLES) -> CompletedProgram:
        offline = ["--offline"] if self.offline else []
        command = [self.executable, "--no-config", *offline, *words]
        return self.processes.run(command, env={**uv_environ(*_VARIABLES), **env}, timeout_s=self.timeout_s)


def _index_flags(supply: InstallSource) -> list[str]:
    # By name, so that the variables with its credentials count.
    return [
        word
        for index in supply.indexes
        for word in ("--default-index" if index.is_default else "--index", f"{index.name}={index.url}")
    ]


def _answered_path(finished: CompletedProgram) -> Path:
    text = finished.stdout.strip()
    if not text or not text.isprintable():  # a relative path is possible: UV_CACHE_DIR may be one
        raise ToolError(
            "TOL020",
            "uv's answer is not a path",
            details=(("uv says", excerpt(text)),),
            hint="envsmith needs uv 0.13, 0.13.8 or later",
        )
    return Path(text)


def failure(
    finished: CompletedProgram, message: str, supply: InstallSource | None = None
) -> InstallError | ToolError:
    """Return the error for a failed run of uv.

    Args:
        finished: the run.
        message: the failed operation.
        supply: source of the packages.
    """
    text = finished.stderr
    details = (("uv says", excerpt(text)),)
    number = system_error(text)
    if is_full(number):
        return InstallError(
            "ENV021",
            f"{message}: the disk is full",
            details=details,
            hint="free disk space for the environment and for uv's cache (`uv cache dir`), then try again",
        )
    if _HASH.search(text):
        return InstallError(
            "ENV022",
            f"{message}: the hash of a file differs from the lock's",
            details=details,
            hint=_download_command(supply)
            or "try again; if it happens again, the file on the server was replaced: do not use it",
        )
    if known := KNOWN.get(number):  # first: uv calls an archive damaged whose files it could not write
        return InstallError("ENV020", f"{message}: {known[0]}", details=details, hint=known[1])
    if supply and supply.wheelhouse and (match := _WHEELHOUSE.search(text)):
        return InstallError(
            "ENV025",
            f"{message}: {_wheelhouse_problem(match)}",
            where=supply.wheelhouse,
            details=details,
            hint=_download_command(supply) or _FILL,
        )
    if NETWORK_ERROR.search(text) or "was not found in the cache" in text:
        return ToolError(
            "TOL022",
            f"{message}: some files could not be downloaded",
            details=details,
            hint="check the network or proxy; or install from a wheelhouse: --wheelhouse DIR --offline",
        )
    return InstallError(
        "ENV020",
        f"{message}: uv failed with {describe(finished.status)}",
        details=details,
        hint="if the lock is right, report it with the output of `envsmith -v install`",
    )


def _wheelhouse_problem(match: re.Match[str]) -> str:
    if match["absent"]:
        return "the wheelhouse does not exist"
    is_damaged = match["damaged"]
    return "a file in the wheelhouse is damaged" if is_damaged else "the wheelhouse lacks files of the lock"


def _download_command(supply: InstallSource | None) -> str:
    """Return the command that completes a wheelhouse; empty without a local wheelhouse or a profile."""
    if not supply or not supply.wheelhouse or not supply.profile or "://" in supply.wheelhouse:
        return ""
    return f"envsmith download {supply.profile} -d {quote_path(supply.wheelhouse)}, with network access"
