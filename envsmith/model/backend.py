"""Backends: the compute library a torch wheel was built for, build labels, and GPU capabilities."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from envsmith.errors import ProfileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    # Not imported at run time: `envsmith run` starts with this module.
    from packaging.version import Version

Capability = tuple[int, int] | str
"""NVIDIA: the compute capability, ``(8, 9)``; AMD: the instruction set, ``gfx1100``; Intel: the generation, ``bmg``."""
INTEL = ("arl-h", "arl-u", "bmg", "dg2", "lnl", "mtl-h", "mtl-u", "ptl", "pvc")
"""Intel GPU generations, by the code names of Intel's compilers."""
# NVIDIA's systems on a chip (Jetson): no binary compatibility with any other capability.
TEGRA = frozenset({(5, 3), (6, 2), (7, 2), (8, 7)})

# The names of PyTorch's indexes. The last digit of `cu128` is the minor version.
GPU_PATTERN = r"xpu|cu(?P<cuda>\d{2,3})|rocm(?P<rocm>\d+\.\d+(?:\.\d+)?)"
"""Pattern of the names of GPU backends."""
PATTERN = re.compile(rf"cpu|{GPU_PATTERN}", re.ASCII)
"""Pattern of backend names; use with ``fullmatch``."""
# One part of a local version label, lower case: `cu12`, `cuda12.8`, `rocm6.4`, `torch2.8`, `pt28`, `cxx11abitrue`.
_LABEL_TOKEN = re.compile(
    r"(?P<cuda>cu(?:da)?(?P<toolkit>\d+(?:\.\d+)?))"
    r"|(?P<rocm>rocm(?P<stack>\d+(?:\.\d+){0,2}))"
    r"|(?P<plain>cpu|xpu)"
    r"|(?P<torch>(?:torch|pt)(?P<release>\d+(?:\.\d+){0,2}))"
    r"|cxx11abi(?P<abi>true|false|1|0)"
)
# `8.9` (nvidia-smi), `sm_89` and `sm_90a` (torch.cuda.get_arch_list), `gfx90a` (rocminfo), Intel's code names.
_CAPABILITY = re.compile(
    r"(?P<major>[0-9]{1,2})\.(?P<minor>[0-9])|sm_?(?P<digits>[0-9]{2,3})[af]?"
    rf"|(?P<name>gfx[0-9a-f]{{3,4}}|{'|'.join(INTEL)})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """A compute library and its version, named like PyTorch's indexes.

    ``cu128`` means built with CUDA toolkit 12.8; it names neither a device nor a driver version.
    Only backends of the same library can be ordered.
    """

    family: str
    """``cpu``, ``cuda``, ``rocm`` or ``xpu``."""
    version: tuple[int, ...]
    """Toolkit version, ``(12, 8)``; empty for ``cpu`` and ``xpu``."""

    @classmethod
    def parse(cls, text: str) -> Backend:
        """Parse ``cpu``, ``xpu``, ``cu128`` or ``rocm6.4``.

        Raises:
            ProfileError: PRF010 for any other text.
        """
        match = PATTERN.fullmatch(text)
        if match is None:
            raise ProfileError(
                "PRF010",
                f"invalid backend `{text}`",
                hint="use a name such as cpu, cu128, rocm6.4 or xpu; `envsmith catalog show` lists them",
            )
        if digits := match["cuda"]:
            return cls(family="cuda", version=(int(digits[:-1]), int(digits[-1])))
        if dotted := match["rocm"]:
            return cls(family="rocm", version=tuple(int(part) for part in dotted.split(".")))
        return cls(family=text, version=())

    def __str__(self) -> str:
        if self.family == "cuda":
            return f"cu{self.version[0]}{self.version[1]}"
        if self.family == "rocm":
            return "rocm" + self.toolkit_version
        return self.family

    @property
    def label(self) -> str:
        """Local version label of its wheels (PEP 440): ``cu128`` in ``2.11.0+cu128``."""
        return str(self)

    @property
    def toolkit_version(self) -> str:
        """``12.8``; empty for ``cpu`` and ``xpu``."""
        return ".".join(str(part) for part in self.version)

    @property
    def title(self) -> str:
        """Display name: ``CUDA 12.8``, ``ROCm 6.4``, ``CPU``, ``XPU``."""
        names = {"cuda": "CUDA", "rocm": "ROCm", "cpu": "CPU", "xpu": "XPU"}
        return f"{names[self.family]} {self.toolkit_version}".strip()

    def __lt__(self, other: Backend) -> bool:
        if self.family != other.family:
            raise TypeError(f"cannot order {self} and {other}: different compute libraries")
        return self.version < other.version


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildLabel:
    """Build information in a local version label: ``cu128torch2.8``, ``pt28cu128``, ``cu12torch2.8cxx11abiTRUE``.

    Source: filenames of flash-attention's releases, PyTorch Geometric's pages and indexes of prebuilt wheels
    (Dao-AILab/flash-attention#730, pyg-team's ``torch_scatter-2.1.1+pt20cpu``, ``cc_torch-0.2+cu130torch29``),
    read 2026-11-21.
    """

    family: str = ""
    """``cpu``, ``cuda``, ``rocm``, ``xpu``; empty if the label names none."""
    version: tuple[int, ...] = ()
    """Toolkit version: ``(12, 8)``; ``(12,)`` for any CUDA 12."""
    torch: tuple[int, ...] = ()
    """``(2, 8)`` for any torch 2.8, ``(2, 8, 0)`` for exactly that release."""
    cxx11abi: bool | None = None
    """Whether it was compiled with GCC's C++11 ABI."""

    @classmethod
    def parse(cls, label: str) -> BuildLabel:
        """Parse a local version label; unknown parts are ignored.

        Args:
            label: without the ``+``; case does not matter.
        """
        values: dict[str, object] = {}
        for match in _tokens(label.lower()):
            # The first token of a kind wins.
            values = {**_token_values(match), **values}
        return cls(**values)  # type: ignore[arg-type]

    def __str__(self) -> str:
        torch = ".".join(str(part) for part in self.torch)
        abi = "" if self.cxx11abi is None else f"cxx11abi{str(self.cxx11abi).lower()}"
        return self.backend_text + (f"torch{torch}" if torch else "") + abi

    @property
    def backend_text(self) -> str:
        """``cu12.8`` or ``cu12``, ``rocm6.4``, ``cpu``; empty if the label names none."""
        toolkit = ".".join(str(part) for part in self.version)
        return {"cuda": "cu", "rocm": "rocm"}.get(self.family, self.family) + toolkit

    def supports_backend(self, backend: Backend) -> bool:
        """Return whether the wheel works with a torch of this backend."""
        if not self.family:
            return True
        return self.family == backend.family and backend.version[: len(self.version)] == self.version

    def supports_torch(self, torch: Version) -> bool:
        """Return whether the wheel was compiled for this torch; a nightly counts as its coming release."""
        return (*torch.release, 0, 0)[: len(self.torch)] == self.torch

    def torch_specifier(self) -> str:
        """Return ``==2.8.*`` or ``==2.8.0``; empty if any torch will do."""
        text = ".".join(str(part) for part in self.torch)
        return f"=={text}" + (".*" if len(self.torch) < 3 else "") if text else ""


def _tokens(label: str) -> Iterator[re.Match[str]]:
    """Yield the tokens from the left; skip an unknown one up to the next dot."""
    start = 0
    while start < len(label):
        match = _LABEL_TOKEN.match(label, start)
        if match:
            yield match
            start = match.end()
        else:
            start = len(label) if (dot := label.find(".", start)) < 0 else dot + 1


def _token_values(match: re.Match[str]) -> dict[str, object]:
    if match["cuda"]:
        return {"family": "cuda", "version": _toolkit(match["toolkit"])}
    if match["rocm"]:
        return {"family": "rocm", "version": _numbers(match["stack"])}
    if match["plain"]:
        return {"family": match["plain"], "version": ()}
    if match["torch"]:
        return {"torch": _release(match["release"])}
    return {"cxx11abi": match["abi"] in ("true", "1")}


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def _toolkit(text: str) -> tuple[int, ...]:
    """Parse ``12.8``, ``128`` or ``12``: of three or more digits the last is the minor version."""
    return _numbers(text) if "." in text or len(text) < 3 else (int(text[:-1]), int(text[-1]))


def _release(text: str) -> tuple[int, ...]:
    """Parse ``2.8``, ``2.8.0``, ``28`` or ``210``: without dots the first digit is the major version."""
    return _numbers(text) if "." in text or len(text) < 2 else (int(text[0]), int(text[1:]))


def read_capability(text: str) -> Capability | None:
    """Parse ``12.0``, ``sm_120``, ``gfx1100`` or ``bmg``; return None for any other text."""
    match = _CAPABILITY.fullmatch(text.strip().lower())
    if match is None:
        return None
    if name := match["name"]:
        return name
    digits = match["digits"] or match["major"] + match["minor"]
    return int(digits[:-1]), int(digits[-1])


def architecture(capability: Capability) -> str:
    """Return ``sm_89`` for ``(8, 9)``; AMD's and Intel's names unchanged."""
    return capability if isinstance(capability, str) else f"sm_{capability[0]}{capability[1]}"


def backend_family(capability: Capability) -> str:
    """Return the compute library of a GPU: ``cuda``, ``rocm`` or ``xpu``."""
    if not isinstance(capability, str):
        return "cuda"
    return "rocm" if capability.startswith("gfx") else "xpu"


def runs_on(built: Capability, capability: Capability) -> bool:
    """Return whether machine code built for one GPU runs on another.

    NVIDIA: code for X.y runs on X.z with z >= y, and on no other major version; systems on a chip (Jetson)
    need an exact match, as do AMD's and Intel's GPUs.

    Source: NVIDIA CUDA C++ Programming Guide, binary compatibility, which excludes Tegra (read 2026-11-20).
    """
    if isinstance(built, str) or isinstance(capability, str) or capability in TEGRA or built in TEGRA:
        return built == capability
    return built[0] == capability[0] and built[1] <= capability[1]
