"""Files for a replayed index: small true wheels, and rows with nothing behind them."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from envsmith.model.listing import IndexListing


def make_wheel(
    name: str, version: str, tags: str, requires_dist: Iterable[str] = (), requires_python: str | None = None
) -> bytes:
    """Make a small true wheel, the same bytes for the same arguments; its module knows its __version__."""
    stem = f"{name.replace('-', '_')}-{version}"
    module = name.replace("-", "_")
    files = {
        f"{module}/__init__.py": f'__version__ = "{version}"\n',
        f"{stem}.dist-info/METADATA": make_metadata(name, version, requires_dist, requires_python),
        f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: replay\nRoot-Is-Purelib: false\n"
        + "".join(f"Tag: {tag}\n" for tag in _expanded(tags)),
    }
    rows = [
        f"{path},sha256={_record_hash(text.encode())},{len(text.encode())}" for path, text in files.items()
    ]
    files[f"{stem}.dist-info/RECORD"] = "\n".join([*rows, f"{stem}.dist-info/RECORD,,", ""])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0)), text)
    return buffer.getvalue()


def make_metadata(
    name: str, version: str, requires_dist: Iterable[str] = (), requires_python: str | None = None
) -> str:
    """Make METADATA text."""
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Python: {requires_python}"] if requires_python else []
    return "\n".join([*lines, *(f"Requires-Dist: {text}" for text in requires_dist), ""])


@dataclass(frozen=True, kw_only=True)
class ReplayFile:
    """One file that a page lists; ``body`` None when only the row exists."""

    index: str
    filename: str
    sha256: str | None
    upload_time: str | None = None
    body: bytes | None = None
    metadata: bytes | None = None
    """Content of the sidecar; None where there is none."""
    metadata_sha256: str | None = None
    """As the page says it, true or not; None: the page offers metadata without a digest."""
    at_root: bool = False
    """Lies at ``/whl/`` itself, as old wheels and triton do."""
    yanked: bool = False
    href: str | None = None
    """Written into the page as it is, instead of the link of the style."""

    @classmethod
    def made(
        cls,
        name: str,
        version: str,
        tags: str,
        requires_dist: Iterable[str] = (),
        *,
        index: str,
        requires_python: str | None = None,
    ) -> ReplayFile:
        """Make a wheel, listed with hash, sidecar and upload time; `dataclasses.replace` takes them away."""
        requires = tuple(requires_dist)
        body = make_wheel(name, version, tags, requires, requires_python)
        metadata = make_metadata(name, version, requires, requires_python).encode()
        return cls(
            index=index,
            filename=f"{name.replace('-', '_')}-{version}-{tags}.whl",
            sha256=hashlib.sha256(body).hexdigest(),
            upload_time="2026-11-01T12:00:00Z",
            body=body,
            metadata=metadata,
            metadata_sha256=hashlib.sha256(metadata).hexdigest(),
        )

    @classmethod
    def row(
        cls,
        filename: str,
        *,
        index: str,
        sha256: str | None = None,
        upload_time: str | None = None,
        at_root: bool = False,
    ) -> ReplayFile:
        """List a file that cannot be had."""
        return cls(index=index, filename=filename, sha256=sha256, upload_time=upload_time, at_root=at_root)

    @property
    def project(self) -> str:
        """Normalised name."""
        return canonicalize_name(self.filename.split("-", 1)[0])

    @property
    def path(self) -> str:
        """Where the server serves it, unquoted."""
        return f"/whl/{self.filename}" if self.at_root else f"/whl/{self.index}/{self.filename}"


def files_of(listing: IndexListing) -> Iterator[ReplayFile]:
    """Yield all rows of a listing (of the snapshot, say); their bytes cannot be had, their metadata can."""
    for project in listing.projects:
        for release in listing.releases(project):
            known = release.metadata
            text = known and make_metadata(
                project, release.version, known.requires_dist, known.requires_python
            )
            metadata = text.encode() if text else None
            for wheel in release.wheels():
                yield ReplayFile(
                    index=listing.index,
                    filename=wheel.filename,
                    sha256=wheel.sha256,
                    upload_time=wheel.upload_time,
                    at_root=wheel.folder == "whl",
                    metadata=metadata,
                    metadata_sha256=hashlib.sha256(metadata).hexdigest() if metadata else None,
                )


def _expanded(tags: str) -> list[str]:
    pythons, abis, platforms = (part.split(".") for part in tags.split("-"))
    return [f"{python}-{abi}-{platform}" for python in pythons for abi in abis for platform in platforms]


def _record_hash(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
