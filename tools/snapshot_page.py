"""Write docs/reference/snapshot.md: what the snapshot of PyTorch's index covers.

Usage: python tools/snapshot_page.py [--check]
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from envsmith.catalog import Catalog, Coverage, VersionCoverage

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "snapshot.md"
PROJECTS = ("torch", "torchvision", "torchaudio", "torchcodec")
HEAD = """\
# The snapshot of PyTorch's index

<!-- Written by tools/snapshot_page.py; do not edit. -->

Rows of the wheels on download.pytorch.org, as of **{date}**: one file per channel and backend in
`envsmith/catalog/snapshot/`. With them `envsmith lock` needs no PyTorch server. `envsmith catalog refresh`
reads newer rows from the live index.

## Where the rows come from

They were gathered from lock files and saved index pages of public repositories over their whole history,
because the index itself could not be read. So a missing row is no proof that there is no such wheel:
torchaudio, XPU, ROCm and everything from torch 2.11 on are partial, and of torch 2.15 there is no stable row.

* A row is one file of one index. The same filename can have other bytes in another index, and on PyPI.
* A row without a hash stays one: the index published none, or none was recorded. It cannot be locked.
* Where one file of one index has several hashes on record, the later one is taken, then the one seen in more
  repositories, then the smaller hash. The others are listed below as withdrawn.
* Old wheels at the root of the server are listed by newer indexes, too; they keep their own address.
* The renamed Tritons (of ROCm and XPU) lie at the root and stand in the file of every backend of their
  family. Where no address of a Triton was recorded, the root of its channel is taken: all others lie there.
* Left out: the indexes `…_full`, `…_pypi_cudnn`, `cpu-cxx11-abi` and `cpu_pypi_pkg`, whose files share names
  with others but not bytes; all else at the root; one file with a malformed name
  (`torch-2.10.0-1+cu128-cp312-cp312-manylinux_2_28_x86_64.whl` in test/cu128); and versions before
  torch 1.13, torchvision 0.14 and torchaudio 0.13 whose metadata is not known. Later versions stay even
  without metadata.

Metadata is `exact` (read from the wheel, or proved by the digest the index publishes), `composed` (PyPI's
metadata of the same version with the backend's own requirements) or `assumed` (something has no source; the
row says what).
"""


def page(catalog: Catalog) -> str:
    """Return the whole page."""
    found = catalog.coverage()
    parts = [
        HEAD.format(date=catalog.retrieved),
        "## In numbers\n",
        *overview(found),
        "\n## Wheels by version, platform and Python\n",
        "In brackets: known without a hash.\n",
        *(line for item in found for line in detail(item)),
        "\n## Withdrawn hashes\n",
        *withdrawn(found),
    ]
    return "\n".join(parts) + "\n"


def overview(found: Iterable[Coverage]) -> Iterator[str]:
    """Yield one line per file."""
    yield "| index | torch | wheels | without hash | withdrawn | metadata exact | composed | assumed | none |"
    yield "|---|---|---|---|---|---|---|---|---|"
    total = [0] * 7
    for item in found:
        sure = item.confidences()
        numbers = [item.wheels, item.without_hash, len(item.withdrawn)]
        numbers += [sure.get(name, 0) for name in ("exact", "composed", "assumed", "none")]
        total = [sum(pair) for pair in zip(total, numbers, strict=True)]
        yield row(item.index, span(item), *numbers)
    yield row("all", "", *total)


def span(item: Coverage) -> str:
    """Return the oldest and the newest torch that carries the backend's label (for cpu: any)."""
    versions = [
        version.version
        for version in item.versions
        if version.project == "torch" and version.version.local in (str(item.backend), None)
    ]
    built = [version for version in versions if version.local] or versions
    return f"{min(built).public} to {max(built).public}" if built else "none"


def detail(item: Coverage) -> Iterator[str]:
    """Yield a table of the versions of one file, one column per platform."""
    versions = [version for version in item.versions if version.project in PROJECTS]
    platforms = sorted({name for version in versions for name in (*version.hashed, *version.unhashed)})
    if not versions:
        return
    yield f"### {item.index}\n"
    yield row("project", "version", *platforms, "metadata")
    yield "|" + "---|" * (len(platforms) + 3)
    for version in sorted(versions, key=lambda version: PROJECTS.index(version.project)):
        cells = [cell(version, platform) for platform in platforms]
        yield row(version.project, version.version, *cells, version.confidence or "none")
    yield ""


def cell(version: VersionCoverage, platform: str) -> str:
    """Return the Pythons of a platform: ``3.10 3.11 (3.12)``."""
    hashed = version.hashed.get(platform, ())
    unhashed = [name for name in version.unhashed.get(platform, ()) if name not in hashed]
    texts = " ".join(python(name) for name in hashed)
    return f"{texts} ({' '.join(python(name) for name in unhashed)})".strip() if unhashed else texts


def python(interpreter: str) -> str:
    """Return ``3.13t`` for ``cp313t``; tags of another form stay."""
    return re.sub(r"^cp(\d)(\d+)", r"\1.\2", interpreter)


def withdrawn(found: Iterable[Coverage]) -> Iterator[str]:
    """Yield the files that have other hashes on record."""
    for item in found:
        yield from (f"* {item.index}: `{filename}`" for filename in item.withdrawn)


def row(*cells: object) -> str:
    """Return one line of a table."""
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def main() -> int:
    """Write the page, or with --check say whether it is as it would be written."""
    text = page(Catalog.embedded())
    if "--check" in sys.argv[1:]:
        return int(PAGE.read_text(encoding="utf-8") != text)
    PAGE.write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
