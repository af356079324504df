"""Build of a generation: create, install, verify, run smoke tests, record."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from envsmith.activate.model import MARK, Activation
from envsmith.activate.scripts import environment_files
from envsmith.environment import given, kept_digests, lock_comparison, package_findings
from envsmith.environment.distributions import Wheels
from envsmith.environment.generation import CONSTRAINTS, Generation
from envsmith.environment.interpreter import EnvironmentProbe
from envsmith.environment.model import Environment, Import
from envsmith.environment.prefix import interpreter_path
from envsmith.errors import InstallError, VerificationError
from envsmith.files.atomic import write_atomic
from envsmith.files.os_errors import environment_errors
from envsmith.install.ports import InstallTools
from envsmith.install.request import InstallRequest, LockedInstall
from envsmith.install.smoke_tests import run_commands, run_imports
from envsmith.model.finding import Finding, Report
from envsmith.shims.environment import install_shims, with_shims
from envsmith.templates import read_template


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult:
    """A generation, and the results of its smoke tests."""

    generation: Generation
    imports: tuple[Import, ...]
    runs: tuple[Import, ...]
    """Named by their commands."""


def build(
    request: InstallRequest,
    locked: LockedInstall,
    python: Path,
    tools: InstallTools,
    wheels: Wheels,
    *,
    deep: bool,
) -> BuildResult:
    """Build and verify a generation.

    Args:
        request: the profile, and how to install it.
        locked: its lock.
        python: the interpreter.
        tools: the tools of the install.
        wheels: lists of files in the locked wheels.
        deep: compare hashes and checksums, not only sizes.

    Raises:
        VerificationError: ENV001 when it does not match its lock or a smoke test fails; it is kept.
        InstallError: when it cannot be built; it is removed.
        ToolError: when files cannot be downloaded; it is removed.
    """
    id_ = tools.store.free_id(locked.sha256)
    begun = time.monotonic()
    outcome = "failed"
    try:
        tools.progress.started(request.profile, f"installing {len(locked.pins.packages)} packages")
        replaced = _fill(request, locked, python, id_, tools)
        tools.progress.started(request.profile, "comparing hashes" if deep else "comparing files")
        environment = tools.probe.environment(tools.store.prefix(id_), deep=deep, wheels=wheels)
        built = _verify(request, locked, id_, tools, environment, replaced)
        outcome = "built and verified"
    except VerificationError:  # it is kept
        raise
    except BaseException:
        tools.store.discard(id_)
        raise
    finally:
        tools.progress.ended(request.profile, time.monotonic() - begun, outcome)
    return built


def _fill(
    request: InstallRequest, locked: LockedInstall, python: Path, id_: str, tools: InstallTools
) -> tuple[str, ...]:
    """Create an environment and install the packages; keep its digests before any of its code runs.

    Returns:
        The files of the new environment that a package replaced, relative to the prefix.
    """
    wheels = _built_wheels(locked, python, tools)
    prefix = tools.store.create(id_)
    tools.installer.make(prefix, python, request.profile, has_base_packages=bool(locked.given))
    made = kept_digests.take(prefix)
    tools.installer.fill(prefix, locked.source)
    if wheels:
        tools.installer.add_wheels(prefix, wheels)
    if request.shims:
        install_shims(prefix, request.shims, tools.processes)
    digests = kept_digests.take(prefix)
    tools.store.keep_digests(id_, digests)
    return tuple(path for path, digest in made.items() if digests.get(path) != digest)


def check_programs(locked: LockedInstall, tools: InstallTools) -> None:
    """Check that the programs are there that the builds of a lock need, before anything is downloaded.

    Raises:
        InstallError: ENV045 when one is missing, ENV046 when nvcc is of another generation than torch.
    """
    backend = locked.entry.backend
    major = backend.version[0] if backend.family == "cuda" else None
    tools.builder.check(locked.entry.builds, locked.slug, major, locked.source.wheelhouse)


def _built_wheels(locked: LockedInstall, python: Path, tools: InstallTools) -> dict[str, Path]:
    """Return requirement on the version → wheel, of the packages with locked builds."""
    found: dict[str, Path] = {}
    for pin in locked.pins.packages:
        if build := locked.entry.builds.get(pin.name):
            tools.progress.started(locked.profile, f"building {pin.name} {pin.version}")
            found[f"{pin.name}=={pin.version}"] = tools.builder.build(
                pin, build, locked.slug, python, locked.source
            )
    return found


def _verify(
    request: InstallRequest,
    locked: LockedInstall,
    id_: str,
    tools: InstallTools,
    environment: Environment,
    replaced: tuple[str, ...],
) -> BuildResult:
    """Verify a new environment, run its smoke tests, and record it."""
    prefix = tools.store.prefix(id_)
    imports = tuple(run_imports(request.smoke_tests, locked.imported, prefix, tools.probe, tools.progress))
    pins = with_shims(locked.pins, request.shims)
    expected = given.as_expected(environment, locked.given)
    report = lock_comparison.verify(pins, locked.entry.backend, expected, imports)
    known = {path for item in environment.distributions for path in item.replaced}
    unknown = (lock_comparison.replaced(path, "a package") for path in replaced if path not in known)
    brought = given_problems(locked, environment, tools.probe)
    report = Report(findings=(*report.findings, *unknown, *brought))
    runs: tuple[Import, ...] = ()
    if not report.has_errors:  # commands run only in an environment that matches its lock
        runs = tuple(run_commands(request.smoke_tests, prefix, tools.probe, tools.progress))
        report = Report(findings=(*report.findings, *package_findings.failed_runs(runs)))
    if report.has_errors:
        failed = sum(bool(item.error) for item in (*imports, *runs))
        raise _verification_error(report, failed, tools.store.set_failed(id_))
    generation = _generation(request, locked, environment, id_, tools)
    if generation.guard:
        tools.store.write(id_, CONSTRAINTS, _constraints(generation))
    backend, env = locked.entry.backend, locked.entry.env
    write_activation_scripts(prefix, Activation.of(locked.profile, backend, env=env))
    tools.store.record(generation)
    return BuildResult(generation=generation, imports=imports, runs=runs)


def given_problems(locked: LockedInstall, environment: Environment, probe: EnvironmentProbe) -> list[Finding]:
    """Find given packages that an environment does not import as recorded."""
    if not locked.given:
        return []
    base = probe.environment(Path(environment.interpreter.base), deep=False)
    return list(given.problems(locked.given, base, environment))


def _generation(
    request: InstallRequest, locked: LockedInstall, environment: Environment, id_: str, tools: InstallTools
) -> Generation:
    return Generation(
        id=id_,
        profile=request.profile,
        target=locked.slug,
        lock_sha256=locked.sha256,
        torch=locked.imported.version("torch"),
        python=environment.interpreter.version,
        base=environment.interpreter.base,
        folders=tuple(sorted(item.folder for item in environment.distributions)),
        site=environment.site,
        files=environment.files,
        built_utc=tools.now_utc(),
        family={name: pin.version for name, pin in locked.entry.family.items()}
        | {item.name: item.version for item in locked.given},
        guard=request.guard,
        tried=request.smoke_tests.labels,
        compiled=request.compile_bytecode,
        place=str(tools.store.prefix(id_)),
    )


def _constraints(generation: Generation) -> str:
    pins = sorted(generation.family.items())
    return "".join(f"{canonicalize_name(name)}=={version}\n" for name, version in pins)


def write_activation_scripts(prefix: Path, activation: Activation) -> None:
    """Write the activation scripts over those of uv, and the mark with the profile's name.

    The scripts of another profile refuse to activate an environment with a mark that is not theirs.

    Raises:
        InstallError: ENV021 when the disk is full, ENV024 for any other OS error.
    """
    folder = interpreter_path(prefix).parent
    for name, content in environment_files(activation, read_template).items():
        with environment_errors(folder / name):
            # By a new file: the present one may be a hard link to uv's cache.
            write_atomic(folder / name, content)
    mark = prefix / MARK
    with environment_errors(mark):
        mark.mkdir(exist_ok=True)
        (mark / activation.profile).touch()


def _verification_error(report: Report, failed_tests: int, kept: Path) -> VerificationError:
    """Return the error for a report.

    Args:
        report: with errors.
        failed_tests: number of failed smoke tests among them.
        kept: the folder of the generation.
    """
    parts = tuple(
        InstallError(finding.code, finding.message)
        for finding in report.findings
        if finding.severity == "error"
    )
    matches_lock = len(report.errors) == failed_tests
    problem = "fails its smoke tests" if matches_lock else "does not match its lock"
    damaged = sorted({item.subject for item in report.findings if item.code in lock_comparison.DAMAGED})
    clean = f"; if files in uv's cache are damaged: `uv cache clean {' '.join(damaged)}`" if damaged else ""
    return VerificationError(
        "ENV001",
        f"the new environment {problem}; the current environment is unchanged",
        where=str(kept),
        details=tuple((part.code, part.message) for part in parts if len(parts) == 1),
        parts=parts,
        hint=f"inspect the failed environment in the folder above{clean}",
    )
