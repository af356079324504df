"""Requirements on a URL or path (PEP 440 direct references) instead of a project of an index."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from urllib.parse import unquote, urlsplit

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from envsmith.config.package_source import PackageSource, check_url, is_archive
from envsmith.config.requirement import LONGEST, SourcedRequirement, read_requirement, shortened
from envsmith.errors import CatalogError, ProfileError
from envsmith.model.wheel import Wheel

# `name[extras] @ PLACE ; marker`, or the place alone, of which a path may end with extras.
_DIRECT = re.compile(
    r"(?:(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?P<extras>\[[^\]]*\])?\s*@\s*)?"
    r"(?P<place>[^;]*[^;\s])\s*(?:;(?P<marker>.*))?",
    re.DOTALL,
)
_PLACE = re.compile(
    r"(?:git|hg|svn|bzr)\+|[A-Za-z][A-Za-z0-9+.-]*://|file:|[./\\~]|[A-Za-z]:[\\/]|\$\{PROJECT_ROOT\}|[^@\s=<>~!\[]+[/\\]"
)
_EDITABLE = re.compile(r"(?:-e|--editable)(?:\s+|=)")
_EXTRAS = re.compile(r"(?P<path>.*[^\s\[])(?P<extras>\[[^\]]*\])")
_EGG = re.compile(r"[#&]egg=(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?P<extras>\[[^\]]*\])?")
_SHA256 = re.compile(r"sha256[=:]([0-9A-Fa-f]{64})")
_HINT = "use name==version, name @ git+https://HOST/REPOSITORY@REVISION, name @ https://HOST/FILE or ./FOLDER"


def read_direct(text: str) -> tuple[Requirement, tuple[str, ...]]:
    """Parse a requirement on a project of an index, or on a package at another place.

    Returns:
        The requirement, whose URL is a `PackageSource` or the URL of a wheel, and the sha256 in the fragment of the
        latter: ``("sha256:HEX",)`` or none.

    Raises:
        ProfileError: PRF020 when it is malformed; PRF021 when it is on something else; PRF056 when the URL
            contains a login or a query, which may be a token.
    """
    editable = _EDITABLE.match(text.strip())
    text = text.strip()[editable.end() if editable else 0 :]
    match = _DIRECT.fullmatch(text) if len(text) <= LONGEST else None  # its time grows with the square
    if match is None or not (match["name"] or _PLACE.match(match["place"]) or is_archive(match["place"])):
        if editable:
            raise ProfileError("PRF021", f"{shortened(text)!r} is not a folder", hint=_HINT)
        return read_requirement(text), ()
    place, _, fragment = match["place"].partition("#")
    if re.match(r"https?://", place) and place.endswith(".whl"):
        return _of_wheel(match, place, fragment)
    return _of_source(match, is_editable=bool(editable)), ()


def _of_source(match: re.Match[str], *, is_editable: bool) -> Requirement:
    """Return the requirement on a repository, a folder or an archive."""
    name, extras, place = match["name"] or "", match["extras"] or "", match["place"]
    if egg := _EGG.search(place):
        name, extras = name or egg["name"], extras or egg["extras"] or ""
        place = (
            place[: egg.start()]
            + ("#" if egg[0][0] == "#" and egg.end() < len(place) else "")
            + (place[egg.end() :].lstrip("&") if egg[0][0] == "#" else place[egg.end() :])
        )
    if not extras and "://" not in place and (found := _EXTRAS.fullmatch(place)):
        place, extras = found["path"], found["extras"]
    if name and not _PLACE.match(place) and not is_archive(place):
        raise ProfileError("PRF020", f"{shortened(place)!r} is neither a URL nor a path", hint=_HINT)
    source = PackageSource.parse(place)
    if is_editable and source.kind != "folder":
        # As in uv: only a folder of this machine can be edited.
        raise ProfileError("PRF021", f"-e {shortened(place)!r} is not a folder", hint="remove -e")
    if source.kind == "url" and not is_archive(urlsplit(source.place).path):
        raise ProfileError("PRF021", f"{shortened(place)!r} is neither a wheel nor an archive", hint=_HINT)
    source = replace(source, is_editable=is_editable or source.is_editable, is_named=bool(name))
    return on_source(name or source.guessed_name(), source, extras=extras, marker=match["marker"] or "")


def on_source(name: str, source: PackageSource, *, extras: str = "", marker: str = "") -> Requirement:
    """Return the requirement on a package at a place."""
    requirement = read_requirement(f"{name}{extras}{f' ; {marker.strip()}' if marker.strip() else ''}")
    requirement.url = str(source)
    return requirement


def _of_wheel(match: re.Match[str], url: str, fragment: str) -> tuple[Requirement, tuple[str, ...]]:
    """Return the requirement on the wheel at a URL, with the hash in its fragment."""
    check_url(url)
    name = _name_of_wheel(url)
    if not name:
        raise ProfileError("PRF021", f"{shortened(url)!r} is not the name of a wheel", hint=_HINT)
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


def _name_of_wheel(url: str) -> str:
    """Return the project of the wheel at a URL; empty for another file."""
    filename = unquote(urlsplit(url).path).rpartition("/")[2]
    try:
        return str(Wheel.from_entry(index="", filename=filename, url=url, sha256=None).name)
    except CatalogError:
        return ""
