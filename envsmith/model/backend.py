"""Backend: the compute library a torch wheel was built for.

BuildLabel: what a local version label says of the backend and the torch that a wheel was compiled for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from packaging.version import Version

from envsmith.errors import ProfileError

_PATTERN = re.compile(r"(?P<plain>cpu|xpu)|cu(?P<cuda>\d{2,3})|rocm(?P<rocm>\d+\.\d+(?:\.\d+)?)")
_TOKEN = re.compile(
    r"(?P<cuda>cu(?:da)?(?P<toolkit>\d+(?:\.\d+)?))"
    r"|(?P<rocm>rocm(?P<stack>\d+(?:\.\d+){0,2}))"
    r"|(?P<plain>cpu|xpu)"
    r"|(?P<torch>(?:torch|pt)(?P<release>\d+(?:\.\d+){0,2}))"
    r"|cxx11abi(?P<abi>true|false|1|0)"
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
        match = _PATTERN.fullmatch(text)
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
        return cls(family=match["plain"], version=())

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
