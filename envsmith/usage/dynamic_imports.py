"""Finds out which texts may be names of modules that are imported: by their own file, or by another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from envsmith.model.usage import Use
from envsmith.usage.collector import BareText
from envsmith.usage.parallel import mapped

_IMPORTERS = (
    b"import_module",
    b"__import__",
    b"import_string",
    b"find_spec",
    b"resolve_name",
    b"run_module",
    b"LazyLoader",
)
# What a file that imports modules by names it is given holds: a call of these whose name is no plain text, or one of
# these as a text itself, for getattr.
_COMPUTED = re.compile(
    rb"(?:" + b"|".join(_IMPORTERS) + rb")"
    rb"(?:\s*\((?!\s*[\"'][^\"'\n]*[\"']\s*[,)])|\s*[,)]|[\"']|\s+as\b)"
    # The function itself put under another name.
    rb"|(?:=|\breturn|\bor|\belse)\s*[\w.]*(?:import_module|__import__)\b(?!\s*\()"
)
_WORD = re.compile(r"[A-Za-z_]\w*")
_READ_BY_OTHERS = {"INSTALLED_APPS", "MIDDLEWARE", "extensions", "pytest_plugins", "hiddenimports"}
"""Variables whose texts a framework imports."""


def computed_uses(bare: Sequence[BareText], code: Mapping[str, str]) -> Iterator[Use]:
    """Yield the texts that may be imported: by their own file, or by one that knows a name that carries them.

    Args:
        bare: texts that are a module's name.
        code: name → path of the files of code; they are read once more where there is such a text, which is seldom.
    """
    open_ones = [text for text in bare if not text.carriers & _READ_BY_OTHERS]
    importing = _importing(code, open_ones) if open_ones else {}
    carried = {word for words in importing.values() for word in words}
    for text in bare:
        if text.carriers & _READ_BY_OTHERS or text.use.file in importing or text.carriers & carried:
            yield text.use


def _importing(code: Mapping[str, str], bare: Iterable[BareText]) -> dict[str, set[str]]:
    """Return the files that import modules by computed names, each with the carriers that it knows.

    Only those are asked for that hold one of the texts, or know one of the carriers.
    """
    own = {text.use.file for text in bare}
    carriers = {word for text in bare for word in text.carriers}

    def known(files: Iterable[tuple[str, str]]) -> list[set[str] | None]:
        return [_carriers(path, carriers, is_own=name in own) for name, path in files]

    found = mapped(known, list(code.items()))
    return {name: words for name, words in zip(code, found, strict=True) if words is not None}


def _carriers(path: str, carriers: set[str], *, is_own: bool) -> set[str] | None:
    """Return the carriers that a file knows; None where it imports nothing by a computed name."""
    try:
        with open(path, "rb", buffering=0) as stream:  # noqa: PTH123 - a Path for each takes its time
            data = stream.read()
    except OSError:
        return None
    # Whichever is quicker to look for comes first.
    if not is_own and len(carriers) < len(_IMPORTERS) and not any(word.encode() in data for word in carriers):
        return None
    if not any(word in data for word in _IMPORTERS) or not _COMPUTED.search(data):
        return None
    return carriers.intersection(_WORD.findall(data.decode("utf-8", "replace")))
