"""Requirements on the file at a URL (PEP 440 direct references) instead of on a project of an index."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from urllib.parse import unquote, urlsplit

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from envsmith.config.requirement import LONGEST, SourcedRequirement, read_requirement, shortened
from envsmith.errors import CatalogError, ProfileError
from envsmith.model.wheel import Wheel

# `name[extras] @ URL ; marker`, or the URL of a wheel alone.
_DIRECT = re.compile(
    r"(?:(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?P<extras>\[[^\]]*\])?\s*@\s*)?"
    r"(?P<url>https?://[^\s;]+)\s*(?:;(?P<marker>.*))?",
    re.DOTALL,
)
_SHA256 = re.compile(r"sha256[=:]([0-9A-Fa-f]{64})")
# Safe in requirements lines and TOML.
_SAFE = re.compile(r"[A-Za-z0-9._~:/\[\]!&()*+,=%@-]+")


def read_direct(text: str) -> tuple[Requirement, tuple[str, ...]]:
    """Parse a requirement on a project of an index, or on the wheel at a URL.

    Returns:
        The requirement, its URL without fragment, and the sha256 in the fragment: ``("sha256:HEX",)`` or none.

    Raises:
        ProfileError: PRF020 when it is malformed; PRF021 when it is on something else; PRF056 when the URL
            contains a login or a query, which may be a token.
    """
    text = text.strip()
    match = _DIRECT.fullmatch(text) if len(text) <= LONGEST else None  # its time grows with the square
    if match is None:
        return read_requirement(text), ()
    url, _, fragment = match["url"].partition("#")
    _check_url(url)
    name = _name_of_wheel(url)
    if not name:
        return read_requirement(text), ()  # which says what is possible
    if match["name"] and canonicalize_name(match["name"]) != name:
        raise ProfileError(
            "PRF021",
            f"{shortened(match['name'])!r} is not the package of this wheel, which is {name}",
            hint=f"write {name} @ URL",
        )
    marker = f" ; {match['marker'].strip()}" if match["marker"] else ""
    # The parts, not the URL, are checked as any requirement is.
    checked = read_requirement(f"{name}{match['extras'] or ''}{marker}")
    checked.url = url
    found = _SHA256.fullmatch(fragment)
    if fragment and not found:
        raise ProfileError(
            "PRF024", f"invalid hash {shortened(fragment)!r} in a URL", hint="write URL#sha256=HEX"
        )
    return checked, (f"sha256:{found[1].lower()}",) if found else ()


def with_sources(
    requirements: Iterable[SourcedRequirement], sources: Sequence[SourcedRequirement]
) -> Iterator[SourcedRequirement]:
    """Yield requirements, those on projects with a source as requirements on what the source names.

    As in uv, a version is not compared then. A source with a marker leaves the requirement for the other targets.

    Args:
        requirements: of the project.
        sources: with the markers of ``[tool.uv.sources]``.
    """
    for item in requirements:
        own = [source for source in sources if source.name == item.name]
        if not own or any(source.requirement.marker for source in own):
            yield item
        for source in own:
            requirement = Requirement(str(source.requirement))
            requirement.extras = set(item.requirement.extras)
            markers = [
                f"({found.requirement.marker})" for found in (item, source) if found.requirement.marker
            ]
            requirement.marker = Marker(" and ".join(markers)) if markers else None
            yield replace(source, requirement=requirement)


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ProfileError("PRF020", "malformed URL", hint="write name @ https://...") from error
    if "@" in parts.netloc or parts.query:
        what = "a login" if "@" in parts.netloc else "a query, which may contain a token"
        raise ProfileError(
            "PRF056",
            f"{shortened(url)!r} contains {what}; locks must not contain credentials",
            hint="remove it from the URL; for a login use the netrc file or `uv auth login`",
        )
    if not _SAFE.fullmatch(url):
        raise ProfileError(
            "PRF020", f"{shortened(url)!r} has characters that a URL must quote", hint="quote them as %XX"
        )


def _name_of_wheel(url: str) -> str:
    """Return the project of the wheel at a URL; empty for another file."""
    filename = unquote(urlsplit(url).path).rpartition("/")[2]
    try:
        return str(Wheel.from_entry(index="", filename=filename, url=url, sha256=None).name)
    except CatalogError:
        return ""
