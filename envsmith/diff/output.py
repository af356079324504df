"""Differences between locks as text and as Markdown for a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from envsmith.console import printer
from envsmith.console.printer import counted
from envsmith.diff.model import ChangeKind, LockDiff, PackageChange, TorchBuildSide, TorchChange
from envsmith.lock.output import named_shortly

CHANGE_LABELS: dict[ChangeKind, str] = {
    "up": "newer",
    "down": "**older**",
    "build": "other build",
    "files": "**other files**",
    "added": "added",
    "removed": "removed",
}
"""Kind of a change → its label, in Markdown."""
_ESCAPES = str.maketrans(
    {
        "\\": "\\\\",
        "|": "\\|",
        "<": "&lt;",
        "&": "&amp;",
        "`": "'",
        "*": "\\*",
        "[": "\\[",
        "~": "\\~",
        "\n": " ",
    }
)
# Underscores at the edge of a word, which mean emphasis; not those within one, as in sm_70.
_EMPHASIS = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
# `@name` and `#1`, which would notify users and link issues.
_REFERENCES = re.compile(r"(?<!\w)([@#!])(?=\w)")


def headline(found: LockDiff) -> str:
    """Return the most important changes in one sentence."""
    if found.is_empty:
        return "no changes"
    parts = _target_pairs(found)
    parts += (
        [_torch_sentence(found.torch)] if any(_is_different_version(item) for item in found.torch) else []
    )
    parts += _requirement_changes(found.torch)
    if found.common and len(parts) == len(_target_pairs(found)):
        parts += ["torch unchanged", *_amounts(found.packages)]
    parts += [counted(len(found.added), "new target")] if found.added else []
    parts += [f"{counted(len(found.removed), 'target')} removed"] if found.removed else []
    return ", ".join(parts)


def _target_pairs(found: LockDiff) -> list[str]:
    """Return the pairs of targets that the titles do not name."""
    titles = f"{found.before} {found.after}"
    return [move for move in found.moved if not all(slug in titles for slug in move.split(" → "))]


def _amounts(changes: Sequence[PackageChange]) -> list[str]:
    """Return the number of packages per kind of change."""
    names = {kind: {item.name for item in changes if item.kind == kind} for kind in CHANGE_LABELS}
    return [f"{len(found)} {CHANGE_LABELS[kind].strip('*')}" for kind, found in names.items() if found]


def _is_different_version(item: TorchChange) -> bool:
    return item.before.torch != item.after.torch


def _torch_sentence(changes: Sequence[TorchChange]) -> str:
    """Return the versions before and after, which can differ by target."""
    sides = ({item.before.torch for item in changes}, {item.after.torch for item in changes})
    return f"torch {arrow(*(' or '.join(sorted(side)) or 'none' for side in sides))}"


def _requirement_changes(changes: Sequence[TorchChange]) -> Iterator[str]:
    """Yield changed requirements on the machine: driver and kernels."""
    for word, is_meant in (("needs", _is_higher), ("now accepts", _is_lower)):
        if drivers := _driver_floors([item for item in changes if is_meant(item)]):
            yield f"{word} driver {drivers}"
    for word, kernels in (
        ("loses", [kernel for item in changes for kernel in item.lost]),
        ("gains", [kernel for item in changes for kernel in item.gained]),
    ):
        if kernels:
            yield f"{word} {' '.join(sorted(set(kernels), key=_by_number))}"


def _by_number(kernel: str) -> tuple[int, str]:
    return len(kernel), kernel


def _is_higher(item: TorchChange) -> bool:
    return bool(item.after.driver) and _floor(item.after) > _floor(item.before)


def _is_lower(item: TorchChange) -> bool:
    return bool(item.after.driver) and _floor(item.after) < _floor(item.before)


def _floor(build: TorchBuildSide) -> tuple[int, ...]:
    """Return the oldest driver for comparison; () without one, which sorts first."""
    return tuple(int(part) for part in build.driver.split(".") if part.isdecimal())


def _driver_floors(changes: Sequence[TorchChange]) -> str:
    """Return the oldest drivers, each with its system if there are several."""
    systems: dict[str, list[str]] = {}
    for item in changes:
        found = systems.setdefault(item.after.driver, [])
        found += ["Windows" if "-win_" in slug.rpartition(" → ")[2] else "Linux" for slug in item.targets]
    if len(systems) == 1:
        return f"≥ {next(iter(systems))}"
    return ", ".join(f"≥ {driver} ({', '.join(dict.fromkeys(on))})" for driver, on in systems.items())


def arrow(before: str, after: str) -> str:
    """Return ``before → after``, or one of them if they are equal."""
    return after if before == after else f"{before} → {after}"


def markdown(differences: Sequence[LockDiff]) -> str:
    """Return Markdown for a pull request, with names and messages escaped."""
    changed = [found for found in differences if not found.is_empty]
    if not changed:
        return "No changes to installed packages or decisions.\n"
    return "\n".join("\n".join(_markdown(found)) for found in changed)


def _markdown(found: LockDiff) -> Iterator[str]:
    yield f"## {_plain(_heading(found))}: {_plain(headline(found))}"
    yield ""
    if found.torch:
        yield from _table(("torch", "toolkit", "driver", "kernels", "targets"), _torch_rows(found))
    yield from _targets(found)
    if found.packages:
        yield from _table(("package", "before", "after", "", "targets"), _package_rows(found))
    if amounts := _download(found):
        yield f"Download size of all targets: {_plain(amounts)}."
        yield ""
    for title, lines in (("Licences", _licence_lines(found)), ("Decisions", _decision_lines(found))):
        if lines:
            yield f"{title}:"
            yield ""
            yield from (f"- {_plain(line)}" for line in lines)
            yield ""


def _heading(found: LockDiff) -> str:
    return arrow(found.before, found.after)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a table without empty columns."""
    kept = [column for column in range(len(head)) if any(row[column] for row in rows)]
    yield "| " + " | ".join(head[column] for column in kept) + " |"
    yield "|" + "---|" * len(kept)
    for row in rows:
        yield "| " + " | ".join(row[column] for column in kept) + " |"
    yield ""


def _torch_rows(found: LockDiff) -> list[tuple[str, ...]]:
    rows = []
    for item in found.torch:
        before, after = item.before, item.after
        cells = (
            arrow(before.torch or "none", after.torch or "none"),
            arrow(before.backend, after.backend),
            _drivers(item),
            _kernels(item),
            named_shortly(item.targets, found.common),
        )
        rows.append(tuple(_plain(cell) for cell in cells))
    return rows


def _drivers(item: TorchChange) -> str:
    if not (item.before.driver or item.after.driver):
        return ""
    return arrow(*(f"≥ {driver}" if driver else "none" for driver in (item.before.driver, item.after.driver)))


def _kernels(item: TorchChange) -> str:
    if item.before.kernels is None or item.after.kernels is None:
        return "unknown"
    if not (item.before.kernels or item.after.kernels):
        return ""
    parts = [f"lost {' '.join(item.lost)}"] if item.lost else []
    return ", ".join([*parts, f"gained {' '.join(item.gained)}"] if item.gained else parts) or "the same"


def _targets(found: LockDiff) -> Iterator[str]:
    parts = [
        f"New targets, {_plain(_build_summary(item.build))}: {_code(item.targets)}." for item in found.new
    ]
    parts += [f"Removed targets: {_code(found.removed)}."] if found.removed else []
    for line in parts:
        yield line
        yield ""


def _code(slugs: Sequence[str]) -> str:
    return ", ".join(f"`{slug}`" for slug in slugs)


def _build_summary(build: TorchBuildSide) -> str:
    """Return a torch build and its requirements."""
    driver = f"driver ≥ {build.driver}" if build.driver else ""
    return " · ".join(filter(None, (f"torch {build.torch or 'none'}", build.backend, driver)))


def _package_rows(found: LockDiff) -> list[tuple[str, ...]]:
    return [
        (
            _plain(item.name),
            _plain(item.before),
            _plain(item.after),
            CHANGE_LABELS[item.kind],
            _plain(named_shortly(item.targets, found.common)),
        )
        for item in found.packages
    ]


def _decision_lines(found: LockDiff) -> list[str]:
    lines = []
    for item in found.decisions:
        where = named_shortly(item.targets, found.common)
        decision = item.decision
        code = f" {decision.code}" if decision.code else ""
        lines.append(
            f"{'added' if item.is_new else 'removed'}: {decision.message}{code}"
            + (f" ({where})" if where else "")
        )
    return lines


def _download(found: LockDiff) -> str:
    """Return the download size, and the packages of unknown size."""
    if not found.download_bytes:
        return ""
    amounts = arrow(*map(printer.size, found.download_bytes))
    without = ", ".join(found.download_without)
    return f"{amounts}, without {without} (size unknown)" if without else amounts


def _licence_lines(found: LockDiff) -> list[str]:
    lines = []
    for item in found.licences:
        where = named_shortly(item.targets, found.common)
        change = arrow(item.before, item.after) if item.before else f"{item.after} (new)"
        lines.append(f"{', '.join(item.packages)}: {change}" + (f" ({where})" if where else ""))
    return lines


def text(differences: Sequence[LockDiff]) -> None:
    """Print differences; list unchanged profiles in one line."""
    same = [found for found in differences if found.is_empty]
    changed = [found for found in differences if not found.is_empty]
    for number, found in enumerate(changed):
        if number:
            printer.say("")
        _text(found)
    if same and changed:
        printer.say("")
    if same:
        titles = [_heading(found) if len(same) == 1 else found.after for found in same]
        printer.labelled("unchanged", ", ".join(titles))


def _text(found: LockDiff) -> None:
    printer.say(f"{_heading(found)}: {headline(found)}")
    for item in found.torch:
        parts = (
            arrow(item.before.backend, item.after.backend),
            _driver_change(item),
            f"kernels {_kernels(item)}" if _kernels(item) else "",
        )
        where = named_shortly(item.targets, found.common)
        label = "torch" if item is found.torch[0] else ""
        printer.labelled(label, " · ".join(filter(None, parts)), f"({where})" if where else "")
    for new in found.new:
        label = "new" if new is found.new[0] else ""
        printer.labelled(label, ", ".join(new.targets), f"({_build_summary(new.build)})")
    if found.removed:
        printer.labelled("removed", ", ".join(found.removed))
    if found.packages:
        rows = [_text_row(item, found) for item in found.packages]
        printer.table(("package", "before", "after", "", "targets"), rows)
    if amounts := _download(found):
        printer.labelled("download", amounts)
    for label, lines in (("licences", _licence_lines(found)), ("decisions", _decision_lines(found))):
        for number, line in enumerate(lines):
            printer.labelled(label if number == 0 else "", line)


def _driver_change(item: TorchChange) -> str:
    return f"driver {_drivers(item)}" if _drivers(item) else ""


def _text_row(item: PackageChange, found: LockDiff) -> tuple[str, ...]:
    label = CHANGE_LABELS[item.kind].strip("*")
    return item.name, item.before or "-", item.after or "-", label, named_shortly(item.targets, found.common)


def _plain(words: str) -> str:
    """Escape a text for Markdown, without notifying users or linking issues."""
    escaped = _EMPHASIS.sub(r"\\_", printer.plain(words).translate(_ESCAPES))
    return _REFERENCES.sub(r"\1&#8203;", escaped)
