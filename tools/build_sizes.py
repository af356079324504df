"""Build the table of wheels' sizes out of gathered facts: PyTorch's index publishes none.

Usage: python tools/build_sizes.py --facts FOLDER --rows FOLDER [--out FILE] [--retrieved DATE]

FOLDERs hold wheel_sizes.json (sizes that PyPI's API gives, with how they were read) and wheels.jsonl (rows of PyTorch's
index; a few have a size, from public lock files). The same folders give the same bytes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path

OUT = Path(__file__).resolve().parents[1] / "envsmith" / "catalog" / "sizes.toml"
RETRIEVED = "2026-11-20"
PROJECTS = ("torch", "torchvision", "torchaudio")
HEAD = """\
# Sizes of wheels in bytes, if no index publishes them. pypi: PyPI's wheels; PyTorch's wheel of the same build has
# nearly the same size. pytorch: files of PyTorch's index. Written by tools/build_sizes.py.
"""


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--facts", type=Path, required=True)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--retrieved", default=RETRIEVED)
    words = parser.parse_args()
    facts = json.loads((words.facts / "wheel_sizes.json").read_text("utf-8"))["per_version_cp311_cp312"]
    blocks = [
        _block(
            "pypi",
            "PyPI's JSON API",
            words.retrieved,
            (
                (filename, size)
                for project in PROJECTS
                for files in facts[project].values()
                for filename, size in files.items()
            ),
        ),
        _block(
            "pytorch",
            "lock files of public repositories that give sizes",
            words.retrieved,
            _of_rows(words.rows / "wheels.jsonl"),
        ),
    ]
    words.out.write_text("\n".join([HEAD, *blocks]), "utf-8")


def _of_rows(path: Path) -> Iterable[tuple[str, int]]:
    with path.open(encoding="utf-8") as file:
        for row in map(json.loads, file):
            if row.get("size") and row["name"] in PROJECTS:
                yield row["filename"], row["size"]


def _block(index: str, source: str, retrieved: str, files: Iterable[tuple[str, int]]) -> str:
    lines = [f'    "{filename} {size}",' for filename, size in sorted(files) if filename.endswith(".whl")]
    head = ["[[size]]", f'index = "{index}"', f'source = "{source}"', f'retrieved = "{retrieved}"']
    return "\n".join([*head, "files = [", *lines, "]", ""])


if __name__ == "__main__":
    main()
