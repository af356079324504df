"""Write docs/reference/scan-results.md: what a scan says of real packages, and how four tools judge small projects.

Usage: python -m bench.scan_page. It needs the network, and some minutes.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bench.fetching import install
from bench.ways import TOOLS, compare
from tests.scan.more_ways import EVERY
from tests.scan.packages import ANSWERS, MODULES, USING, Judged, judge

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "scan-results.md"
HEAD = """\
# What a scan answers, on real sources

<!-- Written by `python -m bench.scan_page`; do not edit. -->

As of **{date}**.

## Packages from PyPI

The sources of {using} packages that use torchvision, torchaudio or cv2, and of {others} that use none of them, each
scanned as if it were a project. `unused` is the only answer by which `auto` lets a package go; `conditional` is a use
in a `try`, under a condition, or a look-up. **Bold**: some line of the sources imports the module, found by nothing but
a pattern; none of these is let go. `pytest -m online tests/scan/test_real_packages.py` does all of it again.

| package | files | torchvision | torchaudio | cv2 |
|---|---:|---|---|---|
"""
TOOLS_HEAD = """
Of these, let go though a line imports it: {harmed}. Let go: {dropped} of {asked}.

## Small projects, one for each way of using a package or not

{count} projects (`tests/scan/ways.py`, `more_ways.py`), each asked by four tools in their own words: is torchvision
unused? *Harm*: it is called unused though something needs it, or may. *For nothing*: it is called used though nothing
needs it.
The right answers are ours, and our tests hold envsmith to them; the others' figures say which ways one has to know.
`python -m bench.ways` does it again.

| tool | right | for nothing | harm |
|---|---:|---:|---:|
"""


def main() -> None:
    """Measure, and write the page."""
    text = "".join((*packages(), *tools()))
    PAGE.write_text(text, "utf-8")


def packages() -> Iterator[str]:
    """Yield the head and the table of real packages."""
    found = {name: _judged(name) for name in ANSWERS}
    using = len(USING)
    date = datetime.now(UTC).date().isoformat()
    yield HEAD.format(date=date, using=using, others=len(found) - using)
    for name, judged in found.items():
        words = (
            f"**{answer}**" if module in judged.imported else answer
            for module, answer in zip(MODULES, judged.answers, strict=True)
        )
        yield f"| `{name}` | {judged.files_read:,} | {' | '.join(words)} |\n"
    harmed = sum(len({*judged.dropped} & {*judged.imported}) for judged in found.values())
    dropped = sum(len(judged.dropped) for judged in found.values())
    yield TOOLS_HEAD.format(harmed=harmed, dropped=dropped, asked=len(found) * len(MODULES), count=len(EVERY))


def _judged(name: str) -> Judged:
    with tempfile.TemporaryDirectory(prefix="envsmith-scan-") as place:
        install(Path(place, "code"), name)
        return judge(Path(place))


def tools() -> Iterator[str]:
    """Yield the table of tools, and what each of the others would let go though it is needed."""
    results, versions = compare(EVERY)
    for tool in TOOLS:
        counts = [sum(found[tool] == kind for found in results) for kind in ("right", "wrong", "harm")]
        name = f"{tool} {versions.get(tool, '')}".strip()
        yield f"| {name} | {' | '.join(map(str, counts))} |\n"
    for tool in versions:
        harmed = [way.name for way, found in zip(EVERY, results, strict=True) if found[tool] == "harm"]
        yield f"\nLet go by {tool} though needed: {'; '.join(harmed) or 'none'}.\n"


if __name__ == "__main__":
    main()
