"""Backend: the compute library a torch wheel was built for.

BuildLabel: what a local version label says of the backend and the torch that a wheel was compiled for.


Capability: what a GPU can run, as its maker names it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.version import Version

from envsmith.errors import ProfileError

GPU_PATTERN = r"xpu|cu(?P<cuda>\d{2,3})|rocm(?P<rocm>\d+\.\d+(?:\.\d+)?)"
"""The form of the name of a backend for GPUs."""
PATTERN = re.compile(rf"cpu|{GPU_PATTERN}", re.ASCII)
"""The form of a backend's name, as a whole."""
_TOKEN = re.compile(
    r"(?P<cuda>cu(?:da)?(?P<toolkit>\d+(?:\.\d+)?))"
    r"|(?P<rocm>rocm(?P<stack>\d+(?:\.\d+){0,2}))"
    r"|(?P<plain>cpu|xpu)"
    r"|(?P<torch>(?:torch|pt)(?P<release>\d+(?:\.\d+){0,2}))"
    r"|cxx11abi(?P<abi>true|false|1|0)"
)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """A compute library and its version, named as PyTorch's indexes name it.

    It is not a device, and not the driver's version: ``cu128`` is a wheel built with CUDA toolkit 12.8.
    Backends have an order only within their family.
    """

    family: str
    """``cpu``, ``cuda``, ``rocm`` or ``xpu``."""
    version: tuple[int, ...]
    """Toolkit version, ``(12, 8)``; empty for ``cpu`` and ``xpu``."""

    @classmethod
    def parse(cls, text: str) -> Backend:
        """Read ``cpu``, ``xpu``, ``cu128`` or ``rocm6.4``.

        Raises:
            ProfileError: PRF010 when the text has another form.
        """
        match = PATTERN.fullmatch(text)
        if match is None:
            raise ProfileError(
                "PRF010",
                f"{text!r} is no backend",
                hint="a backend looks like cpu, cu128, rocm6.4 or xpu; `envsmith catalog show` lists them",
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
        """The local version label of its wheels (PEP 440): ``cu128`` in ``2.11.0+cu128``."""
        return str(self)

    @property
    def toolkit_version(self) -> str:
        """``12.8``; empty for ``cpu`` and ``xpu``."""
        return ".".join(str(part) for part in self.version)

    @property
    def title(self) -> str:
        """The name people use: ``CUDA 12.8``, ``ROCm 6.4``, ``CPU``, ``XPU``."""
        names = {"cuda": "CUDA", "rocm": "ROCm", "cpu": "CPU", "xpu": "XPU"}
        return f"{names[self.family]} {self.toolkit_version}".strip()

    def __lt__(self, other: Backend) -> bool:
        if self.family != other.family:
            raise TypeError(f"no order between {self} and {other}: different families")
        return self.version < other.version


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildLabel:
    """What a label says: ``cu128torch2.8``, ``pt28cu128``, ``cu12torch2.8cxx11abiTRUE``; parts it leaves out are empty.

    Source: filenames of flash-attention's releases, PyTorch Geometric's pages and indexes of prebuilt wheels
    (Dao-AILab/flash-attention#730, pyg-team's ``torch_scatter-2.1.1+pt20cpu``, ``cc_torch-0.2+cu130torch29``),
    read 2026-11-21.
    """

    family: str = ""
    """``cpu``, ``cuda``, ``rocm``, ``xpu``; empty where the label names none."""
    version: tuple[int, ...] = ()
    """Toolkit version: ``(12, 8)``; ``(12,)`` where any CUDA 12 will do."""
    torch: tuple[int, ...] = ()
    """``(2, 8)`` for any torch 2.8, ``(2, 8, 0)`` for that one alone."""
    cxx11abi: bool | None = None
    """Which of the two C++ ABIs of GCC it was compiled with."""

    @classmethod
    def parse(cls, label: str) -> BuildLabel:
        """Read a local version label; what is not understood says nothing.

        Args:
            label: without the ``+``; large and small letters mean the same.
        """
        values: dict[str, object] = {}
        for match in _words(label.lower()):
            # The first word of a kind counts.
            values = {**_read(match), **values}
        return cls(**values)  # type: ignore[arg-type]

    def __str__(self) -> str:
        torch = ".".join(str(part) for part in self.torch)
        abi = "" if self.cxx11abi is None else f"cxx11abi{str(self.cxx11abi).lower()}"
        return self.backend_text + (f"torch{torch}" if torch else "") + abi

    @property
    def backend_text(self) -> str:
        """``cu12.8`` or ``cu12``, ``rocm6.4``, ``cpu``; empty where the label names none."""
        toolkit = ".".join(str(part) for part in self.version)
        return {"cuda": "cu", "rocm": "rocm"}.get(self.family, self.family) + toolkit

    def fits_backend(self, backend: Backend) -> bool:
        """Say whether the wheel can be used beside a torch of this backend."""
        if not self.family:
            return True
        return self.family == backend.family and backend.version[: len(self.version)] == self.version

    def fits_torch(self, torch: Version) -> bool:
        """Say whether the wheel was compiled for this torch; a nightly counts as the release it leads to."""
        return (*torch.release, 0, 0)[: len(self.torch)] == self.torch

    def torch_specifier(self) -> str:
        """``==2.8.*``, ``==2.8.0``; empty where any torch will do."""
        text = ".".join(str(part) for part in self.torch)
        return f"=={text}" + (".*" if len(self.torch) < 3 else "") if text else ""


def _words(label: str) -> Iterator[re.Match[str]]:
    """Yield the words from the left; after one that is not known the rest up to the next point is skipped."""
    place = 0
    while place < len(label):
        match = _TOKEN.match(label, place)
        if match:
            yield match
            place = match.end()
        else:
            place = len(label) if (point := label.find(".", place)) < 0 else point + 1


def _read(match: re.Match[str]) -> dict[str, object]:
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
    """Read ``12.8``, ``128`` and ``12``: of three digits and more the last is the minor version."""
    return _numbers(text) if "." in text or len(text) < 3 else (int(text[:-1]), int(text[-1]))


def _release(text: str) -> tuple[int, ...]:
    """Read ``2.8``, ``2.8.0``, ``28`` and ``210``: without points the first digit is the major version."""
    return _numbers(text) if "." in text or len(text) < 2 else (int(text[0]), int(text[1:]))


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
