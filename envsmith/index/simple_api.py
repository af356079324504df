"""Read project pages of a simple index: PEP 503 HTML as PyTorch writes it, and PEP 691 JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from html.parser import HTMLParser
from urllib.parse import unquote, urljoin

from packaging.utils import canonicalize_name

from envsmith.errors import CatalogError
from envsmith.index.page_rows import PageAddress, PageRow, RowParts, one_per_file, read_row

MAX_PAGE_BYTES = 64 * 1024 * 1024
_HTML = frozenset({"text/html", "application/vnd.pypi.simple.v1+html"})
_JSON = frozenset({"application/json", "application/vnd.pypi.simple.v1+json"})
ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
_HINT = "check that the address is that of a package index; `--catalog embedded` does without it"


def parse_page(
    body: bytes, content_type: str, page: PageAddress, *, is_flat: bool = False
) -> tuple[PageRow, ...]:
    """Read the wheels of one project page, one row per filename; files that are not wheels are left out.

    Args:
        body: the page, undecoded.
        content_type: as the server named it, parameters included.
        page: where it was read, and what it should be the page of.
        is_flat: whether it is a mere page of links, as for pip's ``--find-links``: files of other projects are
            left out, and the text of a link need not be the file's name.

    Raises:
        CatalogError: CAT030 when it is no whole index page of this project, CAT031 when it is larger than
            MAX_PAGE_BYTES, CAT032 when a row is malformed, CAT033 when a file has two hashes.

    Source: PEP 503, 592, 629, 658, 691, 700, 714; pages of download.pytorch.org/whl saved 2026-02-10.
    """
    if len(body) > MAX_PAGE_BYTES:
        raise CatalogError("CAT031", f"the page has {len(body)} bytes", where=page.name, hint=_HINT)
    try:
        parts = tuple(_parts(body.decode("utf-8-sig"), content_type, page))
        if is_flat:
            parts = _of_project(parts, page.project)
    except CatalogError:
        raise
    except (ValueError, TypeError, KeyError, AssertionError, RecursionError) as error:
        raise CatalogError(
            "CAT030", f"no index page: {' '.join(str(error).split())[:200]}", where=page.name, hint=_HINT
        ) from error
    return one_per_file((read_row(item, page) for item in parts), page)


def _of_project(parts: Iterable[RowParts], project: str) -> tuple[RowParts, ...]:
    named = (replace(item, filename=item.filename.rpartition(" -> ")[2]) for item in parts)
    return tuple(item for item in named if canonicalize_name(item.filename.partition("-")[0]) == project)


def _parts(text: str, content_type: str, page: PageAddress) -> Iterator[RowParts]:
    kind = content_type.partition(";")[0].strip().lower()
    if kind in _HTML:
        return _html_parts(text, page)
    if kind in _JSON:
        return _json_parts(text, page)
    raise ValueError(f"content type {content_type[:80]!r} is neither HTML nor JSON")


def _is_wheel(name: str) -> bool:
    return name.strip().lower().endswith(".whl")


class _Anchors(HTMLParser):
    """Collect the anchors of a page, its headings and whether it is whole."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.anchors: list[tuple[int, Mapping[str, str | None], str]] = []
        self.headings = ""
        self.base: str | None = None
        self.version = ""
        self.opened: set[str] = set()
        self._anchor: tuple[int, dict[str, str | None], list[str]] | None = None
        self._heading = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        # The first of two equal attributes counts (HTML, 13.2.5.33 "attribute name state").
        values = dict(reversed(attrs))
        if tag == "a":
            if self._anchor is not None:
                raise ValueError(f"line {self._anchor[0]}: a link inside a link")
            self._anchor = (self.getpos()[0], values, [])
        elif tag in {"h1", "title"}:
            self._heading = True
        elif tag == "base" and self.base is None:
            self.base = values.get("href")
        elif tag == "meta" and values.get("name") == "pypi:repository-version":
            self.version = values.get("content") or ""
        elif tag in {"html", "body"}:
            self.opened.add(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._anchor is not None:
            line, values, texts = self._anchor
            self.anchors.append((line, values, "".join(texts).strip()))
            self._anchor = None
        elif tag in {"h1", "title"}:
            self._heading = False
        elif tag == "html":
            self.opened.clear()
        self.opened.discard(tag)

    def handle_data(self, data: str) -> None:
        if self._anchor is not None:
            self._anchor[2].append(data)
        elif self._heading:
            self.headings += data

    def finish(self) -> None:
        # Closing would try each "<" of an unended tag anew, in quadratic time: such a page is cut off anyway.
        if self._anchor is not None or self.opened or "<" in self.rawdata:
            raise ValueError("the page is cut off")
        self.close()


def _html_parts(text: str, page: PageAddress) -> Iterator[RowParts]:
    parser = _Anchors()
    parser.feed(text)
    parser.finish()
    if parser.version and not re.fullmatch(r"1\.\d+", parser.version):
        raise ValueError(f"repository version {parser.version[:20]!r}, known is 1.x")
    base = urljoin(page.url, parser.base) if parser.base else page.url
    found = 0
    for line, values, label in parser.anchors:
        item = _anchor_parts(line, values, label, base)
        if item is not None:
            found += 1
            yield item
    if not found and not parser.version and not _names(parser.headings, page.project):
        raise ValueError(f"it lists no wheel and does not call itself a page of links for {page.project}")


def _names(headings: str, project: str) -> bool:
    words = {canonicalize_name(word) for word in re.findall(r"[A-Za-z0-9._-]+", headings)}
    return "links" in words and canonicalize_name(project) in words


def _anchor_parts(line: int, values: Mapping[str, str | None], label: str, base: str) -> RowParts | None:
    href = values.get("href") or ""
    linked = unquote(re.split(r"[?#]", href, maxsplit=1)[0]).rsplit("/", 1)[-1].strip()
    if not (_is_wheel(label) or _is_wheel(linked)):
        return None
    # PEP 503: the text is the file's name. Where they differ, one of the two lies.
    agreed = label if label == linked or not _is_wheel(linked) else f"{label} -> {linked}"
    fragment = dict(part.partition("=")[::2] for part in href.partition("#")[2].split("&"))
    offered = values.get("data-core-metadata", values.get("data-dist-info-metadata"))
    if offered is None and ("data-core-metadata" in values or "data-dist-info-metadata" in values):
        offered = "true"
    return RowParts(
        place=f"line {line}",
        filename=agreed,
        href=href,
        base=base,
        sha256=fragment.get("sha256"),
        upload_time=values.get("data-upload-time") or None,
        metadata=offered,
        yanked="data-yanked" in values,
    )


def _json_parts(text: str, page: PageAddress) -> Iterator[RowParts]:
    data = json.loads(text)
    version = str(data["meta"]["api-version"])
    if not re.fullmatch(r"1\.\d+", version):
        raise ValueError(f"API version {version[:20]!r}, known is 1.x")
    if canonicalize_name(_text(data["name"])) != canonicalize_name(page.project):
        raise ValueError(f"it is the page of {data['name']!r}")
    if not isinstance(data["files"], list):
        raise TypeError("files is no list")
    for number, item in enumerate(data["files"]):
        if _is_wheel(_text(item["filename"])):
            yield _file_parts(number, item, page)


def _file_parts(number: int, item: Mapping[str, object], page: PageAddress) -> RowParts:
    hashes = item.get("hashes") or {}
    if not isinstance(hashes, dict):
        raise TypeError(f"files[{number}]: hashes is no object")
    offered = item.get("core-metadata", item.get("dist-info-metadata"))
    metadata: str | None = None
    if isinstance(offered, dict):
        digest = offered.get("sha256")
        metadata = "true" if digest is None else f"sha256={_text(digest)}"
    elif offered:
        metadata = "true"
    uploaded = item.get("upload-time")
    return RowParts(
        place=f"files[{number}]",
        filename=_text(item["filename"]),
        href=_text(item["url"]),
        base=page.url,
        sha256=None if hashes.get("sha256") is None else _text(hashes["sha256"]),
        upload_time=None if uploaded is None else _text(uploaded),
        metadata=metadata,
        yanked=item.get("yanked", False) is not False,
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:60]!r} is no text")
    return value
