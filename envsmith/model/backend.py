"""Backend: the compute library a torch wheel was built for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from envsmith.errors import ProfileError

_PATTERN = re.compile(r"(?P<plain>cpu|xpu)|cu(?P<cuda>\d{2,3})|rocm(?P<rocm>\d+\.\d+(?:\.\d+)?)")


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
