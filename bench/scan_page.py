"""Scan results (docs/reference/scan-results.md): real packages, and four tools on small projects.

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
# Scan results

<!-- Written by `python -m bench.scan_page`; do not edit. -->

## Packages from PyPI

As of **{date}**: the sources of {using} packages that use torchvision, torchaudio or cv2, and of {others} that use
none of them, each scanned as a project. `auto` drops a package only for `unused`; `conditional` is a use in a `try`,
under a condition, or a look-up. **Bold**: a line of the sources imports the module, found by a plain pattern.
`pytest -m online tests/scan/test_real_packages.py` repeats the scan.

| package | files | torchvision | torchaudio | cv2 |
|---|---:|---|---|---|
"""
PACKAGES_END = """
Unused: {dropped} of {asked}; of these, imported by a line: {harmed}.
"""
PROJECTS = "## Small projects"
PROJECTS_HEAD = """\
## Small projects, one for each way of using a package

As of **{date}**: {count} projects (`tests/scan/ways.py`, `more_ways.py`). Four tools are asked whether torchvision is
unused. *harm*: called unused although something needs it or may need it. *unneeded*: called used although nothing needs
it. The right answers are envsmith's own test cases. `python -m bench.ways` repeats the comparison.

| tool | right | unneeded | harm |
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
    """Yield the head, the table of tools, and the needed packages that each other tool calls unused."""
    yield PROJECTS_HEAD.format(date=_today(), count=len(EVERY))
    results, versions = compare(EVERY)
    for tool in TOOLS:
        counts = [sum(found[tool] == kind for found in results) for kind in ("right", "wrong", "harm")]
        name = f"{tool} {versions.get(tool, '')}".strip()
        yield f"| {name} | {' | '.join(map(str, counts))} |\n"
    for tool in versions:
        harmed = [way.name for way, found in zip(EVERY, results, strict=True) if found[tool] == "harm"]
        yield f"\nCalled unused by {tool} although needed: {'; '.join(harmed) or 'none'}.\n"


if __name__ == "__main__":
    main()
