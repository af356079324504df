"""Reads configuration, requirements and scripts line by line: dotted names, commands, requirements."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envsmith.model.usage import LeftoverKind
from envsmith.usage.module_matcher import FileUsage, ModuleMatcher

# What may stand between the parts of a command is bounded: there are lines of megabytes.
_RUN = re.compile(
    r"(?i)(?:py|run|exec|\bcoverage\b|\blaunch\b).{0,1000}?[\s\"',\[]"
    r"(?:-[A-Za-z]*m|--module)[\s\"',=]*([A-Za-z_][\w.]*)"
)
_INLINE = re.compile(r"(?i)\b(?:py|python)[\w.]*\b.{0,1000}?\s-[cs][\s\"',]+(?P<code>.*)")
_EXTENSION = re.compile(r"^\s*%?(?:re)?load_ext\s+([A-Za-z_][\w.]*)")
_IMPORTED = re.compile(r"\b(?:import|from)\s+([\w.]+(?:\s*,\s*[\w.]+)*)")
_ASKED = re.compile(r"\s*[\"']?([A-Za-z0-9][\w.-]*)")
_HEREDOC = re.compile(r"^\s*(?:import|from|cimport)\s+([A-Za-z_][\w.]*)")
_INSTALL = re.compile(
    r"\b(?:pip[\d.]*|uv|conda|mamba|micromamba|pipx|poetry|pdm|rye|hatch|easy_install)"
    r"(?:[\s\"',]+(?:-[^\s\"',]+|pip|env))*[\s\"',]+(?:install|add|uninstall|remove)\b"
    r"|^\s*(?:-\s*)?pip:"
)
# Files whose tables mean what packaging and its tools say; the same names mean anything elsewhere.
_PROJECT_FILES = {
    "pyproject.toml",
    "setup.cfg",
    "tox.ini",
    "mypy.ini",
    "pytest.ini",
    "Pipfile",
    "pixi.toml",
    "hatch.toml",
}
_FILTERED = re.compile(r"\bPYTHONWARNINGS\s*[=:\s]\s*\S+")
_QUOTED = re.compile(r"[\"']([^\"']*)[\"']")
_SECTION = re.compile(r"^\s*\[+\s*([^\]]+?)\s*\]+\s*(?:#.*)?$")
_REQUIRES = re.compile(
    r"^(?:project(?:\.optional-dependencies)?|dependency-groups|build-system|options|options\.extras_require"
    r"|(?:dev-)?packages|tool\.poetry(?:\.group\.[^.]+)?\.(?:dev-)?dependencies|tool\.pdm\.dev-dependencies"
    r"|tool\.hatch\.envs\..*|tool\.uv(?:\.sources.*)?|tool\.pixi\..*|testenv.*|tool\.rye|metadata)$"
)
_ENTRY_POINTS = re.compile(
    r"entry[-_.]?points|^project\.(?:gui-)?scripts|poetry\.(?:scripts|plugins)|console_scripts"
)
_SETTINGS = re.compile(
    r"^(?:tool\.(?:mypy|isort|ruff|pylint|pyright|basedpyright|deptry|coverage|black|pytest|flake8|importlinter"
    r"|fawltydeps|pyrefly|ty|codespell|bandit|vulture|envsmith)\b.*|mypy.*|isort.*|flake8|pylint.*|coverage.*|pytest"
    r"|tool:.*|importlinter.*)$"
)
_NEED = re.compile(r"\b(?:need|requir|depend|wants?\b|must)", re.IGNORECASE)
_COMMENT = re.compile(r"(?:^|\s)(?:#|//|;|rem\s|REM\s|::)(?P<text>.*)$")
_WHOLE = re.compile(r"""(?:^|[:=\-,\[({]\s*|["'])$""")
_ENDED = re.compile(r"""^\s*(?:["']|[,\])}]|$)""")
_CONDA = re.compile(r"^\s*-\s*[\"']?(?:[\w-]+::)?[\w.-]+\s*(?:[=<>!~].*)?[\"']?\s*$")


# What a program is told to load: gunicorn torchvision:app, pytest -p torchvision, celery -A torchvision.
_LOADED = re.compile(r"(?:^|\s)(?:-(?!m)[A-Za-z]|--[\w-]+)[\s=][\"']?$")
_ATTRIBUTE = re.compile(r":[A-Za-z_]")
_LOADING_KEYS = re.compile(
    r"\s*[\"']?(?:plugins|load[-_]plugins|addopts|required_plugins|build-backend|version)\b"
)
_ENTRY_KEYS = re.compile(r"\s*(?:(?:gui-)?scripts|entry-points)\b")
_KEY = re.compile(r"\s*[\w.\"'-]+\s*=")


def read_requirements_lines(text: str, names: ModuleMatcher, gathered: FileUsage) -> None:
    """Note the lines of a requirements file, or of a profile, that ask for a sought module's project."""
    is_toml = gathered.file.endswith(".toml")
    for number, line in enumerate(text.splitlines(), 1):
        content, comment = _split(line)
        required = _required_in_toml(content, names) if is_toml else _required(content, names)
        for module in required:
            gathered.leftover(module, number, "requirement", line)
        for module in names.by_word(comment) if _NEED.search(comment) else ():
            if module not in required:
                gathered.leftover(module, number, "comment", line)


def _required(content: str, names: ModuleMatcher) -> tuple[str, ...]:
    """Return the sought module whose project a line asks for, by name or by the address of a file."""
    match = _ASKED.match(content)
    if match and (module := names.in_requirement(f"{match[1]};")):
        return (module,)
    return names.by_word(content) if "://" in content or content.lstrip().startswith(("-", ".")) else ()


def _required_in_toml(content: str, names: ModuleMatcher) -> tuple[str, ...]:
    if content.lstrip().startswith("prune"):
        return ()  # a profile that lets it go asks for nothing
    texts = (match[1].strip() for match in _QUOTED.finditer(content))
    found = (names.in_requirement(f"{text};") for text in texts)
    return tuple(dict.fromkeys(filter(None, found)))


def read_commands(text: str, names: ModuleMatcher, gathered: FileUsage, first: int = 1) -> None:
    """Note what a script's lines run, import or install.

    Args:
        text: a script, or lines of one.
        names: what is sought.
        gathered: where to note it.
        first: number of the first line.
    """
    for number, line in enumerate(text.splitlines(), first):
        content, comment = _split(line)
        if not _command(content, number, names, gathered) and not _import(content, number, names, gathered):
            for module in _told(content, names):
                gathered.use(module, number, "text", "string")
        for match in _FILTERED.finditer(content):
            _leftover(match[0], number, "warning filter", names, gathered)
        _claim(comment, line, number, names, gathered)


def _told(content: str, names: ModuleMatcher) -> Iterator[str]:
    """Yield the modules that a command may be told to load, or to run a file of."""
    code = _INLINE.search(content)
    for match in names.in_words(content):
        before, after = content[: match.start()], content[match.end() :]
        is_in_code = code is not None and match.start() >= code.start("code")
        if "." in match[0] or is_in_code or _LOADED.search(before) or _ATTRIBUTE.match(after):
            yield match[0]
    yield from (module for module, _ in names.in_code(content))


def read_config(text: str, names: ModuleMatcher, gathered: FileUsage) -> None:
    """Note what the values of a configuration file name: TOML, YAML, JSON and INI alike, by lines.

    No file is refused: what is malformed for its own readers is read as far as its lines go.
    """
    has_sections = gathered.file.rpartition("/")[2] in _PROJECT_FILES
    is_conda = re.search(r"^dependencies:\s*(?:#.*)?$|^requirements:\s*$", text, re.MULTILINE) is not None
    for number, section, line in _with_sections(text, has_sections=has_sections):
        content, comment = _split(line)
        _claim(comment, line, number, names, gathered)
        if not names.is_spoken_of(content) or _command(content, number, names, gathered):
            continue
        kind = "requirement" if is_conda and _CONDA.match(content) else _kind_of(section)
        if kind:
            _leftover(line, number, kind, names, gathered)
        elif not _import(content, number, names, gathered):
            _values(content, number, section, names, gathered)


def _kind_of(section: str) -> LeftoverKind | None:
    """Return the kind of leftover that a section's lines are; None if they may be uses."""
    if _ENTRY_POINTS.search(section):
        return None
    if _REQUIRES.match(section):
        return "requirement"
    return "setting" if _SETTINGS.match(section) else None


def _with_sections(text: str, *, has_sections: bool) -> Iterator[tuple[int, str, str]]:
    """Yield each line with its number and section; keys that load something, or name entry points, are their own."""
    section = key = ""
    for number, line in enumerate(text.splitlines(), 1):
        if has_sections and (match := _SECTION.match(line)):
            section = match[1].replace('"', "").replace("'", "")
            key = ""
        elif has_sections and _KEY.match(line):
            key = "entry-points" if _ENTRY_KEYS.match(line) else "loads" if _LOADING_KEYS.match(line) else ""
        yield number, f"{key} of {section}" if key else section, line


def _split(line: str) -> tuple[str, str]:
    """Part a line from its comment."""
    match = _COMMENT.search(line)
    if match is None or any(line.count(mark, 0, match.start()) % 2 for mark in "\"'"):
        return line, ""  # within a text a mark begins no comment
    return line[: match.start()], match["text"]


def _claim(comment: str, line: str, number: int, names: ModuleMatcher, gathered: FileUsage) -> None:
    for module in names.by_word(comment) if _NEED.search(comment) else ():
        gathered.leftover(module, number, "comment", line)


def _command(content: str, number: int, names: ModuleMatcher, gathered: FileUsage) -> bool:
    """Note a module that a command runs or a project that it installs, and say whether there was one."""
    for module in _run(content):
        if names.means(module):
            gathered.use(module, number, "module run", "certain")
            return True
    if _INSTALL.search(content) and names.by_word(content):
        _leftover(content, number, "requirement", names, gathered)
        return True
    return False


def _run(content: str) -> Iterator[str]:
    """Yield the modules that a command line runs with -m, loads into a notebook, or imports in code it is given."""
    yield from (match[1].rstrip(".") for match in _RUN.finditer(content))
    yield from (match[1].rstrip(".") for match in _EXTENSION.finditer(content))
    if code := _INLINE.search(content):
        for match in _IMPORTED.finditer(code["code"]):
            yield from (name.strip() for name in match[1].split(","))


def _import(content: str, number: int, names: ModuleMatcher, gathered: FileUsage) -> bool:
    match = _HEREDOC.match(content)
    if match is None or not names.means(match[1]):
        return False
    gathered.use(match[1], number, "import", "certain")
    return True


def _values(content: str, number: int, section: str, names: ModuleMatcher, gathered: FileUsage) -> None:
    is_entry = _ENTRY_POINTS.search(section) is not None
    for match in names.in_words(content):
        before, after = content[: match.start()], content[match.end() :]
        if is_entry and "=" in before:
            gathered.use(match[0], number, "entry point", "certain")
        elif "." in match[0] or (_WHOLE.search(before) and _ENDED.match(after)):
            gathered.use(match[0], number, "configuration", "string")


def _leftover(line: str, number: int, kind: LeftoverKind, names: ModuleMatcher, gathered: FileUsage) -> None:
    for module in names.by_word(line):
        gathered.leftover(module, number, kind, line)
