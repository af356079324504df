"""Activation: rules for the variables of a session, and activation scripts for every shell.

`plan_session` applies the rules for commands that need no shell. `render` writes the same rules into the activation
scripts, one condition per rule in each shell's language.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envsmith.activate.model import (
    CONSTRAINTS,
    DUPLICATE,
    GUARDS,
    LIBRARY_PATHS,
    MARK,
    RELATIVE,
    UNSET,
    Activation,
    EnvironmentPaths,
    RemovedVariable,
    Session,
)

if TYPE_CHECKING:
    from envsmith.config.profile import Profile
    from envsmith.lockfile.manifest import Manifest
    from envsmith.model.shell import Shell
    from envsmith.plan.model import ResolutionPlan


# Characters that a shell may expand in a prompt.
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
# Toolkit → suffixes of libcudart.so; from 12 on the major version alone.
# Source: files of NVIDIA's packages cuda-cudart-10-0 to cuda-cudart-13-0, read 2026-11-21.
_CUDART = {10: ("10.0", "10.1", "10.2"), 11: ("11.0",), 12: ("12",), 13: ("13",), 14: ("14",)}
# In shells without empty variables, an index that no device has hides all devices.
# Source: CUDA C++ Programming Guide, "CUDA Environment Variables"; ROCm, "GPU isolation techniques"; read 2026-11-21.
_NO_DEVICE = {"CUDA_VISIBLE_DEVICES": "-1", "HIP_VISIBLE_DEVICES": "-1", "ROCR_VISIBLE_DEVICES": "-1"}
# Completions of "it …", as `env --explain` and `doctor` print them.
_PACKAGES = "is in an environment's packages, whose libraries are loaded by path"
_FOREIGN = "belongs to another environment"
_TOOLKIT = "contains a CUDA toolkit of another major version than the lock's builds"
_UNSET_REASONS = {
    "PYTHONPATH": "would put other modules before the environment's own",
    "PYTHONHOME": "would make Python use another installation's standard library",
    "CONDA_PREFIX": "would make pip and uv use another environment",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of a list: matching entries are removed, or kept regardless of later rules."""

    reason: str
    """Reason for removing an entry; empty if it is kept."""
    text: str = ""
    """Text in the entry followed by a slash: ``/site-packages/``."""
    then_digit: bool = False
    """Whether a digit must follow the text."""
    file: str = ""
    """Existing file, relative to the entry."""


RULES = (
    Rule(reason=_PACKAGES, text="/site-packages/"),
    Rule(reason=_PACKAGES, text="/dist-packages/"),
    Rule(reason="", text="/condabin/"),  # the command conda itself
    Rule(reason=_FOREIGN, file="../pyvenv.cfg"),
    Rule(reason=_FOREIGN, file="../conda-meta/history"),
    # On Windows conda also puts the environment's root and Library/bin on PATH.
    Rule(reason=_FOREIGN, file="conda-meta/history"),
    Rule(reason=_FOREIGN, file="../../conda-meta/history"),
)
"""Rules for every list; the first match wins. Empty, relative and repeated entries are removed before."""


def library_rules(cuda_major: int | None) -> tuple[Rule, ...]:
    """Return further rules for the linker's search paths: no toolkit of another major version than the lock's.

    Args:
        cuda_major: of the lock's builds; None without CUDA, where no toolkit can be wrong.
    """
    if cuda_major is None:
        return ()
    others = sorted(set(_CUDART) - {cuda_major})
    return (
        Rule(reason="", text=f"/cuda-{cuda_major}."),
        Rule(reason="", text=f"/cuda-{cuda_major}/"),
        # Includes its `compat`, with a libcuda older than the driver's.
        Rule(reason=_TOOLKIT, text="/cuda-", then_digit=True),
        Rule(reason="", file="libcuda.so.1"),  # the driver's own folder
        *(Rule(reason="", file=f"libcudart.so.{name}") for name in _CUDART.get(cuda_major, ())),
        *(Rule(reason=_TOOLKIT, file=f"libcudart.so.{name}") for major in others for name in _CUDART[major]),
    )


def plan_session(
    activation: Activation,
    place: EnvironmentPaths,
    variables: Mapping[str, str],
    *,
    has_file: Callable[[str], bool],
) -> Session:
    """Plan the changes of a session's variables for an environment.

    Args:
        activation: the profile's settings.
        place: paths of the environment.
        variables: of the session.
        has_file: tells whether a path exists.
    """
    values = {"VIRTUAL_ENV": place.prefix, "VIRTUAL_ENV_PROMPT": prompt_name(activation.profile)}
    values["ENVSMITH_PROFILE"] = activation.profile
    unset: list[str] = []
    removed: list[RemovedVariable] = []
    for name in ("PATH", *activation.not_in_profile(LIBRARY_PATHS)):
        rules = RULES if name == "PATH" else (*RULES, *library_rules(activation.cuda_major))
        first = place.bin if name == "PATH" else ""
        before = variables.get(name)
        kept, dropped = _split_entries(name, before, first, _EntryChecker(rules, place.is_windows, has_file))
        removed += dropped
        separator = ";" if place.is_windows else ":"
        if not kept and dropped:
            unset.append(name)
        elif kept and separator.join(kept) != before:
            values[name] = separator.join(kept)
    for name in activation.not_in_profile(UNSET):
        if name in variables:
            unset.append(name)
            removed.append(RemovedVariable(variable=name, entry=None, reason=_UNSET_REASONS[name]))
    if place.constraints:
        values |= dict.fromkeys(GUARDS, place.constraints)
    return Session(values=values | dict(activation.env), unset=tuple(unset), removed=tuple(removed))


@dataclass(frozen=True, slots=True)
class _EntryChecker:
    """Check of the entries of a list against rules."""

    rules: tuple[Rule, ...]
    is_windows: bool
    has_file: Callable[[str], bool]

    def reason(self, entry: str) -> str:
        """Return the reason for removing an entry; empty if it is kept."""
        if not entry:
            return "is empty, which means the current folder"
        # Absolute: a drive or a network share on Windows, the root elsewhere.
        if not re.match(r"[A-Za-z]:[/\\]|\\\\" if self.is_windows else "/", entry):
            return RELATIVE
        return next((rule.reason for rule in self.rules if self._fits(rule, entry)), "")

    def _fits(self, rule: Rule, entry: str) -> bool:
        if rule.file:
            return self.has_file(f"{entry}/{rule.file}")
        text, sought = f"{entry}/", rule.text
        if self.is_windows:
            text, sought = text.replace("\\", "/").lower(), sought.lower()
        if not rule.then_digit:
            return sought in text
        return any(f"{sought}{digit}" in text for digit in "0123456789")


def _split_entries(
    variable: str, value: str | None, first: str, judge: _EntryChecker
) -> tuple[list[str], list[RemovedVariable]]:
    kept = [first] if first else []
    dropped: list[RemovedVariable] = []
    seen = {entry.lower() if judge.is_windows else entry for entry in kept}
    for entry in [] if value is None else value.split(";" if judge.is_windows else ":"):
        key = entry.lower() if judge.is_windows else entry
        if first and entry == first:
            continue
        reason = judge.reason(entry) or (DUPLICATE if key in seen else "")
        if reason:
            dropped.append(RemovedVariable(variable=variable, entry=entry, reason=reason))
        else:
            kept.append(entry)
            seen.add(key)
    return kept, dropped


def prompt_name(profile: str) -> str:
    """Return a profile's name for a prompt, without characters that a shell may expand there."""
    return _UNSAFE.sub("_", profile)


def render(shell: Shell, template: str, activation: Activation) -> bytes:
    """Write a shell's activation script.

    Args:
        shell: the language.
        template: the script, with placeholders ``@NAME@``.
        activation: the profile's settings.
    """
    values = {
        "NAME": prompt_name(activation.profile),
        "PROFILE": _profile(shell, activation.profile),
        "CONSTRAINTS": CONSTRAINTS,
        "MARK": MARK,
        "GUARDS": " ".join(activation.not_in_profile(GUARDS)),
        "LIBRARIES": " ".join(activation.not_in_profile(LIBRARY_PATHS)),
        "EVERY_LIBRARY": " ".join(LIBRARY_PATHS),
        "LIBRARY_CASE": " | ".join(LIBRARY_PATHS),
        "UNSET": " ".join(activation.not_in_profile(UNSET)),
        "RULES": _conditions(shell, RULES),
        "LIBRARY_RULES": _conditions(shell, library_rules(activation.cuda_major)),
        "EVERY_RULE": _conditions(shell, (*RULES, *library_rules(activation.cuda_major))),
        "NAMES": " ".join(sorted(activation.env)),
        "VALUES": _lines(_values(shell, activation.env)),
    }
    parts = re.split(r"@([A-Z_]+)@", template)
    parts[1::2] = [values[name] for name in parts[1::2]]
    # Drop the line of a placeholder without content, see `_lines`.
    text = "".join(parts).replace("\x00\n", "")
    return text.replace("\n", shell.newline).encode()


def _profile(shell: Shell, name: str) -> str:
    """Quote a profile's name; in cmd, which cannot write all characters, the prompt's form of it."""
    try:
        return shell.quote(name)
    except ValueError:
        return shell.quote(prompt_name(name))


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines) or "\x00"


def _conditions(shell: Shell, rules: Sequence[Rule]) -> str:
    lines = [_condition(shell, rule) for rule in rules]
    return _lines([*lines, f"{'':20}0{shell.closing * len(lines)}"] if shell.closing else lines)


def _condition(shell: Shell, rule: Rule) -> str:
    test = shell.file_test if rule.file else shell.digit_test if rule.then_digit else shell.text_test
    text = rule.file or rule.text
    return test.format(
        text=text, back=text.replace("/", "\\"), verdict=shell.verdicts[0 if rule.reason else 1]
    )


def _values(shell: Shell, env: Mapping[str, str]) -> Iterator[str]:
    for name, text in sorted(env.items()):
        value = text or ("" if shell.has_empty else _NO_DEVICE.get(name, ""))
        try:
            yield shell.value.format(name=name, value=shell.quote(value))
        except ValueError as error:
            yield shell.unwritable.format(name=name, why=error)


def activation_of(profile: str, manifest: Manifest | None, resolve: Callable[[str], Profile]) -> Activation:
    """Return the activation of a profile: from its lock, else from the profile itself.

    Args:
        profile: the name.
        manifest: of its locks; None without locks.
        resolve: reads a profile by name.

    Raises:
        ProfileError: if it has no lock and cannot be read.
    """
    if manifest is None or not manifest.targets:
        written = resolve(profile)
        return Activation.of(profile, *written.backends, env=written.env)
    entries = [*manifest.targets.values()]
    return Activation.of(profile, *(entry.backend for entry in entries), env=entries[0].env)


def scripts_of(plans: Sequence[ResolutionPlan], read_template: Callable[[str], str]) -> Mapping[str, bytes]:
    """Return the activation scripts for a profile's lock folder; its plans all have the same session."""
    plan = plans[0]
    activation = Activation.of(plan.profile, *(item.target.backend for item in plans), env=plan.env)
    return activation_files(activation, read_template)


def environment_files(activation: Activation, read_template: Callable[[str], str]) -> Mapping[str, bytes]:
    """Return the files for an environment's folder of programs: activation scripts, and `deactivate` for cmd.

    The script for sh also gets the name ``activate``, which users and editors expect.

    Args:
        activation: the profile's settings.
        read_template: returns the text of a template by filename.
    """
    deactivate = read_template("deactivate.bat").replace("\n", "\r\n").encode()
    scripts = activation_files(activation, read_template)
    return {**scripts, "activate": scripts["activate.sh"], "deactivate.bat": deactivate}


def activation_files(activation: Activation, read_template: Callable[[str], str]) -> Mapping[str, bytes]:
    """Return the activation script of every shell, by filename.

    Args:
        activation: the profile's settings.
        read_template: returns the text of a template by filename.
    """
    from envsmith.model.shell import SHELLS

    return {shell.file: render(shell, read_template(shell.file), activation) for shell in SHELLS}
