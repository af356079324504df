"""The name under which envsmith is installed, and commands that would install another project instead."""

from __future__ import annotations

import re
from collections.abc import Iterator

NAME = "envsmith-torch"

# The name alone, as an installer reads it: with extras or a version, but not as a part of a path, URL or longer name.
_ALONE = r"(?<![\w./@:+-])envsmith(?![\w/@-]|\.\w)"
# From the installer to the end of the command; a sentence, a code span or a second command ends it.
_REST = r"[^\n`;|&,]*?"
_TOOL = r"pip[\d.]*|uv|pipx|conda|mamba|poetry|pdm|hatch|rye"
_COMMANDS = (
    rf"\b(?:{_TOOL})\b{_REST}\b(?:install|add|upgrade|inject|download|wheel)\b{_REST}[\s'\"=]{_ALONE}",
    rf"\b(?:uv|uvx|pipx)\b{_REST}--(?:with|from|spec)[\s=]['\"]?{_ALONE}",
    rf"\b(?:uvx|uv tool run|pipx run)\b(?!{_REST}--(?:from|spec)){_REST}[\s'\"]{_ALONE}",
    # A list of words, in Python, JSON and YAML.
    rf"""["'](?:install|add|uvx|--with|--from)["'](?:\s*,\s*["'][^"'\n]*["'])*\s*,\s*["']{_ALONE}""",
    # A line of a requirements file, or an entry of a list of requirements.
    rf"""^\s*["']?{_ALONE}\s*(?:\[[\w,\s-]+\])?\s*(?:[=<>!~]=|[<>]|@\s)""",
)
_STRANGER = re.compile("|".join(_COMMANDS))
_WRAPPED = re.compile(r"\\\n|(?<=,)\n\s*")


def strangers(text: str) -> Iterator[str]:
    """Yield the commands and requirements by which an installer would take `envsmith`, another project on PyPI.

    A backslash or a comma at the end joins two lines.
    """
    for variant in (text, _WRAPPED.sub(" ", text)):
        for line in variant.splitlines():
            if "envsmith" in line and (match := _STRANGER.search(line)):
                yield match[0]
