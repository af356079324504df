"""Machines, and what must be chosen on each: worked out by hand, never by running envsmith.

Worked out on 2026-11-21 from the facts collected on 2026-11-20:

- which torch has a wheel for a Python and platform: the filenames in the rows of PyTorch's index (a missing row is
  no proof of absence, so 2.14 is there for some Pythons only), and those of torch on PyPI, whose Linux wheel is CUDA
  13.0 from 2.11 to 2.14.1 and 13.2 at 2.15.0, on Windows and macOS the CPU build;
- kernels: what the wheels on PyPI say of themselves and what PyTorch's build scripts list (cu126 5.0 to 9.0 up to
  torch 2.14; cu128 7.5 to 12.0, from 2.8 to 2.10 also 7.0; CUDA 13 7.5 to 12.0, on aarch64 8.0 to 12.0 with 11.0);
- drivers: 580 for CUDA 13; 525.60.13 (Linux) and 528.33 (Windows) for CUDA 12; 450.80.02 and 452.39 for CUDA 11;
  570.26 and 570.65 for Blackwell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

NOTHING = ""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A machine and the answers it must get."""

    gpus: tuple[str, ...]
    """Names as people write them; empty for a machine without."""
    driver: str | None
    """Of NVIDIA; None where there is none."""
    platform: str
    python: str
    choice: str
    """``cu126 2.14.0``, with ``pypi`` behind it where PyPI serves it; NOTHING where nothing works."""
    reason: str = ""
    """How the reason of the choice begins."""
    works: Mapping[str, str] = field(default_factory=dict)
    """Other backends that work there, each with its newest torch."""
    fails: Mapping[str, str] = field(default_factory=dict)
    """Backends that do not, each with the reason."""
    unknown: tuple[str, ...] = ()
    """Backends of which nobody can say."""
    is_wsl: bool = False
    has_musl: bool = False

    def __str__(self) -> str:
        words = ("+".join(self.gpus) or "no-gpu", self.driver or "no-driver", self.platform, self.python)
        return "-".join(words).replace(" ", "_") + ("-wsl" if self.is_wsl else "")


def nvidia(
    gpu: str, driver: str | None, platform: str, python: str, choice: str, reason: str = "", **more: object
) -> Machine:
    """Return a machine with one NVIDIA GPU, or with several, a comma between their names."""
    return Machine(
        gpus=tuple(name.strip() for name in gpu.split(",")),
        driver=driver,
        platform=platform,
        python=python,
        choice=choice,
        reason=reason,
        **more,  # type: ignore[arg-type]
    )


def other(gpu: str, platform: str, python: str, choice: str, reason: str = "", **more: object) -> Machine:
    """Return a machine with one GPU of another maker, or with none."""
    return Machine(
        gpus=(gpu,) if gpu else (),
        driver=None,
        platform=platform,
        python=python,
        choice=choice,
        reason=reason,
        **more,  # type: ignore[arg-type]
    )


LINUX, AARCH64, WINDOWS = "linux", "linux-aarch64", "windows"
R580 = "needs driver ≥ 580"
CPU = "runs without a GPU"
MPS = "the macOS build, which includes MPS"

OLD = (
    nvidia(
        "GTX 1080",
        "550.54.15",
        LINUX,
        "3.12",
        "cu126 2.14.0",
        "kernels for sm_61, driver 550.54.15",
        fails={
            "cu132": "no kernels for sm_61",
            "cu130": "no kernels for sm_61",
            "cu128": "no kernels for sm_61",
            "cu129": "no kernels for sm_61",
            "rocm7.2": "no AMD GPU",
            "xpu": "no Intel GPU",
        },
        works={"cpu": "2.14.1", "cu124": "2.6.0", "cu118": "2.6.0", "cu121": "2.5.1"},
    ),
    nvidia("GTX 1080", "580.65.06", LINUX, "3.13", "cu126 2.13.0", "kernels for sm_61"),
    nvidia(
        "GTX 1080",
        "560.94",
        WINDOWS,
        "3.12",
        "cu126 2.14.0",
        "kernels for sm_61",
        fails={"cu130": "no kernels for sm_61", "cu128": "no kernels for sm_61"},
        works={"cpu": "2.15.0"},
    ),
    nvidia("GTX 1080", "560.94", WINDOWS, "3.14", "cu126 2.14.0", "kernels for sm_61"),
    nvidia("GTX 1080", "560.94", WINDOWS, "3.11", "cu126 2.13.0", "kernels for sm_61"),
    nvidia(
        "GTX 1080",
        "470.199.02",
        LINUX,
        "3.11",
        "cu118 2.6.0",
        "kernels for sm_61, driver 470.199.02",
        fails={"cu126": "needs driver ≥ 525.60.13", "cu124": "needs driver ≥ 525.60.13"},
    ),
    nvidia(
        "GTX 1080",
        "440.33.01",
        LINUX,
        "3.11",
        "cpu 2.14.1",
        CPU,
        fails={"cu118": "needs driver ≥ 450.80.02", "cu126": "needs driver ≥ 525.60.13"},
    ),
    nvidia("GTX 980 Ti", "550.54.15", LINUX, "3.12", "cu126 2.14.0", "kernels for sm_52"),
    nvidia("GTX 750 Ti", "550.54.15", LINUX, "3.10", "cu126 2.13.0", "kernels for sm_50"),
    nvidia("P100", "535.104.05", LINUX, "3.14", "cu126 2.13.0", "kernels for sm_60"),
    nvidia(
        "V100",
        "550.54.15",
        LINUX,
        "3.12",
        "cu126 2.14.0",
        "kernels for sm_70",
        works={"cu128": "2.10.0", "cu129": "2.13.0"},
        fails={"cu130": "no kernels for sm_70"},
    ),
    nvidia("Tesla V100-SXM2-16GB", "470.199.02", LINUX, "3.11", "cu118 2.6.0", "kernels for sm_70"),
    nvidia(
        "TITAN V", "580.97", WINDOWS, "3.13", "cu126 2.13.0", "kernels for sm_70", works={"cu128": "2.10.0"}
    ),
    # Kepler: CUDA 11.8 alone, up to torch 2.6; of the Windows wheels the kernels are not known.
    nvidia(
        "3.7",
        "470.199.02",
        LINUX,
        "3.11",
        "cu118 2.6.0",
        "kernels for sm_37",
        fails={"cu126": "no kernels for sm_37"},
    ),
    nvidia("3.7", "475.14", WINDOWS, "3.11", "cpu 2.15.0 pypi", CPU, unknown=("cu118",)),
    nvidia("Jetson Nano", None, AARCH64, "3.11", "cpu 2.13.0", CPU, fails={"cu126": "no kernels for sm_53"}),
)

USUAL = (
    nvidia(
        "MX450",
        "572.16",
        WINDOWS,
        "3.12",
        "cu126 2.14.0",
        "kernels for sm_75, driver 572.16",
        works={"cu128": "2.11.0"},
        fails={"cu130": R580, "cu132": R580},
    ),
    nvidia(
        "MX450", "580.97", WINDOWS, "3.12", "cu130 2.14.0", "kernels for sm_75", works={"cu132": "2.13.0"}
    ),
    nvidia("MX450", "580.65.06", LINUX, "3.12", "cu132 2.15.0 pypi", "kernels for sm_75"),
    nvidia(
        "Tesla T4",
        "535.183.01",
        LINUX,
        "3.11",
        "cu126 2.13.0",
        "kernels for sm_75",
        works={"cu128": "2.11.0", "cu129": "2.13.0"},
    ),
    nvidia(
        "Tesla T4",
        "580.65.06",
        LINUX,
        "3.10",
        "cu130 2.14.1 pypi",
        "kernels for sm_75",
        fails={"cu132": "no known wheel for cp310 (only cp311 to cp315)"},
    ),
    nvidia("RTX 2080 Ti", "550.54.15", LINUX, "3.14", "cu126 2.13.0", "kernels for sm_75"),
    nvidia("RTX 3060", "528.33", WINDOWS, "3.12", "cu126 2.14.0", "kernels for sm_86"),
    nvidia(
        "RTX 3060",
        "528.02",
        WINDOWS,
        "3.12",
        "cpu 2.15.0 pypi",
        CPU,
        fails={"cu126": "needs driver ≥ 528.33"},
        unknown=("cu118",),
    ),
    nvidia("RTX 3050", "580.65.06", LINUX, "3.11", "cu132 2.15.0 pypi", "kernels for sm_86"),
    nvidia("A100", "525.60.13", LINUX, "3.12", "cu126 2.14.0", "kernels for sm_80"),
    nvidia(
        "A100",
        "525.60.12",
        LINUX,
        "3.12",
        "cu118 2.6.0",
        "kernels for sm_80",
        fails={"cu126": "needs driver ≥ 525.60.13", "cu121": "needs driver ≥ 525.60.13"},
    ),
    # Ubuntu 18.04: what was tagged manylinux1 or linux is the newest its glibc may take.
    nvidia(
        "A100",
        "580.65.06",
        "manylinux_2_27_x86_64",
        "3.12",
        "cu124 2.6.0",
        "kernels for sm_80",
        fails={
            "cu130": "its wheels need glibc 2.28; this machine has glibc 2.27",
            "cu126": "its wheels need glibc 2.28; this machine has glibc 2.27",
        },
        works={"cu118": "2.6.0"},
    ),
    nvidia(
        "RTX 4090", "560.35.05", LINUX, "3.12", "cu126 2.14.0", "kernels for sm_89", fails={"cu130": R580}
    ),
    nvidia(
        "RTX 4090",
        "580.65.06",
        LINUX,
        "3.15",
        "cu132 2.15.0 pypi",
        "kernels for sm_89",
        works={"cu130": "2.13.0", "cu126": "2.13.0"},
    ),
    nvidia("RTX 4090 Laptop GPU", "580.97", WINDOWS, "3.10", "cu130 2.13.0", "kernels for sm_89"),
    nvidia(
        "RTX 4090",
        "580.97",
        WINDOWS,
        "3.15",
        "cpu 2.15.0 pypi",
        CPU,
        fails={"cu130": "no known wheel for cp315 (only cp310 to cp314)"},
    ),
    nvidia(
        "L40S",
        "550.90.07",
        LINUX,
        "3.9",
        "cu128 2.8.0",
        "kernels for sm_89",
        works={"cu126": "2.8.0", "cpu": "2.8.0"},
    ),
    nvidia(
        "H200",
        "580.65.06",
        LINUX,
        "3.12",
        "cu132 2.15.0 pypi",
        "kernels for sm_90, driver 580.65.06",
        works={"cu130": "2.14.1", "cu126": "2.14.0", "cu128": "2.11.0", "cu129": "2.13.0", "cpu": "2.14.1"},
        fails={"rocm7.2": "no AMD GPU"},
    ),
    nvidia(
        "NVIDIA H100 80GB HBM3",
        "550.54.15",
        LINUX,
        "3.12",
        "cu126 2.14.0",
        "kernels for sm_90",
        fails={"cu130": R580},
    ),
    nvidia("GH200", "580.65.06", AARCH64, "3.12", "cu132 2.15.0 pypi", "kernels for sm_90"),
    nvidia(
        "GH200", "550.54.15", AARCH64, "3.12", "cu126 2.13.0", "kernels for sm_90", works={"cu128": "2.11.0"}
    ),
    nvidia(
        "H200",
        None,
        LINUX,
        "3.12",
        "cpu 2.14.1",
        CPU,
        fails={"cu132": "needs driver ≥ 580; no NVIDIA driver found"},
    ),
    nvidia(
        "H200",
        "580.65.06",
        LINUX,
        "3.12",
        NOTHING,
        has_musl=True,
        fails={
            "cu132": "its wheels need glibc; this machine has musl",
            "cpu": "its wheels need glibc; this machine has musl",
        },
    ),
)

BLACKWELL = (
    nvidia(
        "RTX 5080",
        "566.03",
        WINDOWS,
        "3.12",
        "cpu 2.15.0 pypi",
        CPU,
        fails={
            "cu128": "needs driver ≥ 570.65 for sm_120",
            "cu130": R580,
            "cu126": "no kernels for sm_120",
            "cu118": "no kernels for sm_120",
        },
    ),
    nvidia(
        "RTX 5080",
        "566.03",
        LINUX,
        "3.12",
        "cpu 2.14.1",
        CPU,
        fails={"cu128": "needs driver ≥ 570.26 for sm_120", "cu129": "needs driver ≥ 570.26 for sm_120"},
    ),
    nvidia(
        "RTX 5080",
        "572.16",
        WINDOWS,
        "3.12",
        "cu128 2.11.0",
        "kernels for sm_120, driver 572.16",
        fails={"cu130": R580, "cu132": R580, "cu126": "no kernels for sm_120"},
        works={"cpu": "2.15.0"},
        unknown=("cu129",),
    ),
    nvidia(
        "RTX 5080", "572.16", LINUX, "3.12", "cu128 2.11.0", "kernels for sm_120", works={"cu129": "2.13.0"}
    ),
    nvidia(
        "RTX 5080",
        "580.65.06",
        LINUX,
        "3.12",
        "cu132 2.15.0 pypi",
        "kernels for sm_120",
        works={"cu130": "2.14.1", "cu128": "2.11.0"},
    ),
    nvidia(
        "RTX 5090", "580.97", WINDOWS, "3.12", "cu130 2.14.0", "kernels for sm_120", works={"cu132": "2.13.0"}
    ),
    nvidia(
        "RTX 5090",
        "580.97",
        WINDOWS,
        "3.13",
        "cu130 2.13.0",
        "kernels for sm_120",
        fails={"cu132": "no known wheel for cp313 (only cp312)"},
    ),
    nvidia("RTX 5070 Ti", "575.51.03", LINUX, "3.9", "cu128 2.8.0", "kernels for sm_120"),
    nvidia("RTX PRO 6000 Blackwell", "580.65.06", LINUX, "3.10", "cu130 2.14.1 pypi", "kernels for sm_120"),
    nvidia(
        "B200",
        "570.124.06",
        LINUX,
        "3.12",
        "cu128 2.11.0",
        "kernels for sm_100",
        fails={"cu126": "no kernels for sm_100"},
    ),
    nvidia("GB300", "580.65.06", AARCH64, "3.12", "cu132 2.15.0 pypi", "kernels for sm_103"),
    nvidia(
        "GB10",
        "580.95.05",
        AARCH64,
        "3.12",
        "cu132 2.15.0 pypi",
        "kernels for sm_121",
        works={"cu130": "2.14.1"},
    ),
    nvidia("GB10", "575.57.08", AARCH64, "3.12", "cu128 2.11.0", "kernels for sm_121", fails={"cu130": R580}),
    nvidia(
        "Jetson Thor",
        "580.00",
        AARCH64,
        "3.12",
        "cu132 2.15.0 pypi",
        "kernels for sm_110",
        works={"cu130": "2.14.1"},
        fails={"cu126": "no kernels for sm_110"},
        # 2.9 to 2.11 have none; of the aarch64 wheels of 2.7 the kernels are not on record.
        unknown=("cu128",),
    ),
    nvidia(
        "Jetson AGX Orin",
        "540.4.0",
        AARCH64,
        "3.10",
        "cpu 2.13.0",
        CPU,
        fails={"cu130": "no kernels for sm_87", "cu126": "no kernels for sm_87"},
    ),
    nvidia("RTX 5080", "572.16", LINUX, "3.12", "cu128 2.11.0", "kernels for sm_120", is_wsl=True),
    nvidia(
        "RTX 5080",
        "570.40",
        LINUX,
        "3.12",
        "cpu 2.14.1",
        CPU,
        is_wsl=True,
        fails={"cu128": "needs driver ≥ 570.65 for sm_120"},
    ),
    nvidia(
        "GTX 1080, RTX 5080",
        "572.16",
        LINUX,
        "3.12",
        "cu128 2.11.0",
        "kernels for sm_120",
        works={"cu126": "2.14.0"},
    ),
    # More GPUs come before a newer torch, between backends and within cu128.
    nvidia(
        "V100, H200",
        "580.65.06",
        LINUX,
        "3.12",
        "cu126 2.14.0",
        "kernels for sm_70 sm_90",
        works={"cu132": "2.15.0", "cu128": "2.10.0"},
    ),
    nvidia("RTX 3060, RTX 5080", "580.65.06", LINUX, "3.12", "cu132 2.15.0 pypi", "kernels for sm_120 sm_86"),
)

OTHERS = (
    other(
        "RX 7900 XTX",
        LINUX,
        "3.12",
        "rocm7.2 2.14.0",
        "kernels for gfx1100",
        works={"rocm7.1": "2.10.0", "rocm6.4": "2.9.1", "cpu": "2.14.1"},
        fails={"cu130": "no NVIDIA GPU"},
        unknown=("rocm7.14",),
    ),
    other("RX 7900", LINUX, "3.13", "rocm7.2 2.12.1", "kernels for gfx1100"),
    other("RX 7900 XTX", LINUX, "3.9", "rocm6.4 2.8.0", "kernels for gfx1100"),
    other(
        "RX 7900 XTX",
        WINDOWS,
        "3.12",
        "cpu 2.15.0 pypi",
        CPU,
        fails={"rocm7.2": "no known wheel for windows amd64"},
    ),
    other(
        "RX 7900 XTX",
        AARCH64,
        "3.12",
        "cpu 2.14.0",
        CPU,
        fails={"rocm7.2": "no known wheel for linux aarch64"},
    ),
    other("RX 9070 XT", LINUX, "3.11", "rocm7.2 2.12.1", "kernels for gfx1201"),
    other("RX 6700 XT", LINUX, "3.12", "cpu 2.14.1", CPU, fails={"rocm7.2": "no kernels for gfx1031"}),
    other("RX 480", LINUX, "3.12", "cpu 2.14.1", CPU, fails={"rocm7.2": "no kernels for gfx803"}),
    other("Radeon 780M", LINUX, "3.12", "cpu 2.14.1", CPU, fails={"rocm7.2": "no kernels for gfx1103"}),
    other(
        "Radeon 8060S",
        LINUX,
        "3.10",
        "rocm7.2 2.12.1",
        "kernels for gfx1151",
        fails={"rocm7.1": "no kernels for gfx1151"},
    ),
    other("Instinct MI300X", LINUX, "3.12", "rocm7.2 2.14.0", "kernels for gfx942"),
    other("Instinct MI50", LINUX, "3.14", "rocm7.2 2.12.1", "kernels for gfx906"),
    other(
        "Instinct MI355X",
        LINUX,
        "3.12",
        "rocm7.2 2.14.0",
        "kernels for gfx950",
        fails={"rocm6.4": "no kernels for gfx950"},
    ),
    other("Arc B580", LINUX, "3.12", "xpu 2.14.0", "validated on bmg", works={"cpu": "2.14.1"}),
    other("Arc B580", WINDOWS, "3.12", "xpu 2.13.0", "validated on bmg", works={"cpu": "2.15.0"}),
    other("Arc A770", WINDOWS, "3.10", "xpu 2.12.0", "validated on dg2"),
    other("Arc A770", LINUX, "3.14", "xpu 2.10.0", "validated on dg2"),
    other(
        "Arc A770",
        AARCH64,
        "3.13",
        "cpu 2.14.1",
        CPU,
        fails={"xpu": "no known wheel for linux aarch64"},
    ),
    other("Data Center GPU Max 1550", LINUX, "3.13", "xpu 2.14.0", "validated on pvc"),
    other("Data Center GPU Max 1550", WINDOWS, "3.12", "cpu 2.15.0 pypi", CPU, unknown=("xpu",)),
    other("Panther Lake", LINUX, "3.12", "xpu 2.14.0", "validated on ptl"),
    other("Panther Lake", LINUX, "3.14", "cpu 2.14.1", CPU, unknown=("xpu",)),
)

NONE = (
    other(
        "",
        "macosx_14_5_arm64",
        "3.12",
        "cpu 2.15.0 pypi",
        MPS,
        fails={"cu130": "no NVIDIA GPU", "rocm7.2": "no AMD GPU", "xpu": "no Intel GPU"},
    ),
    other("", "macosx_13_6_arm64", "3.12", "cpu 2.11.0", MPS),
    other("", "macosx_14_0_arm64", "3.10", "cpu 2.14.1 pypi", MPS),
    other(
        "",
        "macosx_13_6_arm64",
        "3.15",
        NOTHING,
        fails={"cpu": "no known wheel for cp315 (only cp37 to cp314)"},
    ),
    other("", "macosx_14_0_x86_64", "3.12", "cpu 2.2.2", CPU),
    other(
        "",
        "macosx_14_0_x86_64",
        "3.13",
        NOTHING,
        fails={"cpu": "no known wheel for cp313 (only cp37 to cp312)"},
    ),
    other("", WINDOWS, "3.12", "cpu 2.15.0 pypi", CPU, fails={"cu130": "no NVIDIA GPU"}),
    other("", WINDOWS, "3.10", "cpu 2.14.1 pypi", CPU),
    other("", "win_arm64", "3.12", "cpu 2.13.0", CPU),
    other(
        "",
        "win_arm64",
        "3.10",
        NOTHING,
        fails={"cpu": "no known wheel for cp310 (only cp311 to cp313)"},
    ),
    other("", LINUX, "3.12", "cpu 2.14.1", CPU),
    other("", LINUX, "3.15", "cpu 2.13.0", CPU),
    other("", AARCH64, "3.13", "cpu 2.14.1", CPU),
    other("", "manylinux_2_17_x86_64", "3.12", "cpu 2.6.0", CPU),
)

MACHINES = (*OLD, *USUAL, *BLACKWELL, *OTHERS, *NONE)
