"""CI workflows, filled in from templates with every project value quoted for YAML and the shell."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from envsmith.config.pyproject_settings import CiSettings
from envsmith.lockfile import LOCKFILES
from envsmith.model.shell import quote_ps1, quote_sh

# Characters outside YAML's printable set, and those an editor may show or store differently.
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]")
OWN_PYTHON = "3.12"
"""The Python that runs envsmith itself in CI."""
# `@NAME@` in a template; alone on its line it takes several lines; `- text` or `run: text` is one command.
_PLACEHOLDER = re.compile(r"@([A-Z_]+)@")
_LINES = re.compile(r"(?m)^( *)@([A-Z_]+)@$")
_ENTRY = re.compile(r"( *(?:- |run: ))(.*)")
# Words safe without quotes. PowerShell splits a word that begins with a dash at a dot or colon.
_PLAIN_WORDS: Mapping[Callable[[str], str], re.Pattern[str]] = {
    quote_sh: re.compile(r"[A-Za-z0-9_+:./=-]+"),
    quote_ps1: re.compile(r"[A-Za-z0-9_-]+|[A-Za-z0-9_][A-Za-z0-9_./-]*"),
}
# Texts which YAML reads as they are in a plain scalar.
_PLAIN_YAML = re.compile(r"[A-Za-z0-9_+./= -]*")
_IN_COMMANDS = {"FOLDER", "FOLDER_WINDOWS", "MATRIX", "TEST", "TEST_WINDOWS"}
"""Placeholders inside commands."""
Templates = Callable[[str], str]
_Quote = Callable[[str], str]


def yaml_text(text: str) -> str:
    """Return a double-quoted YAML scalar; its escapes are those of JSON.

    Source: YAML 1.2.2, "Double-Quoted Style" and "Escaped Characters" (read 2026-11-21).
    """
    return _UNPRINTABLE.sub(lambda match: f"\\U{ord(match[0]):08x}", json.dumps(text, ensure_ascii=False))


@dataclass(frozen=True, slots=True, kw_only=True)
class CiPipeline:
    """Settings of a generated pipeline."""

    ci: CiSettings
    folder: str = LOCKFILES
    """Folder of the lock folders, relative to the project."""
    parts: int = 1
    """Number of matrices."""
    runner: str = ""
    """Label of a Linux runner without a GPU."""
    actions: tuple[str, ...] = ()
    """Pinned actions, as written after ``uses:``."""
    has_pytest: bool = False
    """Whether every lock contains pytest."""

    @property
    def test(self) -> tuple[str, ...]:
        """Arguments of the command that tests an environment."""
        plain = ("-m", "pytest") if self.has_pytest else ("-c", "import torch; print(torch.__version__)")
        return self.ci.test or ("python", *plain)


def github(pipeline: CiPipeline, template: Templates) -> dict[str, str]:
    """Return path → text of the workflows for GitHub.

    Args:
        pipeline: their settings.
        template: reads a template by file name.
    """
    values = {
        **_common(pipeline, quote_sh),
        "RUNNER": pipeline.runner,
        **{_placeholder_of(pinned): pinned for pinned in pipeline.actions},
    }
    values = {key: _no_expression(value) for key, value in values.items()}
    setup = {"SETUP": [_no_expression(line) for line in pipeline.ci.setup]}
    numbers = range(1, pipeline.parts + 1)
    jobs = [_job(number, template("github-job.yml"), values, setup) for number in numbers]
    blocks = {
        **setup,
        "OUTPUTS": [f"matrix-{number}: ${{{{ steps.jobs.outputs.matrix-{number} }}}}" for number in numbers],
        "JOBS": "\n".join(jobs).rstrip("\n").split("\n"),
    }
    return {
        ".github/workflows/envsmith.yml": _filled(template("github-locks.yml"), values, blocks),
        ".github/workflows/envsmith-relock.yml": _filled(template("github-relock.yml"), values, blocks),
    }


def gitlab(pipeline: CiPipeline, template: Templates) -> dict[str, str]:
    """Return path → text of the pipelines for GitLab; arguments as for `github`."""
    windows = _common(pipeline, quote_ps1)
    values = {
        **_common(pipeline, quote_sh),
        "FOLDER_WINDOWS": windows["FOLDER"],
        "TEST_WINDOWS": windows["TEST"],
    }
    blocks = {"SETUP": [f"- {yaml_text(line)}" for line in pipeline.ci.setup]}
    return {
        ".gitlab-ci.yml": template("gitlab-ci.yml"),
        ".gitlab/envsmith.yml": _filled(template("gitlab-envsmith.yml"), values, blocks),
        ".gitlab/envsmith-jobs.yml": _filled(template("gitlab-jobs.yml"), values, blocks),
    }


def _job(number: int, template: str, values: Mapping[str, str], blocks: Mapping[str, Sequence[str]]) -> str:
    guard = "count != '0'" if number == 1 else f"matrix-{number} != ''"
    return _filled(template, {**values, "NUMBER": str(number), "GUARD": guard}, blocks)


def _common(pipeline: CiPipeline, quote: _Quote) -> dict[str, str]:
    ci = pipeline.ci
    folder = f" -o {_word(pipeline.folder, quote)}" if pipeline.folder != LOCKFILES else ""
    chosen = "".join(f" {_word(name, quote)}" for name in ci.profiles)
    return {
        "PYTHON": OWN_PYTHON,
        "PARTS": str(pipeline.parts),
        "FOLDER": folder,
        "LOCKFILES": yaml_text(pipeline.folder),
        "MATRIX": chosen + folder + (" --cpu-fallback" if ci.has_cpu_fallback else ""),
        "TEST": " ".join(_word(word, quote) for word in pipeline.test),
    }


def _placeholder_of(pinned: str) -> str:
    """Return ``SETUP_PYTHON`` for ``actions/setup-python@...``."""
    return pinned.partition("@")[0].rpartition("/")[2].upper().replace("-", "_")


def _word(text: str, quote: _Quote) -> str:
    return text if _PLAIN_WORDS[quote].fullmatch(text) else quote(text)


def _no_expression(text: str) -> str:
    """Escape the start of an expression for GitHub."""
    return text.replace("${{", "${{ '${{' }}")


def _filled(template: str, values: Mapping[str, str], blocks: Mapping[str, Iterable[str]]) -> str:
    """Fill in a template; a placeholder alone on its line takes several lines with its indentation."""

    def lines(match: re.Match[str]) -> str:
        return "\n".join(f"{match[1]}{line}" if line else "" for line in blocks[match[2]])

    filled = "\n".join(_filled_line(line, values, blocks) for line in template.split("\n"))
    return _LINES.sub(lines, filled)


def _filled_line(line: str, values: Mapping[str, str], blocks: Mapping[str, Iterable[str]]) -> str:
    """Fill in one line; quote a whole command for YAML if a value in it is not plain."""
    names = [name for name in _PLACEHOLDER.findall(line) if name not in blocks]
    if not names:
        return line
    filled = _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), line)
    entry = _ENTRY.fullmatch(filled)
    if entry and not all(_PLAIN_YAML.fullmatch(values[name]) for name in _IN_COMMANDS.intersection(names)):
        return entry[1] + yaml_text(entry[2])
    return filled
