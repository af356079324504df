"""Resolver on top of ``uv pip compile``.

Source for uv's behaviour: uv 0.13.8, seen 2026-11-21.
"""

from __future__ import annotations

import re
import sys
import tempfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from json import dumps
from pathlib import Path

from packaging.pylock import Package
from packaging.requirements import Requirement

from envsmith.config.package_source import without_url
from envsmith.config.requirement import SourcedRequirement
from envsmith.errors import EnvsmithError, NoSolutionError, ToolError
from envsmith.lockfile.provided import by_name
from envsmith.model.target import Platform
from envsmith.plan.model import Resolution, ResolutionPlan, parse_packages
from envsmith.process.runner import CompletedProgram, Processes
from envsmith.uv import universal
from envsmith.uv.command import (
    NETWORK_ERROR,
    check_version,
    mirror_environ,
    uv_environ,
)
from envsmith.uv.failed_resolution import explained
from envsmith.uv.index_writer import uv_settings, with_provided, write_slice
from envsmith.uv.joint import JointPlan

_CONNECTIONS = 8
"""Shared by the runs. Some name servers drop answers in a burst of new connections, 5 s each (seen 2026-11-21)."""
_JOINT_ROUNDS = 4
"""Most runs for a joint plan. A further one leaves out versions without a wheel for some target, or looks for one
version where targets have several."""
_FREE_THREADED_ROUNDS = 16
"""Most runs for a free-threaded Python, each without the versions of the run before that have no wheel for it."""
# "… there is no version of six==9.9 …", "six was not found in the package registry", "six==1.0 has no usable wheels".
_NOT_SERVED = re.compile(
    r"there is no version of ([a-z0-9-]+)=="
    r"|([a-z0-9-]+)(?:==\S+)? (?:was not found in the package registry|has no usable wheels)"
)
FLOORS: Mapping[str, Sequence[tuple[int, int]]] = {
    "linux": [(2, minor) for minor in (17, 28, *range(31, 41))],
    "macos": [(major, 0) for major in (*range(11, 16), 26)],
}
"""Versions of glibc that uv 0.13.8 has names for (seen 2026-12-01), and those of macOS."""
_SYSTEMS = {"macos": "apple-darwin", "windows": "pc-windows-msvc"}


@dataclass(frozen=True, kw_only=True)
class _JointAnswer:
    """Result of several runs of ``uv lock``."""

    found: tuple[Resolution, ...] | None
    """A resolution per plan; None when they have no common one."""
    refusal: EnvsmithError | None
    """Why the last run failed."""
    constraints: tuple[str, ...]
    """Those added against versions without a wheel: ``six!=1.0``."""


class UvResolver:
    """Resolves plans with ``uv pip compile``, without the user's uv settings.

    Args:
        processes: starts uv.
        executable: path of uv.
        slices: folder for generated indexes.
        offline: use only uv's cache.
        runs: most runs of uv at the same time.
        timeout_s: for one resolution.
    """

    def __init__(
        self,
        processes: Processes,
        *,
        executable: Path,
        slices: Path,
        offline: bool = False,
        runs: int = 2,
        timeout_s: float = 600.0,
    ) -> None:
        self._processes = processes
        self._executable = executable
        self._slices = slices
        self._offline = offline
        self._runs = runs
        self._running = 0
        self._timeout_s = timeout_s
        self._slots = threading.BoundedSemaphore(runs)
        self._guard = threading.Lock()
        self._default_index: str | None = None
        self._is_checked = False

    def resolve(self, plan: ResolutionPlan) -> Resolution:
        """Resolve one plan.

        Raises:
            NoSolutionError: RES050 when the requirements have no solution.
            ToolError: TOL021 when uv fails otherwise, TOL022 when it cannot reach PyPI, TOL029 when the slice was
                deleted meanwhile.
        """
        return self._resolved(plan)

    def find_files(self, plan: ResolutionPlan, versions: Mapping[str, str]) -> Resolution:
        """Return exact versions with all their files, as they are served today, without what they require.

        Args:
            plan: of the target.
            versions: project → version, or the URL of its wheel; one that is not served any more is left out.

        Raises:
            ToolError: as `resolve`.
        """
        left = dict(versions)
        while True:
            pins = (
                Requirement(f"{name} @ {version}" if "://" in version else f"{name}=={version}")
                for name, version in left.items()
            )
            exact = replace(
                plan,
                requirements=tuple(SourcedRequirement(requirement=pin, origin="") for pin in pins),
                constraints=(),
                overrides=(),
                excludes=(),
                amendments=(),
                preferences={},
                has_cutoff=False,
            )
            try:
                return self._resolved(exact, "--no-deps")
            except NoSolutionError as error:
                gone = {match[1] or match[2] for match in _NOT_SERVED.finditer(str(dict(error.details)))}
                if not gone & left.keys():
                    raise
                left = {name: version for name, version in left.items() if name not in gone}

    def _resolved(self, plan: ResolutionPlan, *more: str) -> Resolution:
        self._check_version()
        if plan.target.python.is_free_threaded:
            return self._free_threaded(plan, is_exact=bool(more))
        index = write_slice(with_provided(plan.slice, plan.provided), self._slices)
        try:
            return self._resolve(plan, index, more).with_provided(plan.provided)
        except NoSolutionError as error:
            if index.is_dir():
                raise
            # Without the slice's pages uv takes torch from PyPI: its explanation is of no use then.
            raise ToolError(
                "TOL029",
                "the generated index was deleted while uv read it",
                hint="lock again, and do not clear the cache meanwhile",
            ) from error

    def _resolve(self, plan: ResolutionPlan, index: Path, more: Sequence[str]) -> Resolution:
        with tempfile.TemporaryDirectory(prefix="envsmith-") as scratch:
            work = Path(scratch)
            pylock, annotated = work / "pylock.toml", work / "annotated.txt"
            # uv keeps the versions that it finds in its output file.
            if plan.preferences:
                pylock.write_text(preferred_pylock(plan.preferences), "utf-8")
            output = ("--quiet", "--format", "pylock.toml", "--output-file", pylock)
            flags = self._compile_with_sources(plan, index, work, (*more, *output))
            packages = parse_packages(_read_output(pylock))
            # A second run, from the cache just filled, for the requirers, which a pylock lacks. Without --quiet it
            # warns about yanked versions.
            _write(annotated, map(_pin, packages))
            notes = ("--annotation-style", "split", "--emit-index-annotation", "--output-file", annotated)
            # uv does not find every file of a URL in its cache again.
            is_cached = not any(package.archive for package in packages)
            ran = self._compile(plan, work, [*flags, *more, *notes], offline=is_cached)
            return Resolution.of(packages, _read_output(annotated), ran.stderr)

    def resolve_together(self, plans: Sequence[ResolutionPlan]) -> tuple[Resolution, ...] | None:
        """Resolve the plans of one group with one run of uv.

        Returns:
            A resolution per plan, or None when they have no common one, or require a file by its URL: with one run uv
            would take it for all targets, and does not say whether it fits.

        Raises:
            ToolError: TOL022 when uv cannot reach PyPI.
        """
        if any(without_url(item.requirement).url for plan in plans for item in plan.all_requirements()):
            return None
        self._check_version()
        return self._locked(JointPlan.of(plans), _JOINT_ROUNDS).found

    def _locked(self, joint: JointPlan, rounds: int, undescribed: Iterable[str] = ()) -> _JointAnswer:
        """Run ``uv lock`` until each target has a wheel of each package, at most `rounds` times."""
        plans = joint.plans
        index = write_slice(with_provided(joint.slice, plans[0].provided), self._slices)
        constraints: list[str] = []
        found: tuple[Resolution, ...] | None = None
        refusal: EnvsmithError | None = None
        with tempfile.TemporaryDirectory(prefix="envsmith-") as scratch:
            work = Path(scratch)
            settings = self._settings(replace(plans[0], slice=joint.slice), index, work, undescribed)
            (work / "uv.toml").write_text(settings, "utf-8")
            # uv keeps the versions of the lock that it finds: here those of the plans, then those of the last run.
            (work / "uv.lock").write_text(universal.preferred_lock(joint), "utf-8")
            for _ in range(rounds):
                (work / "pyproject.toml").write_text(universal.project_text(joint, constraints), "utf-8")
                finished = self._run_lock(joint, work)
                refusal = explained(plans[0], finished, work) if finished.status else None
                if refusal and NETWORK_ERROR.search(finished.stderr):
                    raise refusal
                if refusal:
                    break
                try:
                    answers = universal.parse_lock(_read_output(work / "uv.lock"), finished.stderr, plans)
                except ToolError as error:  # a wheel without a URL, for one: not for a joint answer
                    refusal = error
                    break
                more = universal.unusable(answers)
                if not more:
                    found = tuple(answer.resolution.with_provided(plans[0].provided) for answer in answers)
                    more = universal.lowest(plans, found)
                if not set(more) - set(constraints):
                    break
                constraints += more
        return _JointAnswer(found=found, refusal=refusal, constraints=tuple(constraints))

    def _free_threaded(self, plan: ResolutionPlan, *, is_exact: bool) -> Resolution:
        """Resolve for a free-threaded Python, which ``uv pip compile`` knows from an interpreter only.

        ``uv lock`` lists the wheels of all builds of Python. Versions without one for this build are left out in
        further runs.

        Args:
            plan: for a free-threaded Python.
            is_exact: whether what the requirements require is left out.

        Raises:
            NoSolutionError: RES050 when the requirements have no solution with wheels.
            ToolError: as `resolve`.
        """
        kept = (
            replace(item, requirement=Requirement(_with_kept_file(item.requirement, plan)))
            for item in plan.requirements
        )
        plan = replace(plan, requirements=tuple(kept))
        names = [item.name for item in plan.requirements] if is_exact else []
        if is_exact:
            plan = replace(plan, slice=replace(plan.slice, metadata=()))
        answer = self._locked(JointPlan.of([plan]), _FREE_THREADED_ROUNDS, names)
        if answer.found:
            return answer.found[0]
        error = answer.refusal or NoSolutionError("RES050", "the requirements have no solution with wheels")
        if isinstance(error, NoSolutionError):
            said = dict(error.details).get("because", "")
            left_out = dict.fromkeys(text.partition("!=")[0] for text in answer.constraints)
            # Those that uv does not mention have older versions with a wheel.
            error.without_wheel = tuple(
                name for name in left_out if f"{name}!=" in said or f"{name}<" in said
            ) or (*left_out,)
        raise error

    def _run_lock(self, joint: JointPlan, work: Path) -> CompletedProgram:
        env = self._environ(joint.plans[0])
        command: list[str | Path] = [
            self._executable, "lock", "--project", work, "--no-build", *_settings_flags(joint.plans[0], work),
            "--fork-strategy", "fewest", *(["--offline"] if self._offline else []),
        ]  # fmt: skip
        return self._started(command, env, work)

    def _environ(self, plan: ResolutionPlan) -> dict[str, str]:
        return {**uv_environ(), **mirror_environ(plan.indexes)}

    def _started(self, command: Sequence[str | Path], env: Mapping[str, str], work: Path) -> CompletedProgram:
        """Run uv when its turn comes; a run that begins alone may have all connections."""
        with self._slots:
            with self._guard:
                share = 1 if self._running == 0 else self._runs
                self._running += 1
            own = {"UV_CONCURRENT_DOWNLOADS": str(max(1, _CONNECTIONS // share))}
            try:
                return self._processes.run(command, env={**own, **env}, timeout_s=self._timeout_s, cwd=work)
            finally:
                with self._guard:
                    self._running -= 1

    def _settings(
        self, plan: ResolutionPlan, index: Path, work: Path, undescribed: Iterable[str] = ()
    ) -> str:
        """Return the text of the uv.toml, with uv's own default index unless another takes its place."""
        env = self._environ(plan)
        if self._offline or "UV_DEFAULT_INDEX" in env or any(other.is_default for other in plan.indexes):
            return uv_settings(plan, index, undescribed)
        with self._guard:
            if self._default_index is None:
                _write(work / "nothing.in", ())
                command: list[str | Path] = [
                    self._executable, "pip", "compile", "--quiet", "--no-config", "--no-header", "--offline",
                    "--python", sys.executable, "--emit-index-url", work / "nothing.in",
                ]  # fmt: skip
                said = self._processes.run(command, env=env, timeout_s=self._timeout_s, cwd=work).stdout
                self._default_index = said.strip().removeprefix("--index-url ")
        return uv_settings(plan, index, undescribed, default_index=self._default_index)

    def _check_version(self) -> None:
        """Check the version of uv, once."""
        with self._guard:
            if not self._is_checked:
                finished = self._processes.run(
                    [self._executable, "--version"],
                    env=uv_environ(),
                    timeout_s=self._timeout_s,
                )
                check_version(finished.stdout)
                self._is_checked = True

    def _compile_with_sources(
        self, plan: ResolutionPlan, index: Path, work: Path, more: Sequence[str | Path]
    ) -> list[str | Path]:
        """Run uv until it succeeds, each time with the sources that it lacked and may take, and return the flags.

        Where a direct requirement has no wheel, uv tries many versions of the others; a run without what they require
        tells it at once.
        """
        # Those whose metadata was read before had no wheel either.
        read = (str(item.name) for item in plan.sdist_metadata() if plan.may_be_source(item.name))
        forced = list(dict.fromkeys((*plan.known_sources, *read)))
        quick: tuple[str, ...] = ("--no-deps",) if plan.allow_sdist and "--no-deps" not in more else ()
        while True:
            flags = self._write_inputs(plan, index, work, forced)
            try:
                self._compile(plan, work, [*flags, *quick, *more])
            except NoSolutionError as error:
                lacking = [name for name in error.without_wheel if name not in forced]
                allowed = [name for name in lacking if plan.may_be_source(name)]
                if not allowed and not quick:
                    error.without_wheel = (*forced, *lacking)
                    raise
                forced += allowed
                quick = quick if allowed else ()
            else:
                if not quick:
                    return flags
                quick = ()

    def _write_inputs(
        self, plan: ResolutionPlan, index: Path, work: Path, forced: Sequence[str]
    ) -> list[str | Path]:
        requirements = (_with_kept_file(item.requirement, plan) for item in _sorted(plan.all_requirements()))
        _write(work / "requirements.in", requirements)
        _write(work / "constraints.txt", (str(item.requirement) for item in _sorted(plan.all_constraints())))
        _write(work / "overrides.txt", plan.all_overrides())
        _write(work / "excludes.txt", sorted(plan.all_excludes()))
        (work / "uv.toml").write_text(self._settings(plan, index, work, forced), "utf-8")
        flags: list[str | Path] = [
            work / "requirements.in", "--constraints", work / "constraints.txt", "--overrides", work / "overrides.txt",
            "--excludes", work / "excludes.txt", "--no-header", *_settings_flags(plan, work),
            "--python-version", plan.target.python.version,
            "--python-platform", python_platform(plan.target.platform),
        ]  # fmt: skip
        if forced:
            flags += ["--only-binary", ":all:", *(word for name in forced for word in ("--no-binary", name))]
        else:
            flags += ["--no-build"]
        return flags

    def _compile(
        self, plan: ResolutionPlan, work: Path, flags: Sequence[str | Path], *, offline: bool = False
    ) -> CompletedProgram:
        env = self._environ(plan)
        if plan.target.platform.os == "macos":
            # The default of uv is macOS 13, for which torch 2.12 and later have no wheels.
            env["MACOSX_DEPLOYMENT_TARGET"] = ".".join(str(part) for part in plan.target.platform.floor)
        command = [self._executable, "pip", "compile", *flags]
        if offline or self._offline:
            command.append("--offline")
        finished = self._started(command, env, work)
        if finished.status:
            raise explained(plan, finished, work)
        return finished


def _settings_flags(plan: ResolutionPlan, work: Path) -> list[str | Path]:
    """Return the flags that ``uv pip compile`` and ``uv lock`` share."""
    flags: list[str | Path] = [
        "--config-file", work / "uv.toml", "--python", sys.executable, "--index-strategy", "first-index",
    ]  # fmt: skip
    if plan.has_cutoff:
        flags += ["--exclude-newer", plan.cutoff_utc]
    for name, cutoff in sorted(plan.moved.items()) if plan.has_cutoff else ():
        # The slice's wheels are selected by time already, and uv would drop those without an upload time.
        if name not in plan.slice.projects.keys() | by_name(plan.provided):
            flags += ["--exclude-newer-package", f"{name}={cutoff}"]
    if plan.channel != "stable":
        for name in sorted(plan.slice.projects):
            flags += ["--prerelease-package", f"{name}=allow"]
    return flags


def preferred_pylock(versions: Mapping[str, str]) -> str:
    """Return a pylock by which uv prefers these versions: project → version."""
    tables = (
        f"[[packages]]\nname = {dumps(name)}\nversion = {dumps(version)}\n"
        for name, version in sorted(versions.items())
    )
    return "\n".join(('lock-version = "1.0"\ncreated-by = "envsmith"\n', *tables))


def python_platform(platform: Platform) -> str:
    """Return uv's name for a platform: ``x86_64-manylinux_2_28``, ``x86_64-pc-windows-msvc``.

    A glibc that uv does not know is that of the next lower name.
    """
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine, platform.machine)
    if platform.os == "linux":
        known = [floor for floor in FLOORS["linux"] if floor <= platform.floor]
        return f"{machine}-manylinux_2_{max(known, default=platform.floor)[1]}"
    return f"{machine}-{_SYSTEMS[platform.os]}"


def _with_kept_file(requirement: Requirement, plan: ResolutionPlan) -> str:
    text, url = str(without_url(requirement)), requirement.url or ""
    return text.replace(url, plan.kept_files[url], 1) if url in plan.kept_files else text


def _pin(package: Package) -> str:
    archive = package.archive
    return f"{package.name} @ {archive.url}" if archive else f"{package.name}=={package.version}"


def _sorted(items: Iterable[SourcedRequirement]) -> list[SourcedRequirement]:
    return sorted(items, key=lambda item: str(item.requirement))


def _read_output(path: Path) -> str:
    """Return the file that uv wrote; not even a success means that it has written one."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ToolError(
            "TOL020", "uv succeeded, but wrote no output", hint="envsmith needs uv 0.13, 0.13.8 or later"
        ) from error


def _write(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
