"""Whether Windows has Microsoft's C++ library as torch's own libraries need it."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.version import InvalidVersion, Version

from envsmith.catalog import BadRelease, Catalog
from envsmith.environment.environment import Distribution, Environment
from envsmith.host.system import VisualCpp
from envsmith.model.finding import Finding

_CURE = "winget install --id Microsoft.VCRedist.2015+.{}"


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


def _finding(code: str, subject: str, message: str, hint: str, *, severity: str = "error") -> Finding:
    return Finding(code=code, severity=severity, subject=subject, message=message, hint=hint)
