"""Errors for runs of uv that failed, by what uv printed.

Source for uv's messages: uv 0.13.8, seen 2026-11-21.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from envsmith.errors import EnvsmithError, NoSolutionError, ToolError
from envsmith.model.target import PLATFORM, Platform
from envsmith.model.windows_errors import KNOWN
from envsmith.plan.model import Cutoffs, ResolutionPlan
from envsmith.process.exit_status import describe
from envsmith.process.runner import CompletedProgram
from envsmith.uv.command import NETWORK_ERROR, excerpt, refused_index, system_error
from envsmith.uv.index_writer import INDEX_NAME

# Hint of uv 0.13.8 on a version after the cutoff: "`idna` was filtered by `exclude-newer` …", and either "The requested
# version, v3.11, was published at 2025-10-12T…" or "The latest version satisfying … is v3.20, published at 2026-…".
_LATER = re.compile(
    r"`(?P<name>[a-z0-9.-]+)` was filtered by `exclude-newer`[^`]*? v(?P<version>[^\s,]+),"
    r" (?:was )?published at (?P<date>[0-9-]{10})"
)
# Hint of uv 0.13.8: "Wheels are required for `jieba` because building from source is disabled for all packages …".
_WITHOUT_WHEEL = re.compile(
    r"Wheels are required for `([a-z0-9._-]+)` because building from source is disabled"
)
# "Wheels are available for `open3d` (v0.19.0) on the following platforms: `manylinux_2_31_x86_64`, `win_amd64`".
_PLATFORMS = re.compile(
    r"Wheels are available for `(?P<name>[a-z0-9._-]+)` \(v(?P<version>[^)]+)\) on the following platforms?: "
    r"(?P<tags>`[^\n]*`)"
)
# "Failed to download `six @ https://…/six-1.0-py3-none-any.whl`", the file of a requirement with a URL.
_DIRECT = re.compile(r"Failed to download `\S+ @ ([^`]+)`")


def explained(plan: ResolutionPlan, finished: CompletedProgram, work: Path) -> EnvsmithError:
    """Return the error for a failed run, without the names of generated files and indexes."""
    text = (
        finished.stderr.replace(INDEX_NAME, f"the {plan.slice.index} index")
        .replace(f"{work}{os.sep}", "")
        .strip()
    )
    if missing := sorted(set(re.findall(r"(\S+) was not found in the cache", text))):
        return ToolError(
            "TOL022",
            f"uv's cache lacks {', '.join(missing)}",
            hint="lock once without --offline to fill the cache",
        )
    if refused := refused_index(text, plan.indexes):
        return refused
    if "No solution found" in text:
        return _no_solution(plan, text)
    if known := KNOWN.get(system_error(text)):
        details = (("uv says", excerpt(text)),)
        return ToolError("TOL021", f"uv failed: {known[0]}", details=details, hint=known[1])
    if (direct := _DIRECT.search(text)) or NETWORK_ERROR.search(text):
        where = "the network or proxy; with --offline, lock once online to fill the cache"
        return ToolError(
            "TOL022",
            f"{direct[1]} could not be downloaded"
            if direct
            else f"{_unreached(text, plan)} could not be reached, and uv's cache lacks packages that are needed",
            details=(("uv says", excerpt(text)),),
            hint=f"check {'the URL, ' if direct else ''}{where}",
        )
    return ToolError(
        "TOL021",
        f"uv failed with {describe(finished.status)}",
        details=(("uv says", excerpt(text)),),
        hint="if the requirements are right, report it with the output of `envsmith -v lock`",
    )


def _no_solution(plan: ResolutionPlan, text: str) -> NoSolutionError:
    """Return the error for requirements without a solution, by uv's explanation."""
    # The hints of uv name its own flags and generated files; of use are only the versions after the cutoff.
    later = _LATER.search(text)
    cutoffs = Cutoffs(cutoff_utc=plan.cutoff_utc, moved=plan.moved)
    lacking = tuple(_WITHOUT_WHEEL.findall(text))
    found = list(_PLATFORMS.finditer(text))
    elsewhere = found[0] if found else None
    # `uv lock` prints warnings before.
    text = text[max(text.find("No solution found"), 0) :].split("\nhint:", maxsplit=1)[0]
    cause = " ".join(line.strip() for line in text.splitlines()[1:] if line.strip())
    error = NoSolutionError(
        "RES050",
        "the requirements have no solution",
        details=(
            *_origins(plan, cause),
            ("because", cause.removeprefix("cause:").strip() or text),
            *_exists(elsewhere),
            *_cutoff(plan, cause, later),
        ),
        hint=cutoffs.hint(plan.profile, later["name"])
        if later
        else _platform_hint(elsewhere, plan.target.platform) or _hint(cause),
    )
    error.without_wheel = lacking
    error.served_elsewhere = tuple(match["name"] for match in found)
    tags = [_later_platform(match, plan.target.platform) for match in found]
    error.later_platforms = tuple(tags) if all(tags) and set(lacking) <= set(error.served_elsewhere) else ()
    return error


def _unreached(text: str, plan: ResolutionPlan) -> str:
    """Return the index that did not answer, by uv's message."""
    named = (
        f"the index {index.name} ({index.url})" for index in plan.indexes if index.url.rstrip("/") in text
    )
    return next(named, "PyPI")


def _cutoff(plan: ResolutionPlan, cause: str, later: re.Match[str] | None) -> list[tuple[str, str]]:
    """Return the cutoff if a project has a matching later version, or no versions: all of them may be later."""
    if not plan.has_cutoff:
        return []
    if later:
        return [("cutoff", f"{later['name']} {later['version']} was released {later['date']}")]
    has_none = re.search(r"there are no versions of \S+ and", cause)
    return [("cutoff", f"releases after {plan.cutoff_utc} are ignored")] if has_none else []


def _origins(plan: ResolutionPlan, cause: str) -> list[tuple[str, str]]:
    """Return the places of the direct requirements in an explanation of uv."""
    clauses = " ".join(re.findall(r"you require (.*?), we", cause))
    named = set(re.findall(r"[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)*", clauses))  # normalised names, and versions
    return [
        ("required at", f"{item.origin}: {item.requirement}")
        for item in plan.all_requirements()
        if item.name in named
    ]


def _exists(match: re.Match[str] | None) -> list[tuple[str, str]]:
    if match is None:
        return []
    return [("exists", f"{match['name']} {match['version']}: {match['tags'].replace('`', '')}")]


def _platform_hint(match: re.Match[str] | None, platform: Platform) -> str:
    """Return the advice to lock for a later glibc or macOS; empty where no wheel exists for one."""
    tag = _later_platform(match, platform) if match else ""
    if not match or not tag:
        return ""
    system = "glibc" if platform.os == "linux" else "macOS"
    return f"{match['name']} needs a later {system} than {platform}: lock with --platform {tag}"


def _later_platform(match: re.Match[str], platform: Platform) -> str:
    """Return the lowest platform tag with a later floor for which a project has a wheel; empty if it has none."""
    tags = (tag for tag in re.findall(r"`([a-z0-9_]+)`", match["tags"]) if PLATFORM.fullmatch(tag))
    later = [item for item in map(Platform.parse, tags) if item.is_later_than(platform)]
    return str(min(later)) if later else ""


def _hint(cause: str) -> str:
    """Return the advice for an explanation of uv."""
    if match := re.search(r"(\S+) was not found in the package registry", cause):
        return f"check the name {match[1]}: PyPI has no such project"
    return "relax or remove a requirement named above; `envsmith catalog show` lists PyTorch's builds"
