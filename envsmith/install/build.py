"""Build one generation of an environment, and prove it before anybody sees it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from envsmith.activate.model import Activation
from envsmith.environment import package_findings, verification
from envsmith.environment.model import CONSTRAINTS, Environment, Generation, Import
from envsmith.errors import InstallError, VerificationError
from envsmith.install.request import ExtraFiles, InstallRequest, InstallTools, LockedInstall
from envsmith.model.finding import Report
from envsmith.shims.environment import with_shims


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult:
    """A generation, and how went what was tried in it."""

    generation: Generation
    imports: tuple[Import, ...]
    runs: tuple[Import, ...]
    """Names are the commands."""


def build(
    order: InstallRequest, locked: LockedInstall, python: Path, tools: InstallTools, *, deep: bool
) -> BuildResult:
    """Build a generation and prove it.

    Raises:
        InstallError: ENV001 where it is not what the lock says; it is kept under another name then. Others where it
            cannot be built; nothing of it is left then.
        ToolError: where files cannot be reached.
    """
    id_ = tools.environments.free_name(f"{order.profile}-{locked.sha256[:6]}")
    begun = time.monotonic()
    how = "failed"
    try:
        built = _built(order, locked, python, id_, tools, deep=deep)
        how = "built and proved"
    except BaseException:
        tools.environments.discard(id_)
        raise
    finally:
        tools.progress.ended(id_, time.monotonic() - begun, how)
    return built


def _built(
    order: InstallRequest, locked: LockedInstall, python: Path, id_: str, tools: InstallTools, *, deep: bool
) -> BuildResult:
    environments, prefix = tools.environments, tools.environments.prefix(id_)
    tools.progress.started(id_, f"installing {len(locked.pins.packages)} packages")
    tools.installer.make(prefix, python, order.profile)
    tools.installer.fill(prefix, locked.supply)
    if order.shims and tools.lay:
        tools.lay(prefix, order.shims)
    tools.progress.started(id_, "comparing every file" if deep else "looking for every file")
    environment = tools.probe.environment(prefix, deep=deep)
    imports = tuple(_imported(order, locked, prefix, tools))
    pins = with_shims(locked.pins, order.shims)
    report = verification.verify(pins, locked.backend, environment, imports)
    ran: tuple[Import, ...] = ()
    if not report.has_errors:  # what is not as locked is not run
        ran = tuple(_ran(order, prefix, tools))
        report = Report(findings=(*report.findings, *package_findings.failed_runs(ran)))
    if report.has_errors:
        failed = sum(bool(item.error) for item in (*imports, *ran))
        raise _not_proved(report, failed, environments.set_failed(id_))
    generation = _record(order, locked, environment, id_, tools)
    _furnish(generation, locked, tools)
    environments.keep(generation)
    return BuildResult(generation=generation, imports=imports, runs=ran)


def _imported(
    order: InstallRequest, locked: LockedInstall, prefix: Path, tools: InstallTools
) -> Iterator[Import]:
    """Import torch where the lock has it, and what the profile names."""
    for check in order.checks.imports(locked.pins):
        tools.progress.started(prefix.name, f"importing {check.text}")
        yield tools.probe.imports(prefix, check.text, order.checks.env, check.timeout_s)


def _ran(order: InstallRequest, prefix: Path, tools: InstallTools) -> Iterator[Import]:
    """Run the commands that the profile names."""
    for check in order.checks.runs():
        tools.progress.started(prefix.name, f"running {check.text}")
        yield tools.probe.runs(prefix, check.text, order.checks.env, check.timeout_s)


def _record(
    order: InstallRequest, locked: LockedInstall, environment: Environment, id_: str, tools: InstallTools
) -> Generation:
    return Generation(
        id=id_,
        profile=order.profile,
        target=locked.slug,
        lock_sha256=locked.sha256,
        torch=locked.pins.version("torch"),
        python=environment.interpreter.version,
        base=environment.interpreter.base,
        folders=tuple(sorted(item.folder for item in environment.distributions)),
        site=environment.site,
        files=environment.files,
        built_utc=tools.now_utc(),
        family=dict(locked.family),
        guard=order.guard,
        tried=order.checks.words,
        compiled=order.compiled,
        place=str(tools.environments.prefix(id_)),
    )


def _furnish(generation: Generation, locked: LockedInstall, tools: InstallTools) -> None:
    """Write what belongs into an environment beside its packages."""
    if generation.guard:
        lines = [f"{canonicalize_name(name)}=={version}\n" for name, version in sorted(locked.family.items())]
        tools.environments.write(generation.id, CONSTRAINTS, "".join(lines))
    prefix = tools.environments.prefix(generation.id)
    furnishing = ExtraFiles(
        prefix=prefix,
        generation=generation,
        pins=locked.pins,
        backend=locked.backend,
        activation=Activation.of(locked.profile, backend=locked.backend, env=locked.env),
    )
    for furnish in tools.furnish:
        furnish(furnishing)


def _not_proved(report: Report, failed: int, kept: Path) -> VerificationError:
    """Return the error; failed: how many of the findings are imports and commands that fail."""
    parts = tuple(
        InstallError(finding.code, finding.message)
        for finding in report.findings
        if finding.severity == "error"
    )
    is_as_locked = len(report.errors) == failed
    what = "what is tried in it fails" if is_as_locked else "it is not what its lock says"
    ill = sorted({finding.subject for finding in report.findings if finding.code in verification.DAMAGED})
    damage = f"; `uv cache clean {' '.join(ill)}` if files were damaged in uv's cache" if ill else ""
    return VerificationError(
        "ENV001",
        f"the new environment is not proved: {what}; what was current still is",
        where=str(kept),
        details=tuple((part.code, part.message) for part in parts if len(parts) == 1),
        parts=parts,
        hint=f"it is kept under the name above for looking into{damage}",
    )
