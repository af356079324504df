"""Findings on disk space, network, known failures, Microsoft's C++ library, PATH and library paths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from envsmith.activate.model import DUPLICATE, RELATIVE, RemovedVariable
from envsmith.catalog import BadRelease, Catalog
from envsmith.environment.long_paths import ENABLE, MOST_CHARACTERS, SITE
from envsmith.environment.model import Distribution, Environment
from envsmith.model.finding import Finding, Severity

if TYPE_CHECKING:  # values of probes, which the rules do not run
    from envsmith.host.system_probes import Connectivity, DiskSpace, VisualCpp

LOW_SPACE_BYTES = 10 * 1000**3
"""A CUDA build of torch and its requirements need about 3 GB as wheels and 6 GB installed."""
VERY_LOW_SPACE_BYTES = 1000**3
CLOCK_TOLERANCE_S = 300.0
_SPARE = 20
"""Characters that an environment should have left for updates."""
_INSTALL_VISUAL_CPP = "winget install --id Microsoft.VCRedist.2015+.{}"
_SCOPES = {"machine": "the machine's Path", "user": "the user's Path", "process": "this session's PATH"}
# Folders of packages in an environment, from which Windows would load libraries.
_PACKAGE_FOLDERS = ("/site-packages/", "/dist-packages/")


def disk(room: DiskSpace) -> Iterator[Finding]:
    """Find low disk space for uv's cache."""
    if room.free_bytes >= LOW_SPACE_BYTES:
        return
    free = f"{room.free_bytes / 1000**3:.1f} GB"
    text = f"{free} free for uv's cache ({room.folder}); a CUDA build of torch needs about 9 GB"
    severity: Severity = "error" if room.free_bytes < VERY_LOW_SPACE_BYTES else "warning"
    hint = "run `uv cache prune`, or set UV_CACHE_DIR to a larger disk"
    yield Finding(code="HST030", severity=severity, subject=room.folder, message=text, hint=hint)


def network(reach: Connectivity, known: str) -> Iterator[Finding]:
    """Find problems with the connection to PyTorch's index.

    Args:
        reach: connectivity of the index.
        known: a past date, ``2026-11-20``.
    """
    for name, value in reach.proxies:
        if "://" not in value:
            text = f"{name} is {value!r}, without the proxy's scheme"
            yield _network_finding("HST040", "warning", text, f"{name}=http://{value}")
    if reach.error:
        via = (
            f" through the proxy of {reach.proxies[0][0]}"
            if reach.proxies and not reach.bypasses_proxy
            else ""
        )
        text = f"cannot connect to {reach.url}{via}: {reach.error}"
        hint = "check connection, proxy and certificates; `envsmith lock --catalog embedded` works without it"
        yield _network_finding("HST041", "warning", text, hint)
    yield from _clock(reach, known)


def _clock(reach: Connectivity, known: str) -> Iterator[Finding]:
    """Find a clock that differs from a server's, or is before a past date."""
    if reach.clock_ahead_s is not None and abs(reach.clock_ahead_s) > CLOCK_TOLERANCE_S:
        direction = "fast" if reach.clock_ahead_s > 0 else "slow"
        then = "certificates are rejected" if reach.has_date_error else "certificates may be rejected"
        text = f"this machine's clock is {abs(reach.clock_ahead_s) / 60:.0f} minutes {direction}: {then}"
    elif reach.date and reach.date < known:
        then = "certificates may be rejected"
        text = f"this machine's clock is set to {reach.date}, before {known}: {then}"
    else:
        return
    severity: Severity = "error" if reach.has_date_error else "warning"
    yield _network_finding(
        "HST042", severity, text, "set the clock: `timedatectl set-ntp true`; on Windows `w32tm /resync`"
    )


def _network_finding(code: str, severity: Severity, message: str, hint: str) -> Finding:
    return Finding(code=code, severity=severity, subject="network", message=message, hint=hint)


def known_bad(
    environment: Environment, os: str, catalog: Catalog, visual_cpp: tuple[int, ...] | None = None
) -> Iterator[Finding]:
    """Find releases with known failures on this system.

    Args:
        environment: the environment.
        os: the system.
        catalog: the known failures.
        visual_cpp: version of Microsoft's C++ library on Windows; if known, `runtime` checks failures that depend on
            it.
    """
    for item in environment.distributions:
        try:
            version = Version(item.version)
        except InvalidVersion:
            continue
        for row in catalog.bad_releases():
            is_checked_elsewhere = row.longest_path or (row.visual_cpp and visual_cpp)
            if row.describes(item.name, version, os) and not is_checked_elsewhere:
                text = f"{item.name} {item.version}: {row.problem} ({row.source})"
                yield Finding(
                    code="ENV074", severity="warning", subject=item.name, message=text, hint=row.fix
                )


def runtime(
    found: VisualCpp, environment: Environment | None, machine: str, catalog: Catalog
) -> Iterator[Finding]:
    """Find a missing C++ library, or one older than an installed release needs.

    Args:
        found: the library and copies of it.
        environment: the environment; None without one.
        machine: the machine in wheel tags: ``arm64``.
        catalog: the versions that releases need.
    """
    hint = _INSTALL_VISUAL_CPP.format("arm64" if machine == "arm64" else "x64")
    if found.version is None and found.system is None:
        text = "Microsoft's C++ library (msvcp140.dll) is not installed; torch's libraries need it"
        yield _finding("HST016", "visual-cpp", text, hint)
        return
    for item, row in _needs(environment, catalog):
        if found.version and found.version < row.visual_cpp:
            text = (
                f"Microsoft's C++ library is {_dotted(found.version)}, but {item.name} {item.version} needs"
            )
            more = f"{_dotted(row.visual_cpp)} or later: {row.problem} ({row.source})"
            yield _finding("HST017", "visual-cpp", f"{text} {more}", hint)
        for copy in found.copies:
            if copy.version and copy.version < row.visual_cpp:
                text = f"{copy.path} is {_dotted(copy.version)}; if it is loaded first, {item.name} {item.version}"
                more = f"fails: it needs {_dotted(row.visual_cpp)} ({row.source})"
                copy_hint = f"update the package that contains it, or import {item.name} first"
                yield _finding("HST018", copy.path, f"{text} {more}", copy_hint, severity="warning")


def long_paths(longest: str, project: str, catalog: Catalog) -> Iterator[Finding]:
    """Find paths that are too long for Windows while long paths are not enabled, or nearly are.

    Args:
        longest: of the files of the environment; empty without one.
        project: the project's folder.
        catalog: the releases with long paths, which an environment may get.
    """
    root = f"{project}\\.envsmith\\g\\000000\\{SITE}"
    known = [row for row in catalog.bad_releases() if row.longest_path]
    length, text = len(longest), f"the longest path of the environment has {len(longest)} characters"
    if not longest and known:
        row = max(known, key=lambda row: len(row.longest_path))
        length = len(f"{root}{row.longest_path}")
        text = f"paths of {row.project}{row.versions} would have about {length} characters in this folder"
    if length <= MOST_CHARACTERS - (_SPARE if longest else 0):
        return
    yield Finding(
        code="HST031",
        severity="warning" if longest and length > MOST_CHARACTERS else "note",
        subject=longest or project,
        message=f"{text}, and Windows allows {MOST_CHARACTERS}: long paths are not enabled",
        hint=f"in PowerShell as administrator: {ENABLE}",
    )


def _needs(environment: Environment | None, catalog: Catalog) -> Iterator[tuple[Distribution, BadRelease]]:
    for item in environment.distributions if environment else ():
        try:
            version = Version(item.version)
        except InvalidVersion:
            continue
        for row in catalog.bad_releases():
            if row.visual_cpp and row.describes(item.name, version, "windows"):
                yield item, row


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _finding(code: str, subject: str, message: str, hint: str, *, severity: Severity = "error") -> Finding:
    return Finding(code=code, severity=severity, subject=subject, message=message, hint=hint)


def path(scopes: Mapping[str, Iterable[RemovedVariable]], *, is_windows: bool) -> Iterator[Finding]:
    """Find environment directories on PATH.

    Args:
        scopes: ``machine``, ``user``, ``process`` → entries that activation would remove; only ``process`` except on
            Windows.
        is_windows: whether the system loads libraries from PATH.
    """
    seen: set[str] = set()
    for scope in _SCOPES:
        for item in scopes.get(scope, ()):
            entry = item.entry or ""
            key = entry.replace("\\", "/").rstrip("/").lower()
            if item.variable != "PATH" or key in seen or not entry or item.reason == DUPLICATE:
                continue
            seen.add(key)
            yield _path_finding(entry, item.reason, scope, is_windows=is_windows)


def _path_finding(entry: str, reason: str, scope: str, *, is_windows: bool) -> Finding:
    has_packages = any(text in f"{entry}/".replace("\\", "/").lower() for text in _PACKAGE_FOLDERS)
    why = reason
    if has_packages and is_windows:
        why = "Windows loads torch's libraries from there before torch can prepare them (WinError 1114)"
    return Finding(
        code="HST014",
        severity="error" if has_packages and is_windows else "warning",
        subject=entry,
        message=f"{entry} is on {_SCOPES[scope]}: {why}",
        hint=_path_hint(scope, reason),
    )


def _path_hint(scope: str, reason: str) -> str:
    if scope == "process":
        return "remove it in your shell profile, or use `envsmith activate` or `envsmith run`, which omit it"
    if reason == RELATIVE:  # not an environment, maybe a typing error: do not offer to remove it
        return f"correct it under Environment Variables ({scope} scope) in the system settings, then open a new shell"
    return f"run `envsmith doctor path --fix` to remove it from {_SCOPES[scope]}, then open a new shell"


def libraries(removed: Iterable[RemovedVariable], built_for: str) -> Iterator[Finding]:
    """Find library path entries of another CUDA than the environment's, or of another environment.

    Args:
        removed: entries that activation would remove.
        built_for: toolkit of the environment's torch, ``CUDA 12.8``; empty if unknown.
    """
    for item in removed:
        if item.variable == "PATH" or item.entry is None or item.reason == DUPLICATE:
            continue
        named = item.entry or "an empty entry"
        torch = f"; torch is built for {built_for}" if built_for else ""
        yield Finding(
            code="HST015",
            severity="warning",
            subject=item.entry,
            message=f"{named} is on {item.variable}: {item.reason}{torch}",
            hint=f"unset {item.variable}, or use `envsmith activate` or `envsmith run`",
        )
