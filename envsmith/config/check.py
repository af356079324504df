"""Check: something a profile wants tried in its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from envsmith.config import toml_field
from envsmith.config.toml_field import Reader, Spot
from envsmith.errors import ProfileError

TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class Check:
    """One import, or one command."""

    kind: str
    """``import`` or ``run``."""
    text: str
    """Name of the module; or the command, as a shell would read it, though none does."""
    timeout_s: float = TIMEOUT_S

    @property
    def word(self) -> str:
        """What is tried, as records of it say: ``import torch``."""
        return f"{self.kind} {self.text}"

    def to_table(self) -> Mapping[str, object]:
        """Return it as a profile writes it."""
        limit = {} if self.timeout_s == TIMEOUT_S else {"timeout-s": self.timeout_s}
        return {self.kind: self.text, **limit}


def read(value: object, spot: Spot) -> Check | None:
    """Read a check: ``{import = "torch"}`` or ``{run = "python -m app.selftest", timeout-s = 60}``."""
    found = toml_field.fields(value, spot, _READERS)
    kinds = [key for key in ("import", "run") if key in found]
    if len(kinds) == 1:
        limit = found.get("timeout-s", TIMEOUT_S)
        return Check(kinds[0], str(found[kinds[0]]), limit if isinstance(limit, float) else TIMEOUT_S)
    if len(kinds) == 2 or (isinstance(value, Mapping) and not {"import", "run"} & value.keys()):
        spot.problem("PRF005", "must have import or run, one of them", 'such as { import = "torchvision" }')
    return None


def _module(text: str) -> str:
    if all(part.isidentifier() for part in text.split(".")):
        return text
    raise ProfileError("PRF005", f"{text!r} is no name of a module", hint='such as "sentence_transformers"')


def _seconds(value: object, spot: Spot) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= 86_400:
        return float(value)
    spot.problem("PRF005", "must be seconds, more than 0 and at most a day", "such as 60")
    return None


_READERS: Mapping[str, Reader] = {
    "import": toml_field.parsed(_module),
    "run": toml_field.text,
    "timeout-s": _seconds,
}
