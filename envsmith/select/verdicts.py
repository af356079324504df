"""Verdicts on backends for a machine: compute capability, driver, system, C library, Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from packaging.version import Version

from envsmith.catalog import BackendFacts, Catalog, Kernels
from envsmith.catalog.builds import TorchWheels, newest
from envsmith.host.model import Device, Driver, Host
from envsmith.model.backend import TEGRA, Backend, Capability, architecture
from envsmith.model.target import Python

Status = Literal["works", "unknown", "no"]
"""``unknown``: no fact decides."""
Cause = Literal["", "device", "capability", "driver", "os", "libc", "python", "wheels"]
"""First check that excluded a backend; empty if it works."""
WORKS: Status = "works"
UNKNOWN: Status = "unknown"
NO: Status = "no"
_FAMILIES = ("cuda", "rocm", "xpu", "cpu")
_STATUSES = (WORKS, UNKNOWN, NO)
_MAKERS = {"cuda": "NVIDIA", "rocm": "AMD", "xpu": "Intel"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendVerdict:
    """Verdict on one backend for one machine."""

    backend: Backend
    status: Status
    torch: Version | None = None
    """Newest version with a known wheel that runs there, or None."""
    index: str = ""
    """Index of its wheel: ``pytorch`` or ``pypi``."""
    cause: Cause = ""
    reason: str
    notes: tuple[str, ...] = ()
    reach: tuple[int, tuple[int, int]] = (0, (0, 0))
    """Number of GPUs it runs on, and the highest compute capability among them."""

    @property
    def works(self) -> bool:
        """Whether the backend works."""
        return self.status == WORKS

    @property
    def title(self) -> str:
        """Backend and torch: ``cu128 · torch 2.11.0``."""
        served = ", from PyPI" if self.index == "pypi" else ""
        return f"{self.backend} · torch {self.torch}{served}" if self.torch else str(self.backend)

    def to_json(self) -> dict[str, object]:
        """Return plain values for ``--json``."""
        return {
            "backend": str(self.backend),
            "status": self.status,
            "torch": str(self.torch) if self.torch else None,
            "index": self.index,
            "cause": self.cause,
            "reason": self.reason,
            "notes": list(self.notes),
            "gpus": self.reach[0],
        }


def judge(
    host: Host, python: Python, builds: Mapping[Backend, Sequence[TorchWheels]], catalog: Catalog
) -> tuple[BackendVerdict, ...]:
    """Judge every backend for a machine, best first.

    Args:
        host: the machine; for devices without compute capability kernels are not checked.
        python: the interpreter.
        builds: known wheels per backend.
        catalog: kernels, drivers, lifecycles.
    """
    found = [
        _Case(host=host, python=python, facts=facts, catalog=catalog).verdict(builds.get(facts.backend, ()))
        for facts in catalog.backends()
    ]
    advertised = {facts.backend: facts.is_advertised for facts in catalog.backends()}
    return tuple(sorted(found, key=lambda item: rank(item, is_advertised=advertised[item.backend])))


def judge_build(host: Host, python: Python, build: TorchWheels, catalog: Catalog) -> BackendVerdict:
    """Judge one build, such as that of a lock, for a machine."""
    case = _Case(
        host=host, python=python, facts=catalog.backend(build.backend), catalog=catalog, is_any_torch=False
    )
    return case.verdict((build,))


def rank(verdict: BackendVerdict, *, is_advertised: bool = True) -> tuple[int, ...]:
    """Return the sort key of a verdict, best first.

    In order: status, GPU before CPU, number of GPUs, their compute capability, advertised by PyTorch, newest torch,
    newest backend.
    """
    torch = verdict.torch.release if verdict.torch else (0,)
    version = (*verdict.backend.version, 0, 0)[:3]
    return (
        _STATUSES.index(verdict.status),
        _FAMILIES.index(verdict.backend.family),
        -verdict.reach[0],
        *(-part for part in verdict.reach[1]),
        int(not is_advertised),
        *(-part for part in (*torch, 0, 0)[:3]),
        *(-part for part in version),
    )


def _names(devices: Iterable[Device]) -> str:
    return " ".join(sorted({architecture(device.capability) for device in devices if device.capability}))


def _reach(devices: Sequence[Device]) -> tuple[int, tuple[int, int]]:
    known = [device.capability for device in devices]
    return len(known), max((item for item in known if isinstance(item, tuple)), default=(0, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """One backend on one machine."""

    host: Host
    python: Python
    facts: BackendFacts
    catalog: Catalog
    is_any_torch: bool = True
    """Whether other torch versions of the backend may be chosen; not so for a lock."""

    @property
    def backend(self) -> Backend:
        return self.facts.backend

    def verdict(self, builds: Sequence[TorchWheels]) -> BackendVerdict:
        """Run the checks in order, up to the first that excludes the backend."""
        if refusal := self._no_device() or self._no_wheel(builds):
            return refusal
        here = [build for build in builds if build.is_for(self.host.os, self.host.machine)]
        found = [self._of(status, usable, here) for status, usable in self._with_kernels(here) if usable]
        return next((item for item in found if item.status != NO), (*found, self._no_kernels(here))[0])

    def _of(self, status: Status, usable: list[TorchWheels], here: list[TorchWheels]) -> BackendVerdict:
        """Judge builds with kernels, or with unknown kernels."""
        if refusal := self._no_driver(usable):
            return refusal
        accepted = frozenset(self.host.platform.wheel_platforms())
        running = [build for build in usable if build.accepts(accepted) and self.host.libc != "musl"]
        fitting = [build for build in running if build.has(self.python.tag)]
        most = max((len(self._served(build)) for build in fitting), default=0)
        best = newest(build for build in fitting if len(self._served(build)) == most)
        if best is None:
            return self._no(*(self._no_python(running) if running else self._no_system(usable)))
        return BackendVerdict(
            backend=self.backend,
            status=status,
            torch=best.torch,
            index=best.index,
            reason=self._reason(best, status),
            notes=tuple(self._notes(best, here, usable)),
            reach=_reach(self._served(best)),
        )

    def _no(self, cause: Cause, reason: str, status: Status = NO) -> BackendVerdict:
        return BackendVerdict(backend=self.backend, status=status, cause=cause, reason=reason)

    @property
    def _devices(self) -> tuple[Device, ...]:
        return self.host.of_family(self.backend.family)

    @property
    def _driver(self) -> Driver | None:
        return self.host.driver("nvidia") if self.backend.family == "cuda" else None

    def _no_device(self) -> BackendVerdict | None:
        if self.backend.family == "cpu" or self._devices or self._driver:
            return None
        return self._no("device", f"no {_MAKERS[self.backend.family]} GPU")

    def _no_wheel(self, builds: Sequence[TorchWheels]) -> BackendVerdict | None:
        if any(build.is_for(self.host.os, self.host.machine) for build in builds):
            return None
        if not builds:
            first = self.facts.first_torch
            return self._no(
                "wheels", "no known wheel" + (f"; first torch: {first}" if first else ""), UNKNOWN
            )
        if not self.is_any_torch:
            return self._no("os", f"the lock is for {', '.join(builds[0].platforms)}")
        return self._no("os", f"no known wheel for {self.host.os} {self.host.machine}")

    def _kernels(self, build: TorchWheels) -> Kernels | None:
        return self.catalog.kernels(build.torch, self.backend, self.host.platform)

    def _served(self, build: TorchWheels) -> tuple[Device, ...]:
        kernels = self._kernels(build)
        return tuple(
            device
            for device in self._devices
            if kernels and device.capability and kernels.supports(device.capability)
        )

    def _may_run(self, build: TorchWheels) -> bool:
        """Return whether no fact excludes a build for one of the GPUs."""
        kernels = self._kernels(build)
        is_any_torch = kernels is None or not kernels.is_complete
        return any(
            device.capability is None or (is_any_torch and not self._is_ruled_out(device.capability))
            for device in self._devices
        )

    def _is_ruled_out(self, capability: Capability) -> bool:
        """Return whether no build of the backend can run on a GPU, whatever its kernels."""
        return capability in TEGRA or self.catalog.oldest_cuda(capability) > (*self.backend.version, 0, 0)[:2]

    def _with_kernels(self, builds: list[TorchWheels]) -> tuple[tuple[Status, list[TorchWheels]], ...]:
        """Return the builds with kernels for a GPU, then those with unknown kernels."""
        if self.backend.family == "cpu" or not self._devices:
            return ((WORKS, builds),)
        supporting = [build for build in builds if self._served(build)]
        others = [build for build in builds if build not in supporting and self._may_run(build)]
        return (WORKS, supporting), (UNKNOWN, others)

    def _no_kernels(self, builds: list[TorchWheels]) -> BackendVerdict:
        latest = newest(builds)
        kernels = self._kernels(latest) if latest else None
        notes = [f"built for {kernels}"] if kernels else []
        if any(device.capability in TEGRA for device in self._devices):
            notes.append("a system on a chip needs its own builds")
        found = self._no("capability", f"no kernels for {_names(self._devices)}")
        return replace(found, notes=tuple(notes))

    def _floor(self, builds: Iterable[TorchWheels]) -> tuple[str, str]:
        """Return the oldest sufficient driver, and the architecture that raises it above the others, or empty."""
        served = {device for build in builds for device in self._served(build)} or set(self._devices)
        general = self.catalog.driver_floor(self.backend, self.host.driver_os) or ""
        worst, of = general, ""
        for capability in sorted(
            {architecture(item.capability): item.capability for item in served if item.capability}.items()
        ):
            floor = self.catalog.driver_floor(self.backend, self.host.driver_os, capability[1])
            if floor and Version(floor) > Version(worst):
                worst, of = floor, capability[0]
        return worst, of

    def _no_driver(self, builds: list[TorchWheels]) -> BackendVerdict | None:
        if self.backend.family != "cuda":
            return None
        floor, of = self._floor(builds)
        needed = f"needs driver ≥ {floor}" + (f" for {of}" if of else "")
        if self._driver is None:
            return self._no("driver", f"{needed}; no NVIDIA driver found")
        version, cuda = self._driver.version, self._driver.cuda
        if floor and version and Version(version) < Version(floor):
            return self._no("driver", needed)
        if not version and cuda and cuda[0] < self.backend.version[0]:
            return self._no("driver", f"{needed}; this one supports CUDA {cuda[0]}.{cuda[1]}")
        return None

    def _no_system(self, builds: list[TorchWheels]) -> tuple[Cause, str]:
        oldest = min(builds, key=lambda build: build.torch)
        if self.host.libc == "musl":
            return "libc", "its wheels need glibc; this machine has musl"
        name = self.host.libc or ("macOS" if self.host.os == "macos" else "")
        has = f"{name} {self.host.release[0]}.{self.host.release[1]}" if name else "an unknown version"
        return (
            "libc" if self.host.os == "linux" else "os",
            f"its wheels need {oldest.floor()}; this machine has {has}",
        )

    def _no_python(self, builds: list[TorchWheels]) -> tuple[Cause, str]:
        known = {tag for build in builds for tag in build.pythons}
        of_kind = {tag for tag in known if tag.endswith("t") == self.python.is_free_threaded} or known
        tags = sorted(of_kind, key=lambda tag: int(tag[3:].removesuffix("t") or 0))
        if not self.is_any_torch:
            return "python", f"the lock is for {tags[0]}"
        existing = f"{tags[0]} to {tags[-1]}" if len(tags) > 1 else tags[0]
        return "python", f"no known wheel for {self.python.tag} (only {existing})"

    def _reason(self, best: TorchWheels, status: Status) -> str:
        if self.backend.family == "cpu":
            is_mac = (self.host.os, self.host.machine) == ("macos", "arm64")
            return "the macOS build, which includes MPS" if is_mac else "runs without a GPU"
        names = _names(self._served(best))
        if status == UNKNOWN:
            known = _names(self._devices)
            return f"unknown whether it runs on {known}" if known else "unknown GPU"
        if not names:
            text = "no GPU named, so kernels were not checked"
        else:
            text = f"validated on {names}" if self.backend.family == "xpu" else f"kernels for {names}"
        return text + self._driver_text(best)

    def _driver_text(self, best: TorchWheels) -> str:
        floor, _ = self._floor([best])
        if self._driver is None or not floor:
            return ""
        return f", driver {self._driver.version}" if self._driver.version else f"; needs driver ≥ {floor}"

    def _notes(self, best: TorchWheels, here: list[TorchWheels], usable: list[TorchWheels]) -> Iterable[str]:
        served, devices = self._served(best), self._devices
        if 0 < len(served) < len(devices):
            yield f"runs on {len(served)} of {len(devices)} GPUs"
        if not self.is_any_torch:
            return
        latest = newest(build for build in here if build.has(self.python.tag))
        if (
            latest
            and devices
            and latest.torch > best.torch
            and not self._served(latest)
            and not self._may_run(latest)
        ):
            yield f"torch {latest.torch} has no kernels for this GPU"
        if (
            latest := newest(build for build in usable if build.has(self.python.tag))
        ) and latest.torch > best.torch:
            yield f"torch {latest.torch} needs {latest.floor()}"
        last = self.facts.last_torch
        if last and last == best.torch:
            yield "its last torch"
        elif last and self._is_last(last, best):
            yield f"torch {last} is its last; no known wheel of it for {self.python.tag}"
        if not self.facts.is_advertised:
            yield "published, but not advertised by PyTorch"

    def _is_last(self, last: Version, best: TorchWheels) -> bool:
        """Return whether the backend's last torch would run here if its wheel were known."""
        release = self.catalog.release(last)
        as_last = replace(best, torch=last)
        is_for_python = release is None or release.requires_python.contains(self.python.version)
        return last > best.torch and is_for_python and (not self._devices or bool(self._served(as_last)))
