"""GPU findings: drivers, kernels and builds of torch; access to GPUs in WSL and containers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from envsmith.catalog import BackendFacts
from envsmith.host.model import Host
from envsmith.model.backend import Backend
from envsmith.model.finding import Finding, Severity
from envsmith.select.verdicts import BackendVerdict

if TYPE_CHECKING:  # values of probes, which the rules do not run
    from envsmith.host.linux import GpuAccess

_SELECT = "`envsmith select --explain` lists the builds that work here"
_VISIBILITY_VARIABLES = {
    "cuda": ("CUDA_VISIBLE_DEVICES",),
    "rocm": ("HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES"),
}
"""Backend family → variables that select visible GPUs."""
_DEVICE_FILES = {"cuda": ("nvidia", "dxg"), "rocm": ("kfd", "dri/"), "xpu": ("dri/",)}
"""Backend family → prefixes of the device files that programs open."""
_CONTAINER_OPTIONS = {
    "cuda": "docker run --gpus all …; podman run --device nvidia.com/gpu=all …",
    "rocm": "docker run --device /dev/kfd --device /dev/dri --group-add video --group-add render …",
}


def driver(torch: str, verdict: BackendVerdict, host: Host) -> Iterator[Finding]:
    """Find a driver too old for torch's toolkit or for the GPU."""
    if verdict.cause == "driver":
        found = host.driver("nvidia")
        has = f"; installed is {found}" if found else ""
        text = f"torch {torch} {verdict.reason}{has}"
        yield _torch_finding("HST020", "error", text, f"update the driver, or use another build: {_SELECT}")


def devices(host: Host, *, is_guest: bool) -> Iterator[Finding]:
    """Find GPUs without a driver.

    Args:
        host: the machine.
        is_guest: whether it is WSL or a container, whose driver belongs to the host system.
    """
    for device in () if is_guest else host.of_family("cuda"):
        if host.driver("nvidia") is None:
            text = f"{device} found, but no NVIDIA driver responds"
            hint = "install the driver; after a kernel update, rebuild its module and restart"
            yield _torch_finding("HST023", "warning", text, hint)
            return


def kernels(torch: str, verdict: BackendVerdict) -> Iterator[Finding]:
    """Find GPUs without kernels in the installed torch."""
    if verdict.cause == "capability":
        built = "".join(f"; {note}" for note in verdict.notes if note.startswith("built for"))
        yield _torch_finding("ENV073", "error", f"torch {torch} has {verdict.reason}{built}", _SELECT)


def build(
    torch: str, verdict: BackendVerdict, best: BackendVerdict | None, locked: Backend | None
) -> Iterator[Finding]:
    """Find a CPU build where a GPU build would run, and a GPU build without a GPU.

    Args:
        torch: the installed version.
        verdict: whether its build works here.
        best: the best build for this machine; None without one.
        locked: the backend of the lock; None without a lock.
    """
    backend = verdict.backend
    if backend.family == "cpu" and best and best.backend.family != "cpu":
        is_locked_cpu = locked is not None and locked.family == "cpu"
        text = f"torch {torch} is a CPU build, but {best.backend} would run here: {best.reason}"
        hint = "" if is_locked_cpu else f"envsmith lock {best.backend} && envsmith install {best.backend}"
        more = "; the lock requires it" if is_locked_cpu else ""
        yield _torch_finding("ENV071", "note" if is_locked_cpu else "warning", text + more, hint)
    if verdict.cause == "device":
        text = f"torch {torch} is built for {backend.title}, but this machine has {verdict.reason}: it runs on the CPU"
        yield _torch_finding(
            "ENV072", "warning", text, "envsmith lock cpu && envsmith install cpu (saves several GB)"
        )


def retired(torch: str, facts: BackendFacts) -> Iterator[Finding]:
    """Find a backend without new builds, and nightlies."""
    is_nightly = ".dev" in torch
    if facts.is_retired:
        then = f"; {facts.successor} replaces it" if facts.successor else ""
        text = f"{facts.backend.title} gets no more builds: torch {facts.last_torch} is its last{then}"
        hint = f"envsmith lock {facts.successor}" if facts.successor else ""
        yield _torch_finding("ENV076", "warning", text, hint)
    elif is_nightly:
        text = f"torch {torch} is a nightly, which its index removes after some months"
        yield _torch_finding(
            "ENV077", "warning", text, "keep its files with `envsmith download`, or use a stable build"
        )


def _torch_finding(code: str, severity: Severity, message: str, hint: str) -> Finding:
    return Finding(code=code, severity=severity, subject="torch", message=message, hint=hint)


def wsl(access: GpuAccess, host: Host, backend: Backend | None) -> Iterator[Finding]:
    """Find a WSL without access to Windows's driver, or with a library that hides it.

    Args:
        access: access to GPUs; a container's libraries come from its runtime and are not checked.
        host: the machine.
        backend: the backend of the installed torch, else of the lock; None if unknown.
    """
    if host.is_wsl and access.is_wsl1:
        text = "this is WSL 1, which cannot access GPUs"
        hint = "in Windows, run: wsl --set-version NAME 2"
        yield _finding("HST021", _severity(is_needed=_is_cuda(backend)), "wsl", text, hint)
    elif host.is_wsl and not access.container:
        yield from _wsl_access(access, backend)


def _wsl_access(access: GpuAccess, backend: Backend | None) -> Iterator[Finding]:
    if "dxg" not in access.device_files and _is_cuda(backend):
        text = "/dev/dxg is missing: this WSL cannot access Windows's GPU"
        hint = "in Windows, run: wsl --update && wsl --shutdown; remove gpuSupport=false from .wslconfig"
        yield _finding("HST021", "error", "wsl", text, hint)
    elif not access.wsl_library and _is_cuda(backend):
        text = (
            "/usr/lib/wsl/lib/libcuda.so.1 is missing: Windows has no NVIDIA driver, or one too old for WSL"
        )
        yield _finding(
            "HST021", "error", "wsl", text, "install NVIDIA's driver in Windows, then run: wsl --shutdown"
        )
    if access.wsl_library and access.libraries:
        text = f"{access.libraries[0]} is found before WSL's own libcuda and cannot access the GPU in WSL"
        hint = "remove the package that contains it; WSL uses Windows's driver and needs no other"
        yield _finding("HST022", "error", "wsl", text, hint)


def container(access: GpuAccess, host: Host, backend: Backend | None) -> Iterator[Finding]:
    """Find a container without device files of GPUs, or without other requirements of CUDA.

    Args:
        access: access to GPUs.
        host: the machine.
        backend: the backend of the installed torch, else of the lock; None if unknown.
    """
    if not access.container:
        return
    if host.is_wsl:
        if "dxg" not in access.device_files and _is_cuda(backend):
            text = f"this {access.container} container in WSL has no /dev/dxg: it cannot access Windows's GPU"
            yield _finding("HST025", "error", "container", text, _CONTAINER_OPTIONS["cuda"])
        return
    if access.kernel_module or host.of_family("cuda"):
        yield from _nvidia_container(access, backend)
    if access.has_amd_module and "kfd" not in access.device_files and backend and backend.family == "rocm":
        text = f"this {access.container} container has no /dev/kfd, although its machine has AMD's driver"
        yield _finding("HST025", "error", "container", text, _CONTAINER_OPTIONS["rocm"])


def _nvidia_container(access: GpuAccess, backend: Backend | None) -> Iterator[Finding]:
    subject = f"this {access.container} container"
    if not any(name.startswith("nvidia") and name[6:].isdigit() for name in access.device_files):
        visible = access.variables.get("NVIDIA_VISIBLE_DEVICES")
        why = f"; NVIDIA_VISIBLE_DEVICES is {visible!r}" if visible in ("", "void", "none") else ""
        text = f"{subject} cannot access the machine's NVIDIA GPUs: /dev/nvidia0 is missing{why}"
        yield _finding(
            "HST025", _severity(is_needed=_is_cuda(backend)), "container", text, _CONTAINER_OPTIONS["cuda"]
        )
        return
    if "nvidia-uvm" not in access.device_files:
        text = f"{subject} has no /dev/nvidia-uvm: nvidia-smi works, but CUDA does not"
        yield _finding(
            "HST026", "error", "container", text, "start it with --device /dev/nvidia-uvm or --gpus all"
        )
    capabilities = access.variables.get("NVIDIA_DRIVER_CAPABILITIES", "")
    if capabilities and not {"all", "compute"} & set(capabilities.split(",")) and not access.libraries:
        text = (
            f"{subject} has no libcuda.so.1: NVIDIA_DRIVER_CAPABILITIES is {capabilities!r}, without compute"
        )
        yield _finding(
            "HST026", "error", "container", text, "start it with NVIDIA_DRIVER_CAPABILITIES=compute,utility"
        )


def module(access: GpuAccess, backend: Backend | None) -> Iterator[Finding]:
    """Find a driver whose libraries do not match its loaded kernel module, and unusable device files.

    Args:
        access: access to GPUs.
        backend: the backend of the installed torch, else of the lock; only its device files are checked.
    """
    if access.kernel_module and access.library_version and access.library_version != access.kernel_module:
        text = f"NVIDIA's loaded kernel module is {access.kernel_module}, its libraries are {access.library_version}"
        hint = "restart the machine" + (", or the container" if access.container else "")
        yield _finding("HST024", "error", "driver", f"{text}; versions must match", hint)
    needs = _DEVICE_FILES.get(backend.family, ()) if backend else ()
    unusable = [name for name in access.unusable_files if name.startswith(needs)] if needs else []
    if unusable:
        named = ", ".join(f"/dev/{name}" for name in unusable)
        text = f"no permission for {named}"
        yield _finding(
            "HST027", "error", "driver", text, "run `sudo usermod -aG video,render $USER`, then log in again"
        )


def hidden(access: GpuAccess, host: Host, backend: Backend | None) -> Iterator[Finding]:
    """Find variables that hide all GPUs from a GPU build.

    Args:
        access: access to GPUs.
        host: the machine.
        backend: the backend of the installed torch; None if unknown.
    """
    family = backend.family if backend else ""
    count = len(host.of_family(family))
    for name in _VISIBILITY_VARIABLES.get(family, ()):
        value = access.variables.get(name)
        if value is None or not count:
            continue
        first = value.split(",")[0].strip()
        if not first or first == "-1" or (first.isdigit() and int(first) >= count):
            text = f"{name} is {value!r}: programs see none of the {count} GPU{'s' if count > 1 else ''}"
            yield _finding("HST028", "warning", name, text, f"unset {name}")


def _is_cuda(backend: Backend | None) -> bool:
    return backend is not None and backend.family == "cuda"


def _severity(*, is_needed: bool) -> Severity:
    return "error" if is_needed else "note"


def _finding(code: str, severity: Severity, subject: str, message: str, hint: str) -> Finding:
    return Finding(code=code, severity=severity, subject=subject, message=message, hint=hint)
