"""What a CI service runs, written out of templates: nothing of a project gets into YAML or a shell unquoted.

Texts in YAML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from envsmith.config.settings import CiSettings
from envsmith.model.shell import quote_ps1, quote_sh

_UNPRINTABLE = re.compile(r"[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]")
OWN_PYTHON = "3.12"
"""What envsmith itself runs on there."""
_HOLE = re.compile(r"@([A-Z_]+)@")
_BLOCK = re.compile(r"(?m)^( *)@([A-Z_]+)@$")
_ENTRY = re.compile(r"( *(?:- |run: ))(.*)")
# PowerShell parts a word that begins with a dash at a dot or colon.
_PLAIN_WORDS: Mapping[Callable[[str], str], re.Pattern[str]] = {
    quote_sh: re.compile(r"[A-Za-z0-9_+:./=-]+"),
    quote_ps1: re.compile(r"[A-Za-z0-9_-]+|[A-Za-z0-9_][A-Za-z0-9_./-]*"),
}
_PLAIN_YAML = re.compile(r"[A-Za-z0-9_+./= -]*")
_COMMANDS = {"FOLDER", "FOLDER_WINDOWS", "MATRIX", "TEST", "TEST_WINDOWS"}
"""The holes that parts of commands are put into."""
Templates = Callable[[str], str]
_Quote = Callable[[str], str]


def yaml_text(text: str) -> str:
    """Write a text as YAML: between double quotes, where JSON's escapes are YAML's, too.

    Source: YAML 1.2.2, "Double-Quoted Style" and "Escaped Characters" (read 2026-11-21).
    """
    return _UNPRINTABLE.sub(lambda match: f"\\U{ord(match[0]):08x}", json.dumps(text, ensure_ascii=False))


@dataclass(frozen=True, slots=True, kw_only=True)
class CiPipeline:
    """What a pipeline is to do."""

    ci: CiSettings
    folder: str = "lockfiles"
    """Folder of the lock folders, relative to the project."""
    parts: int = 1
    """How many matrices its jobs take."""
    runner: str = ""
    """The label of a plain machine with Linux."""
    actions: tuple[str, ...] = ()
    """As they stand behind ``uses:``."""
    has_pytest: bool = False
    """Whether every lock has pytest."""

    @property
    def test(self) -> tuple[str, ...]:
        """The words of the command that tests an environment."""
        plain = ("-m", "pytest") if self.has_pytest else ("-c", "import torch; print(torch.__version__)")
        return self.ci.test or ("python", *plain)


def github(pipeline: CiPipeline, template: Templates) -> dict[str, str]:
    """Return path → text of the workflows for GitHub.

    Args:
        pipeline: what they are to do.
        template: returns the text of a template by its file's name.
    """
    known = {
        **_common(pipeline, quote_sh),
        "RUNNER": pipeline.runner,
        **{_hole_of(pinned): pinned for pinned in pipeline.actions},
    }
    known = {key: _no_expression(value) for key, value in known.items()}
    setup = {"SETUP": [_no_expression(line) for line in pipeline.ci.setup]}
    numbers = range(1, pipeline.parts + 1)
    jobs = [_job(number, template("github-job.yml"), known, setup) for number in numbers]
    blocks = {
        **setup,
        "OUTPUTS": [f"matrix-{number}: ${{{{ steps.jobs.outputs.matrix-{number} }}}}" for number in numbers],
        "JOBS": "\n".join(jobs).rstrip("\n").split("\n"),
    }
    return {
        ".github/workflows/envsmith.yml": _filled(template("github-locks.yml"), known, blocks),
        ".github/workflows/envsmith-relock.yml": _filled(template("github-relock.yml"), known, blocks),
    }


def gitlab(pipeline: CiPipeline, template: Templates) -> dict[str, str]:
    """Return path → text of the pipelines for GitLab; as `github`."""
    windows = _common(pipeline, quote_ps1)
    known = {
        **_common(pipeline, quote_sh),
        "FOLDER_WINDOWS": windows["FOLDER"],
        "TEST_WINDOWS": windows["TEST"],
    }
    blocks = {"SETUP": [f"- {yaml_text(line)}" for line in pipeline.ci.setup]}
    return {
        ".gitlab-ci.yml": template("gitlab-ci.yml"),
        ".gitlab/envsmith.yml": _filled(template("gitlab-envsmith.yml"), known, blocks),
        ".gitlab/envsmith-jobs.yml": _filled(template("gitlab-jobs.yml"), known, blocks),
    }


def _job(number: int, template: str, known: Mapping[str, str], blocks: Mapping[str, Sequence[str]]) -> str:
    guard = "count != '0'" if number == 1 else f"matrix-{number} != ''"
    return _filled(template, {**known, "NUMBER": str(number), "GUARD": guard}, blocks)


def _common(pipeline: CiPipeline, quote: _Quote) -> dict[str, str]:
    ci = pipeline.ci
    folder = f" -o {_word(pipeline.folder, quote)}" if pipeline.folder != "lockfiles" else ""
    chosen = "".join(f" {_word(name, quote)}" for name in ci.profiles)
    return {
        "PYTHON": OWN_PYTHON,
        "PARTS": str(pipeline.parts),
        "FOLDER": folder,
        "LOCKFILES": yaml_text(pipeline.folder),
        "MATRIX": chosen + folder + (" --cpu-fallback" if ci.has_cpu_fallback else ""),
        "TEST": " ".join(_word(word, quote) for word in pipeline.test),
    }


def _hole_of(pinned: str) -> str:
    """Return ``SETUP_PYTHON`` for ``actions/setup-python@...``."""
    return pinned.partition("@")[0].rpartition("/")[2].upper().replace("-", "_")


def _word(text: str, quote: _Quote) -> str:
    return text if _PLAIN_WORDS[quote].fullmatch(text) else quote(text)


def _no_expression(text: str) -> str:
    """Write a text so that GitHub reads no expression in it: one that says how an expression begins."""
    return text.replace("${{", "${{ '${{' }}")


def _filled(template: str, known: Mapping[str, str], blocks: Mapping[str, Iterable[str]]) -> str:
    """Fill the holes of a template: those that are a whole line with lines, indented as they are."""

    def lines(match: re.Match[str]) -> str:
        return "\n".join(f"{match[1]}{line}" if line else "" for line in blocks[match[2]])

    filled = "\n".join(_filled_line(line, known, blocks) for line in template.split("\n"))
    return _BLOCK.sub(lines, filled)


def _filled_line(line: str, known: Mapping[str, str], blocks: Mapping[str, Iterable[str]]) -> str:
    """Fill the holes of one line; where what gets into a command is not plain, all of it becomes a text of YAML."""
    names = [name for name in _HOLE.findall(line) if name not in blocks]
    if not names:
        return line
    filled = _HOLE.sub(lambda match: known.get(match[1], match[0]), line)
    entry = _ENTRY.fullmatch(filled)
    if entry and not all(_PLAIN_YAML.fullmatch(known[name]) for name in _COMMANDS.intersection(names)):
        return entry[1] + yaml_text(entry[2])
    return filled
