"""Activation: what a session in an environment sets, and what it must be rid of, decided here for every shell.

The table of rules is applied to variables by `plan_session`, for commands that need no shell, and is written into the
activation scripts by `render`, one condition per rule in each shell's language.


Activate: from a profile, locked or only written, to what a session in its environment has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from envsmith.activate.model import (
    CONSTRAINTS,
    GUARDS,
    LIBRARY_PATHS,
    MARK,
    UNSET,
    Activation,
    EnvironmentPaths,
    RemovedVariable,
    Session,
)
from envsmith.model.backend import Backend

if TYPE_CHECKING:
    from envsmith.config.profile import Profile
    from envsmith.lockfile.manifest import Manifest
    from envsmith.model.shell import Shell
    from envsmith.plan.model import ResolutionPlan


_UNPLAIN = re.compile(r"[^A-Za-z0-9._-]")
# Sonames of NVIDIA's runtime library by toolkit; from 12 on the major version alone.
# Source: the names of the files in NVIDIA's packages cuda-cudart-10-0 to cuda-cudart-13-0, read 2026-11-21.
_CUDART = {10: ("10.0", "10.1", "10.2"), 11: ("11.0",), 12: ("12",), 13: ("13",), 14: ("14",)}
# Where a variable cannot be set to nothing: an index that no device has hides all of them.
# Source: CUDA C++ Programming Guide, "CUDA Environment Variables"; ROCm, "GPU isolation techniques"; read 2026-11-21.
_NO_DEVICE = {"CUDA_VISIBLE_DEVICES": "-1", "HIP_VISIBLE_DEVICES": "-1", "ROCR_VISIBLE_DEVICES": "-1"}
_PACKAGES = "lies inside an environment's packages: libraries there are found by those who need them"
_FOREIGN = "belongs to another environment"
_TOOLKIT = "holds a CUDA toolkit of another major version than the lock's builds"
_UNSET_REASONS = {
    "PYTHONPATH": "would put modules of other places before the environment's own",
    "PYTHONHOME": "would let Python take another installation's standard library",
    "CONDA_PREFIX": "would let pip and uv take another environment for the current one",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row: entries it fits are taken out, or stay whatever later rows say."""

    reason: str
    """Why an entry is taken out; empty where it stays."""
    holds: str = ""
    """A text that the entry holds, a slash put after it: ``/site-packages/``."""
    then_digit: bool = False
    """A digit must follow that text."""
    file: str = ""
    """A file that is there, relative to the entry."""


RULES = (
    Rule(reason=_PACKAGES, holds="/site-packages/"),
    Rule(reason=_PACKAGES, holds="/dist-packages/"),
    Rule(reason="", holds="/condabin/"),  # the command conda itself
    Rule(reason=_FOREIGN, file="../pyvenv.cfg"),
    Rule(reason=_FOREIGN, file="../conda-meta/history"),
    # On Windows conda puts the environment's root and Library/bin on PATH, too.
    Rule(reason=_FOREIGN, file="conda-meta/history"),
    Rule(reason=_FOREIGN, file="../../conda-meta/history"),
)
"""For entries of every list; the first that fits holds. Empty, relative and doubled entries go before."""


def library_rules(cuda_major: int | None) -> tuple[Rule, ...]:
    """Return the further rules for the linker's lists: no toolkit of another major version than the lock's.

    Args:
        cuda_major: of the lock's builds; None where they use no CUDA, and no toolkit can be wrong.
    """
    if cuda_major is None:
        return ()
    others = sorted(set(_CUDART) - {cuda_major})
    return (
        Rule(reason="", holds=f"/cuda-{cuda_major}."),
        Rule(reason="", holds=f"/cuda-{cuda_major}/"),
        # Also its `compat`, which holds a libcuda older than the driver's own.
        Rule(reason=_TOOLKIT, holds="/cuda-", then_digit=True),
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
    """Decide what changes for a session in an environment.

    Args:
        activation: what the profile says.
        place: where the environment lies.
        variables: the session's variables as they are.
        has_file: says whether a path is there.
    """
    values = {"VIRTUAL_ENV": place.prefix, "VIRTUAL_ENV_PROMPT": prompt_name(activation.profile)}
    values["ENVSMITH_PROFILE"] = activation.profile
    unset: list[str] = []
    taken: list[RemovedVariable] = []
    for name in ("PATH", *activation.without_own(LIBRARY_PATHS)):
        rules = RULES if name == "PATH" else (*RULES, *library_rules(activation.cuda_major))
        first = place.bin if name == "PATH" else ""
        before = variables.get(name)
        kept, gone = _split_entries(name, before, first, _EntryChecker(rules, place.is_windows, has_file))
        taken += gone
        separator = ";" if place.is_windows else ":"
        if not kept and gone:
            unset.append(name)
        elif kept and separator.join(kept) != before:
            values[name] = separator.join(kept)
    for name in activation.without_own(UNSET):
        if name in variables:
            unset.append(name)
            taken.append(RemovedVariable(variable=name, entry=None, reason=_UNSET_REASONS[name]))
    if place.constraints:
        values |= dict.fromkeys(GUARDS, place.constraints)
    return Session(values=values | dict(activation.env), unset=tuple(unset), taken=tuple(taken))


@dataclass(frozen=True, slots=True)
class _EntryChecker:
    """Says why an entry of a list is taken out."""

    rules: tuple[Rule, ...]
    is_windows: bool
    has_file: Callable[[str], bool]

    def reason(self, entry: str) -> str:
        """Return why, or an empty text where the entry stays."""
        if not entry:
            return "is empty, which stands for whatever folder one is in"
        if not re.match(r"[A-Za-z]:[/\\]|\\\\" if self.is_windows else "/", entry):
            return "is relative to whatever folder one is in"
        return next((rule.reason for rule in self.rules if self._fits(rule, entry)), "")

    def _fits(self, rule: Rule, entry: str) -> bool:
        if rule.file:
            return self.has_file(f"{entry}/{rule.file}")
        text, held = f"{entry}/", rule.holds
        if self.is_windows:
            text, held = text.replace("\\", "/").lower(), held.lower()
        if not rule.then_digit:
            return held in text
        return any(f"{held}{digit}" in text for digit in "0123456789")


def _split_entries(
    variable: str, value: str | None, first: str, judge: _EntryChecker
) -> tuple[list[str], list[RemovedVariable]]:
    kept = [first] if first else []
    gone: list[RemovedVariable] = []
    seen = {entry.lower() if judge.is_windows else entry for entry in kept}
    for entry in [] if value is None else value.split(";" if judge.is_windows else ":"):
        key = entry.lower() if judge.is_windows else entry
        if first and entry == first:
            continue
        reason = judge.reason(entry) or ("is there twice" if key in seen else "")
        if reason:
            gone.append(RemovedVariable(variable=variable, entry=entry, reason=reason))
        else:
            kept.append(entry)
            seen.add(key)
    return kept, gone


def prompt_name(profile: str) -> str:
    """Return a profile's name as a prompt may show it: prompts are expanded, so only plain characters stay."""
    return _UNPLAIN.sub("_", profile)


def render(shell: Shell, template: str, activation: Activation) -> bytes:
    """Write a shell's activation script.

    Args:
        shell: the language.
        template: its text, with what differs between profiles as ``@NAME@``.
        activation: what the profile says.
    """
    words = {
        "NAME": prompt_name(activation.profile),
        "PROFILE": _profile(shell, activation.profile),
        "CONSTRAINTS": CONSTRAINTS,
        "MARK": MARK,
        "GUARDS": " ".join(activation.without_own(GUARDS)),
        "LIBRARIES": " ".join(activation.without_own(LIBRARY_PATHS)),
        "EVERY_LIBRARY": " ".join(LIBRARY_PATHS),
        "LIBRARY_CASE": " | ".join(LIBRARY_PATHS),
        "UNSET": " ".join(activation.without_own(UNSET)),
        "RULES": _conditions(shell, RULES),
        "LIBRARY_RULES": _conditions(shell, library_rules(activation.cuda_major)),
        "EVERY_RULE": _conditions(shell, (*RULES, *library_rules(activation.cuda_major))),
        "NAMES": " ".join(sorted(activation.env)),
        "VALUES": _lines(_values(shell, activation.env)),
    }
    parts = re.split(r"@([A-Z_]+)@", template)
    parts[1::2] = [words[name] for name in parts[1::2]]
    # A block that is empty leaves no empty line.
    text = "".join(parts).replace("\x00\n", "")
    return text.replace("\n", shell.newline).encode()


def _profile(shell: Shell, name: str) -> str:
    """Quote a profile's name; no name that a profile can have needs more than its plain characters."""
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
    form = shell.file_test if rule.file else shell.digit_test if rule.then_digit else shell.text_test
    text = rule.file or rule.holds
    return form.format(
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
    """Return what a profile says of a session: as its lock has it, else as it is written.

    Args:
        profile: its name.
        manifest: of its locks; None where it was never locked.
        resolve: reads a profile by name.

    Raises:
        ProfileError: where it was never locked, and cannot be read.
    """
    if manifest is None or not manifest.targets:
        written = resolve(profile)
        return Activation.of(profile, backend=written.backend, env=written.env)
    inputs = next(iter(manifest.targets.values())).inputs
    env = dict(str(item).partition("=")[::2] for item in inputs.get("env", ()))
    return Activation.of(profile, backend=Backend.parse(str(inputs.get("backend", "cpu"))), env=env)


def scripts_of(plans: Sequence[ResolutionPlan], read_template: Callable[[str], str]) -> Mapping[str, bytes]:
    """Return the scripts that lie beside the locks of a profile's plans, which all say the same of a session."""
    plan = plans[0]
    activation = Activation.of(plan.profile, backend=plan.target.backend, env=plan.env)
    return activation_files(activation, read_template)


def environment_files(activation: Activation, read_template: Callable[[str], str]) -> Mapping[str, bytes]:
    """Return what lies among an environment's programs: the activation scripts, and `deactivate` for cmd.

    The script for sh has a second name there, ``activate``, for that is what people and editors read.

    Args:
        activation: what the profile says of a session.
        read_template: returns the text of a template by its file's name.
    """
    leave = read_template("deactivate.bat").replace("\n", "\r\n").encode()
    scripts = activation_files(activation, read_template)
    return {**scripts, "activate": scripts["activate.sh"], "deactivate.bat": leave}


def activation_files(activation: Activation, read_template: Callable[[str], str]) -> Mapping[str, bytes]:
    """Return the activation script of every shell, by file name.

    Args:
        activation: what the profile says of a session.
        read_template: returns the text of a template by its file's name.
    """
    from envsmith.model.shell import SHELLS

    return {shell.file: render(shell, read_template(shell.file), activation) for shell in SHELLS}
