"""Write docs/reference/snapshot.md, the coverage of the embedded catalog.

Usage: python tools/snapshot_page.py [--check]
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from envsmith.catalog import Catalog, Coverage

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "snapshot.md"
HEAD = """\
# Coverage of the embedded catalog

<!-- Written by tools/snapshot_page.py; do not edit. -->

The wheels of download.pytorch.org as of **{date}**, one file per channel and backend in
`envsmith/catalog/snapshot/`. With this snapshot `envsmith lock` needs no PyTorch server.

```console
$ envsmith catalog show cu128        # versions, platforms, Pythons and kernels of a backend
$ envsmith catalog refresh cu128     # read the current index into the cache
```

The snapshot comes from lock files and saved index pages of public repositories over their whole history. **It has
gaps**: a missing wheel may exist. torchaudio, XPU, ROCm and everything from torch 2.11 on are incomplete, and torch
2.15 has no stable wheel.

"""
TAIL = """
* **without hash**: the index published none, or none was recorded. These wheels cannot be locked.
* **withdrawn**: files with several recorded hashes. The latest one is used, then the one found in more repositories,
  then the smaller one; the others are withdrawn.
* **exact**: metadata read from the wheel, or confirmed by the digest in the index. **composed**: PyPI's metadata of the
  same version with the backend's own requirements. **assumed**: a part has no source; the entry names it. **none**: no
  metadata.

Notes:

* The same filename can have other contents in another index and on PyPI: entries are keyed by index and filename.
* Newer indexes also list old wheels at the root of the server; these keep their URL. The renamed Tritons of ROCm and
  XPU are at the root and in the file of every backend of their kind; without a recorded URL the channel's root is used.
* Not included: the indexes `…_full`, `…_pypi_cudnn`, `cpu-cxx11-abi` and `cpu_pypi_pkg`, which reuse filenames for
  other contents; other files at the root; one file with a malformed name
  (`torch-2.10.0-1+cu128-cp312-cp312-manylinux_2_28_x86_64.whl` in test/cu128); versions before torch 1.13, torchvision
  0.14 and torchaudio 0.13 without metadata.
"""


def page(catalog: Catalog) -> str:
    """Return the whole page."""
    return HEAD.format(date=catalog.retrieved) + "\n".join(overview(catalog.coverage())) + "\n" + TAIL


def overview(found: Iterable[Coverage]) -> Iterator[str]:
    """Yield the table: one line per file."""
    yield "| index | torch | wheels | without hash | withdrawn | exact metadata | composed | assumed | none |"
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


def row(*cells: object) -> str:
    """Return one line of a table."""
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def main() -> int:
    """Write the page; with --check, return 1 if it differs."""
    text = page(Catalog.embedded())
    if "--check" in sys.argv[1:]:
        return int(PAGE.read_text(encoding="utf-8") != text)
    PAGE.write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
