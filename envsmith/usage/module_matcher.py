"""Matching of searched module names in bytes and text, and the uses collected from one file."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from envsmith.model.usage import Area, Certainty, Leftover, LeftoverKind, SearchedModule, Use, UseKind

_NAME = r"[A-Za-z_]\w*"
_REQUIREMENT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^]]*\])?\s*(?:[=<>!~]=?.*|;.*|@.*)")
_PROJECT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_DOTTED = rf"{_NAME}(?:\.{_NAME})*"
_RENAMED = rf"{_DOTTED}(?:[ \t]+as[ \t]+{_NAME})?"
_CODE = re.compile(rf"(?:^|[\n;:\"'])[ \t]*(?:import|from)[ \t]+({_RENAMED}(?:[ \t]*,[ \t]*{_RENAMED})*)")
# In a string: code that imports by name, a command that runs a module, the path of an installed module.
_NAMED = re.compile(
    rf"(?:(?:import_module|__import__|resolve_name|find_spec|run_module)\s*\(\s*[\"']"
    rf"|(?i:py|run|exec|coverage)[^\n]{{0,400}}?[\s\"',\[](?:-[A-Za-z]{{0,20}}m|--module)[\s=\"',]*"
    rf"|(?:site|dist)-packages[/\\]+)({_DOTTED})"
)
_LONGEST_START = 200
_PUT_IN = re.compile(r"[{%<]")
_PATH = re.compile(rf"({_NAME}(?:\.{_NAME})*)\.?(?::[\w.]*)?")
_LONGEST = 160


class ModuleMatcher:
    """Matches searched modules.

    Args:
        sought: the searched modules.
    """

    def __init__(self, sought: Iterable[SearchedModule]) -> None:
        self.sought = tuple(sought)
        self.modules = frozenset(item.module for item in self.sought)
        needles: dict[bytes, tuple[str, ...]] = {}
        for item in self.sought:
            for text in (item.top, *item.messages, *item.projects):
                needles[text.encode()] = (*needles.get(text.encode(), ()), item.module)
        self._needles = tuple(needles.items())
        self.words = tuple(
            dict.fromkeys(word for item in self.sought for word in (item.top, *item.messages, *item.projects))
        )
        """Words of which one occurs wherever a searched module is mentioned."""
        tops = "|".join(sorted({re.escape(item.top) for item in self.sought}, key=len, reverse=True))
        self._word = re.compile(rf"(?<![\w./\\-])(?:{tops})(?!\w)(?:\.{_NAME})*" if tops else r"(?!)")
        self._aside = re.compile(rf"(?<![A-Za-z0-9])(?:{tops})(?![A-Za-z0-9])" if tops else r"(?!)")
        self._projects = {_plain(name): item.module for item in self.sought for name in item.projects}

    def in_bytes(self, data: bytes, passed: Collection[str] = ()) -> tuple[str, ...]:
        """Return the searched modules whose top-level name or warning occurs anywhere in a file.

        Args:
            data: the file's bytes.
            passed: modules to ignore.
        """
        found = [modules for needle, modules in self._open(passed) if needle in data]
        return tuple(dict.fromkeys(module for modules in found for module in modules)) if found else ()

    def _open(self, passed: Collection[str]) -> Iterable[tuple[bytes, tuple[str, ...]]]:
        if not passed:
            return self._needles
        return [
            (needle, left)
            for needle, modules in self._needles
            if (left := tuple(item for item in modules if item not in passed))
        ]

    def has_plain_import(self, data: bytes, modules: Collection[str]) -> bool:
        """Return whether a line probably imports one of the modules unconditionally."""
        tops = {module.partition(".")[0].encode() for module in modules}
        text = b"\n" + data[:_LONGEST_START] if data[:1] in (b"i", b"f") else b""
        return any(
            line in data or text.startswith(line)
            for top in tops
            for line in (b"\nimport " + top, b"\nfrom " + top)
        )

    def means(self, module: str) -> bool:
        """Return whether a dotted name is a searched module, inside one, or a parent of one."""
        return any(item.is_meant_by(module) for item in self.sought)

    def in_path(self, text: str) -> str | None:
        """Return the module named by a string, up to a placeholder: ``torchvision:hub``, ``a.{}``."""
        match = _PATH.fullmatch(_PUT_IN.split(text, maxsplit=1)[0])
        return match[1] if match and self.means(match[1]) else None

    def in_code(self, text: str) -> Iterator[tuple[str, int]]:
        """Yield each searched module imported or run in a string, and the number of line breaks before it."""
        for found in (_CODE.finditer(text), _NAMED.finditer(text)):
            breaks = counted = 0
            for match in found:
                breaks += text.count("\n", counted, match.start(1))
                counted = match.start(1)
                for name in match[1].split(","):
                    if self.means(module := name.split()[0]):
                        yield module, breaks

    def in_requirement(self, text: str) -> str | None:
        """Return the searched module that a string requires in some version: ``torchvision>=0.15``."""
        match = _REQUIREMENT.fullmatch(text.strip())
        name = _plain(match[1]) if match else ""
        own = next((item.module for item in self.sought if item.top.lower() == name), None)
        return own or self._projects.get(name)

    def in_words(self, text: str) -> Iterator[re.Match[str]]:
        """Yield each match of a searched module as a separate word, with its attributes."""
        return (match for match in self._word.finditer(text) if self.means(match[0]))

    def mentions(self, text: str) -> bool:
        """Return whether a text may mention a searched module."""
        return self._aside.search(text) is not None or bool(self.by_word(text))

    def by_word(self, text: str) -> tuple[str, ...]:
        """Return the searched modules that a text mentions: by module, project or warning."""
        tops = set(self._aside.findall(text))
        projects = {_plain(word) for word in _PROJECT.findall(text)} if self._projects else set()
        return tuple(
            item.module
            for item in self.sought
            if (item.top in tops and item.module in text)
            or any(message in text for message in item.messages)
            or any(_plain(name) in projects for name in item.projects)
        )

    def owner(self, module: str) -> str:
        """Return the searched module that contains a dotted name; the name itself if none does."""
        return next((item.module for item in self.sought if item.is_meant_by(module)), module)


def _plain(project: str) -> str:
    """Normalise a project name to the spelling of modules."""
    return re.sub(r"[-_.]+", "_", project).lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class BareWordText:
    """A string that equals a module's name; labels and messages can do so, too."""

    use: Use
    """The use to report if computed imports can receive the string."""
    carriers: frozenset[str]
    """Names of the variables and functions that receive the string."""


@dataclass(slots=True, kw_only=True)
class FileUsage:
    """Mutable collector of one file's uses and leftovers."""

    file: str
    area: Area = "sources"
    cell: int = 0
    uses: list[Use] = field(default_factory=list)
    leftovers: list[Leftover] = field(default_factory=list)
    bare: list[BareWordText] = field(default_factory=list)

    def bare_text(self, module: str, line: int, carriers: frozenset[str]) -> None:
        """Add a string that equals a module's name."""
        self.bare.append(BareWordText(use=self._use(module, line, "text", "string"), carriers=carriers))

    def use(self, module: str, line: int, kind: UseKind, certainty: Certainty) -> None:
        """Add a use."""
        self.uses.append(self._use(module, line, kind, certainty))

    def _use(self, module: str, line: int, kind: UseKind, certainty: Certainty) -> Use:
        return Use(
            file=self.file,
            cell=self.cell,
            line=line,
            module=module,
            kind=kind,
            certainty=certainty,
            area=self.area,
        )

    def leftover(self, module: str, line: int, kind: LeftoverKind, text: str) -> None:
        """Add a line that mentions a module without using it."""
        self.leftovers.append(
            Leftover(
                file=self.file,
                cell=self.cell,
                line=line,
                module=module,
                kind=kind,
                text=text.strip()[:_LONGEST],
            )
        )
