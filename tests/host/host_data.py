"""The texts of tests/data/host, and trees of files made of them."""

from __future__ import annotations

from pathlib import Path

DATA = Path(__file__).parents[1] / "data/host"


def text(name: str) -> str:
    return (DATA / name).read_text("utf-8")


def tree(root: Path, **files: str) -> Path:
    """Write files below a root; ``__`` in a name stands for a slash, ``_colon_`` for a colon."""
    for name, content in files.items():
        place = root / name.replace("_colon_", ":").replace("__", "/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content, "utf-8")
    return root


def pci(root: Path, slot: str, kind: str, vendor: str, device: str) -> None:
    """Add a device to the PCI bus of a tree."""
    place = root / "sys/bus/pci/devices" / slot
    place.mkdir(parents=True)
    for name, value in (("class", kind), ("vendor", vendor), ("device", device)):
        (place / name).write_text(f"{value}\n", "utf-8")
