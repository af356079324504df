"""Verdict: whether a backend works on a machine, with which torch, and why.

Host and catalog → ranked backends: compute capability first, then driver, system, C library, Python.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from packaging.version import Version

from envsmith.catalog import BackendFacts, Catalog, Kernels
from envsmith.catalog.builds import TorchWheels, newest
from envsmith.host.model import Device, Driver, Host
from envsmith.model.backend import TEGRA, Backend, Capability, architecture
from envsmith.model.target import Python

WORKS, UNKNOWN, NO = "works", "unknown", "no"
CAUSES = ("device", "capability", "driver", "os", "libc", "python", "wheels")
"""What keeps a backend out, in the order it is looked at."""
_FAMILIES = ("cuda", "rocm", "xpu", "cpu")
_STATUSES = (WORKS, UNKNOWN, NO)
_MAKERS = {"cuda": "NVIDIA", "rocm": "AMD", "xpu": "Intel"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendVerdict:
    """The answer for one backend on one machine."""

    backend: Backend
    status: str
    """``works``, ``unknown`` (nothing on record says yes or no) or ``no``."""
    torch: Version | None = None
    """Newest that runs there and has a wheel on record; None where there is none."""
    index: str = ""
    """Who serves that wheel: ``pytorch`` or ``pypi``."""
    cause: str = ""
    """One of CAUSES; empty where it works."""
    reason: str
    notes: tuple[str, ...] = ()
    reach: tuple[int, tuple[int, int]] = (0, (0, 0))
    """How many GPUs it runs on, and the highest compute capability among them."""

    @property
    def works(self) -> bool:
        """Whether it is known to work."""
        return self.status == WORKS

    @property
    def title(self) -> str:
        """``cu128 · torch 2.11.0``."""
        served = ", from PyPI" if self.index == "pypi" else ""
        return f"{self.backend} · torch {self.torch}{served}" if self.torch else str(self.backend)

    def to_json(self) -> dict[str, object]:
        """Return the answer as plain values."""
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
    """Say of every backend whether it works on a machine, best first.

    Args:
        host: the machine; devices without compute capability are judged by nothing.
        python: the interpreter torch is wanted for.
        builds: what is on record, by backend.
        catalog: kernels, drivers, lifetimes.
    """
    found = [
        _Case(host=host, python=python, facts=facts, catalog=catalog).verdict(builds.get(facts.backend, ()))
        for facts in catalog.backends()
    ]
    advertised = {facts.backend: facts.is_advertised for facts in catalog.backends()}
    return tuple(sorted(found, key=lambda item: rank(item, is_advertised=advertised[item.backend])))


def judge_build(host: Host, python: Python, build: TorchWheels, catalog: Catalog) -> BackendVerdict:
    """Say whether one build, such as the one of a lock, works on a machine."""
    case = _Case(
        host=host, python=python, facts=catalog.backend(build.backend), catalog=catalog, is_open=False
    )
    return case.verdict((build,))


def rank(verdict: BackendVerdict, *, is_advertised: bool = True) -> tuple[int, ...]:
    """Return the key to sort by.

    What works comes first; then GPU before CPU; what runs on more GPUs, on stronger ones; what PyTorch
    advertises; the newest torch; the newest backend.
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
    is_open: bool = True
    """Whether another torch of the backend would do, too: not where a lock is judged."""

    @property
    def backend(self) -> Backend:
        return self.facts.backend

    def verdict(self, builds: Sequence[TorchWheels]) -> BackendVerdict:
        """Look at one thing after the other, and stop at the first that keeps the backend out."""
        if refusal := self._no_device() or self._no_wheel(builds):
            return refusal
        here = [build for build in builds if build.is_for(self.host.os, self.host.machine)]
        answers = [self._of(status, able, here) for status, able in self._with_kernels(here) if able]
        return next(
            (answer for answer in answers if answer.status != NO), (*answers, self._no_kernels(here))[0]
        )

    def _of(self, status: str, able: list[TorchWheels], here: list[TorchWheels]) -> BackendVerdict:
        """Judge builds that have kernels, or of which nothing says that they have none."""
        if refusal := self._no_driver(able):
            return refusal
        accepted = frozenset(self.host.platform.wheel_platforms())
        running = [build for build in able if build.accepts(accepted) and self.host.libc != "musl"]
        mine = [build for build in running if build.has(self.python.tag)]
        most = max((len(self._served(build)) for build in mine), default=0)
        best = newest(build for build in mine if len(self._served(build)) == most)
        if best is None:
            return self._no(*(self._no_python(running) if running else self._no_system(able)))
        return BackendVerdict(
            backend=self.backend,
            status=status,
            torch=best.torch,
            index=best.index,
            reason=self._reason(best, status),
            notes=tuple(self._notes(best, here, able)),
            reach=_reach(self._served(best)),
        )

    def _no(self, cause: str, reason: str, status: str = NO) -> BackendVerdict:
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
            known = (
                f"torch {self.facts.first_torch} has it"
                if self.facts.first_torch
                else "no stable build is known"
            )
            return self._no("wheels", f"no wheel of it is on record; {known}", UNKNOWN)
        if not self.is_open:
            return self._no("os", f"it is for {', '.join(builds[0].platforms)}")
        return self._no("os", f"no wheel of it for {self.host.os} {self.host.machine} is on record")

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
        """Say whether nothing on record speaks against a build for one of the GPUs."""
        kernels = self._kernels(build)
        is_open = kernels is None or not kernels.is_complete
        return any(
            device.capability is None or (is_open and not self._is_ruled_out(device.capability))
            for device in self._devices
        )

    def _is_ruled_out(self, capability: Capability) -> bool:
        """Say whether no build of the backend can be for a GPU, its kernels known or not."""
        return capability in TEGRA or self.catalog.oldest_cuda(capability) > (*self.backend.version, 0, 0)[:2]

    def _with_kernels(self, builds: list[TorchWheels]) -> tuple[tuple[str, list[TorchWheels]], ...]:
        """Return the builds with kernels for a GPU, then those that nothing on record speaks against."""
        if self.backend.family == "cpu" or not self._devices:
            return ((WORKS, builds),)
        able = [build for build in builds if self._served(build)]
        others = [build for build in builds if build not in able and self._may_run(build)]
        return (WORKS, able), (UNKNOWN, others)

    def _no_kernels(self, builds: list[TorchWheels]) -> BackendVerdict:
        latest = newest(builds)
        kernels = self._kernels(latest) if latest else None
        notes = [f"built for {kernels}"] if kernels else []
        if any(device.capability in TEGRA for device in self._devices):
            notes.append("a system on a chip runs only what was built for it")
        found = self._no("capability", f"no kernels for {_names(self._devices)}")
        return replace(found, notes=tuple(notes))

    def _floor(self, builds: Iterable[TorchWheels]) -> tuple[str, str]:
        """Return the oldest driver that would do, and the GPU that needs one newer than others would."""
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
            return self._no("driver", f"{needed}; no NVIDIA driver was found")
        version, cuda = self._driver.version, self._driver.cuda
        if floor and version and Version(version) < Version(floor):
            return self._no("driver", needed)
        if not version and cuda and cuda[0] < self.backend.version[0]:
            return self._no("driver", f"{needed}; this one serves CUDA {cuda[0]}.{cuda[1]}")
        return None

    def _no_system(self, builds: list[TorchWheels]) -> tuple[str, str]:
        oldest = min(builds, key=lambda build: build.torch)
        if self.host.libc == "musl":
            return "libc", "its wheels need glibc, and this machine has musl"
        name = self.host.libc or ("macOS" if self.host.os == "macos" else "")
        has = f"{name} {self.host.release[0]}.{self.host.release[1]}" if name else "none that is known"
        return (
            "libc" if self.host.os == "linux" else "os",
            f"its wheels need {oldest.floor()}, and this machine has {has}",
        )

    def _no_python(self, builds: list[TorchWheels]) -> tuple[str, str]:
        tags = sorted({tag for build in builds for tag in build.pythons}, key=lambda tag: int(tag[3:] or 0))
        if not self.is_open:
            return "python", f"it is for {tags[0]}"
        there = f"there are {tags[0]} to {tags[-1]}" if len(tags) > 1 else f"there is {tags[0]}"
        return "python", f"no wheel for {self.python.tag} is on record: {there}"

    def _reason(self, best: TorchWheels, status: str) -> str:
        if self.backend.family == "cpu":
            is_mac = (self.host.os, self.host.machine) == ("macos", "arm64")
            return "the macOS build, with MPS in it" if is_mac else "runs without a GPU"
        names = _names(self._served(best))
        if status == UNKNOWN:
            known = _names(self._devices)
            return f"whether it runs on {known} is not on record" if known else "the GPU is not known"
        if not names:
            text = "the GPU is not named, so kernels are not judged"
        else:
            text = f"validated on {names}" if self.backend.family == "xpu" else f"kernels for {names}"
        return text + self._driver_words(best)

    def _driver_words(self, best: TorchWheels) -> str:
        floor, _ = self._floor([best])
        if self._driver is None or not floor:
            return ""
        return f", driver {self._driver.version}" if self._driver.version else f"; needs driver ≥ {floor}"

    def _notes(self, best: TorchWheels, here: list[TorchWheels], able: list[TorchWheels]) -> Iterable[str]:
        served, devices = self._served(best), self._devices
        if 0 < len(served) < len(devices):
            yield f"runs on {len(served)} of {len(devices)} GPUs"
        if not self.is_open:
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
            latest := newest(build for build in able if build.has(self.python.tag))
        ) and latest.torch > best.torch:
            yield f"torch {latest.torch} needs {latest.floor()}"
        last = self.facts.last_torch
        if last and last == best.torch:
            yield "its last torch"
        elif last and self._is_last(last, best):
            yield f"torch {last} is its last; no wheel of it for {self.python.tag} is on record"
        if not self.facts.is_advertised:
            yield "published, but not among the choices PyTorch names"

    def _is_last(self, last: Version, best: TorchWheels) -> bool:
        """Say whether the backend's last torch would run here, too, if its wheel were on record."""
        release = self.catalog.release(last)
        as_last = replace(best, torch=last)
        is_for_python = release is None or release.requires_python.contains(str(self.python))
        return last > best.torch and is_for_python and (not self._devices or bool(self._served(as_last)))
