"""What is wrong around an environment: room on the disk, the way to PyTorch's index, releases known to be bad.

Whether Windows has Microsoft's C++ library as torch's own libraries need it.


What is wrong with the lists of folders that a session searches for programs and libraries.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from packaging.version import InvalidVersion, Version

from envsmith.activate.model import RemovedVariable
from envsmith.catalog import BadRelease, Catalog
from envsmith.environment.model import Distribution, Environment
from envsmith.host.system import Connectivity, DiskSpace, VisualCpp
from envsmith.model.finding import Finding, Severity

LITTLE_BYTES = 10 * 1000**3
"""A CUDA build of torch and what it requires take about 3 GB as wheels and 6 GB installed."""
HARDLY_ANY_BYTES = 1000**3
CLOCK_S = 300.0
_CURE = "winget install --id Microsoft.VCRedist.2015+.{}"
_SCOPES = {"machine": "the machine's Path", "user": "the user's Path", "process": "this session's PATH"}
_INNER = ("/site-packages/", "/dist-packages/")


def disk(room: DiskSpace) -> Iterator[Finding]:
    """Find too little room where uv keeps its cache."""
    if room.free_bytes >= LITTLE_BYTES:
        return
    free = f"{room.free_bytes / 1000**3:.1f} GB"
    text = f"{free} are free where uv keeps its cache ({room.folder}); a CUDA build of torch takes about 9 GB"
    severity: Severity = "error" if room.free_bytes < HARDLY_ANY_BYTES else "warning"
    hint = "uv cache prune, or set UV_CACHE_DIR to a larger disk"
    yield Finding(code="HST030", severity=severity, subject=room.folder, message=text, hint=hint)


def network(reach: Connectivity, known: str) -> Iterator[Finding]:
    """Find what stands between this machine and PyTorch's index.

    Args:
        reach: how the index answered.
        known: a day that is past, ``2026-11-20``.
    """
    for name, value in reach.proxies:
        if "://" not in value:
            text = f"{name} is {value!r}: a proxy is written with its scheme"
            yield _of_network("HST040", "warning", text, f"{name}=http://{value}")
    if reach.error:
        via = (
            f", through the proxy of {reach.proxies[0][0]}"
            if reach.proxies and not reach.bypasses_proxy
            else ""
        )
        text = f"{reach.url} does not answer{via}: {reach.error}"
        hint = (
            "check connection, proxy and certificates; locks can be made with --catalog embedded all the same"
        )
        yield _of_network("HST041", "warning", text, hint)
    yield from _clock(reach, known)


def _clock(reach: Connectivity, known: str) -> Iterator[Finding]:
    """Find a clock that is wrong by a server's, or stands before a day that is past."""
    if reach.clock_ahead_s is not None and abs(reach.clock_ahead_s) > CLOCK_S:
        way = "fast" if reach.clock_ahead_s > 0 else "slow"
        then = (
            "certificates count as invalid" if reach.has_date_error else "certificates may count as invalid"
        )
        text = f"this machine's clock is {abs(reach.clock_ahead_s) / 60:.0f} minutes {way}: {then}"
    elif reach.date and reach.date < known:
        then = "certificates may count as invalid"
        text = f"this machine's clock says {reach.date}, and {known} is past: {then}"
    else:
        return
    severity: Severity = "error" if reach.has_date_error else "warning"
    yield _of_network(
        "HST042", severity, text, "set the clock: timedatectl set-ntp true; w32tm /resync on Windows"
    )


def _of_network(code: str, severity: Severity, message: str, hint: str) -> Finding:
    return Finding(code=code, severity=severity, subject="network", message=message, hint=hint)


def known_bad(
    environment: Environment, os: str, catalog: Catalog, visual_cpp: tuple[int, ...] | None = None
) -> Iterator[Finding]:
    """Find releases that are known to fail on this system.

    Args:
        environment: what is installed.
        os: the system.
        catalog: what is known.
        visual_cpp: Windows's version of Microsoft's C++ library; where it is known, what fails for its sake alone is
            another check's.
    """
    for item in environment.distributions:
        try:
            version = Version(item.version)
        except InvalidVersion:
            continue
        for row in catalog.bad_releases():
            if row.describes(item.name, version, os) and not (row.visual_cpp and visual_cpp):
                text = f"{item.name} {item.version}: {row.problem} ({row.source})"
                yield Finding(
                    code="ENV074", severity="warning", subject=item.name, message=text, hint=row.fix
                )


def runtime(
    found: VisualCpp, environment: Environment | None, machine: str, catalog: Catalog
) -> Iterator[Finding]:
    """Find a C++ library that is not there, or older than an installed release needs.

    Args:
        found: the library, and copies of it.
        environment: what is installed; None where there is no environment.
        machine: as wheel tags spell it.
        catalog: what releases need of it.
    """
    cure = _CURE.format("arm64" if machine == "arm64" else "x64")
    if found.version is None and found.system is None:
        text = "Microsoft's C++ library (msvcp140.dll) is not installed: torch's libraries cannot be loaded without it"
        yield _finding("HST016", "visual-cpp", text, cure)
        return
    for item, row in _needs(environment, catalog):
        if found.version and found.version < row.visual_cpp:
            text = (
                f"Microsoft's C++ library is {_dotted(found.version)}, and {item.name} {item.version} needs"
            )
            more = f"{_dotted(row.visual_cpp)} or later: {row.problem} ({row.source})"
            yield _finding("HST017", "visual-cpp", f"{text} {more}", cure)
        for copy in found.copies:
            if copy.version and copy.version < row.visual_cpp:
                text = f"{copy.path} is {_dotted(copy.version)}; where it is loaded first, {item.name} {item.version}"
                more = f"fails, which needs {_dotted(row.visual_cpp)} ({row.source})"
                hint = f"update what brought it, or import {item.name} before it"
                yield _finding("HST018", copy.path, f"{text} {more}", hint, severity="warning")


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
    """Find folders of environments on PATH.

    Args:
        scopes: ``machine``, ``user``, ``process`` → entries that no session should have, and why; off Windows there
            is but the last.
        is_windows: whether the system looks for libraries on PATH, too.
    """
    seen: set[str] = set()
    for scope in _SCOPES:
        for item in scopes.get(scope, ()):
            entry = item.entry or ""
            key = entry.replace("\\", "/").rstrip("/").lower()
            if item.variable != "PATH" or key in seen or not entry or "twice" in item.reason:
                continue
            seen.add(key)
            yield _on_path(entry, item.reason, scope, is_windows=is_windows)


def _on_path(entry: str, reason: str, scope: str, *, is_windows: bool) -> Finding:
    is_inner = any(text in f"{entry}/".replace("\\", "/").lower() for text in _INNER)
    why = reason
    if is_inner and is_windows:
        why = "Windows loads torch's libraries from there before torch has prepared them: WinError 1114"
    return Finding(
        code="HST014",
        severity="error" if is_inner and is_windows else "warning",
        subject=entry,
        message=f"{entry} is on {_SCOPES[scope]}: {why}",
        hint=_cure(scope, reason),
    )


def _cure(scope: str, reason: str) -> str:
    if scope == "process":
        where = "leave it out where PATH is set: in a shell's start-up file"
        return f"{where}; `envsmith activate` and `envsmith run` do without it"
    if "relative" in reason:  # it is nobody's environment, and may be a slip of the pen
        return f"mend it under Environment Variables ({scope} scope) in the system settings; then open a new shell"
    return f"`envsmith doctor path --fix` takes it out of {_SCOPES[scope]}, after showing it; then open a new shell"


def libraries(taken: Iterable[RemovedVariable], built_for: str) -> Iterator[Finding]:
    """Find folders on the linker's lists that hold another CUDA than the environment's, or another environment.

    Args:
        taken: entries that no session in the environment should have, and why.
        built_for: what the environment's torch was built for, ``CUDA 12.8``; empty where nothing says it.
    """
    for item in taken:
        if item.variable == "PATH" or item.entry is None or "twice" in item.reason:
            continue
        named = item.entry or "an empty entry"
        beside = f"; torch here is built for {built_for}" if built_for else ""
        yield Finding(
            code="HST015",
            severity="warning",
            subject=item.entry,
            message=f"{named} is on {item.variable}: {item.reason}{beside}",
            hint=f"unset {item.variable}, or enter the environment by `envsmith activate` or `envsmith run`",
        )
