"""Takes requirements out of a requirements file, and leaves every other byte as it is."""

from __future__ import annotations

import codecs
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from envsmith.config.logical_line import split
from envsmith.config.requirements_txt import pin_of_wheel
from envsmith.files.edit import Edit, Line

_PHYSICAL = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
_OPTION = re.compile(r"\s--?[A-Za-z]")
_HASHED = re.compile(r"\s--hash\b")
_INCLUDE = re.compile(r"(?P<kind>-r|-c|--requirement|--constraint)(?:\s+|=|(?<=-[rc]))(?P<file>\S+)")
_VIA = re.compile(r"#\s*via\b(?P<names>.*)")
_ASIDE = re.compile(r"[ \t]+#(?P<text>.*)")
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def cut_requirements(
    data: bytes, file: str, projects: Collection[str], unrequired: Collection[str] = ()
) -> Edit:
    """Take the lines out that ask for some projects.

    With a line go its continuation lines, hashes and trailing comment, and the ``# via`` lines a compiler wrote below
    it. A line stays where the file itself says that another of its packages requires this one, and where its pins are
    hashed but do not say who requires them: then pip needs the pin as long as anybody does.

    Args:
        data: the file's bytes, in UTF-8, UTF-16 or anything that ASCII is part of.
        file: its name, relative to the project's root.
        projects: normalised names.
        unrequired: those of them that are known to be required by no package.
    """
    bom, encoding = next(((bom, name) for bom, name in _BOMS if data.startswith(bom)), (b"", "utf-8"))
    errors = "surrogateescape" if encoding == "utf-8" else "surrogatepass"
    try:
        text = data[len(bom) :].decode(encoding, errors)
    except UnicodeDecodeError:
        return Edit(file=file, before=data, after=data)
    physical = _PHYSICAL.findall(text)
    found = list(_requirements(text, physical))
    asked = [item for item in found if item.project in projects]
    staying = _staying(asked, {item.project for item in found}, unrequired)
    gone = [item for item in asked if item.project not in staying]
    cut = {number for item in gone for number in range(item.first, item.last + 1)}
    kept = "".join(line for number, line in enumerate(physical, 1) if number not in cut)
    return Edit(
        file=file,
        before=data,
        after=bom + kept.encode(encoding, errors),
        gone=tuple(item.line(file) for item in gone),
        stays=tuple(
            replace(item.line(file), reason=staying[item.project])
            for item in asked
            if item.project in staying
        ),
    )


def is_requirements(text: str) -> bool:
    """Say whether every line of a text is a requirement or an option, and there is at least one."""
    lines = list(split(text))
    return bool(lines) and all(line.text.startswith("-") or _project(line.text) for line in lines)


def included(text: str) -> Iterator[tuple[str, str]]:
    """Yield ``-r`` or ``-c`` with the file that each such line names."""
    for line in split(text):
        if match := _INCLUDE.match(line.text):
            yield ("-r" if match["kind"] in ("-r", "--requirement") else "-c"), match["file"].strip("\"'")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    project: str
    first: int
    last: int
    """The ``# via`` lines below it included."""
    text: str
    is_hashed: bool
    via: frozenset[str] | None
    """Who requires it, as the file says; None where it does not say."""

    def line(self, file: str) -> Line:
        return Line(file=file, line=self.first, project=self.project, text=self.text)


def _requirements(text: str, physical: list[str]) -> Iterator[_Found]:
    for line in split(text):
        if line.text.startswith("-") or not (project := _project(line.text)):
            continue
        below = list(_below(physical[line.last :]))
        names = _via([*physical[line.number - 1 : line.last], *below])
        yield _Found(
            project=project,
            first=line.number,
            last=line.last + (len(below) if names is not None else 0),
            text=physical[line.number - 1].strip(),
            is_hashed=_HASHED.search(line.text) is not None,
            via=names,
        )


def _project(text: str) -> str:
    bare = _OPTION.split(text, maxsplit=1)[0]
    try:
        return canonicalize_name(Requirement(pin_of_wheel(bare) or bare).name)
    except (ValueError, RecursionError):
        return ""


def _below(lines: list[str]) -> Iterator[str]:
    """Yield the indented comments right below a requirement, where they begin as a compiler's do."""
    for number, line in enumerate(lines):
        if not _ASIDE.match(line) or (number == 0 and not _VIA.search(line)):
            return
        yield line


def _via(lines: list[str]) -> frozenset[str] | None:
    """Return the packages that a compiler's comments name as requirers; None where there are no such comments."""
    names: list[str] | None = None
    for line in lines:
        if match := _VIA.search(line):
            names = [*(names or ()), *match["names"].split(",")]
        elif names is not None and (aside := _ASIDE.match(line)):
            names += [aside["text"]]
    if names is None:
        return None
    return frozenset(
        canonicalize_name(name.strip()) for name in names if name.strip() and " " not in name.strip()
    )


def _staying(asked: list[_Found], pinned: Collection[str], unrequired: Collection[str]) -> dict[str, str]:
    """Return the projects that must stay, each with the reason: one that stays may require another."""
    leaving = {item.project for item in asked}
    while True:
        kept = set(pinned) - leaving
        staying = {item.project: reason for item in asked if (reason := _reason(item, kept, unrequired))}
        if not leaving & set(staying):
            return staying
        leaving -= set(staying)


def _reason(item: _Found, pinned: Collection[str], unrequired: Collection[str]) -> str:
    if item.via is not None:
        requirers = sorted(item.via & set(pinned) - {item.project})
        return f"required by {', '.join(requirers)}, as this file says" if requirers else ""
    if item.is_hashed and item.project not in unrequired:
        return "its pins are hashed, and none says who requires it: compile the file anew"
    return ""
