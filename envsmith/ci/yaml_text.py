"""Texts in YAML."""

from __future__ import annotations

import json
import re

_UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]")


def yaml_text(text: str) -> str:
    """Write a text as YAML: between double quotes, where JSON's escapes are YAML's, too.

    Source: YAML 1.2.2, "Double-Quoted Style" and "Escaped Characters" (read 2026-11-21).
    """
    return _UNPRINTABLE.sub(lambda match: f"\\U{ord(match[0]):08x}", json.dumps(text, ensure_ascii=False))
