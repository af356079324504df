"""Query of NVIDIA's libraries, run in a child process because a broken library may crash it.

Prints one JSON object: driver version, CUDA version as an integer (13000), and the devices. Standard library only.
The arguments ``nvml=PATH`` and ``cuda=PATH`` replace the libraries.

Source: NVML and CUDA driver API references, docs.nvidia.com (read 2026-11-21).
"""

from __future__ import annotations

import ctypes
import json
import sys

NVML = (
    "libnvidia-ml.so.1",
    "/usr/lib/wsl/lib/libnvidia-ml.so.1",
    "/run/opengl-driver/lib/libnvidia-ml.so.1",
    "/usr/local/nvidia/lib64/libnvidia-ml.so.1",
)
CUDA = (
    "libcuda.so.1",
    "/usr/lib/wsl/lib/libcuda.so.1",
    "/run/opengl-driver/lib/libcuda.so.1",
    "/usr/local/nvidia/lib64/libcuda.so.1",
)
WINDOWS_NVML = ("nvml.dll", r"C:\Program Files\NVIDIA Corporation\NVSMI\nvml.dll")
WINDOWS_CUDA = ("nvcuda.dll",)
SYSTEM32_ONLY = 0x800
MAX_DEVICES = 64
MAJOR_ATTRIBUTE, MINOR_ATTRIBUTE = 75, 76


class _Memory(ctypes.Structure):
    _fields_ = (
        ("total", ctypes.c_ulonglong),
        ("free", ctypes.c_ulonglong),
        ("used", ctypes.c_ulonglong),
    )


def load(names: tuple[str, ...]) -> ctypes.CDLL | None:
    """Return the first library that loads; on Windows bare names are searched in System32 only."""
    for name in names:
        try:
            if sys.platform == "win32":
                return ctypes.CDLL(name, winmode=0 if "\\" in name else SYSTEM32_ONLY)
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None


def read_text(call: object, *arguments: object) -> str:
    """Return the text that a function writes into a buffer; empty if it fails."""
    buffer = ctypes.create_string_buffer(256)
    failed = call(*arguments, buffer, 255)  # type: ignore[operator]
    return "" if failed else buffer.value.decode("utf-8", "replace")


def read_number(call: object, *arguments: object) -> int:
    """Return the number that a function writes; 0 if it fails."""
    found = ctypes.c_int(0)
    failed = call(ctypes.byref(found), *arguments)  # type: ignore[operator]
    return 0 if failed else found.value


def from_nvml(library: ctypes.CDLL) -> dict[str, object] | None:
    """Query the management library, which creates no context and ignores CUDA_VISIBLE_DEVICES."""
    if library.nvmlInit_v2():
        return None
    devices = []
    for index in range(min(read_number(library.nvmlDeviceGetCount_v2), MAX_DEVICES)):
        handle = ctypes.c_void_p()
        if library.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(handle)):
            continue
        major, minor, memory = ctypes.c_int(0), ctypes.c_int(0), _Memory()
        library.nvmlDeviceGetCudaComputeCapability(handle, ctypes.byref(major), ctypes.byref(minor))
        library.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory))
        devices.append(
            {
                "name": read_text(library.nvmlDeviceGetName, handle),
                "capability": [major.value, minor.value],
                "memory": memory.total,
            }
        )
    return {
        "driver": read_text(library.nvmlSystemGetDriverVersion),
        "cuda": read_number(library.nvmlSystemGetCudaDriverVersion_v2),
        "devices": devices,
    }


def from_cuda(library: ctypes.CDLL) -> dict[str, object] | None:
    """Query the driver library, the only one on some systems on a chip."""
    if library.cuInit(0):
        return None
    devices = []
    for index in range(min(read_number(library.cuDeviceGetCount), MAX_DEVICES)):
        device, memory = ctypes.c_int(0), ctypes.c_size_t(0)
        if library.cuDeviceGet(ctypes.byref(device), index):
            continue
        buffer = ctypes.create_string_buffer(256)
        library.cuDeviceGetName(buffer, 255, device)
        library.cuDeviceTotalMem_v2(ctypes.byref(memory), device)
        devices.append(
            {
                "name": buffer.value.decode("utf-8", "replace"),
                "capability": [
                    read_number(library.cuDeviceGetAttribute, MAJOR_ATTRIBUTE, device),
                    read_number(library.cuDeviceGetAttribute, MINOR_ATTRIBUTE, device),
                ],
                "memory": memory.value,
            }
        )
    return {"driver": "", "cuda": read_number(library.cuDriverGetVersion), "devices": devices}


def main(arguments: list[str]) -> int:
    """Print the answer of the first library that has one."""
    is_windows = sys.platform == "win32"
    named = dict(word.split("=", 1) for word in arguments)
    nvml = (named["nvml"],) if "nvml" in named else WINDOWS_NVML if is_windows else NVML
    cuda = (named["cuda"],) if "cuda" in named else WINDOWS_CUDA if is_windows else CUDA
    for names, ask in ((nvml, from_nvml), (cuda, from_cuda)):
        library = load(names)
        try:
            found = ask(library) if library else None
        except AttributeError:  # an old library without one of the functions
            continue
        if found:
            print(json.dumps(found))  # noqa: T201 - a program's output
            return 0
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
