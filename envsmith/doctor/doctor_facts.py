"""What the doctor's checks look at, found out when it is first asked for.

A property that is found out once, also where that fails: what hangs is not asked again.
"""

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
from envsmith.environment.model import Environment, TorchBuild
from envsmith.errors import EnvsmithError
from envsmith.files import atomic
from envsmith.host import system_probes, windows
from envsmith.host.current import folders_before_packages, variables
from envsmith.host.detect import detect
from envsmith.host.model import Host
from envsmith.host.system import Connectivity, DiskSpace, GpuAccess, SystemLibraries, VisualCpp
from envsmith.lock.check import check_tools
from envsmith.lockfile import LOCKFILES
from envsmith.lockfile.manifest import FILENAME, Manifest
from envsmith.lockfile.store import read_manifest
from envsmith.model.backend import Backend
from envsmith.model.finding import Finding
from envsmith.select import rules
from envsmith.select.rules import BackendVerdict
from envsmith.select.select import completed, select
from envsmith.wiring import CatalogOptions, index_base, known_modules, listing_sources

Owner = TypeVar("Owner")
Value = TypeVar("Value")
_SCANNED = ("torchvision", "torchaudio")
_OF_A_PROJECT = (
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
    """Like ``functools.cached_property``, with an EnvsmithError remembered as well.

    Args:
        ask: finds it out.
    """

    def __init__(self, ask: Callable[[Owner], Value]) -> None:
        self._ask = ask
        self._key = f"remembered {ask.__name__}"
        self.__doc__ = ask.__doc__

    @overload
    def __get__(self, instance: None, owner: type[Owner]) -> cached_or_error[Owner, Value]: ...

    @overload
    def __get__(self, instance: Owner, owner: type[Owner]) -> Value: ...

    def __get__(self, instance: Owner | None, owner: type[Owner]) -> Value | cached_or_error[Owner, Value]:
        """Return the value.

        Raises:
            EnvsmithError: as it was raised when it was first asked for.
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
            return self._ask(instance)
        except EnvsmithError as error:
            return error


def quietly(ask: Callable[[], Value | None]) -> Value | None:
    """Return what is found out, None where it cannot be."""
    try:
        return ask()
    except EnvsmithError:
        return None


class DoctorFacts:
    """The facts of this machine, and of an environment in this project.

    Args:
        prefix: the environment's root; it need not be there.
        folder: of the lock folders.
        probe: asks interpreters.
    """

    def __init__(self, prefix: Path, folder: Path, probe: Probe) -> None:
        self._prefix = prefix.absolute()
        self._folder = folder
        self._probe = probe
        self.catalog = Catalog.embedded()

    @cached_or_error
    def host(self) -> Host:
        """This machine."""
        return completed(detect(), self.catalog)

    @cached_or_error
    def environment(self) -> Environment | None:
        """What is installed; None where there is no environment."""
        try:
            session.environment_paths(self._prefix)
        except EnvsmithError:
            return None
        return self._probe.environment(self._prefix, deep=False)

    @cached_or_error
    def condition(self) -> InstalledState:
        """What the environment's files tell together."""
        return self._probe.condition(self._prefix, folders_before_packages())

    @cached_or_error
    def torch(self) -> InstalledTorch | None:
        """The installed torch, and what is known of it on this machine."""
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
            verdict=rules.judge_build(self.host, python, build, self.catalog),
            best=select(self.host, python, catalog=self.catalog, listings=listings).choice,
        )

    @cached_property
    def toolbox(self) -> SystemLibraries:
        """What torch's companions need of the system."""
        from envsmith.host.system_probes import find_libraries

        return find_libraries(Path("/"), variables())

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment variables."""
        return variables()

    @cached_or_error
    def manifest(self) -> Manifest | None:
        """The locks of the profile the environment was built for, else of the only one that is locked."""
        name = session.installed_profile(self._prefix)
        locked = sorted(path.parent.name for path in self._folder.glob(f"*/{FILENAME}"))
        if not name and len(locked) == 1:
            name = locked[0]
        if name not in locked:
            return None
        return read_manifest(atomic.read_files(self._folder / name), str(self._folder / name / FILENAME))

    @cached_or_error
    def locked(self) -> Backend | None:
        """The backend the environment's lock asks for."""
        entries = self.manifest.targets.values() if self.manifest else ()
        return next((Backend.parse(str(item.inputs.get("backend", "cpu"))) for item in entries), None)

    @cached_or_error
    def stale(self) -> tuple[Finding, ...]:
        """Why the environment's lock is not what is asked for today."""
        from envsmith.lock.check import check_profile
        from envsmith.lock.request import LockOptions, lock_requests

        if self.manifest is None:
            return ()
        name = self.manifest.profile
        (wanted,) = lock_requests(LockOptions(profiles=(name,), folder=self._folder), Path())
        locked = frozenset(self.manifest.targets)  # a target that nobody locked is no fault of an environment
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
        torch = quietly(lambda: self.torch)
        installed = torch.verdict.backend if torch else Backend.parse("cpu")
        backend = quietly(lambda: self.locked) or installed
        wanted = Activation.of("doctor", backend=backend, env={})
        return plan_session(wanted, self._place, own, has_file=session.has_file).taken

    @cached_property
    def scopes(self) -> dict[str, tuple[RemovedVariable, ...]]:
        """Scope of PATH → what no session should have in it, but for the environment that is active."""
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
    def taken(self) -> tuple[RemovedVariable, ...]:
        """What a session in the environment would be rid of."""
        return self._session(variables())

    @cached_or_error
    def unneeded(self) -> dict[str, str]:
        """Project → why the project's files do not need it."""
        from envsmith.config.profiles import ProfileStore
        from envsmith.usage import scan as project
        from envsmith.usage.scan import scan

        there = {item.name for item in self.environment.distributions} if self.environment else set()
        asked = [name for name in _SCANNED if name in there]
        if not asked or not is_project(Path.cwd()):
            return {}
        folders = ProfileStore.of_project(Path()).settings.sources
        found = scan(Path(), asked, sources=project, installed=known_modules(), folders=folders, enough=1)
        if not found.usage.files_read:
            return {}
        return {item.project: item.verdict.reason for item in found.answers if item.verdict.is_unneeded}

    @cached_property
    def given(self) -> GpuAccess:
        """What this machine was given of GPUs; nothing where variables describe another one."""
        from envsmith.host.detect import CAPABILITY, DRIVER
        from envsmith.host.linux import gpu_access

        is_described = any(variables().get(name) for name in (CAPABILITY, DRIVER))
        if self.host.os != "linux" or is_described:
            return GpuAccess()
        return gpu_access(Path("/"), variables())

    @cached_property
    def visual_cpp(self) -> VisualCpp | None:
        """Microsoft's C++ library; None off Windows."""
        from envsmith.host.system_probes import find_visual_cpp

        if self.host.os != "windows":
            return None
        found = self.environment
        # A program of the environment is found beside the interpreter it was made with.
        folders = (Path(found.interpreter.base), self._prefix / found.site) if found else ()
        return find_visual_cpp(windows.read_value, variables(), self.host.machine, folders)

    @cached_property
    def room(self) -> DiskSpace:
        """Free bytes where uv's cache lies."""
        return system_probes.disk_space(system_probes.uv_cache(variables()))

    @cached_property
    def reach(self) -> Connectivity:
        """How PyTorch's index, or the mirror that stands for it, answers."""
        return system_probes.check_connectivity(f"{index_base(CatalogOptions())}/", variables())


def is_project(folder: Path) -> bool:
    """Say whether a folder is a project's: in a home or anywhere else no file tells whether an environment is used."""
    if folder == folder.parent or folder == Path.home():
        return False
    return any(next(folder.glob(name), None) for name in _OF_A_PROJECT)


def backend_of(torch: TorchBuild) -> Backend | None:
    """Return what an installed torch was built for, by its own words; None where they say something unknown."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledTorch:
    """The installed torch, and what is known of it on this machine."""

    version: str
    verdict: BackendVerdict
    """Of its own build."""
    best: BackendVerdict | None
    """What works best here; None where nothing does."""
