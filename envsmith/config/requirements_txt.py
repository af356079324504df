"""PyTorchLine: a line that names PyTorch's own index, or a wheel there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from packaging.utils import canonicalize_name

from envsmith.errors import CatalogError, ProfileError
from envsmith.model.backend import Backend
from envsmith.model.wheel import Wheel

_HOSTS = ("download.pytorch.org", "download-r2.pytorch.org")
_CHANNELS = ("nightly", "test")
_LONGEST = 2000
_URL_REQUIREMENT = re.compile(
    r"(?:(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?P<extras>\[[^\]]*\])?\s*@\s*)?"
    r"(?P<url>https?://[^\s;]+)\s*(?P<marker>;.*)?",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PyTorchLine:
    """An option of a requirements file that names PyTorch's index; the profile's index takes its place."""

    kind: str
    """``index``, ``extra-index`` or ``find-links``."""
    url: str
    backend: str | None
    """``cu128``; None where the address names none, as torch_stable.html and the root do."""
    channel: str
    """``stable``, ``test`` or ``nightly``."""
    origin: str

    @classmethod
    def parse(cls, *, kind: str, url: str, origin: str) -> PyTorchLine | None:
        """Recognise an address of PyTorch's index; None for any other address."""
        parts = _on_pytorch(url)
        if parts is None:
            return None
        folders = [unquote(part) for part in parts.path.split("/") if part][1:]
        channel = folders.pop(0) if folders and folders[0] in _CHANNELS else "stable"
        return cls(
            kind=kind,
            url=url,
            backend=_backend(folders[0]) if folders else None,
            channel=channel,
            origin=origin,
        )


def pin_of_wheel(text: str) -> str | None:
    """Turn a direct URL to a wheel of PyTorch's into ``name==version+label``, extras and marker kept.

    Returns:
        None where the text is not such a URL, or gives it another project's name.
    """
    match = _URL_REQUIREMENT.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    parts = _on_pytorch(match["url"]) if match else None
    if match is None or parts is None or not parts.path.endswith(".whl"):
        return None
    filename = unquote(parts.path.rsplit("/", 1)[-1])
    try:
        wheel = Wheel.from_row(index="", filename=filename, url=match["url"], sha256=None)
    except CatalogError:
        return None
    if match["name"] and canonicalize_name(match["name"]) != wheel.name:
        return None
    marker = f" {match['marker']}" if match["marker"] else ""
    return f"{wheel.name}{match['extras'] or ''}=={wheel.version}{marker}"


def _on_pytorch(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        hostname = parts.hostname
    except ValueError:
        return None
    is_wheel_index = parts.path == "/whl" or parts.path.startswith("/whl/")
    return parts if parts.scheme in ("http", "https") and hostname in _HOSTS and is_wheel_index else None


def _backend(folder: str) -> str | None:
    try:
        return str(Backend.parse(folder))
    except ProfileError:
        return None
