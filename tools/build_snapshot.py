"""Build the snapshot of PyTorch's index out of a folder of gathered rows.

Usage: python tools/build_snapshot.py --data FOLDER [--out FOLDER] [--retrieved DATE]

The folder holds wheels.jsonl, wheels_nohash.jsonl, requires_dist.jsonl and conflicts.json; its README says
where they come from. The same folder gives the same bytes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from envsmith.catalog import Catalog
from envsmith.model.backend import Backend
from envsmith.model.listing import HOST, IndexListing, Metadata, default_url, group_releases, index_name
from envsmith.model.wheel import Wheel

CATALOG = Path(__file__).resolve().parents[1] / "envsmith" / "catalog"
RETRIEVED = "2026-11-20"
SOURCE = "lock files and saved index pages of public repositories; see docs/reference/snapshot.md"
# Older versions stay only where their metadata is known.
FLOORS = {
    "torch": Version("1.13.dev0"),
    "torchvision": Version("0.14.dev0"),
    "torchaudio": Version("0.13.dev0"),
}
ROOTS = {"(root)": "stable", "test": "test", "nightly": "nightly"}
RENAMED_TRITONS = {
    "pytorch-triton-rocm": "rocm",
    "triton-rocm": "rocm",
    "pytorch-triton-xpu": "xpu",
    "triton-xpu": "xpu",
}
# PyPI has no aarch64 wheel of the Tritons that torch 2.7 and 2.8 pin; these backends have such a torch.
AARCH64_TRITONS = frozenset({"3.3.0", "3.3.1", "3.4.0"})
AARCH64_TRITON_BACKENDS = (Backend.parse("cu128"), Backend.parse("cu129"))

# One row has a build tag in the wrong place, so that no installer takes it for a wheel (PEP 427).
MALFORMED = frozenset({"torch-2.10.0-1+cu128-cp312-cp312-manylinux_2_28_x86_64.whl"})

Place = tuple[str, Backend]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What the gathered rows say of one file in one index."""

    index: str
    name: str
    version: str
    filename: str
    url: str | None
    sha256: str | None
    upload_time: str | None
    repositories: int

    @classmethod
    def from_json(cls, text: str) -> Row:
        """Read one line; ``+00:00`` in times becomes ``Z``."""
        item = json.loads(text)
        time = item["upload_time"]
        return cls(
            index=item["index"],
            name=item["name"],
            version=item["version"],
            filename=item["filename"],
            url=item["url"],
            sha256=item["sha256"],
            upload_time=time.replace(" ", "T").replace("+00:00", "Z") if time else None,
            repositories=item.get("n_repos", len(item["seen_in"])),
        )


def read_rows(data: Path) -> list[Row]:
    """Read the rows with a hash and those without."""
    texts = (data / "wheels.jsonl", data / "wheels_nohash.jsonl")
    return [Row.from_json(line) for path in texts for line in path.read_text(encoding="utf-8").splitlines()]


def read_metadata(data: Path) -> dict[tuple[str, str], Metadata]:
    """Read the metadata by (project, version text)."""
    items = [
        json.loads(line) for line in (data / "requires_dist.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    return {
        (item["name"], item["version"]): Metadata(
            requires_dist=tuple(item["requires_dist"]),
            requires_python=item["requires_python"],
            confidence=item["confidence"],
            basis=item["basis"],
        )
        for item in items
    }


def read_conflicts(data: Path) -> dict[tuple[str, str], tuple[str, ...]]:
    """Read which hashes were on record for one (index, filename), where there were several."""
    items = json.loads((data / "conflicts.json").read_text(encoding="utf-8"))
    return {
        (item["index"], item["filename"]): tuple(sorted(item["sha256"]))
        for item in items["same_index_same_filename_different_sha256"]
    }


def is_kept(row: Row, metadata: Mapping[tuple[str, str], Metadata]) -> bool:
    """Say whether a row is a wheel's, and new enough, or old but with known metadata."""
    if row.filename in MALFORMED:
        return False
    floor = FLOORS.get(row.name)
    return floor is None or Version(row.version) >= floor or (row.name, row.version) in metadata


def home(index: str, backends: Iterable[Backend]) -> Place | None:
    """Return the channel and backend an index name stands for; None for the root and for foreign folders."""
    channel, _, name = index.rpartition("/")
    found = next((backend for backend in backends if str(backend) == name), None)
    return (channel or "stable", found) if found and channel in ("", "test", "nightly") else None


def channel_of(index: str) -> str:
    """Return the channel an index or a root belongs to."""
    return ROOTS.get(index) or (index.partition("/")[0] if "/" in index else "stable")


def places(row: Row, homes: frozenset[Place]) -> Iterator[Place]:
    """Yield every channel and backend whose pages list a row.

    PyTorch's pages list, beside their own folder, what lies at the root of the channel; of that only the
    Tritons matter, and each goes to the backends that can use it.
    """
    channel = channel_of(row.index)
    if family := RENAMED_TRITONS.get(row.name):
        yield from ((at, backend) for at, backend in homes if at == channel and backend.family == family)
        return
    own = home(row.index, {backend for _, backend in homes})
    if own in homes:
        yield own
    if (
        row.index == "(root)"
        and row.name == "triton"
        and row.version in AARCH64_TRITONS
        and "aarch64" in row.filename
    ):
        yield from ((channel, backend) for backend in AARCH64_TRITON_BACKENDS if (channel, backend) in homes)


def true_url(row: Row) -> str:
    """Return the address of a row; where none was recorded, the place where files of that name lie.

    Every Triton with a recorded address lies at the root of its channel, every other file in its index.
    """
    if row.url is not None:
        return row.url
    if "triton" not in row.name:
        return default_url(row.index, row.filename)
    channel = channel_of(row.index)
    return f"{HOST}/whl/{'' if channel == 'stable' else channel + '/'}{row.filename}"


def choose(rows: Iterable[Row]) -> tuple[Row, tuple[str, ...]]:
    """Choose among the rows of one file: later, then seen in more repositories, then the smaller hash.

    Returns:
        The row taken, with the latest upload time known for its hash, and the hashes not taken.
    """
    hashed: dict[str, list[Row]] = {}
    rows = list(rows)
    for row in rows:
        if row.sha256 is not None:
            hashed.setdefault(row.sha256, []).append(row)
    if not hashed:
        return max(rows, key=lambda row: (row.upload_time or "", true_url(row))), ()

    def weight(sha256: str) -> tuple[str, int]:
        members = hashed[sha256]
        return max(row.upload_time or "" for row in members), max(row.repositories for row in members)

    ranked = sorted(sorted(hashed), key=weight, reverse=True)
    best = max(hashed[ranked[0]], key=lambda row: (row.upload_time or "", row.url or ""))
    return best, tuple(sorted(ranked[1:]))


def build(
    rows: Iterable[Row],
    metadata: Mapping[tuple[str, str], Metadata],
    conflicts: Mapping[tuple[str, str], tuple[str, ...]],
    backends: Iterable[Backend],
    retrieved: str,
) -> Iterator[IndexListing]:
    """Yield one listing per channel and backend that has rows of its own.

    Args:
        rows: all rows, in any order.
        metadata: by (project, version text).
        conflicts: hashes on record by (index, filename).
        backends: the backends of the table; rows of others are left out.
        retrieved: date of the rows, ``2026-11-20``.
    """
    rows, backends = [row for row in rows if is_kept(row, metadata)], tuple(backends)
    own = [home(row.index, backends) for row in rows if row.name not in RENAMED_TRITONS]
    homes = frozenset(place for place in own if place)
    files: dict[Place, dict[str, list[Row]]] = {place: {} for place in homes}
    for row in rows:
        for place in places(row, homes):
            files[place].setdefault(row.filename, []).append(row)
    for (channel, backend), found in sorted(files.items(), key=lambda item: (item[0][0], str(item[0][1]))):
        index = index_name(channel, backend)
        wheels = [to_wheel(index, members, conflicts) for members in found.values()]
        yield IndexListing(
            channel=channel,
            backend=backend,
            retrieved=retrieved,
            source=SOURCE,
            projects=group_releases(wheels, metadata),
        )


def to_wheel(index: str, rows: list[Row], conflicts: Mapping[tuple[str, str], tuple[str, ...]]) -> Wheel:
    """Make one wheel of all that is known of one file in one index."""
    row, withdrawn = choose(rows)
    recorded = {sha256 for other in rows for sha256 in conflicts.get((other.index, other.filename), ())}
    return Wheel.from_entry(
        index=index,
        filename=row.filename,
        url=true_url(row),
        sha256=row.sha256,
        upload_time=row.upload_time,
        withdrawn=tuple(sorted({*withdrawn, *recorded} - {row.sha256})) if row.sha256 else (),
    )


def write(data: Path, out: Path, retrieved: str) -> int:
    """Write the files of the snapshot below a catalog folder, and the row that dates it.

    Returns:
        The number of files written; files of an earlier snapshot that are no longer made are removed.
    """
    backends = [facts.backend for facts in Catalog.embedded().backends()]
    listings = build(read_rows(data), read_metadata(data), read_conflicts(data), backends, retrieved)
    written = set()
    for listing in listings:
        path = out / "snapshot" / listing.channel / f"{listing.backend}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(listing.to_json(), encoding="utf-8", newline="\n")
        written.add(path)
    for path in (out / "snapshot").glob("*/*.json"):
        if path not in written:
            path.unlink()
    head = "# Written by tools/build_snapshot.py."
    text = f'{head}\n[[snapshot]]\nsource = "{SOURCE}"\nretrieved = "{retrieved}"\n'
    (out / "snapshot.toml").write_text(text, encoding="utf-8", newline="\n")
    return len(written)


def main() -> None:
    """Build the snapshot from the command line."""
    parser = argparse.ArgumentParser(description="Build the snapshot of PyTorch's index.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=CATALOG)
    parser.add_argument("--retrieved", default=RETRIEVED)
    options = parser.parse_args()
    print(f"{write(options.data, options.out, options.retrieved)} files")


if __name__ == "__main__":
    main()
