"""Whether the installed torch suits the machine: driver, toolkit, GPU and kernels.

What a Linux was not given of its machine's GPUs: inside Windows, in a container, by variables, until a restart.
"""

from __future__ import annotations

from collections.abc import Iterator

from envsmith.catalog import BackendFacts
from envsmith.host.model import Host
from envsmith.host.system import GpuAccess
from envsmith.model.backend import Backend
from envsmith.model.finding import Finding, Severity
from envsmith.select.rules import BackendVerdict

_SELECT = "`envsmith select --explain` says which builds work here"
_SEES = {
    "cuda": ("CUDA_VISIBLE_DEVICES",),
    "rocm": ("HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES"),
}
"""Family of backends → variables that say which GPUs its programs see."""
_NODES = {"cuda": ("nvidia", "dxg"), "rocm": ("kfd", "dri/"), "xpu": ("dri/",)}
"""Family of backends → how the device files begin that its programs open."""
_RUNS = {
    "cuda": "docker run --gpus all …; podman run --device nvidia.com/gpu=all …",
    "rocm": "docker run --device /dev/kfd --device /dev/dri --group-add video --group-add render …",
}


def driver(torch: str, verdict: BackendVerdict, host: Host) -> Iterator[Finding]:
    """Find a driver too old for the toolkit torch was built with, or for the GPU."""
    if verdict.cause == "driver":
        found = host.driver("nvidia")
        has = f"; here is {found}" if found else ""
        text = f"torch {torch} {verdict.reason}{has}"
        yield _torch_finding("HST020", "error", text, f"update the driver, or take another build: {_SELECT}")


def devices(host: Host, *, is_given: bool) -> Iterator[Finding]:
    """Find GPUs whose driver is not there.

    Args:
        host: the machine.
        is_given: whether it has its GPUs from another system, Windows or that of a container, and with them the driver.
    """
    for device in () if is_given else host.of_family("cuda"):
        if host.driver("nvidia") is None:
            text = f"{device} is there, but no NVIDIA driver answers"
            hint = "install the driver; after an update of the kernel, build its module anew and restart"
            yield _torch_finding("HST023", "warning", text, hint)
            return


def kernels(torch: str, verdict: BackendVerdict) -> Iterator[Finding]:
    """Find a GPU that the installed torch has no kernels for."""
    if verdict.cause == "capability":
        built = "".join(f"; {note}" for note in verdict.notes if note.startswith("built for"))
        yield _torch_finding("ENV073", "error", f"torch {torch} has {verdict.reason}{built}", _SELECT)


def build(
    torch: str, verdict: BackendVerdict, best: BackendVerdict | None, locked: Backend | None
) -> Iterator[Finding]:
    """Find a CPU build where a GPU could be used, and a GPU build where there is none.

    Args:
        torch: the installed version.
        verdict: whether its build works here.
        best: what works best here; None where nothing does.
        locked: the backend that a lock asks for; None where there is no lock.
    """
    backend = verdict.backend
    if backend.family == "cpu" and best and best.backend.family != "cpu":
        is_wanted = locked is not None and locked.family == "cpu"
        text = f"torch {torch} is a CPU build, and {best.backend} would run here: {best.reason}"
        hint = "" if is_wanted else f"envsmith lock {best.backend} && envsmith install {best.backend}"
        more = "; the lock asks for it" if is_wanted else ""
        yield _torch_finding("ENV071", "note" if is_wanted else "warning", text + more, hint)
    if verdict.cause == "device":
        text = f"torch {torch} is built for {backend.title}, and this machine has {verdict.reason}: it runs on the CPU"
        yield _torch_finding(
            "ENV072", "warning", text, "envsmith lock cpu && envsmith install cpu: some gigabytes less"
        )


def retired(torch: str, facts: BackendFacts) -> Iterator[Finding]:
    """Find a backend that gets no more builds."""
    is_nightly = ".dev" in torch
    if facts.is_retired:
        then = f"; {facts.successor} follows it" if facts.successor else ""
        text = f"{facts.backend.title} gets no more builds: torch {facts.last_torch} is its last{then}"
        hint = f"envsmith lock {facts.successor}" if facts.successor else ""
        yield _torch_finding("ENV076", "warning", text, hint)
    elif is_nightly:
        text = (
            f"torch {torch} is a nightly: its index lists only the newest, so that it vanishes within months"
        )
        yield _torch_finding(
            "ENV077", "warning", text, "`envsmith download` keeps its files, or take a stable build"
        )


def _torch_finding(code: str, severity: Severity, message: str, hint: str) -> Finding:
    return Finding(code=code, severity=severity, subject="torch", message=message, hint=hint)


def wsl(given: GpuAccess, host: Host, wanted: Backend | None) -> Iterator[Finding]:
    """Find a Linux inside Windows that lacks what leads to Windows's driver, or has something before it.

    Args:
        given: what it was given; a container's libraries are put there by what runs it, and are not judged.
        host: the machine.
        wanted: what the installed torch was built for, or a lock asks for; None where nothing says it.
    """
    if host.is_wsl and given.is_wsl1:
        text = "this is WSL 1, which has no GPUs"
        hint = "wsl --set-version NAME 2, in Windows"
        yield _finding("HST021", _severity(is_wanted=_is_cuda(wanted)), "wsl", text, hint)
    elif host.is_wsl and not given.container:
        yield from _to_windows(given, wanted)


def _to_windows(given: GpuAccess, wanted: Backend | None) -> Iterator[Finding]:
    if "dxg" not in given.device_files and _is_cuda(wanted):
        text = "there is no /dev/dxg: this WSL was not given Windows's GPU"
        hint = "in Windows: wsl --update && wsl --shutdown; and no gpuSupport=false in .wslconfig"
        yield _finding("HST021", "error", "wsl", text, hint)
    elif not given.wsl_library and _is_cuda(wanted):
        text = "there is no libcuda.so.1 in /usr/lib/wsl/lib: Windows has no NVIDIA driver, or one too old for WSL"
        yield _finding(
            "HST021", "error", "wsl", text, "install NVIDIA's driver in Windows; then wsl --shutdown"
        )
    if given.wsl_library and given.libraries:
        text = f"{given.libraries[0]} is found before WSL's own libcuda, and cannot reach a GPU from inside Windows"
        hint = "remove the package that brought it; no NVIDIA driver belongs into WSL, which has Windows's"
        yield _finding("HST022", "error", "wsl", text, hint)


def container(given: GpuAccess, host: Host, wanted: Backend | None) -> Iterator[Finding]:
    """Find a container without its GPUs' device files, or without what CUDA needs besides.

    Args:
        given: what it was given.
        host: the machine.
        wanted: what the installed torch was built for, or a lock asks for; None where nothing says it.
    """
    if not given.container:
        return
    if host.is_wsl:
        if "dxg" not in given.device_files and _is_cuda(wanted):
            text = f"this {given.container} container, inside WSL, has no /dev/dxg: it was not given Windows's GPU"
            yield _finding("HST025", "error", "container", text, _RUNS["cuda"])
        return
    if given.kernel_module or host.of_family("cuda"):
        yield from _of_nvidia(given, wanted)
    if given.has_amd_module and "kfd" not in given.device_files and wanted and wanted.family == "rocm":
        text = f"this {given.container} container has no /dev/kfd, and its machine has AMD's driver"
        yield _finding("HST025", "error", "container", text, _RUNS["rocm"])


def _of_nvidia(given: GpuAccess, wanted: Backend | None) -> Iterator[Finding]:
    what = f"this {given.container} container"
    if not any(name.startswith("nvidia") and name[6:].isdigit() for name in given.device_files):
        asked = given.variables.get("NVIDIA_VISIBLE_DEVICES")
        why = f"; NVIDIA_VISIBLE_DEVICES is {asked!r}" if asked in ("", "void", "none") else ""
        text = f"{what} was not given the machine's NVIDIA GPUs: there is no /dev/nvidia0{why}"
        yield _finding("HST025", _severity(is_wanted=_is_cuda(wanted)), "container", text, _RUNS["cuda"])
        return
    if "nvidia-uvm" not in given.device_files:
        text = f"{what} has no /dev/nvidia-uvm: nvidia-smi works, and CUDA does not"
        yield _finding(
            "HST026", "error", "container", text, "add --device /dev/nvidia-uvm, or run it with --gpus all"
        )
    able = given.variables.get("NVIDIA_DRIVER_CAPABILITIES", "")
    if able and not {"all", "compute"} & set(able.split(",")) and not given.libraries:
        text = f"{what} has no libcuda.so.1: NVIDIA_DRIVER_CAPABILITIES is {able!r}, without compute"
        yield _finding("HST026", "error", "container", text, "NVIDIA_DRIVER_CAPABILITIES=compute,utility")


def module(given: GpuAccess, wanted: Backend | None) -> Iterator[Finding]:
    """Find a driver whose libraries are not those of its loaded kernel module, and device files that are refused.

    Args:
        given: what the machine has.
        wanted: what the installed torch was built for, or a lock asks for; only its device files matter.
    """
    if given.kernel_module and given.library_version and given.library_version != given.kernel_module:
        text = f"NVIDIA's loaded kernel module is {given.kernel_module}, its libraries are {given.library_version}"
        hint = "restart the machine" + (", or the container" if given.container else "")
        yield _finding("HST024", "error", "driver", f"{text}: they refuse each other", hint)
    needs = _NODES.get(wanted.family, ()) if wanted else ()
    refused = [name for name in given.unusable_files if name.startswith(needs)] if needs else []
    if refused:
        named = ", ".join(f"/dev/{name}" for name in refused)
        text = f"this user may not use {named}"
        yield _finding(
            "HST027", "error", "driver", text, "sudo usermod -aG video,render $USER; then log in again"
        )


def hidden(given: GpuAccess, host: Host, wanted: Backend | None) -> Iterator[Finding]:
    """Find variables that keep GPUs from the programs of a GPU build.

    Args:
        given: what it was given.
        host: the machine.
        wanted: what the installed torch was built for; None where nothing says it.
    """
    family = wanted.family if wanted else ""
    count = len(host.of_family(family))
    for name in _SEES.get(family, ()):
        value = given.variables.get(name)
        if value is None or not count:
            continue
        first = value.split(",")[0].strip()
        if not first or first == "-1" or (first.isdigit() and int(first) >= count):
            text = f"{name} is {value!r}: programs see none of the {count} GPU{'s' if count > 1 else ''} here"
            yield _finding("HST028", "warning", name, text, f"unset {name}")


def _is_cuda(wanted: Backend | None) -> bool:
    return wanted is not None and wanted.family == "cuda"


def _severity(*, is_wanted: bool) -> Severity:
    return "error" if is_wanted else "note"


def _finding(code: str, severity: Severity, subject: str, message: str, hint: str) -> Finding:
    return Finding(code=code, severity=severity, subject=subject, message=message, hint=hint)
