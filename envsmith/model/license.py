"""Licence: under which terms a package comes, in its own words."""

from __future__ import annotations

from dataclasses import dataclass

from packaging.metadata import RawMetadata, parse_email

_LONGEST = 100
"""Characters; what is longer is a licence's text, not its name."""
_GROUPS = ("License", "OSI Approved")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Licence:
    """What METADATA says; nothing is made of it that it does not say."""

    expression: str = ""
    """An SPDX expression (PEP 639); empty where there is none."""
    name: str = ""
    """In words, where there is no expression: ``NVIDIA Proprietary Software``."""

    @property
    def is_known(self) -> bool:
        """Whether anything is said at all."""
        return bool(self.expression or self.name)

    def __str__(self) -> str:
        """Return it as people read it; empty where nothing is said."""
        return self.expression or self.name

    @classmethod
    def from_metadata(cls, body: bytes) -> Licence:
        """Read it out of a wheel's METADATA.

        Source: core metadata specifications, "License-Expression", "License" and "Classifier" (read 2026-11-21).
        """
        raw = parse_email(body)[0]
        expression = _line(raw.get("license_expression", ""))
        return cls(expression=expression) if expression else cls(name=_name(raw))


def _name(raw: RawMetadata) -> str:
    """Return the name the field gives, else those of the classifiers, else the first line where the field is a text."""
    field = raw.get("license", "").strip()
    whole = _line(field)
    if whole and whole.upper() != "UNKNOWN" and "\n" not in field and len(whole) <= _LONGEST:
        return whole
    if found := _classified(raw.get("classifiers", [])):
        return "; ".join(found)
    first = _line(field.partition("\n")[0])
    return first if "licen" in first.lower() and len(first) <= _LONGEST else ""


def _classified(classifiers: list[str]) -> list[str]:
    found = []
    for text in classifiers:
        parts = [part.strip() for part in text.split("::")]
        if parts[0] == "License" and parts[-1] not in _GROUPS:
            found.append(_line(parts[-1]))
    return found


def _line(text: str) -> str:
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())
