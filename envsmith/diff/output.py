"""The one sentence about a difference of locks that matters.

How differences of locks are told: Markdown for a pull request, and text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from envsmith.console import printer
from envsmith.console.printer import counted
from envsmith.diff.model import LockDiff, PackageChange, TorchBuildSide, TorchChange
from envsmith.lock.output import named_shortly

SIGNS = {
    "up": "newer",
    "down": "**older**",
    "build": "other build",
    "files": "**other files**",
    "added": "added",
    "removed": "removed",
}
"""Kind of a change → its word, in Markdown."""
_MARKS = str.maketrans(
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
# Marks at the edge of a word only: within one, as in sm_70, they mark nothing.
_EMPHASIS = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
# Names of people and numbers of issues: those who are named would be told, and the issues would be linked.
_REFERENCES = re.compile(r"(?<!\w)([@#!])(?=\w)")


def headline(found: LockDiff) -> str:
    """Return the one sentence that matters."""
    if found.is_empty:
        return "nothing changes"
    told = _moves(found)
    told += [_torch_sentence(found.torch)] if any(_is_other(item) for item in found.torch) else []
    told += _needs(found.torch)
    if found.common and len(told) == len(_moves(found)):
        told += ["torch stays", *_amounts(found.packages)]
    told += [counted(len(found.added), "new target")] if found.added else []
    told += [f"{counted(len(found.removed), 'target')} gone"] if found.removed else []
    return ", ".join(told)


def _moves(found: LockDiff) -> list[str]:
    """Return the target that stands for another, where the titles do not name both."""
    titles = f"{found.before} {found.after}"
    return [move for move in found.moved if not all(slug in titles for slug in move.split(" → "))]


def _amounts(changes: Sequence[PackageChange]) -> list[str]:
    """Say how many packages change in which way."""
    names = {kind: {item.name for item in changes if item.kind == kind} for kind in SIGNS}
    return [f"{len(found)} {SIGNS[kind].strip('*')}" for kind, found in names.items() if found]


def _is_other(item: TorchChange) -> bool:
    return item.before.torch != item.after.torch


def _torch_sentence(changes: Sequence[TorchChange]) -> str:
    """Return from which versions to which: targets may have several."""
    sides = ({item.before.torch for item in changes}, {item.after.torch for item in changes})
    return f"torch {arrow(*(' or '.join(sorted(side)) or 'none' for side in sides))}"


def _needs(changes: Sequence[TorchChange]) -> Iterator[str]:
    """Yield what machines must have for it that they needed not have before, and which are left out or let in."""
    for word, is_meant in (("needs", _is_higher), ("now takes", _is_lower)):
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
    """Return the oldest driver as it compares; that of a build which needs none is older than any."""
    return tuple(int(part) for part in build.driver.split(".") if part.isdecimal())


def _driver_floors(changes: Sequence[TorchChange]) -> str:
    """Return the drivers, each with its system where there are several."""
    systems: dict[str, list[str]] = {}
    for item in changes:
        found = systems.setdefault(item.after.driver, [])
        found += ["Windows" if "-win_" in slug.rpartition(" → ")[2] else "Linux" for slug in item.targets]
    if len(systems) == 1:
        return f"≥ {next(iter(systems))}"
    return ", ".join(f"≥ {driver} ({', '.join(dict.fromkeys(on))})" for driver, on in systems.items())


def arrow(before: str, after: str) -> str:
    """Return both sides of a change, or the one where it is none."""
    return after if before == after else f"{before} → {after}"


def markdown(differences: Sequence[LockDiff]) -> str:
    """Return a text for a pull request; what packages and indexes call themselves stays plain text in it."""
    changed = [found for found in differences if not found.is_empty]
    if not changed:
        return "No lock changes what it installs, nor why.\n"
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
        yield f"Download of all targets: {_plain(amounts)}."
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
    """Yield a table without the columns that nothing is in."""
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
        return "not known"
    if not (item.before.kernels or item.after.kernels):
        return ""
    told = [f"lost {' '.join(item.lost)}"] if item.lost else []
    return ", ".join([*told, f"gained {' '.join(item.gained)}"] if item.gained else told) or "the same"


def _targets(found: LockDiff) -> Iterator[str]:
    told = [f"New targets, {_plain(_build_words(item.build))}: {_code(item.targets)}." for item in found.new]
    told += [f"Gone targets: {_code(found.removed)}."] if found.removed else []
    for line in told:
        yield line
        yield ""


def _code(slugs: Sequence[str]) -> str:
    return ", ".join(f"`{slug}`" for slug in slugs)


def _build_words(build: TorchBuildSide) -> str:
    """Say which torch it is, and what it takes to run it."""
    driver = f"driver ≥ {build.driver}" if build.driver else ""
    return " · ".join(filter(None, (f"torch {build.torch or 'none'}", build.backend, driver)))


def _package_rows(found: LockDiff) -> list[tuple[str, ...]]:
    return [
        (
            _plain(item.name),
            _plain(item.before),
            _plain(item.after),
            SIGNS[item.kind],
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
            f"{'new' if item.is_new else 'gone'}: {decision.message}{code}" + (f" ({where})" if where else "")
        )
    return lines


def _download(found: LockDiff) -> str:
    """Say what is to be fetched, and what is not counted in."""
    if not found.download_bytes:
        return ""
    amounts = arrow(*map(printer.size, found.download_bytes))
    without = ", ".join(found.download_without)
    return f"{amounts}, without {without}: of unknown size" if without else amounts


def _licence_lines(found: LockDiff) -> list[str]:
    lines = []
    for item in found.licences:
        where = named_shortly(item.targets, found.common)
        change = arrow(item.before, item.after) if item.before else f"{item.after}, new here"
        lines.append(f"{', '.join(item.packages)}: {change}" + (f" ({where})" if where else ""))
    return lines


def text(differences: Sequence[LockDiff]) -> None:
    """Print differences for people; of several, those without any in one line."""
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
        told = (
            arrow(item.before.backend, item.after.backend),
            _driver_words(item),
            f"kernels {_kernels(item)}" if _kernels(item) else "",
        )
        where = named_shortly(item.targets, found.common)
        label = "torch" if item is found.torch[0] else ""
        printer.labelled(label, " · ".join(filter(None, told)), f"({where})" if where else "")
    for new in found.new:
        label = "new" if new is found.new[0] else ""
        printer.labelled(label, ", ".join(new.targets), f"({_build_words(new.build)})")
    if found.removed:
        printer.labelled("gone", ", ".join(found.removed))
    if found.packages:
        rows = [_text_row(item, found) for item in found.packages]
        printer.table(("package", "before", "after", "", "targets"), rows)
    if amounts := _download(found):
        printer.labelled("download", amounts)
    for label, lines in (("licences", _licence_lines(found)), ("decisions", _decision_lines(found))):
        for number, line in enumerate(lines):
            printer.labelled(label if number == 0 else "", line)


def _driver_words(item: TorchChange) -> str:
    return f"driver {_drivers(item)}" if _drivers(item) else ""


def _text_row(item: PackageChange, found: LockDiff) -> tuple[str, ...]:
    sign = SIGNS[item.kind].strip("*")
    return item.name, item.before or "-", item.after or "-", sign, named_shortly(item.targets, found.common)


def _plain(words: str) -> str:
    """Return text that Markdown shows as it is, and that calls nobody."""
    told = _EMPHASIS.sub(r"\\_", printer.plain(words).translate(_MARKS))
    return _REFERENCES.sub(r"\1&#8203;", told)
