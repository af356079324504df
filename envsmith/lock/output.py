"""Output of ``envsmith lock``."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from envsmith.console import printer
from envsmith.errors import NO, OK, EnvsmithError, ToolError
from envsmith.lock.lock import LockedProfile, LockedTarget
from envsmith.lock.missing_wheels import MissingWheelsError
from envsmith.lock.savings import BuildSize, DownloadSavings
from envsmith.lockfile.store import decisions_of
from envsmith.model.finding import Decision
from envsmith.model.shell import quote_path
from envsmith.plan.model import LockRequest
from envsmith.plan.planner import SIMILAR_NAME

_SHOWN_SIZES = 3
_SHOWN_NAMES = 4
_SHOWN_MOVES = 12
UNSERVED = "LCK025"
"""Code of a pin whose file is gone from its index."""
# Decisions on the lifecycle of the backend: shown in the first line, not under "decisions".
_HEADLINES = ("RES103", "RES104", "RES105")


def outcome(request: LockRequest, found: LockedProfile | EnvsmithError) -> None:
    """Print one profile's result, or its error."""
    if isinstance(found, EnvsmithError):
        printer.error(found, command="lock", as_json=False)
        return
    head = [decision for decision in found.decisions if decision.code in _HEADLINES]
    label = request.profile.name
    if len(label) >= printer.LABEL:
        printer.say(label)
        label = ""
    for decision in head:
        printer.labelled(label, decision.message, f"note {decision.code}")
        label = ""
    if not head:
        backends, about = request.profile.backends, request.profile.summary
        title = backends[0].title if len(backends) == 1 else " ".join(map(str, backends))
        printer.labelled(
            label, about if about.startswith(title) else " · ".join(filter(None, (title, about)))
        )
    if files := request.remembered.requirements_files:
        printer.labelled("", f"requirements from {', '.join(files)}")
    if request.ignored_files:
        printer.labelled(
            "", f"requirements from the profile; not read: {', '.join(request.ignored_files)}", "note"
        )
        printer.labelled("", f"hint: {_hint(request.ignored_files)}")
    _targets([_row(target, request) for target in found.targets])
    decisions = _decisions(found)
    warnings = [item for item in decisions if item.code == SIMILAR_NAME]
    for label, group in (
        ("decisions", [item for item in decisions if item not in warnings]),
        ("warning", warnings),
    ):
        for number, decision in enumerate(group):
            places = named_shortly(decisions[decision], [target.slug for target in found.targets])
            text = decision.message + (f" ({places})" if places else "")
            printer.labelled("" if number else label, text, decision.code)
    for number, text in enumerate(found.changes):
        printer.labelled("" if number else "options", text)
    _moved(found)
    _savings(found)
    _unchecked(found)
    _replaced(found)
    _unserved(found)
    _breakages(found)


def add_command(error: EnvsmithError, words: Sequence[str]) -> None:
    """Give an error about packages without a wheel, or about untrusted builds, the command that admits them.

    Args:
        error: of a profile; its parts are those of the targets.
        words: the command line as typed.
    """
    if error.code == "USE016":
        error.hint = f"read them; to trust them: {' '.join(map(quote_path, ('envsmith', *words, '--trust')))}"
    parts = [part for part in (*error.parts, error) if isinstance(part, MissingWheelsError)]
    for part in parts:
        if part.platforms:
            kept = (word for name in part.platforms for word in ("--platform", name))
            part.hint = " ".join(map(quote_path, ("envsmith", *_without_option("--platform", words), *kept)))
    names = sorted({name for part in parts for name in part.names})
    unknown = sorted({name for part in parts for name in part.unknown})
    if not names:
        return
    for part in parts:
        part.hint = part.hint if part.platforms else ""
    flags = [("--allow-sdist", name) for name in names] + [("--allow-build", name) for name in unknown]
    error.hint = " ".join(map(quote_path, ("envsmith", *words, *(word for flag in flags for word in flag))))


def _without_option(option: str, words: Sequence[str]) -> list[str]:
    """Return a command line without an option and its values."""
    return [
        word
        for before, word in pairwise(("", *words))
        if option not in (before, word) and not word.startswith(f"{option}=")
    ]


def _hint(ignored_files: Sequence[str]) -> str:
    if file := next((name for name in ignored_files if name.endswith((".txt", ".in"))), ""):
        return f"to use it, lock with -r {file} (once: the manifest records it)"
    return "list its packages under [project] dependencies, or in a file given with -r"


def _unchecked(found: LockedProfile) -> None:
    """Print the packages not checked for file conflicts; not part of the lock, since it depends on the servers."""
    unchecked = list(dict.fromkeys(name for target in found.targets for name in target.unchecked))
    if not unchecked:
        return
    names = ", ".join(unchecked[:_SHOWN_NAMES])
    if more := unchecked[_SHOWN_NAMES:]:
        names += f" and {len(more)} more"
    printer.labelled("warning", f"file conflicts not checked for {names} (no wheel could be read)")
    for text in dict.fromkeys(text for target in found.targets for text in target.possible_conflicts):
        printer.labelled("", text)


def _replaced(found: LockedProfile) -> None:
    """Print the problems of locks on disk that were resolved again because of them."""
    for target in found.targets:
        for error in target.replaced:
            printer.labelled("warning", f"{target.slug}: replaced: {error.message}", error.code)


def _moved(found: LockedProfile) -> None:
    """Print the pins that differ from the lock before, each once with its targets."""
    places: dict[tuple[str, str, str], list[str]] = {}
    for target in found.targets:
        for change in target.moved:
            places.setdefault(change, []).append(target.slug)
    every = [target.slug for target in found.targets]
    lines = []
    for (name, before, after), slugs in sorted(places.items()):
        where = named_shortly(slugs, every)
        lines.append(f"{name} {before or '(new)'} → {after or '(gone)'}" + (f" ({where})" if where else ""))
    for number, text in enumerate(lines[:_SHOWN_MOVES]):
        printer.labelled("" if number else "moved", text)
    if more := lines[_SHOWN_MOVES:]:
        printer.labelled("", f"and {len(more)} more")


def _unserved(found: LockedProfile) -> None:
    """Print the pins whose file is gone from its index; they stay in the lock."""
    places: dict[str, list[str]] = {}
    for target in found.targets:
        for text in target.unserved:
            places.setdefault(text, []).append(target.slug)
    for text, slugs in places.items():
        where = named_shortly(slugs, [target.slug for target in found.targets])
        message = f"{text}: the index no longer has the locked file" + (f" ({where})" if where else "")
        printer.labelled("error", f"{message}; the pin stays, but no pylock can be made", UNSERVED)
    if places:
        name = next(iter(places)).partition(" ")[0]
        printer.labelled("", f"hint: envsmith lock {found.profile} -P {name}")


def _savings(found: LockedProfile) -> None:
    """Print the download size saved; targets with equal savings share a line."""
    places: dict[str, list[str]] = {}
    for target in found.targets:
        for saving in target.savings:
            places.setdefault(_saved(saving), []).append(target.slug)
    label = "saves"
    for text, slugs in places.items():
        where = named_shortly(slugs, [target.slug for target in found.targets])
        printer.labelled(label, text + (f" ({where})" if where else ""))
        label = ""


def _saved(saving: DownloadSavings) -> str:
    if all(item.size_bytes is None for item in saving.spared):
        return f"unknown by {saving.choice} (no size published)"
    text = f"{_bound(saving)}{printer.size(saving.known_bytes)} by {saving.choice}: {_sizes(saving.spared)}"
    if less := _sizes(saving.instead):
        text += f", less {less}"
    if saving.unknown:
        text += f"; size unknown: {', '.join(saving.unknown)}"
    return f"{text} (estimated from PyPI's wheel of the same build)" if saving.is_near else text


def _bound(saving: DownloadSavings) -> str:
    if any(item.size_bytes is None for item in saving.instead):
        return "less than "
    if saving.unknown:
        return "at least "
    return "about " if saving.is_near else ""


def _sizes(sizes: Sequence[BuildSize]) -> str:
    known = sorted(
        (item for item in sizes if item.size_bytes is not None), key=lambda item: -(item.size_bytes or 0)
    )
    texts = [f"{item.project} {printer.size(item.size_bytes or 0)}" for item in known[:_SHOWN_SIZES]]
    rest = known[_SHOWN_SIZES:]
    if rest:
        texts.append(f"{len(rest)} more {printer.size(sum(item.size_bytes or 0 for item in rest))}")
    return ", ".join(texts)


def _breakages(found: LockedProfile) -> None:
    for decision in found.breakages:
        printer.say(f"error {decision.code}: {decision.message}", err=True)
        for fact in decision.evidence:
            printer.say(f"  because  {fact}", err=True)
        printer.say(
            f'hint: remove the package that requires it, or set family.{decision.subject} = "keep"', err=True
        )


def _decisions(found: LockedProfile) -> dict[Decision, list[str]]:
    """Return each decision with its targets; empty for decisions on the whole profile."""
    places: dict[Decision, list[str]] = {
        decision: [] for decision in found.decisions if decision.code not in _HEADLINES
    }
    for target in found.targets:
        taken = target.lock.decisions if target.lock else decisions_of(target.entry)
        for decision in dict.fromkeys((*taken, *target.notes)):
            if decision in places:
                places[decision].append(target.slug)
    return places


def named_shortly(slugs: Sequence[str], every: Sequence[str]) -> str:
    """Return some of the targets in short: by platform or Python if all its targets are included."""
    if len(slugs) in (0, len(every)):
        return ""
    names: list[str] = []
    left = set(slugs)
    for part in (1, 0):
        for name in dict.fromkeys(slug.split("-", 1)[part] for slug in every):
            group = {slug for slug in every if slug.split("-", 1)[part] == name}
            if len(group) > 1 and group <= left:
                names.append(name)
                left -= group
    return ", ".join([*names, *(slug for slug in slugs if slug in left)])


def _targets(rows: Sequence[Sequence[str]]) -> None:
    """Print the table of targets, without empty columns."""
    head = ("target", "torch", "torchvision", "torchaudio", "packages", "took")
    kept = [column for column in range(len(head)) if any(row[column] != "-" for row in rows)]
    printer.table([head[column] for column in kept], [[row[column] for column in kept] for row in rows])


def _row(target: LockedTarget, request: LockRequest) -> tuple[str, ...]:
    pins = {name: pin.version for name, pin in target.entry.family.items()}
    dropped = {name for name, policy in request.profile.family.items() if policy == "drop"}
    dropped |= {item.subject for item in decisions_of(target.entry) if item.kind == "dropped"}
    shown = [
        pins.get(name) or ("dropped" if name in dropped else "-")
        for name in ("torch", "torchvision", "torchaudio")
    ]
    took = f"{target.seconds:.1f} s" if target.lock and not target.is_rebuilt else "unchanged"
    return (target.slug, *shown, str(target.entry.packages), took)


def written(done: Sequence[LockedProfile], *, dry_run: bool) -> None:
    """Print the files written and the cutoff."""
    for found in done:
        count = len(found.targets)
        files = "1 lock, 1 requirements file" if count == 1 else f"{count} locks, {count} requirements files"
        text = f"{found.folder.as_posix()}: {files}, {len(found.manifest.scripts)} activation scripts"
        if dry_run:
            text = f"nothing (dry run); would write {text}"
        elif not found.written:
            text = f"nothing: {found.folder.as_posix()} is current"
        as_of = found.manifest.remembered.as_of
        printer.labelled("wrote", text + (f" · as of {as_of}" if as_of else ""))


def is_idle(done: Sequence[LockedProfile]) -> bool:
    """Return whether there was nothing to do and nothing to report."""
    return not any(
        found.written or found.changes or any(target.lock or target.replaced for target in found.targets)
        for found in done
    )


def status(done: Sequence[LockedProfile], failed: Sequence[EnvsmithError]) -> int:
    """Return the exit code: of the worst error, or 1 when a lock breaks one of its packages."""
    worst = max((error.exit_code for error in failed), default=OK)
    is_incomplete = any(found.breakages or any(target.unserved for target in found.targets) for found in done)
    return max(worst, NO) if is_incomplete else worst


def envelope(done: Sequence[LockedProfile], failed: Sequence[EnvsmithError]) -> None:
    """Print the JSON document."""
    data = [
        {
            "profile": found.profile,
            "folder": found.folder.as_posix(),
            "cutoff_utc": found.manifest.cutoff_utc,
            "catalog": found.catalog_name,
            "written": list(found.written),
            "decisions": [decision.to_json() for decision in found.decisions],
            "targets": [
                {
                    "target": target.slug,
                    "plan": target.entry.plan,
                    "family": {name: str(pin) for name, pin in target.entry.family.items()},
                    "packages": target.entry.packages,
                    "seconds": round(target.seconds, 3),
                    "is_unchanged": target.lock is None or target.is_rebuilt,
                    "moved": [
                        {"name": name, "before": before, "after": after}
                        for name, before, after in target.moved
                    ],
                    "unserved": list(target.unserved),
                    "uncompared": list(target.unchecked),
                    "savings": [saving.to_json() for saving in target.savings],
                }
                for target in found.targets
            ],
        }
        for found in done
    ]
    printer.envelope("lock", ("ok", "no", "failed")[status(done, failed)], data, failed)


class CatalogLine:
    """The line on standard error that names the source of listings, and why it is not a better one.

    Args:
        quiet: print nothing.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._reasons: list[str] = []
        self._announced: set[str] = set()

    def warn(self, error: EnvsmithError) -> None:
        """Add a reason why the live index could not be used."""
        self._reasons.append(_reason(error))

    def announce(self, name: str) -> None:
        """Print the line for a source, once unless there are new reasons."""
        reasons, self._reasons = self._reasons, []
        if self._quiet or (name in self._announced and not reasons):
            return
        self._announced.add(name)
        printer.labelled("catalog", name + (f" ({'; '.join(reasons)})" if reasons else ""), err=True)


def _reason(error: EnvsmithError) -> str:
    if isinstance(error, ToolError):
        return "PyTorch's index did not answer; `envsmith catalog refresh` when it does"
    return f"a page of PyTorch's index is malformed: {error.message}, {error.code}"
