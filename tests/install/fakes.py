"""Fakes of an installer and a probe: environments of empty folders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from envsmith.environment.distributions import Wheels
from envsmith.environment.model import Distribution, Environment, Import, Interpreter, TorchBuild
from envsmith.environment.prefix import interpreter_path
from envsmith.errors import EnvsmithError
from envsmith.install.disk_space import Disk
from envsmith.lockfile.manifest import LockedBuild
from envsmith.lockfile.pins import InstallSource, Pin, Pins
from tests.environment.test_model_interpreter import interpreter

SITE = "lib/site-packages"


@dataclass
class FakeInstaller:
    """Makes folders in place of distributions."""

    pythons: tuple[str, ...] = ("3.12",)
    fails: EnvsmithError | None = None
    fresh: frozenset[str] | None = None
    copying: bool = False
    asked: list[str] = field(default_factory=list)
    supplies: list[InstallSource] = field(default_factory=list)

    def find_python(self, request: str) -> Path | None:
        """Return a path made of the version."""
        self.asked.append(request)
        return Path(f"/opt/python{request}") if request in self.pythons else None

    def cache(self) -> Path:
        """Return a place."""
        return Path("/cache")

    def is_copying(self) -> bool:
        """Return the given answer."""
        return self.copying

    def outstanding(self, supply: InstallSource, python: Path) -> frozenset[str] | None:
        """Return the given names."""
        assert supply.text
        assert python
        return self.fresh

    def make(self, prefix: Path, python: Path, prompt: str, *, has_base_packages: bool = False) -> None:
        """Make a folder with an interpreter."""
        assert prompt
        interpreter_path(prefix).parent.mkdir(parents=True)
        interpreter_path(prefix).write_text(str(python), "utf-8")
        if has_base_packages:
            (prefix / "pyvenv.cfg").write_text("include-system-site-packages = true\n", "utf-8")

    def fill(self, prefix: Path, supply: InstallSource) -> None:
        """Make a folder for each pin."""
        self.supplies.append(supply)
        if self.fails:
            raise self.fails
        read = Pins.from_pylock if supply.is_pylock else Pins.from_requirements
        for pin in read(supply.text, "supply").packages:
            info = prefix / SITE / f"{pin.name}-{pin.version}.dist-info"
            info.mkdir(parents=True)
            (info / "RECORD").write_text(f"{info.name}/RECORD,,\n", "utf-8")

    def add_wheels(self, prefix: Path, wheels: Mapping[str, Path]) -> None:
        """Make a folder for each wheel."""
        for requirement in wheels:
            info = prefix / SITE / f"{requirement.replace('==', '-')}.dist-info"
            info.mkdir(parents=True)
            (info / "RECORD").write_text(f"{info.name}/RECORD,,\n", "utf-8")


class FakeBuilder:
    """Has every program and builds nothing."""

    def check(
        self, builds: Mapping[str, LockedBuild], slug: str, cuda_major: int | None, wheelhouse: str
    ) -> None:
        """Find every program."""

    def build(self, pin: Pin, build: LockedBuild, slug: str, python: Path, supply: InstallSource) -> Path:
        """Return a place."""
        assert slug
        assert python
        assert supply.text
        assert build.sha256 in pin.sha256
        return Path(f"/built/{pin.name}-{pin.version}-py3-none-any.whl")


@dataclass
class FakeDisks:
    """Has the given free space."""

    free: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Beginning of a path → device and free bytes."""

    def disk_of(self, place: Path) -> Disk:
        """Return the given device and space, or one with plenty."""
        device, free = next((self.free[key] for key in self.free if str(place).startswith(key)), (1, 10**12))
        return Disk(place=str(place), device=device, free_bytes=free)


@dataclass
class FakeProbe:
    """Finds the files of `FakeInstaller`, and damage as requested."""

    torch: TorchBuild | None = None
    damaged: tuple[str, ...] = ()
    """Generations with wrong hashes."""
    refused: str = ""
    """A module that cannot be imported."""
    found: Interpreter = field(default_factory=interpreter)
    looked: list[tuple[str, bool]] = field(default_factory=list)
    tried: list[tuple[str, Mapping[str, str], float]] = field(default_factory=list)

    def interpreter(self, executable: Path) -> Interpreter:
        """Return what the path says."""
        return replace(self.found, executable=str(executable))

    def environment(self, prefix: Path, *, deep: bool, wheels: Wheels | None = None) -> Environment:
        """List the folders."""
        assert wheels is not None
        self.looked.append((prefix.name, deep))
        changed = 1 if deep and prefix.name in self.damaged else 0
        names = (path.name for path in (prefix / SITE).iterdir())
        distributions = tuple(
            Distribution(
                name=name.split("-")[0],
                version=name.removesuffix(".dist-info").split("-", 1)[1],
                folder=name,
                has_record=True,
                files=2,
                size_bytes=10,
                changed_count=changed,
            )
            for name in sorted(names)
        )
        return Environment(
            prefix=str(prefix),
            site=SITE,
            interpreter=self.found,
            distributions=distributions,
            torch=self.torch,
        )

    def imports(self, prefix: Path, name: str, env: Mapping[str, str], timeout_s: float) -> Import:
        """Import, or not."""
        assert interpreter_path(prefix).exists()
        self.tried.append((name, env, timeout_s))
        return Import(name=name, error="OSError: no") if name == self.refused else Import(name=name)

    def runs(self, prefix: Path, command: str, env: Mapping[str, str], timeout_s: float) -> Import:
        """Run, or not."""
        return self.imports(prefix, command, env, timeout_s)
