"""How differences of locks are told: Markdown for a pull request, and text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from envsmith.console import output as render
from envsmith.diff.model import Build, Difference, PackageChange, TorchChange
from envsmith.diff.output import SIGNS, arrow, headline
from envsmith.lock.output import named_shortly

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


def markdown(differences: Sequence[Difference]) -> str:
    """Return a text for a pull request; what packages and indexes call themselves stays plain text in it."""
    changed = [found for found in differences if not found.is_empty]
    if not changed:
        return "No lock changes what it installs, nor why.\n"
    return "\n".join("\n".join(_markdown(found)) for found in changed)


def _markdown(found: Difference) -> Iterator[str]:
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


def _heading(found: Difference) -> str:
    return arrow(found.before, found.after)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield a table without the columns that nothing is in."""
    kept = [column for column in range(len(head)) if any(row[column] for row in rows)]
    yield "| " + " | ".join(head[column] for column in kept) + " |"
    yield "|" + "---|" * len(kept)
    for row in rows:
        yield "| " + " | ".join(row[column] for column in kept) + " |"
    yield ""


def _torch_rows(found: Difference) -> list[tuple[str, ...]]:
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


def _targets(found: Difference) -> Iterator[str]:
    told = [f"New targets, {_plain(_build_words(item.build))}: {_code(item.targets)}." for item in found.new]
    told += [f"Gone targets: {_code(found.removed)}."] if found.removed else []
    for line in told:
        yield line
        yield ""


def _code(slugs: Sequence[str]) -> str:
    return ", ".join(f"`{slug}`" for slug in slugs)


def _build_words(build: Build) -> str:
    """Say which torch it is, and what it takes to run it."""
    driver = f"driver ≥ {build.driver}" if build.driver else ""
    return " · ".join(filter(None, (f"torch {build.torch or 'none'}", build.backend, driver)))


def _package_rows(found: Difference) -> list[tuple[str, ...]]:
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


def _decision_lines(found: Difference) -> list[str]:
    lines = []
    for item in found.decisions:
        where = named_shortly(item.targets, found.common)
        decision = item.decision
        code = f" {decision.code}" if decision.code else ""
        lines.append(
            f"{'new' if item.is_new else 'gone'}: {decision.message}{code}" + (f" ({where})" if where else "")
        )
    return lines


def _download(found: Difference) -> str:
    """Say what is to be fetched, and what is not counted in."""
    if not found.download_bytes:
        return ""
    amounts = arrow(*map(render.size, found.download_bytes))
    without = ", ".join(found.download_without)
    return f"{amounts}, without {without}: of unknown size" if without else amounts


def _licence_lines(found: Difference) -> list[str]:
    lines = []
    for item in found.licences:
        where = named_shortly(item.targets, found.common)
        change = arrow(item.before, item.after) if item.before else f"{item.after}, new here"
        lines.append(f"{', '.join(item.packages)}: {change}" + (f" ({where})" if where else ""))
    return lines


def text(differences: Sequence[Difference]) -> None:
    """Print differences for people; of several, those without any in one line."""
    same = [found for found in differences if found.is_empty]
    changed = [found for found in differences if not found.is_empty]
    for number, found in enumerate(changed):
        if number:
            render.say("")
        _text(found)
    if same and changed:
        render.say("")
    if same:
        titles = [_heading(found) if len(same) == 1 else found.after for found in same]
        render.labelled("unchanged", ", ".join(titles))


def _text(found: Difference) -> None:
    render.say(f"{_heading(found)}: {headline(found)}")
    for item in found.torch:
        told = (
            arrow(item.before.backend, item.after.backend),
            _driver_words(item),
            f"kernels {_kernels(item)}" if _kernels(item) else "",
        )
        where = named_shortly(item.targets, found.common)
        label = "torch" if item is found.torch[0] else ""
        render.labelled(label, " · ".join(filter(None, told)), f"({where})" if where else "")
    for new in found.new:
        label = "new" if new is found.new[0] else ""
        render.labelled(label, ", ".join(new.targets), f"({_build_words(new.build)})")
    if found.removed:
        render.labelled("gone", ", ".join(found.removed))
    if found.packages:
        rows = [_text_row(item, found) for item in found.packages]
        render.table(("package", "before", "after", "", "targets"), rows)
    if amounts := _download(found):
        render.labelled("download", amounts)
    for label, lines in (("licences", _licence_lines(found)), ("decisions", _decision_lines(found))):
        for number, line in enumerate(lines):
            render.labelled(label if number == 0 else "", line)


def _driver_words(item: TorchChange) -> str:
    return f"driver {_drivers(item)}" if _drivers(item) else ""


def _text_row(item: PackageChange, found: Difference) -> tuple[str, ...]:
    sign = SIGNS[item.kind].strip("*")
    return item.name, item.before or "-", item.after or "-", sign, named_shortly(item.targets, found.common)


def _plain(words: str) -> str:
    """Return text that Markdown shows as it is, and that calls nobody."""
    told = _EMPHASIS.sub(r"\\_", render.plain(words).translate(_MARKS))
    return _REFERENCES.sub(r"\1&#8203;", told)
