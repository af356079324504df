"""Licenses declared in package metadata."""

from __future__ import annotations

from dataclasses import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from packaging.metadata import RawMetadata

# In characters. A longer License field contains the license's text instead of its name.
_LONGEST_NAME = 100
# First parts of a trove classifier, not names of licenses.
_GROUPS = ("License", "OSI Approved")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class PackageLicense:
    """The license as METADATA declares it, without interpretation."""

    expression: str = ""
    """SPDX expression (PEP 639); empty if there is none."""
    name: str = ""
    """Free text, used without an expression: ``NVIDIA Proprietary Software``."""

    @property
    def is_known(self) -> bool:
        """Whether METADATA declares any license."""
        return bool(self.expression or self.name)

    def __str__(self) -> str:
        """Return the expression, else the name; empty if neither is known."""
        return self.expression or self.name

    @classmethod
    def from_metadata(cls, body: bytes) -> PackageLicense:
        """Parse a wheel's METADATA.

        Source: core metadata specifications, "License-Expression", "License" and "Classifier" (read 2026-11-21).
        """
        from packaging.metadata import parse_email  # slow to import, and seldom needed

        raw = parse_email(body)[0]
        expression = _line(raw.get("license_expression", ""))
        return cls(expression=expression) if expression else cls(name=_name(raw))


def _name(raw: RawMetadata) -> str:
    """Return the License field if it is a name, else the classifiers' names, else the first line of a license text."""
    field = raw.get("license", "").strip()
    whole = _line(field)
    if whole and whole.upper() != "UNKNOWN" and "\n" not in field and len(whole) <= _LONGEST_NAME:
        return whole
    if found := _classified(raw.get("classifiers", [])):
        return "; ".join(found)
    first = _line(field.partition("\n")[0])
    return first if "licen" in first.lower() and len(first) <= _LONGEST_NAME else ""


def _classified(classifiers: list[str]) -> list[str]:
    found = []
    for text in classifiers:
        parts = [part.strip() for part in text.split("::")]
        if parts[0] == "License" and parts[-1] not in _GROUPS:
            found.append(_line(parts[-1]))
    return found


def _line(text: str) -> str:
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())
