"""One row of an index page: read from its parts, checked, and given the address PyTorch itself uses."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit, urlunsplit

from packaging.utils import canonicalize_name

from envsmith.errors import CatalogError
from envsmith.model.listing import HOST
from envsmith.model.sha256 import SHA256
from envsmith.model.url import public_url
from envsmith.model.wheel import Wheel

PYTORCH_HOSTS = frozenset({"download.pytorch.org", "download-r2.pytorch.org"})
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRow:
    """A wheel as a page lists it, with what the page says beyond the wheel itself."""

    wheel: Wheel
    """Its URL is PyTorch's own wherever the file is known to lie there: the host is no part of identity."""
    served_url: str
    """Where this page says the file can be had now; for requests only, never recorded."""
    metadata_sha256: str | None
    """Digest of the METADATA the page offers (PEP 714), where it gives one."""
    has_metadata: bool
    """Whether ``<served_url>.metadata`` should answer (PEP 658)."""
    yanked: bool
    """Withdrawn by the index (PEP 592)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAddress:
    """Where a page was read, and what it is the page of."""

    url: str
    """Address of the page; relative links start here."""
    root: str
    """What stands for PyTorch's ``/whl`` on this server, without a slash at the end."""
    index: str
    """``cu128``, ``nightly/cu130``."""
    project: str
    """Normalised name."""

    @property
    def name(self) -> str:
        """The page as people should see it: no user, password or query."""
        return public_url(self.url)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowParts:
    """What a page writes about one file, as text."""

    place: str
    """``line 12`` or ``files[3]``."""
    filename: str
    href: str
    base: str
    """Where a relative link starts."""
    sha256: str | None
    upload_time: str | None
    metadata: str | None
    """``true``, ``sha256=…`` or another word, as in ``data-core-metadata``."""
    yanked: bool


def read_row(parts: RowParts, page: PageAddress) -> PageRow:
    """Check one row and build its value.

    Raises:
        CatalogError: CAT032 when link, filename, hash, time or digest is malformed, or the file belongs to
            another project.
    """
    try:
        served = _resolve(parts, page)
        wheel = Wheel.from_row(
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
    return PageRow(
        wheel=wheel, served_url=served, metadata_sha256=digest, has_metadata=offered, yanked=parts.yanked
    )


def canonical_url(served: str, page: PageAddress, filename: str) -> str:
    """Return the address to record: PyTorch's own where the file lies there or is mirrored in the same place.

    On another server only ``<root>/<index>/<file>`` and ``<root>/<file>`` are the same place; any other
    address is kept, for a path of a mirror's own says nothing about PyTorch's.

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
    """Keep one row per filename: the one in the index's own folder, else the one with a hash.

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
                hint="read the page again later; `--catalog embedded` does without it",
            )
        if mine > theirs:
            best[name] = row
    return tuple(best[name] for name in sorted(best))


def _malformed(message: str, parts: RowParts, page: PageAddress) -> CatalogError:
    return CatalogError(
        "CAT032",
        message,
        where=f"{page.name}: {parts.place}: {parts.filename[:200]!r}",
        hint="the index lists a file that cannot be trusted; `--catalog embedded` does without the page",
    )


def _resolve(row: RowParts, page: PageAddress) -> str:
    text = row.href.strip(" \t\r\n\f")
    # urlsplit drops line ends and tabs without a word; no such link may pass for another.
    if not text or any(char <= " " or char in {"\x7f", "\\"} for char in text):
        raise ValueError(f"{row.href[:200]!r} is no link to a file")
    parts = urlsplit(urljoin(row.base, text))
    plain = parts.hostname in PYTORCH_HOSTS or urlsplit(page.url).scheme == "http"
    allowed = {"http", "https"} if plain else {"https"}
    if urlsplit(page.url).scheme == "file":
        allowed.add("file")
    if parts.scheme not in allowed or not (parts.hostname or parts.scheme == "file"):
        raise ValueError(f"{row.href[:200]!r} is no link by {' or '.join(sorted(allowed))}")
    if parts.hostname in PYTORCH_HOSTS and _port(parts) in {80, 443}:
        return urlunsplit(("https", parts.hostname, parts.path, parts.query, ""))
    return urlunsplit((parts.scheme, parts.netloc, parts.path, parts.query, ""))


def _port(parts: SplitResult) -> int:
    return parts.port or _PORTS.get(parts.scheme, 0)


def _utc(text: str | None) -> str | None:
    if text is None:
        return None
    if not _TIME.fullmatch(text):
        raise ValueError(f"{text[:60]!r} is no upload time (RFC 3339)")
    moment = datetime.fromisoformat(text.upper().replace(" ", "T"))
    try:
        return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    except OverflowError as error:
        raise ValueError(f"{text!r} is no upload time (RFC 3339)") from error


def _metadata(text: str | None) -> tuple[bool, str | None]:
    if text is None or text.lower() == "false":
        return False, None
    algorithm, separator, digest = text.partition("=")
    if separator and algorithm.lower() == "sha256":
        if not SHA256.fullmatch(digest.lower()):
            raise ValueError(f"{digest[:80]!r} is no sha256 of metadata")
        return True, digest.lower()
    return True, None
