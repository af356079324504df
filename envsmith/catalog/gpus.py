"""GPUs: names as people and drivers write them, matched with the table."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from envsmith.catalog.facts import Gpu, architecture
from envsmith.errors import CatalogError

_CAPABILITY = re.compile(
    r"(?P<major>\d{1,2})\.(?P<minor>\d)|sm_?(?P<digits>\d{2,3})[af]?|(?P<gfx>gfx[0-9a-f]{3,4})"
)
# What names carry beside the model: makers, memory, sockets, cooling.
_ASIDE = re.compile(
    r"\b(?:nvidia|geforce|tesla|laptop|gpu|mobile|generation|edition|graphics|with|max-q|design"
    r"|pcie|sxm\d?|nvl|hbm\d?e?|\d+ ?gb)\b|\(r\)|\(tm\)|[®™]"
)
_ASKED = "what was asked for"


def find(text: str, gpus: Iterable[Gpu]) -> Gpu:
    """Return the GPU a name or a capability stands for.

    Raises:
        CatalogError: CAT021 when it is neither a known name nor a capability.
    """
    if match := _CAPABILITY.fullmatch(text.strip().lower()):
        return _by_capability(match)
    known = {plain(gpu.name): gpu for gpu in gpus}
    if gpu := known.get(plain(text)):
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
    return re.sub(
        r"[\W_]+", "", _ASIDE.sub(" ", name.lower().replace("_", " ").replace("-", " ").replace("max q", ""))
    )


def _by_capability(match: re.Match[str]) -> Gpu:
    if gfx := match["gfx"]:
        return Gpu(name=gfx, capability=gfx, source=_ASKED, retrieved="")
    digits = match["digits"] or match["major"] + match["minor"]
    capability = int(digits[:-1]), int(digits[-1])
    return Gpu(name=architecture(capability), capability=capability, source=_ASKED, retrieved="")
