"""Parser of project pages of package indexes: PEP 503 HTML, as PyTorch writes it, and PEP 691 JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit, urlunsplit

from packaging.utils import canonicalize_name

from envsmith.errors import CatalogError
from envsmith.model.listing import HOST, PYTORCH_HOSTS
from envsmith.model.url import redact_url
from envsmith.model.wheel import SHA256, Wheel

MAX_PAGE_BYTES = 64 * 1024 * 1024
ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
_HTML = frozenset({"text/html", "application/vnd.pypi.simple.v1+html"})
_JSON = frozenset({"application/json", "application/vnd.pypi.simple.v1+json"})
_PORTS = {"http": 80, "https": 443}
# RFC 3339, as in data-upload-time and upload-time (PEP 700).
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)")
_HINT = "check that the address is that of a package index; `--catalog embedded` needs none"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRow:
    """One wheel on an index page."""

    wheel: Wheel
    """Its URL is PyTorch's own if the file is known to be there, whatever server the page came from."""
    served_url: str
    """The link on the page: for requests only, never recorded."""
    metadata_sha256: str | None
    """SHA-256 of the METADATA file (PEP 714), if the page gives one."""
    has_metadata: bool
    """Whether ``<served_url>.metadata`` should answer (PEP 658)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAddress:
    """The address of a page, with its index and project."""

    url: str
    """Base of relative links."""
    root: str
    """Counterpart of PyTorch's ``/whl`` on this server, without a trailing slash."""
    index: str
    """``cu128``, ``nightly/cu130``."""
    project: str
    """Normalised name."""

    @property
    def name(self) -> str:
        """The address for messages: without user, password and query."""
        return redact_url(self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowParts:
    """The texts of a page about one file."""

    place: str
    """``line 12`` or ``files[3]``."""
    filename: str
    href: str
    base: str
    """Base of a relative link."""
    sha256: str | None
    upload_time: str | None
    metadata: str | None
    """Value of ``data-core-metadata``: ``true``, ``sha256=…`` or another word."""
    yanked: str | None
    """Reason (PEP 592), empty without one; None if the file is not yanked."""


def parse_page(
    body: bytes, content_type: str, page: PageAddress, *, is_flat: bool = False
) -> tuple[PageRow, ...]:
    """Return the wheels of a project page, one row per filename.

    Args:
        body: the page.
        content_type: of the response, parameters included.
        page: its address, index and project.
        is_flat: whether it is a page of links, as for pip's ``--find-links``: it can have files of other projects,
            and the text of a link can differ from the filename.

    Raises:
        CatalogError: CAT030 when it is not a complete index page of this project, CAT031 when it is larger than
            MAX_PAGE_BYTES, CAT032 when a row is malformed, CAT033 when a file has two hashes.

    Source: PEP 503, 592, 629, 658, 691, 700, 714; pages of download.pytorch.org/whl saved 2026-02-10.
    """
    if len(body) > MAX_PAGE_BYTES:
        raise CatalogError("CAT031", f"the page has {len(body)} bytes", where=page.name, hint=_HINT)
    try:
        parts = tuple(_parts(body.decode("utf-8-sig"), content_type, page))
        if is_flat:
            parts = _of_project(parts, page.project)
    except (ValueError, TypeError, KeyError, AssertionError, RecursionError) as error:
        raise CatalogError(
            "CAT030", f"invalid index page: {' '.join(str(error).split())[:200]}", where=page.name, hint=_HINT
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
    """Collects the anchors and headings of a page, and its open tags."""

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
        # close() would parse each "<" of an open tag again, in quadratic time: such a page is truncated anyway.
        if self._anchor is not None or self.opened or "<" in self.rawdata:
            raise ValueError("the page is truncated")
        self.close()


def _html_parts(text: str, page: PageAddress) -> Iterator[RowParts]:
    parser = _Anchors()
    parser.feed(text)
    parser.finish()
    if parser.version and not re.fullmatch(r"1\.\d+", parser.version):
        raise ValueError(f"unsupported repository version {parser.version[:20]!r}, expected 1.x")
    base = urljoin(page.url, parser.base) if parser.base else page.url
    found = 0
    for line, values, label in parser.anchors:
        item = _anchor_parts(line, values, label, base)
        if item is not None:
            found += 1
            yield item
    if not found and not parser.version and not _names(parser.headings, page.project):
        # A login page or an error page has no wheels either; PyTorch's empty pages have a heading.
        raise ValueError(f"it has neither wheels nor a heading `Links for {page.project}`")


def _names(headings: str, project: str) -> bool:
    words = {canonicalize_name(word) for word in re.findall(r"[A-Za-z0-9._-]+", headings)}
    return "links" in words and canonicalize_name(project) in words


def _anchor_parts(line: int, values: Mapping[str, str | None], label: str, base: str) -> RowParts | None:
    href = values.get("href") or ""
    linked = unquote(re.split(r"[?#]", href, maxsplit=1)[0]).rsplit("/", 1)[-1].strip()
    if not (_is_wheel(label) or _is_wheel(linked)):
        return None
    # PEP 503: the text is the filename. If link and text differ, the row is refused for its filename later.
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
        yanked=(values["data-yanked"] or "") if "data-yanked" in values else None,
    )


def _json_parts(text: str, page: PageAddress) -> Iterator[RowParts]:
    data = json.loads(text)
    version = str(data["meta"]["api-version"])
    if not re.fullmatch(r"1\.\d+", version):
        raise ValueError(f"unsupported API version {version[:20]!r}, expected 1.x")
    if canonicalize_name(_text(data["name"])) != canonicalize_name(page.project):
        raise ValueError(f"it is the page of {data['name']!r}")
    if not isinstance(data["files"], list):
        raise TypeError("files is not a list")
    for number, item in enumerate(data["files"]):
        if _is_wheel(_text(item["filename"])):
            yield _file_parts(number, item, page)


def _file_parts(number: int, item: Mapping[str, object], page: PageAddress) -> RowParts:
    hashes = item.get("hashes") or {}
    if not isinstance(hashes, dict):
        raise TypeError(f"files[{number}]: hashes is not an object")
    offered = item.get("core-metadata", item.get("dist-info-metadata"))
    metadata: str | None = None
    if isinstance(offered, dict):
        digest = offered.get("sha256")
        metadata = "true" if digest is None else f"sha256={_text(digest)}"
    elif offered:
        metadata = "true"
    uploaded = item.get("upload-time")
    yanked = item.get("yanked", False)
    return RowParts(
        place=f"files[{number}]",
        filename=_text(item["filename"]),
        href=_text(item["url"]),
        base=page.url,
        sha256=None if hashes.get("sha256") is None else _text(hashes["sha256"]),
        upload_time=None if uploaded is None else _text(uploaded),
        metadata=metadata,
        yanked=None if yanked is False else yanked if isinstance(yanked, str) else "",
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:60]!r} is not a text")
    return value


def read_row(parts: RowParts, page: PageAddress) -> PageRow:
    """Check the texts of one row and return it.

    Raises:
        CatalogError: CAT032 when link, filename, hash, time or digest is malformed, or the file belongs to
            another project.
    """
    try:
        served = _resolve(parts, page)
        wheel = Wheel.from_entry(
            index=page.index,
            filename=parts.filename,
            url=canonical_url(served, page, parts.filename),
            sha256=None if parts.sha256 is None else parts.sha256.lower(),
            upload_time=_utc(parts.upload_time),
        )
        if wheel.name != canonicalize_name(page.project):
            raise ValueError(f"{parts.filename} is a file of {wheel.name}")  # noqa: TRY301 - named below
        offered, digest = _metadata(parts.metadata)
    except CatalogError as error:
        raise _malformed(error.message, parts, page) from error
    except ValueError as error:
        raise _malformed(str(error), parts, page) from error
    wheel = wheel if parts.yanked is None else replace(wheel, yanked=parts.yanked)
    return PageRow(wheel=wheel, served_url=served, metadata_sha256=digest, has_metadata=offered)


def canonical_url(served: str, page: PageAddress, filename: str) -> str:
    """Return the address to record: PyTorch's own if the file is there, or a mirror has it at the same path.

    On another server only ``<root>/<index>/<file>`` and ``<root>/<file>`` are the same path; any other address
    is recorded as it is.

    Source: pytorch/test-infra s3_management/manage_v2.py at 61a77570f454, read 2026-11-20: stable and nightly
    pages link torch-family files at download-r2.pytorch.org, test pages relatively, under equal paths.
    """
    parts = urlsplit(served)
    path = unquote(parts.path)
    if parts.hostname in PYTORCH_HOSTS and _port(parts) in {80, 443} and path.startswith("/whl/"):
        return HOST + quote(path)
    root = urlsplit(page.root)
    if (parts.scheme, parts.hostname, _port(parts)) == (root.scheme, root.hostname, _port(root)):
        inside = path.removeprefix(unquote(root.path).rstrip("/") + "/")
        if inside != path and inside in {f"{page.index}/{filename}", filename}:
            return f"{HOST}/whl/{quote(inside)}"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))


def one_per_file(rows: Iterable[PageRow], page: PageAddress) -> tuple[PageRow, ...]:
    """Return one row per filename: the one in the index's own folder, else the one with a hash.

    Raises:
        CatalogError: CAT033 when two equally good rows of one filename have different hashes.
    """
    own = f"{HOST}/whl/{page.index}/"
    best: dict[str, PageRow] = {}
    for row in rows:
        name = row.wheel.filename
        other = best.setdefault(name, row)
        mine, theirs = (
            (item.wheel.url.startswith(own), item.wheel.sha256 is not None) for item in (row, other)
        )
        if mine == theirs and row.wheel.sha256 != other.wheel.sha256:
            raise CatalogError(
                "CAT033",
                f"{name} is listed twice with different hashes, {other.wheel.sha256} and {row.wheel.sha256}",
                where=page.name,
                hint="try again later; `--catalog embedded` does not need the page",
            )
        if mine > theirs:
            best[name] = row
    return tuple(best[name] for name in sorted(best))


def _malformed(message: str, parts: RowParts, page: PageAddress) -> CatalogError:
    return CatalogError(
        "CAT032",
        message,
        where=f"{page.name}: {parts.place}: {parts.filename[:200]!r}",
        hint="the index is malformed; `--catalog embedded` does not need the page",
    )


def _resolve(row: RowParts, page: PageAddress) -> str:
    text = row.href.strip(" \t\r\n\f")
    # urlsplit removes line ends and tabs: such a link would pass for another one.
    if not text or any(char <= " " or char in {"\x7f", "\\"} for char in text):
        raise ValueError(f"invalid link {row.href[:200]!r}")
    parts = urlsplit(urljoin(row.base, text))
    plain = parts.hostname in PYTORCH_HOSTS or urlsplit(page.url).scheme == "http"
    allowed = {"http", "https"} if plain else {"https"}
    if urlsplit(page.url).scheme == "file":
        allowed.add("file")
    if parts.scheme not in allowed or not (parts.hostname or parts.scheme == "file"):
        raise ValueError(f"invalid link {row.href[:200]!r}, expected {' or '.join(sorted(allowed))}")
    if parts.hostname in PYTORCH_HOSTS and _port(parts) in {80, 443}:
        return urlunsplit(("https", parts.hostname, parts.path, parts.query, ""))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, parts.query, ""))


def _port(parts: SplitResult) -> int:
    return parts.port or _PORTS.get(parts.scheme, 0)


def _utc(text: str | None) -> str | None:
    if text is None:
        return None
    if not _TIME.fullmatch(text):
        raise ValueError(f"invalid upload time {text[:60]!r}, expected RFC 3339")
    moment = datetime.fromisoformat(text.upper().replace(" ", "T"))
    try:
        return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    except OverflowError as error:
        raise ValueError(f"invalid upload time {text!r}, expected RFC 3339") from error


def _metadata(text: str | None) -> tuple[bool, str | None]:
    if text is None or text.lower() == "false":
        return False, None
    algorithm, separator, digest = text.partition("=")
    if separator and algorithm.lower() == "sha256":
        if not SHA256.fullmatch(digest.lower()):
            raise ValueError(f"invalid sha256 of metadata {digest[:80]!r}")
        return True, digest.lower()
    return True, None
