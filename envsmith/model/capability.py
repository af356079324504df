"""Capability: what a GPU can run, as its maker names it."""

from __future__ import annotations

import re

Capability = tuple[int, int] | str
"""Compute capability: ``(8, 9)``; AMD: the instruction set, ``gfx1100``; Intel: the generation, ``bmg``."""

INTEL = ("arl-h", "arl-u", "bmg", "dg2", "lnl", "mtl-h", "mtl-u", "ptl", "pvc")
"""Generations of Intel's GPUs, by the code names its compilers use."""
# NVIDIA's system-on-chip GPUs: they run machine code built for them and no other.
TEGRA = frozenset({(5, 3), (6, 2), (7, 2), (8, 7)})
_FORM = re.compile(
    r"(?P<major>[0-9]{1,2})\.(?P<minor>[0-9])|sm_?(?P<digits>[0-9]{2,3})[af]?"
    rf"|(?P<name>gfx[0-9a-f]{{3,4}}|{'|'.join(INTEL)})"
)


def read_capability(text: str) -> Capability | None:
    """Read ``12.0``, ``sm_120``, ``gfx1100`` or ``bmg``; None when the text is none of these."""
    match = _FORM.fullmatch(text.strip().lower())
    if match is None:
        return None
    if name := match["name"]:
        return name
    digits = match["digits"] or match["major"] + match["minor"]
    return int(digits[:-1]), int(digits[-1])


def architecture(capability: Capability) -> str:
    """Return ``sm_89`` for ``(8, 9)``; the names of AMD and Intel stay."""
    return capability if isinstance(capability, str) else f"sm_{capability[0]}{capability[1]}"


def backend_family(capability: Capability) -> str:
    """Return the family of backends that serves a GPU: ``cuda``, ``rocm`` or ``xpu``."""
    if not isinstance(capability, str):
        return "cuda"
    return "rocm" if capability.startswith("gfx") else "xpu"


def runs(built: Capability, capability: Capability) -> bool:
    """Say whether machine code built for one GPU runs on another.

    NVIDIA: code for X.y runs on X.z with z >= y, and on no other major version. Systems on a chip (Jetson)
    run only what was built for them. AMD's and Intel's must match.

    Source: NVIDIA CUDA C++ Programming Guide, binary compatibility, and that it holds neither for Tegra nor
    between it and other GPUs (read 2026-11-20).
    """
    if isinstance(built, str) or isinstance(capability, str) or capability in TEGRA or built in TEGRA:
        return built == capability
    return built[0] == capability[0] and built[1] <= capability[1]
