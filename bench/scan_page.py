"""Write docs/reference/scan-results.md: what a scan says of real packages, and how four tools judge small projects.

Usage: python -m bench.scan_page. It needs the network, one minute for packages and a quarter of an hour for projects.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bench.fetching import install
from bench.ways import TOOLS, compare
from tests.scan.more_ways import EVERY
from tests.scan.packages import ANSWERS, MODULES, USING, Judged, judge

NEW_LINE = "\n"
PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "scan-results.md"
HEAD = """\
# What a scan answers, on real sources

<!-- Written by `python -m bench.scan_page`; do not edit. -->

## Packages from PyPI

As of **{date}**. The sources of {using} packages that use torchvision, torchaudio or cv2, and of {others} that use
none of them, each scanned as if it were a project. `unused` is the only answer by which `auto` lets a package go;
`conditional` is a use in a `try`, under a condition, or a look-up. **Bold**: some line of the sources imports the
module, found by nothing but
a pattern; none of these is let go. `pytest -m online tests/scan/test_real_packages.py` does all of it again.

| package | files | torchvision | torchaudio | cv2 |
|---|---:|---|---|---|
"""
PACKAGES_END = """
Let go: {dropped} of {asked}; of these, though a line imports it: {harmed}.
"""
PROJECTS = "## Small projects"
PROJECTS_HEAD = """\
## Small projects, one for each way of using a package or not

As of **{date}**: {count} projects (`tests/scan/ways.py`, `more_ways.py`), each asked by four tools in their own words:
is torchvision unused? *Harm*: it is called unused though something needs it, or may. *For nothing*: it is called
used though
nothing needs it.
The right answers are ours, and our tests hold envsmith to them; the others' figures say which ways one has to know.
`python -m bench.ways` does it again.

| tool | right | for nothing | harm |
|---|---:|---:|---:|
"""


def main() -> None:
    """Measure, and write the page; what is not measured stays as it was."""
    parser = argparse.ArgumentParser(prog="python -m bench.scan_page", description=__doc__)
    parser.add_argument(
        "--only", choices=("packages", "projects"), help="one part of the page; by default both"
    )
    only = parser.parse_args().only
    known = PAGE.read_text("utf-8").partition(PROJECTS) if PAGE.exists() else ("", "", "")
    first = known[0] if only == "projects" else "".join(packages())
    second = known[1] + known[2] if only == "packages" else "".join(projects())
    PAGE.write_text(f"{first.rstrip()}\n{second and NEW_LINE + second}", "utf-8")


def packages() -> Iterator[str]:
    """Yield the head and the table of real packages."""
    found = {name: _judged(name) for name in ANSWERS}
    using = len(USING)
    yield HEAD.format(date=_today(), using=using, others=len(found) - using)
    for name, judged in found.items():
        words = (
            f"**{answer}**" if module in judged.imported else answer
            for module, answer in zip(MODULES, judged.answers, strict=True)
        )
        yield f"| `{name}` | {judged.files_read:,} | {' | '.join(words)} |\n"
    harmed = sum(len({*judged.dropped} & {*judged.imported}) for judged in found.values())
    dropped = sum(len(judged.dropped) for judged in found.values())
    yield PACKAGES_END.format(harmed=harmed, dropped=dropped, asked=len(found) * len(MODULES))


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _judged(name: str) -> Judged:
    with tempfile.TemporaryDirectory(prefix="envsmith-scan-") as place:
        install(Path(place, "code"), name)
        return judge(Path(place))


def projects() -> Iterator[str]:
    """Yield the head and the table of tools, and what each of the others would let go though it is needed."""
    yield PROJECTS_HEAD.format(date=_today(), count=len(EVERY))
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
