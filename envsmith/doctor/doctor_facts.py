"""Facts for the doctor's checks, computed on first access."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar, overload

from packaging.version import InvalidVersion, Version

from envsmith.activate import session
from envsmith.activate.model import Activation, EnvironmentPaths, RemovedVariable
from envsmith.activate.scripts import plan_session
from envsmith.catalog import Catalog
from envsmith.catalog.builds import TorchWheels
from envsmith.environment.installed_state import InstalledState
from envsmith.environment.interpreter import Probe
from envsmith.environment.long_paths import longest_installed
from envsmith.environment.model import Environment, EnvironmentLayout, TorchBuild
from envsmith.errors import EnvsmithError
from envsmith.files import atomic
from envsmith.files.text import folders_with
from envsmith.host import system_probes, windows
from envsmith.host.current import folders_before_packages, variables
from envsmith.host.detect import detect
from envsmith.host.linux import GpuAccess
from envsmith.host.model import Host
from envsmith.host.system_probes import Connectivity, DiskSpace, SystemLibraries, VisualCpp
from envsmith.lock.staleness import check_tools
from envsmith.lockfile import LOCKFILES
from envsmith.lockfile.manifest import FILENAME, Manifest
from envsmith.lockfile.store import read_manifest
from envsmith.model.backend import Backend
from envsmith.model.finding import Finding
from envsmith.select.select import completed, select
from envsmith.select.verdicts import BackendVerdict, judge_build
from envsmith.wiring import CatalogOptions, index_base, known_modules, listing_sources

Owner = TypeVar("Owner")
Value = TypeVar("Value")
_SCANNED_PROJECTS = ("torchvision", "torchaudio")
# One of these makes a folder a project.
_PROJECT_FILES = (
    "*.py",
    "pyproject.toml",
    "requirements*",
    "setup.cfg",
    "profiles",
    LOCKFILES,
    ".git",
    "*.ipynb",
)


class cached_or_error(Generic[Owner, Value]):  # noqa: N801 - a decorator, as cached_property
    """A `functools.cached_property` that also caches an EnvsmithError: a probe that hung is not repeated.

    Args:
        compute: returns the value.
    """

    def __init__(self, compute: Callable[[Owner], Value]) -> None:
        self._compute = compute
        self._key = f"cached {compute.__name__}"
        self.__doc__ = compute.__doc__

    @overload
    def __get__(self, instance: None, owner: type[Owner]) -> cached_or_error[Owner, Value]: ...

    @overload
    def __get__(self, instance: Owner, owner: type[Owner]) -> Value: ...

    def __get__(self, instance: Owner | None, owner: type[Owner]) -> Value | cached_or_error[Owner, Value]:
        """Return the value.

        Raises:
            EnvsmithError: the one raised on first access.
        """
        if instance is None:
            return self
        known = vars(instance)
        if self._key not in known:
            known[self._key] = self._answer(instance)
        found = known[self._key]
        if isinstance(found, EnvsmithError):
            raise found
        return found  # type: ignore[no-any-return]

    def _answer(self, instance: Owner) -> Value | EnvsmithError:
        try:
            return self._compute(instance)
        except EnvsmithError as error:
            return error


def value_or_none(compute: Callable[[], Value | None]) -> Value | None:
    """Return a value, or None after an EnvsmithError."""
    try:
        return compute()
    except EnvsmithError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledTorch:
    """The installed torch, judged for this machine."""

    version: str
    verdict: BackendVerdict
    """Whether its build works here."""
    best: BackendVerdict | None
    """The best build for this machine; None without one."""


class DoctorFacts:
    """Facts of this machine and of an environment of this project.

    Properties raise EnvsmithErrors of the probes they use.

    Args:
        prefix: the environment's root; need not exist.
        folder: the folder of the lock folders.
        probe: queries interpreters.
    """

    def __init__(self, prefix: Path, folder: Path, probe: Probe) -> None:
        self._prefix = prefix.absolute()
        self._folder = folder
        self._probe = probe
        self.catalog = Catalog.embedded()

    @property
    def project(self) -> str:
        """The folder of the environment's link."""
        return str(self._prefix.parent)

    @cached_or_error
    def host(self) -> Host:
        """This machine."""
        return completed(detect(), self.catalog)

    @cached_or_error
    def _layout(self) -> EnvironmentLayout:
        return self._probe.layout(self._prefix)

    @cached_or_error
    def environment(self) -> Environment | None:
        """The environment; None if there is none."""
        try:
            session.environment_paths(self._prefix)
        except EnvsmithError:
            return None
        return self._probe.environment(self._prefix, deep=False, layout=self._layout)

    @cached_or_error
    def installed_state(self) -> InstalledState:
        """The state of the environment's files."""
        return self._probe.condition(self._layout, folders_before_packages())

    @cached_or_error
    def torch(self) -> InstalledTorch | None:
        """The installed torch, judged for this machine; None without torch or if its backend is unknown."""
        found = self.environment
        if found is None or found.torch is None:
            return None
        backend, version = backend_of(found.torch), _public(found.torch.version)
        if backend is None or version is None:
            return None
        python = found.interpreter.python
        build = TorchWheels(
            backend=backend,
            torch=version,
            platforms=(str(self.host.platform),),
            pythons=frozenset({python.tag}),
        )
        listings = listing_sources(self.catalog, CatalogOptions(), is_online=False)
        return InstalledTorch(
            version=found.torch.version,
            verdict=judge_build(self.host, python, build, self.catalog),
            best=select(self.host, python, catalog=self.catalog, listings=listings).choice,
        )

    @cached_property
    def libraries(self) -> SystemLibraries:
        """System libraries that companions of torch need."""
        from envsmith.host.system_probes import find_libraries

        return find_libraries(Path("/"), variables())

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment variables."""
        return variables()

    @cached_or_error
    def manifest(self) -> Manifest | None:
        """The manifest of the environment's profile, else of the only locked profile; None otherwise."""
        name = session.installed_profile(self._prefix)
        locked = folders_with(self._folder, FILENAME)
        if not name and len(locked) == 1:
            name = locked[0]
        if name not in locked:
            return None
        return read_manifest(atomic.read_files(self._folder / name), str(self._folder / name / FILENAME))

    @cached_or_error
    def locked_backend(self) -> Backend | None:
        """The backend of the environment's lock; None without a lock."""
        entries = self.manifest.targets.values() if self.manifest else ()
        return next((item.backend for item in entries), None)

    @cached_or_error
    def drift(self) -> tuple[Finding, ...]:
        """Findings of `envsmith lock --check` for the environment's lock."""
        from envsmith.lock.inputs.request import LockOptions, lock_requests
        from envsmith.lock.staleness import check_profile

        if self.manifest is None:
            return ()
        name = self.manifest.profile
        (wanted,) = lock_requests(LockOptions(profiles=(name,), folder=self._folder), Path())
        locked = frozenset(self.manifest.targets)  # do not report targets that are not locked
        found = check_profile(
            replace(wanted, only=locked), self._folder / name, check_tools(self.catalog)
        ).findings
        return tuple(replace(item, message=f"{item.subject}: {item.message}") for item in found)

    @cached_property
    def _place(self) -> EnvironmentPaths:
        is_windows = self.host.os == "windows"
        inner = "Scripts" if is_windows else "bin"
        root = str(self._prefix)
        return EnvironmentPaths(prefix=root, bin=str(self._prefix / inner), is_windows=is_windows)

    def _session(self, own: Mapping[str, str]) -> tuple[RemovedVariable, ...]:
        torch = value_or_none(lambda: self.torch)
        installed = torch.verdict.backend if torch else Backend.parse("cpu")
        backend = value_or_none(lambda: self.locked_backend) or installed
        wanted = Activation.of("doctor", backend, env={})
        return plan_session(wanted, self._place, own, has_file=session.has_file).removed

    @cached_property
    def path_entries(self) -> dict[str, tuple[RemovedVariable, ...]]:
        """Scope of PATH → entries that activation would remove, except those of the active environment."""
        active = variables().get("VIRTUAL_ENV", "")
        places = [Path(self._place.bin), *(Path(active, name) for name in ("bin", "Scripts") if active)]
        own = {place.resolve() for place in places}
        return {
            scope: tuple(
                item
                for item in self._session({"PATH": value})
                if not (item.entry and Path(item.entry).is_absolute() and Path(item.entry).resolve() in own)
            )
            for scope, value in system_probes.path_scopes(variables()).items()
        }

    @cached_property
    def removed_entries(self) -> tuple[RemovedVariable, ...]:
        """Entries of variables that activation would remove."""
        return self._session(variables())

    @cached_or_error
    def unused_packages(self) -> dict[str, str]:
        """Unused project → reason; only torchvision and torchaudio are checked."""
        from envsmith.config.profiles import ProfileStore
        from envsmith.usage.scan import scan

        there = {item.name for item in self.environment.distributions} if self.environment else set()
        projects = [name for name in _SCANNED_PROJECTS if name in there]
        if not projects or not is_project(Path.cwd()):
            return {}
        folders = ProfileStore.of_project(Path()).settings.sources
        found = scan(Path(), projects, installed=known_modules(), folders=folders, enough=1)
        if not found.usage.files_read:
            return {}
        return {item.project: item.verdict.reason for item in found.answers if item.verdict.is_unneeded}

    @cached_property
    def gpu_access(self) -> GpuAccess:
        """Access to GPUs on Linux; empty if variables override the detected machine."""
        from envsmith.host.detect import CAPABILITY, DRIVER
        from envsmith.host.linux import gpu_access

        is_described = any(variables().get(name) for name in (CAPABILITY, DRIVER))
        if self.host.os != "linux" or is_described:
            return GpuAccess()
        return gpu_access(Path("/"), variables())

    @cached_property
    def visual_cpp(self) -> VisualCpp | None:
        """Microsoft's C++ library; None except on Windows."""
        from envsmith.host.system_probes import find_visual_cpp

        if self.host.os != "windows":
            return None
        found = self.environment
        # Windows searches the base interpreter's folder for the libraries of a virtual environment.
        folders = (Path(found.interpreter.base), self._prefix / found.site) if found else ()
        return find_visual_cpp(windows.read_value, variables(), self.host.machine, folders)

    @cached_property
    def longest_path(self) -> str | None:
        """Longest path of the environment's files; empty without one, None where Windows has no limit."""
        if self.host.os != "windows" or windows.has_long_paths():
            return None
        return longest_installed(self._prefix.resolve())

    @cached_or_error
    def disk_space(self) -> DiskSpace:
        """Free space for uv's cache."""
        from envsmith.process.runner import Processes
        from envsmith.uv.command import find_uv
        from envsmith.uv.installer import UvInstaller

        uv = UvInstaller(processes=Processes(), executable=find_uv())
        return system_probes.disk_space(uv.cache())

    @cached_property
    def connectivity(self) -> Connectivity:
        """Connectivity of PyTorch's index or its mirror."""
        return system_probes.check_connectivity(f"{index_base(CatalogOptions())}/", variables())


def is_project(folder: Path) -> bool:
    """Return whether a folder contains a project; elsewhere, as in a home, usage cannot be scanned."""
    if folder == folder.parent or folder == Path.home():
        return False
    return any(next(folder.glob(name), None) for name in _PROJECT_FILES)


def backend_of(torch: TorchBuild) -> Backend | None:
    """Return the backend of an installed torch from its version and build; None if unknown."""
    _, _, label = torch.version.partition("+")
    cuda = f"cu{torch.cuda.replace('.', '')}" if torch.cuda else ""
    rocm = f"rocm{'.'.join(torch.hip.split('.')[:2])}" if torch.hip else ""
    for text in (label, cuda or rocm or ("xpu" if torch.xpu else "cpu")):
        try:
            return Backend.parse(text)
        except EnvsmithError:
            continue
    return None


def _public(text: str) -> Version | None:
    try:
        return Version(Version(text).public)
    except InvalidVersion:
        return None
