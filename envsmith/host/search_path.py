"""Search path: PATH as Windows's registry keeps it, and what is taken out of it."""

from __future__ import annotations

from dataclasses import dataclass

USER, MACHINE = "user", "machine"
SEPARATOR = ";"


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPath:
    """PATH in one scope of the registry."""

    scope: str
    """USER or MACHINE."""
    text: str
    """As it is kept: variables in it, ``%SystemRoot%``, are not put in."""
    kind: int
    """The number of the value's type, REG_SZ or REG_EXPAND_SZ, which is kept as it is."""

    @property
    def entries(self) -> tuple[str, ...]:
        """The entries, as they are written; an empty one stands where two separators follow each other."""
        return tuple(self.text.split(SEPARATOR))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Entries to be taken out of one scope."""

    before: SearchPath
    gone: tuple[str, ...]
    """As they are written."""
    may_write: bool = True
    """Whether this user may change the scope."""

    @property
    def after(self) -> str:
        """The text without them, else as it was."""
        return SEPARATOR.join(entry for entry in self.before.entries if entry not in self.gone)

    def to_json(self) -> dict[str, object]:
        """Return it as plain values."""
        return {"scope": self.before.scope, "entries": list(self.gone), "may_write": self.may_write}
