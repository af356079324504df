"""Real shells: how each is found, started, and told to do a thing."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from envsmith.model.shell import quote_csh, quote_fish, quote_nu, quote_sh, quote_xsh

REQUIRED = "ENVSMITH_TEST_SHELLS"
"""``required`` where a shell that is not installed is a failure."""
FOLDERS = "ENVSMITH_TEST_SHELL_FOLDERS"
"""Further folders to look for shells in."""
TIME_LIMIT_S = 120
# Counters, clocks, and what a shell says of the command before.
_RESTLESS = re.compile(
    r"(_|BASH_\w+|FUNCNAME|LINENO|RANDOM|SRANDOM|SECONDS|EPOCH\w+|PIPESTATUS|PPID|status|pipestatus|history|fish_pid|"
    r"_AST_FEATURES|ZSH_EVAL_CONTEXT|ERRNO|TTYIDLE|HISTCMD|USERNAME|\?|argv|0|OPTIND|COLUMNS|LINES|zsh_eval_context|dirstack"
    r"|historywords|jobstates|jobtexts|jobdirs|commands|functrace|funcstack|funcfiletrace|funcsourcetrace|kill_ring|pid)"
    r"([= \t'].*)?"
)


@dataclass(frozen=True, kw_only=True)
class Driver:
    """One shell."""

    name: str
    file: str
    """Name of the activation script it reads."""
    words: tuple[str, ...]
    """Its command; the script's path follows."""
    quote: Callable[[str], str]
    forms: Mapping[str, str]
    """What to write for: activate, deactivate, set, unset, dump, state, start."""
    ending: str
    fill: Callable[[str, Mapping[str, str]], str] = lambda text, words: text.format(**words)
    """Writes a text of a situation as this shell has it, paths and lists of paths."""
    path: Callable[[str], str] = str
    """Writes a path as this shell has it."""
    programs: str = "bin"
    """Name of the folder of an environment's programs."""
    base: Mapping[str, str] = field(default_factory=dict)
    """Variables without which its program does not start."""
    keeps: frozenset[str] = frozenset()
    """Lines of its state that stay after deactivation, as the guide says."""

    def program(self) -> str | None:
        """Return where it is."""
        own = str(Path(sys.executable).parent)
        folders = [*os.environ.get(FOLDERS, "").split(os.pathsep), own, os.environ.get("PATH", "")]
        return shutil.which(self.words[0], path=os.pathsep.join(filter(None, folders)))

    def starts(self, *words: str) -> str:
        """Write the line that starts this shell from itself."""
        return self.forms["start"].format(
            " ".join(self.forms["word"].format(self.quote(word)) for word in words)
        )

    def say(self, what: str, *values: str) -> str:
        """Write one line of a script."""
        return self.forms[what].format(*map(self.quote, values), raw=values)


SH = {
    "activate": ". {0}",
    "deactivate": "deactivate",
    "set": "export {raw[0]}={1}",
    "unset": "unset {raw[0]}",
    "dump": "/usr/bin/env -0 > {0}",
    "start": "{0}",
    "word": "{0}",
    "text": "{raw[0]}",
    "prompt": "PS1={0}",
}
_FISH = {
    "activate": "source {0}",
    "deactivate": "deactivate",
    "set": "set -gx {raw[0]} {1}",
    "unset": "set -e {raw[0]}",
    "dump": "/usr/bin/env -0 > {0}",
    "state": "begin; set --long; functions -n; end > {0}",
    "start": "{0}",
    "word": "{0}",
    "text": "{raw[0]}",
}
_CSH = {
    "activate": "source {0}",
    "deactivate": "deactivate",
    "set": "setenv {raw[0]} {1}",
    "unset": "unsetenv {raw[0]}",
    "dump": "/usr/bin/env -0 >! {0}",
    "state": "(set; alias) >! {0}",
    "start": "{0}",
    "word": "{0}",
    "text": "{raw[0]}",
}
_NU = {
    "activate": "use {0} *",
    "deactivate": "deactivate",
    "set": "load-env {{{raw[0]}: {1}}}",
    "unset": "hide-env --ignore-errors {raw[0]}",
    "dump": "^/usr/bin/env -0 | save --raw --force {0}",
    "state": "scope commands | where type == custom | get name | to text | save --raw --force {0}",
    "start": "^{0}",
    "word": "{0}",
    "text": "{raw[0]}",
}
_XSH = {
    "activate": "source @({0})",
    "deactivate": "deactivate",
    "set": "__xonsh__.env[{0}] = {1}",
    "unset": "__xonsh__.env.pop({0}, None)",
    "dump": "/usr/bin/env -0 > @({0})",
    "state": (
        "with open({0}, 'w') as _f: "
        "_ = _f.write('\\n'.join([*sorted(__xonsh__.ctx), 'aliases', *sorted(map(str, aliases))]))"
    ),
    "start": "{0}",
    "word": "@({0})",
    "text": "{raw[0]}",
}
_VARIABLES = "; set; set -o; alias"


def _sh(name: str, state: str, words: Sequence[str] = ()) -> Driver:
    forms = {**SH, "state": "{{ " + state.replace("{", "{{").replace("}", "}}") + "; }} > {0}"}
    return Driver(
        name=name, file="activate.sh", words=tuple(words) or (name,), quote=quote_sh, forms=forms, ending="sh"
    )


DRIVERS = (
    _sh("bash", "(set -o posix; set); declare -F; set -o; shopt; alias", ("bash", "--norc", "--noprofile")),
    _sh("zsh", "set; typeset +f; setopt; alias", ("zsh", "-f")),
    _sh("dash", "set; set -o; alias; command -v deactivate || :"),
    _sh("ksh", "set; typeset +f; set -o; alias"),
    Driver(
        name="fish",
        file="activate.fish",
        words=("fish", "--no-config"),
        quote=quote_fish,
        forms=_FISH,
        ending="fish",
    ),
    Driver(name="tcsh", file="activate.csh", words=("tcsh", "-f"), quote=quote_csh, forms=_CSH, ending="csh"),
    Driver(
        name="nu",
        file="activate.nu",
        words=("nu", "-n"),
        quote=quote_nu,
        forms=_NU,
        ending="nu",
        keeps=frozenset({"deactivate"}),
    ),
    Driver(
        name="xonsh",
        file="activate.xsh",
        words=("xonsh", "--no-rc"),
        quote=quote_xsh,
        forms=_XSH,
        ending="xsh",
    ),
)


@dataclass(kw_only=True)
class Session:
    """A script for one shell, written step by step, then run as one process."""

    driver: Driver
    folder: Path
    env: dict[str, str]
    at: Path | None = None
    """The folder it begins in, where that matters."""
    lines: list[str] = field(default_factory=list)

    def do(self, what: str, *values: str) -> None:
        """Add a step."""
        self.lines.append(self.driver.say(what, *values))

    def look(self, label: str) -> None:
        """Keep all exported variables, then the shell's own state, under a label."""
        self.do("dump", str(self.folder / f"{label}.env"))
        self.do("state", str(self.folder / f"{label}.state"))

    def nested(self) -> str:
        """Write the line that runs the steps so far in a shell of their own."""
        script = self.folder / f"inner.{self.driver.ending}"
        script.write_bytes(self.text())
        return self.driver.starts(self.driver.program() or "", *self.driver.words[1:], str(script))

    def text(self) -> bytes:
        """Return the steps as a script."""
        return "\n".join([*self.lines, ""]).encode()

    def run(self, *flags: str, status: int | None = 0) -> str:
        """Run the steps; return what was said on both outputs."""
        script = self.folder / f"steps.{self.driver.ending}"
        script.write_bytes(self.text())
        done = self.start([*self.driver.words[1:], *flags, str(script)])
        assert status is None or done.returncode == status, f"{done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def start(self, words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Start the shell with some words."""
        return subprocess.run(
            [self.driver.program() or self.driver.words[0], *words],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=TIME_LIMIT_S,
            check=False,
        )

    def variables(self, label: str) -> dict[str, str]:
        """Return the exported variables under a label, without those of the shell's own counting."""
        data = (self.folder / f"{label}.env").read_bytes().rstrip(b"\0").split(b"\0")
        found = dict(os.fsdecode(one).partition("=")[::2] for one in data)
        for name in (
            "_",
            "SHLVL",
            "PWD",
            "OLDPWD",
            "CMD_DURATION_MS",
            "LAST_EXIT_CODE",
            "INPUT",
            "_AST_FEATURES",
        ):
            found.pop(name, None)
        return found

    def state(self, label: str) -> list[str]:
        """Return variables, functions, options and aliases under a label, without what changes by itself."""
        text = (self.folder / f"{label}.state").read_text("utf-8", "surrogateescape")
        return sorted(
            line
            for line in text.splitlines()
            if not _RESTLESS.fullmatch(line) and line not in self.driver.keeps
        )


def wanted() -> bool:
    """Say whether a shell that is not there is a failure."""
    return os.environ.get(REQUIRED) == "required"


def plain_environment(**variables: str) -> dict[str, str]:
    """Return the little that a shell needs."""
    return {"HOME": "/nonexistent", "LANG": "C.UTF-8", "PATH": "/usr/bin:/bin", "TERM": "dumb", **variables}


def as_json(value: object) -> str:
    """Return a value as one line."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


PYTHON = sys.executable
