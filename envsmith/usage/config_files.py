"""Readers of configuration files, requirements files and shell scripts, line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from envsmith.model.usage import LeftoverKind
from envsmith.usage.module_matcher import FileUsage, ModuleMatcher

# Every repetition before another part is bounded: minified files have lines of megabytes.
_RUN = re.compile(
    r"(?i)(?:py|run|exec|\bcoverage\b|\blaunch\b).{0,400}?[\s\"',\[]"
    r"(?:-[A-Za-z]{0,20}m|--module)[\s\"',=]*([A-Za-z_][\w.]*)"
)
_INLINE = re.compile(r"(?i)(?<![\w.])(?:py|python)[\w.]{0,30}.{0,400}?\s-[cs][\s\"',]+(?P<code>.*)")
_EXTENSION = re.compile(r"^\s*%?(?:re)?load_ext\s+([A-Za-z_][\w.]*)")
_IMPORTED = re.compile(r"\b(?:import|from)\s+([\w.]+(?:\s*,\s*[\w.]+)*)")
_ASKED = re.compile(r"\s*[\"']?([A-Za-z0-9][\w.-]*)")
_HEREDOC = re.compile(r"^\s*(?:import|from|cimport)\s+([A-Za-z_][\w.]*)")
_INSTALL = re.compile(
    r"\b(?:pip[\d.]*|uv|conda|mamba|micromamba|pipx|poetry|pdm|rye|hatch|easy_install)"
    r"(?:[\s\"',]+(?:-[^\s\"',]+|pip|env)){0,20}[\s\"',]+(?:install|add|uninstall|remove)\b"
    r"|^\s*(?:-\s*)?pip:"
)
# Section names have their packaging meaning in these files only.
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
_LONGEST_SECTION = 1_000
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
# What decides about a word stands close to it: to look at the whole line for each word takes quadratic time.
_AROUND = 300
_WHOLE = re.compile(r"""(?:^|[:=\-,\[({]\s*|["'])$""")
_ENDED = re.compile(r"""\s*(?:["']|[,\])}]|$)""")
_CONDA = re.compile(r"^\s*-\s*[\"']?(?:[\w-]+::)?[\w.-]+\s*(?:[=<>!~].*)?[\"']?\s*$")


# Modules that a program loads: gunicorn torchvision:app, pytest -p torchvision, celery -A torchvision.
_LOADED = re.compile(r"(?:^|\s)(?:-(?!m)[A-Za-z]|--[\w-]+)[\s=][\"']?$")
_ATTRIBUTE = re.compile(r":[A-Za-z_]")
_LOADING_KEYS = re.compile(
    r"\s*[\"']?(?:plugins|load[-_]plugins|addopts|required_plugins|build-backend|version)\b"
)
_ENTRY_KEYS = re.compile(r"\s*(?:(?:gui-)?scripts|entry-points)\b")
_KEY = re.compile(r"\s*[\w.\"'-]+\s*=")


def read_requirements_lines(text: str, names: ModuleMatcher, usage: FileUsage) -> None:
    """Record the lines of a requirements file or profile that require a searched module's project."""
    is_toml = usage.file.endswith(".toml")
    for number, line in enumerate(text.splitlines(), 1):
        content, comment = _split(line)
        required = _required_in_toml(content, names) if is_toml else _required(content, names)
        for module in required:
            usage.leftover(module, number, "requirement", line)
        for module in names.by_word(comment) if _NEED.search(comment) else ():
            if module not in required:
                usage.leftover(module, number, "comment", line)


def _required(content: str, names: ModuleMatcher) -> tuple[str, ...]:
    """Return the searched modules required by a line, by project name or by file URL."""
    match = _ASKED.match(content)
    if match and (module := names.in_requirement(f"{match[1]};")):
        return (module,)
    return names.by_word(content) if "://" in content or content.lstrip().startswith(("-", ".")) else ()


def _required_in_toml(content: str, names: ModuleMatcher) -> tuple[str, ...]:
    if content.lstrip().startswith("prune"):
        return ()  # `prune` lists packages to remove, not requirements
    texts = (match[1].strip() for match in _QUOTED.finditer(content))
    found = (names.in_requirement(f"{text};") for text in texts)
    return tuple(dict.fromkeys(filter(None, found)))


def read_commands(text: str, names: ModuleMatcher, usage: FileUsage, first: int = 1) -> None:
    """Record the modules that a script's lines run, import or install.

    Args:
        text: a script, or lines of one.
        names: the searched modules.
        usage: receives the uses.
        first: number of the first line.
    """
    for number, line in enumerate(text.splitlines(), first):
        content, comment = _split(line)
        if not _command(content, number, names, usage) and not _import(content, number, names, usage):
            for module in _loaded_modules(content, names):
                usage.use(module, number, "text", "string")
        for match in _FILTERED.finditer(content):
            _leftover(match[0], number, "warning filter", names, usage)
        _needs_in_comment(comment, line, number, names, usage)


def _loaded_modules(content: str, names: ModuleMatcher) -> Iterator[str]:
    """Yield the modules that a command may load, or of which it may run a file."""
    code = _INLINE.search(content)
    for match in names.in_words(content):
        start, end = match.span()
        is_in_code = code is not None and start >= code.start("code")
        if (
            "." in match[0]
            or is_in_code
            or _before(_LOADED, content, start)
            or _ATTRIBUTE.match(content, end)
        ):
            yield match[0]
    yield from (module for module, _ in names.in_code(content))


def read_config(text: str, names: ModuleMatcher, usage: FileUsage) -> None:
    """Record the modules named by values of a configuration file: TOML, YAML, JSON or INI, by lines.

    Malformed files are accepted: only lines are read.
    """
    has_sections = usage.file.rpartition("/")[2] in _PROJECT_FILES
    is_conda = re.search(r"^dependencies:\s*(?:#.*)?$|^requirements:\s*$", text, re.MULTILINE) is not None
    for number, section, line in _with_sections(text, has_sections=has_sections):
        content, comment = _split(line)
        _needs_in_comment(comment, line, number, names, usage)
        if not names.mentions(content) or _command(content, number, names, usage):
            continue
        kind = "requirement" if is_conda and _CONDA.match(content) else _kind_of(section)
        if kind:
            _leftover(line, number, kind, names, usage)
        elif not _import(content, number, names, usage):
            _values(content, number, section, names, usage)


def _kind_of(section: str) -> LeftoverKind | None:
    """Return the leftover kind of a section's lines; empty if they may be uses."""
    if _ENTRY_POINTS.search(section):
        return None
    if _REQUIRES.match(section):
        return "requirement"
    return "setting" if _SETTINGS.match(section) else None


def _with_sections(text: str, *, has_sections: bool) -> Iterator[tuple[int, str, str]]:
    """Yield each line with its number and section; keys that load modules or name entry points form own sections."""
    section = key = ""
    for number, line in enumerate(text.splitlines(), 1):
        if has_sections and len(line) <= _LONGEST_SECTION and (match := _SECTION.match(line)):
            section = match[1].replace('"', "").replace("'", "")
            key = ""
        elif has_sections and _KEY.match(line):
            key = "entry-points" if _ENTRY_KEYS.match(line) else "loads" if _LOADING_KEYS.match(line) else ""
        yield number, f"{key} of {section}" if key else section, line


def _split(line: str) -> tuple[str, str]:
    """Split a line into content and comment."""
    match = _COMMENT.search(line)
    if match is None or any(line.count(mark, 0, match.start()) % 2 for mark in "\"'"):
        return line, ""  # the mark is inside a string
    return line[: match.start()], match["text"]


def _needs_in_comment(comment: str, line: str, number: int, names: ModuleMatcher, usage: FileUsage) -> None:
    for module in names.by_word(comment) if _NEED.search(comment) else ():
        usage.leftover(module, number, "comment", line)


def _command(content: str, number: int, names: ModuleMatcher, usage: FileUsage) -> bool:
    """Record a module that a command runs or a project it installs; return whether one was found."""
    for module in _run(content):
        if names.means(module):
            usage.use(module, number, "module run", "certain")
            return True
    if _INSTALL.search(content) and names.by_word(content):
        _leftover(content, number, "requirement", names, usage)
        return True
    return False


def _run(content: str) -> Iterator[str]:
    """Yield the modules that a command line runs with ``-m``, loads into a notebook, or imports in inline code."""
    yield from (match[1].rstrip(".") for match in _RUN.finditer(content))
    yield from (match[1].rstrip(".") for match in _EXTENSION.finditer(content))
    if code := _INLINE.search(content):
        for match in _IMPORTED.finditer(code["code"]):
            yield from (name.strip() for name in match[1].split(","))


def _import(content: str, number: int, names: ModuleMatcher, usage: FileUsage) -> bool:
    match = _HEREDOC.match(content)
    if match is None or not names.means(match[1]):
        return False
    usage.use(match[1], number, "import", "certain")
    return True


def _values(content: str, number: int, section: str, names: ModuleMatcher, usage: FileUsage) -> None:
    equals = content.find("=") if _ENTRY_POINTS.search(section) else -1
    for match in names.in_words(content):
        start, end = match.span()
        if 0 <= equals < start:
            usage.use(match[0], number, "entry point", "certain")
        elif "." in match[0] or (_before(_WHOLE, content, start) and _ENDED.match(content, end)):
            usage.use(match[0], number, "configuration", "string")


def _before(pattern: re.Pattern[str], content: str, end: int) -> bool:
    """Return whether a pattern that ends with ``$`` matches before a place."""
    return pattern.search(content, max(0, end - _AROUND), end) is not None


def _leftover(line: str, number: int, kind: LeftoverKind, names: ModuleMatcher, usage: FileUsage) -> None:
    for module in names.by_word(line):
        usage.leftover(module, number, kind, line)
