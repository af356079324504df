"""NVIDIA GPUs, from its libraries in a child process, else from nvidia-smi in a trusted folder."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from envsmith.errors import EnvsmithError
from envsmith.host import nvidia_probe, parsers
from envsmith.host.parsers import DetectedGpus
from envsmith.process.runner import Processes, inherited_environ

TIMEOUT_S = 10.0
SMI_PLACES = (
    "/usr/bin/nvidia-smi",
    "/usr/lib/wsl/lib/nvidia-smi",
    "/usr/local/nvidia/bin/nvidia-smi",
    "/opt/bin/nvidia-smi",
    "/run/current-system/sw/bin/nvidia-smi",
)
WINDOWS_SMI_PLACES = (
    r"C:\Windows\System32\nvidia-smi.exe",
    r"C:\Program Files\NVIDIA Corporation\NVSMI\nvidia-smi.exe",
)
_QUERY = "--query-gpu=name,compute_cap,memory.total,driver_version"
_OLD_QUERY = "--query-gpu=name,memory.total,driver_version"
_FORMAT = "--format=csv,noheader,nounits"


class NvidiaTools:
    """Queries of NVIDIA's libraries and nvidia-smi, each with a timeout.

    Args:
        processes: starts programs.
        smi_places: trusted paths of nvidia-smi.
        libraries: arguments of the probe that replace the system's libraries.
        timeout_s: timeout of each query.
        trusts: predicate for programs that may be run.
    """

    def __init__(
        self,
        processes: Processes,
        smi_places: Sequence[str] | None = None,
        libraries: Sequence[str] = (),
        timeout_s: float = TIMEOUT_S,
        trusts: Callable[[Path], bool] | None = None,
    ) -> None:
        self._processes = processes
        default = WINDOWS_SMI_PLACES if sys.platform == "win32" else SMI_PLACES
        self._smi_places = default if smi_places is None else smi_places
        self._libraries = libraries
        self._timeout_s = timeout_s
        self._trusts = trusts or is_trusted

    def ask(self) -> DetectedGpus:
        """Return driver and devices; empty if no query succeeds."""
        return self.ask_libraries() or self.ask_smi()

    def ask_libraries(self) -> DetectedGpus:
        """Run the probe in a child process, since a broken library may crash or hang it."""
        if not sys.executable:
            return DetectedGpus()
        return parsers.parse_probe(
            self._run([sys.executable, "-I", "-S", str(nvidia_probe.__file__), *self._libraries])
        )

    def ask_smi(self) -> DetectedGpus:
        """Run the first trusted nvidia-smi."""
        place = next((place for place in self._smi_places if self._trusts(Path(place))), None)
        if place is None:
            return DetectedGpus()
        found = parsers.parse_smi(self._run([place, _QUERY, _FORMAT]))
        found = found or parsers.parse_smi(self._run([place, _OLD_QUERY, _FORMAT]))
        if found.driver is None:
            return found
        cuda = parsers.parse_smi_cuda(self._run([place]))
        return replace(found, driver=replace(found.driver, cuda=cuda))

    def _run(self, command: list[str]) -> str:
        try:
            done = self._processes.run(command, env=inherited_environ(()), timeout_s=self._timeout_s)
        except EnvsmithError:
            return ""
        return done.stdout if done.status == 0 else ""


def is_trusted(path: Path) -> bool:
    """Say whether a program exists and only root can change it."""
    try:
        found = path.stat()
    except OSError:
        return False
    if not stat.S_ISREG(found.st_mode):
        return False
    if sys.platform == "win32":
        return True  # only administrators can write to System32 and Program Files
    return found.st_uid == 0 and not found.st_mode & 0o022 and os.access(path, os.X_OK)
