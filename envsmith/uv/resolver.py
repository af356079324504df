"""Resolver by uv: slice and uv.toml written, flags in, pylock out.

Source of what uv does and does not do: seen with uv 0.13.8, 2026-11-21.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from envsmith.config.requirement import SourcedRequirement
from envsmith.errors import EnvsmithError, NoSolutionError, ToolError
from envsmith.model.target import Platform
from envsmith.plan.model import Resolution, ResolutionPlan
from envsmith.process.runner import CompletedProgram, Processes, inherited_environ
from envsmith.uv.index_writer import INDEX_NAME, uv_settings, write_slice

MINIMUM = (0, 13, 8)
KEPT = (
    "PATH", "HOME", "USERPROFILE", "LOCALAPPDATA", "APPDATA", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP",
    "XDG_CACHE_HOME", "XDG_DATA_HOME", "UV_CACHE_DIR", "UV_CONCURRENT_DOWNLOADS", "UV_HTTP_TIMEOUT", "NETRC",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "SSL_CLIENT_CERT", "UV_SYSTEM_CERTS", "UV_NATIVE_TLS", "UV_KEYRING_PROVIDER",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
)  # fmt: skip
"""Variables that uv gets from the caller's environment."""
_SYSTEMS = {"linux": "manylinux_{}_{}", "macos": "apple-darwin", "windows": "pc-windows-msvc"}
OFFLINE = re.compile(
    r"network connectivity is disabled|Failed to fetch|error sending request|dns error", re.IGNORECASE
)


class UvResolver:
    """Resolves plans with ``uv pip compile``, shut off from the user's uv settings.

    Args:
        processes: starts uv.
        executable: path of uv.
        slices: folder for generated indexes.
        offline: use nothing but uv's cache.
        requests: most requests at once of one uv; a burst of new connections loses answers of some name servers,
            which then cost 5 s each (seen 2026-11-21).
        timeout_s: seconds for one resolution.
    """

    def __init__(
        self,
        processes: Processes,
        *,
        executable: Path,
        slices: Path,
        offline: bool = False,
        requests: int = 4,
        timeout_s: float = 600.0,
    ) -> None:
        self._processes = processes
        self._executable = executable
        self._slices = slices
        self._offline = offline
        self._requests = requests
        self._timeout_s = timeout_s
        self._guard = threading.Lock()
        self._is_checked = False

    def resolve(self, plan: ResolutionPlan) -> Resolution:
        """Resolve one plan.

        Raises:
            NoSolutionError: RES050 when the requirements have no solution.
            ToolError: TOL021 when uv fails otherwise, TOL022 when it could not reach PyPI, TOL029 when the slice
                was deleted meanwhile.
        """
        self._check_version()
        index = write_slice(plan.slice, self._slices)
        try:
            return self._resolve(plan, index)
        except NoSolutionError as error:
            if index.is_dir():
                raise
            # Without its pages uv asks PyPI for torch, and tells of what it found there.
            raise ToolError(
                "TOL029",
                "the generated index was deleted while uv was reading it",
                hint="lock again, and let nothing clear the cache meanwhile",
            ) from error

    def _resolve(self, plan: ResolutionPlan, index: Path) -> Resolution:
        with tempfile.TemporaryDirectory(prefix="envsmith-") as scratch:
            work = Path(scratch)
            forced = [name for name in plan.allow_sdist if not self._has_wheel(plan, index, work, name)]
            flags = self._write_inputs(plan, index, work, forced)
            pylock = work / "pylock.toml"
            self._compile(plan, work, [*flags, "--format", "pylock.toml", "--output-file", pylock])
            # The same resolution once more, from the cache just filled, for what pylock does not say: who asked.
            notes = ("--annotation-style", "split", "--emit-index-annotation")
            annotated = self._compile(plan, work, [*flags, *notes], offline=True)
            return Resolution.parse(pylock.read_text("utf-8"), annotated.stdout)

    def _check_version(self) -> None:
        """Look once whether this uv is one whose answers are understood."""
        with self._guard:
            if not self._is_checked:
                finished = self._processes.run(
                    [self._executable, "--version"], env=inherited_environ(KEPT), timeout_s=self._timeout_s
                )
                check_version(finished.stdout)
                self._is_checked = True

    def _has_wheel(self, plan: ResolutionPlan, index: Path, work: Path, name: str) -> bool:
        probe = work / f"probe-{name}"
        probe.mkdir()
        flags = self._write_inputs(plan, index, probe, ())
        asked = [str(item.requirement) for item in plan.all_requirements() if item.name == name]
        _write(probe / "requirements.in", asked or [name])
        try:
            self._compile(plan, probe, [*flags, "--no-deps"])
        except NoSolutionError:
            return False
        return True

    def _write_inputs(
        self, plan: ResolutionPlan, index: Path, work: Path, forced: Sequence[str]
    ) -> list[str | Path]:
        _write(work / "requirements.in", (str(item.requirement) for item in _sorted(plan.all_requirements())))
        _write(work / "constraints.txt", (str(item.requirement) for item in _sorted(plan.all_constraints())))
        _write(work / "overrides.txt", (str(item.requirement) for item in _sorted(plan.overrides)))
        _write(work / "excludes.txt", sorted(plan.all_excludes()))
        (work / "uv.toml").write_text(uv_settings(plan, index, forced), "utf-8")
        flags: list[str | Path] = [
            work / "requirements.in", "--constraints", work / "constraints.txt", "--overrides", work / "overrides.txt",
            "--excludes", work / "excludes.txt", "--config-file", work / "uv.toml", "--no-header", "--quiet",
            "--python", sys.executable, "--python-version", str(plan.target.python),
            "--python-platform", python_platform(plan.target.platform), "--index-strategy", "first-index",
            "--exclude-newer", plan.cutoff_utc,
        ]  # fmt: skip
        for name, cutoff in sorted(plan.moved.items()):
            # The slice is cut off already, and uv would drop its rows for want of an upload time.
            if name not in plan.slice.projects:
                flags += ["--exclude-newer-package", f"{name}={cutoff}"]
        if plan.channel != "stable":
            for name in sorted(plan.slice.projects):
                flags += ["--prerelease-package", f"{name}=allow"]
        if forced:
            flags += ["--only-binary", ":all:", *(word for name in forced for word in ("--no-binary", name))]
        else:
            flags += ["--no-build"]
        return flags

    def _compile(
        self, plan: ResolutionPlan, work: Path, flags: Sequence[str | Path], *, offline: bool = False
    ) -> CompletedProgram:
        env = {
            **credentials(),
            **inherited_environ(KEPT),
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_NO_PROGRESS": "1",
            "UV_CONCURRENT_DOWNLOADS": os.environ.get("UV_CONCURRENT_DOWNLOADS", str(self._requests)),
            "NO_COLOR": "1",
        }
        if plan.target.platform.os == "macos":
            # Without it uv takes macOS 13 and finds no wheel of torch 2.12 or later.
            env["MACOSX_DEPLOYMENT_TARGET"] = ".".join(str(part) for part in plan.target.platform.floor)
        command = [self._executable, "pip", "compile", *flags]
        if offline or self._offline:
            command.append("--offline")
        finished = self._processes.run(command, env=env, timeout_s=self._timeout_s, cwd=work)
        if finished.status:
            raise _failure(plan, finished, work)
        return finished


def credentials() -> dict[str, str]:
    """Return user names and passwords for indexes; UV_INDEX_URL and its like are settings, and stay out."""
    found = inherited_environ((), ("UV_INDEX_",))
    return {name: value for name, value in found.items() if name.endswith(("_USERNAME", "_PASSWORD"))}


def python_platform(platform: Platform) -> str:
    """Return uv's name of a platform: ``x86_64-manylinux_2_28``, ``x86_64-pc-windows-msvc``."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine, platform.machine)
    if platform.os == "linux":
        return f"{machine}-manylinux_{platform.floor[0]}_{platform.floor[1]}"
    return f"{machine}-{_SYSTEMS[platform.os]}"


def check_version(text: str) -> None:
    """Refuse a uv too old to be understood.

    Args:
        text: what ``uv --version`` prints.

    Raises:
        ToolError: TOL023 when it is older than 0.13.8, or says nothing of the kind.
    """
    match = re.match(r"uv (\d+)\.(\d+)\.(\d+)", text)
    if match is None or tuple(int(part) for part in match.groups()) < MINIMUM:
        wanted = ".".join(str(part) for part in MINIMUM)
        raise ToolError(
            "TOL023", f"uv {wanted} or later is needed, found {text.strip()!r}", hint="pip install -U uv"
        )


def find_uv() -> Path:
    """Return the path of the uv installed beside envsmith.

    Raises:
        ToolError: TOL024 when there is none.
    """
    from uv import find_uv_bin

    try:
        return Path(find_uv_bin())
    except FileNotFoundError as error:
        raise ToolError("TOL024", "uv is not installed", hint="pip install uv") from error


def _sorted(asked: Iterable[SourcedRequirement]) -> list[SourcedRequirement]:
    return sorted(asked, key=lambda item: str(item.requirement))


def _write(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")


def _failure(plan: ResolutionPlan, finished: CompletedProgram, work: Path) -> EnvsmithError:
    """Return the error in the words of the plan: no name of a generated file or index is of use to anybody."""
    text = (
        finished.stderr.replace(INDEX_NAME, f"the {plan.slice.index} index")
        .replace(f"{work}{os.sep}", "")
        .strip()
    )
    if lacking := sorted(set(re.findall(r"(\S+) was not found in the cache", text))):
        return ToolError(
            "TOL022",
            f"uv's cache does not hold {', '.join(lacking)}",
            hint="lock once without --offline to fill the cache",
        )
    if "No solution found" in text:
        # Its own hints advise flags of uv and name generated files.
        text = text.split("\nhint:")[0]
        cause = " ".join(line.strip() for line in text.splitlines()[1:] if line.strip())
        return NoSolutionError(
            "RES050",
            "the requirements have no solution",
            details=(
                *_places(plan, cause),
                ("because", cause.removeprefix("cause:").strip() or text),
                *_cutoff(plan, cause),
            ),
            hint=_way_out(cause),
        )
    if OFFLINE.search(text):
        return ToolError(
            "TOL022",
            "PyPI could not be reached, and uv's cache does not hold all that is needed",
            details=(("uv says", text),),
            hint="check the network or proxy; with --offline, lock once online to fill the cache",
        )
    return ToolError(
        "TOL021",
        f"uv failed with status {finished.status}",
        details=(("uv says", text or "nothing"),),
        hint="if the requirements are right, report it with the output of `envsmith -v lock`",
    )


def _cutoff(plan: ResolutionPlan, cause: str) -> list[tuple[str, str]]:
    """Return the cutoff where a project has no version at all: it may have had none yet."""
    is_bare = re.search(r"there are no versions of \S+ and", cause)
    return [("cutoff", f"nothing newer than {plan.cutoff_utc} counts")] if is_bare else []


def _places(plan: ResolutionPlan, cause: str) -> list[tuple[str, str]]:
    """Return where the direct requirements stand that a failure speaks of."""
    clauses = " ".join(re.findall(r"you require (.*?), we", cause))
    named = set(re.findall(r"[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)*", clauses))
    return [
        ("asked at", f"{item.origin}: {item.requirement}")
        for item in plan.all_requirements()
        if item.name in named
    ]


def _way_out(cause: str) -> str:
    """Return what to do about a resolution without solution, from uv's words about it."""
    if match := re.search(
        r"([a-z0-9][a-z0-9._-]*)(?:==\S+)? has no usable wheels|all versions of (\S+) have no", cause
    ):
        name = match[1] or match[2]
        return (
            f"--allow-sdist {name} locks it as source; or ask for a version of it with wheels for this target"
        )
    if match := re.search(r"(\S+) was not found in the package registry", cause):
        return f"look at the name {match[1]}: PyPI has no such project"
    return "loosen or take out the requirement named above; `envsmith catalog show` lists PyTorch's builds"
