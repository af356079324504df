"""What one file was found to say."""

from __future__ import annotations

from dataclasses import dataclass, field

from envsmith.model.usage import Leftover, Use

_LONGEST = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class BareText:
    """A text that is a module's name and no more, as labels and messages are, too."""

    use: Use
    """The use that it is, where its file or one that knows a carrier imports modules by computed names."""
    carriers: frozenset[str]
    """Names by which it gets elsewhere: of the variable it is put into, of the function it is given to."""


@dataclass(slots=True, kw_only=True)
class Gathered:
    """Gathers what a file says while it is read."""

    file: str
    area: str = "sources"
    cell: int = 0
    uses: list[Use] = field(default_factory=list)
    leftovers: list[Leftover] = field(default_factory=list)
    bare: list[BareText] = field(default_factory=list)

    def bare_text(self, module: str, line: int, carriers: frozenset[str]) -> None:
        """Note a text that is a module's name."""
        self.bare.append(BareText(use=self._use(module, line, "text", "string"), carriers=carriers))

    def use(self, module: str, line: int, kind: str, certainty: str) -> None:
        """Note a use."""
        self.uses.append(self._use(module, line, kind, certainty))

    def _use(self, module: str, line: int, kind: str, certainty: str) -> Use:
        return Use(
            file=self.file,
            cell=self.cell,
            line=line,
            module=module,
            kind=kind,
            certainty=certainty,
            area=self.area,
        )

    def leftover(self, module: str, line: int, kind: str, text: str) -> None:
        """Note a line that speaks of a module without using it."""
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
