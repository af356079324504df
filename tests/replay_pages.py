"""Write pages as PyTorch's index and its mirrors do."""

from __future__ import annotations

import html
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from tests.replay_files import ReplayFile

R2 = "https://download-r2.pytorch.org"


@dataclass(frozen=True, kw_only=True)
class Style:
    """How pages are written."""

    links: str = "relative"
    """``relative`` (``/whl/...``), ``absolute`` (this server's address, as R2 links are), ``r2`` (PyTorch's
    real R2 host: nothing can be fetched from there) or ``beside`` (``../file.whl``)."""
    hashes: bool = True
    upload_times: bool = True
    metadata: bool = True
    """Both attributes, ``data-dist-info-metadata`` and ``data-core-metadata``."""
    json: bool = False
    """PEP 691 for clients that accept it."""
    timestamp: bool = True
    """The comment at the end, another one each time."""


OF_2024 = Style(upload_times=False, metadata=False)
OF_2025 = Style(upload_times=False)
OF_2026 = Style(links="absolute")
NIGHTLY = Style(links="absolute", hashes=False)
JSON = Style(json=True)


def _href(file: ReplayFile, style: Style, origin: str) -> str:
    path = quote(file.path)
    beside = ("../" * (file.index.count("/") + 2) if file.at_root else "../") + quote(file.filename)
    return {"relative": path, "absolute": origin + path, "r2": R2 + path, "beside": beside}[style.links]


def html_page(project: str, files: Iterable[ReplayFile], style: Style, origin: str) -> bytes:
    """Write a page as download.pytorch.org does; origin is the address of the replaying server."""
    lines = ["<!DOCTYPE html>", "<html>", "  <body>", f"    <h1>Links for {project}</h1>"]
    for file in files:
        href = file.href if file.href is not None else _href(file, style, origin)
        if style.hashes and file.sha256:
            href += f"#sha256={file.sha256}"
        attributes = f'href="{html.escape(href)}"'
        if style.metadata and file.metadata is not None:
            value = f"sha256={file.metadata_sha256}" if file.metadata_sha256 else "true"
            attributes += f' data-dist-info-metadata="{value}" data-core-metadata="{value}"'
        if style.upload_times and file.upload_time:
            attributes += f' data-upload-time="{file.upload_time}"'
        if file.yanked:
            attributes += ' data-yanked=""'
        lines.append(f"    <a {attributes}>{html.escape(file.filename)}</a><br/>")
    lines += ["  </body>", "</html>"]
    if style.timestamp:
        lines.append(f"<!--TIMESTAMP {time.time_ns()}-->")
    return "\n".join(lines).encode()


def json_page(project: str, files: Iterable[ReplayFile], style: Style, origin: str) -> bytes:
    """Write a page by PEP 691."""
    rows = []
    for file in files:
        row: dict[str, object] = {
            "filename": file.filename,
            "url": file.href if file.href is not None else _href(file, style, origin),
            "hashes": {"sha256": file.sha256} if style.hashes and file.sha256 else {},
            "yanked": file.yanked,
        }
        if style.metadata and file.metadata is not None:
            row["core-metadata"] = {"sha256": file.metadata_sha256} if file.metadata_sha256 else True
        if style.upload_times and file.upload_time:
            row["upload-time"] = file.upload_time
        rows.append(row)
    page = {"meta": {"api-version": "1.1"}, "name": project, "versions": [], "files": rows}
    return json.dumps(page).encode()
