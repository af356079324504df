"""Writer of a plan's slice as a simple index of files (PEP 503), and of the uv.toml for it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import replace
from html import escape
from json import dumps
from pathlib import Path

from envsmith.errors import ToolError
from envsmith.files.os_errors import retried
from envsmith.lockfile.provided import ProvidedPackage, by_name
from envsmith.model.listing import VersionMetadata
from envsmith.model.package_index import PackageIndex
from envsmith.model.windows_errors import reason_of
from envsmith.plan.model import ResolutionPlan, TorchIndexSlice

INDEX_NAME = "pytorch-slice"


def write_slice(slice_: TorchIndexSlice, folder: Path) -> Path:
    """Write the pages of a slice into a folder named by its content, unless it exists, and return the folder.

    uv keys its cache by the address of an index, so different slices need different addresses.

    Raises:
        ToolError: TOL010 when the folder cannot be written.
    """
    place = folder / slice_.digest()[:32]
    if place.is_dir():
        return place
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".new-") as scratch:
            fresh = Path(scratch) / "index"
            for project in slice_.projects:
                (fresh / project).mkdir(parents=True)
                (fresh / project / "index.html").write_text(_page(slice_, project), encoding="utf-8")
            fresh.mkdir(exist_ok=True)
            if not place.is_dir():
                _move(fresh, place)
    except OSError as error:
        raise ToolError(
            "TOL010",
            f"cannot write: {reason_of(error)}",
            where=str(place),
            hint="free disk space, or set ENVSMITH_CACHE_DIR",
        ) from error
    return place


def with_provided(slice_: TorchIndexSlice, provided: Iterable[ProvidedPackage]) -> TorchIndexSlice:
    """Return a slice with the packages that no index has: one wheel each, which nobody downloads.

    As the first index it is the only one for their names, and uv reads what they require from the settings.
    """
    found = by_name(provided)
    rest = slice_.without(found)
    return replace(
        rest,
        projects={**rest.projects, **{name: (item.wheel(),) for name, item in found.items()}},
        metadata=(*rest.metadata, *(item.metadata() for item in found.values())),
    )


def _move(fresh: Path, place: Path) -> None:
    try:
        retried(fresh.rename, place)
    except OSError:
        # If the folder exists now, another process has written the same content.
        if not place.is_dir():
            raise


def _page(slice_: TorchIndexSlice, project: str) -> str:
    links = [
        f'<a href="{escape(wheel.url)}#sha256={wheel.sha256}">{escape(wheel.filename)}</a><br/>'
        for wheel in sorted(slice_.projects[project], key=lambda wheel: wheel.filename)
    ]
    return "\n".join(["<!DOCTYPE html>", "<html><body>", *links, "</body></html>", ""])


def uv_settings(
    plan: ResolutionPlan, index: Path, undescribed: Iterable[str] = (), *, default_index: str = ""
) -> str:
    """Return the text of the uv.toml for a plan.

    Args:
        plan: the plan.
        index: folder of its slice.
        default_index: uv's own default, PyPI; empty if another takes its place.
        undescribed: projects locked as source whose requirements are not known yet: given as none, so that uv does
            not build them. They are read from the archive afterwards, and the plan is resolved again.
    """
    lines = [
        "[[index]]",
        f"name = {dumps(INDEX_NAME)}",
        f"url = {dumps(index.resolve().as_uri())}",
        # The slice's wheels are selected by time already, and uv would drop those without an upload time.
        "exclude-newer = false",
    ]
    for other in plan.indexes:
        lines += index_lines(other)
    if default_index:
        # As PyPI itself says. Some proxies drop that, and each run of uv would then fetch everything again.
        lines += ["[[index]]", f"url = {dumps(default_index)}", "default = true"]
        lines += ['cache-control = { api = "max-age=600", files = "max-age=365000000, immutable" }']
    described = (*with_provided(plan.slice, plan.provided).metadata, *plan.sdist_metadata())
    for item in described:
        lines += _metadata(item)
    known = {item.name for item in described}
    for name in undescribed:
        if name not in known:
            lines += ["[[dependency-metadata]]", f"name = {dumps(name)}", "requires-dist = []"]
    return "\n".join([*lines, ""])


def index_lines(index: PackageIndex) -> list[str]:
    """Return the lines of a uv.toml for an index."""
    # Many of them publish no upload times, and uv would drop all files without one; a cutoff does not hold for them.
    lines = ["[[index]]", f"name = {dumps(index.name)}", f"url = {dumps(index.url)}", "exclude-newer = false"]
    return [*lines, "default = true"] if index.is_default else lines


def _metadata(item: VersionMetadata) -> list[str]:
    lines = [
        "[[dependency-metadata]]",
        f"name = {dumps(item.name)}",
        f"version = {dumps(item.version)}",
        f"requires-dist = {dumps(list(item.requires_dist))}",
    ]
    if item.requires_python:
        lines.append(f"requires-python = {dumps(item.requires_python)}")
    if item.provides_extra:
        lines.append(f"provides-extra = {dumps(list(item.provides_extra))}")
    return lines
