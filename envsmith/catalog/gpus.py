"""GPUs: names as people and drivers write them, matched with the table."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches

from envsmith.catalog.facts import Gpu
from envsmith.errors import CatalogError
from envsmith.model.capability import architecture, read_capability

# What names carry beside the model: makers, memory, sockets, cooling.
_ASIDE = re.compile(
    r"\b(?:nvidia|geforce|tesla|amd|radeon|instinct|intel|laptop|gpu|mobile|generation|edition|graphics|with|max-q|design"
    r"|pcie|sxm\d?|nvl|hbm\d?e?|\d+ ?gb)\b|\(r\)|\(tm\)|[®™]"
)
_ASKED = "what was asked for"


def find(text: str, gpus: Iterable[Gpu]) -> Gpu:
    """Return the GPU a name or a capability stands for.

    Raises:
        CatalogError: CAT021 when it is neither a known name nor a capability.
    """
    if capability := read_capability(text):
        name = architecture(capability)
        return Gpu(name=name, capability=capability, source=_ASKED, retrieved="")
    known = {plain(gpu.name): gpu for gpu in gpus}
    if gpu := known.get(plain(text)) or _of_a_series(text, known.values()):
        return gpu
    near = [known[name].name for name in get_close_matches(plain(text), known, n=3)]
    names = f"near it are {', '.join(near)}; or write" if near else "write"
    ask = "`nvidia-smi --query-gpu=name,compute_cap` prints it"
    raise CatalogError(
        "CAT021",
        f"no GPU {text!r} is known",
        hint=f"{names} its compute capability, such as 8.9; {ask}",
    )


def plain(name: str) -> str:
    """Reduce a name to its model: ``NVIDIA GeForce RTX 4090 Laptop GPU`` → ``rtx4090``."""
    return "".join(_words(name))


def _words(name: str) -> list[str]:
    text = name.lower().replace("_", " ").replace("-", " ").replace("max q", "")
    return re.findall(r"[^\W_]+", _ASIDE.sub(" ", text))


def _of_a_series(text: str, gpus: Iterable[Gpu]) -> Gpu | None:
    """Return what ``RX 7900`` stands for: a series whose members all have one capability."""
    asked = _words(text)
    members = [gpu for gpu in gpus if asked and _words(gpu.name)[: len(asked)] == asked]
    if len({gpu.capability for gpu in members}) != 1:
        return None
    return replace(members[0], name=text.strip(), pci=())
