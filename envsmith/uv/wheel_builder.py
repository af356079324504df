"""Builder of wheels from source distributions, with exactly what their locked builds name.

The wheel is kept under a digest of all that decides it, so that a machine builds it once.

Source for uv's behaviour: uv 0.13.8, seen 2026-11-30.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from envsmith.errors import InstallError
from envsmith.files.atomic import write_atomic
from envsmith.files.os_errors import environment_errors
from envsmith.lockfile.manifest import LockedBuild
from envsmith.lockfile.pins import InstallSource, Pin
from envsmith.process.exit_status import describe
from envsmith.process.runner import Processes, inherited_environ
from envsmith.uv.command import excerpt, mirror_environ, uv_environ
from envsmith.uv.installer import UvInstaller

_RELEASE = re.compile(r"release (\d+)\.(\d+)")  # "Cuda compilation tools, release 12.8, V12.8.93"
_OF_COMPILERS = ("CC", "CXX", "CFLAGS", "CXXFLAGS", "LDFLAGS", "CUDA_HOME", "CUDA_PATH", "PATH")
_TIMEOUT_S = 4 * 3600.0
"""flash-attn takes hours on few cores."""
_INSTALL = {
    "nvcc": "install the CUDA toolkit, and name its folder in CUDA_HOME; or lock a version with a wheel for this torch",
    "c++": "install a C++ compiler (g++, clang++, or Visual Studio's build tools), or name one in CXX",
}
BUILT = "built"
"""Folder of a wheelhouse with the wheels of builds. No lock has their hashes: they are trusted as the wheelhouse is."""
Fetch = Callable[[str, str, str], bytes]
"""URL, sha256 and package → the verified content of a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WheelBuilder:
    """Builds wheels, and keeps them.

    Args:
        processes: starts uv and compilers.
        executable: path of uv.
        folder: of the kept wheels.
        fetch: (URL, sha256, package) → the source distribution.
        offline: download nothing.
    """

    processes: Processes
    executable: Path
    folder: Path
    fetch: Fetch
    offline: bool = False
    _programs: dict[str, str] = field(default_factory=dict)

    def check(
        self, builds: Mapping[str, LockedBuild], slug: str, cuda_major: int | None, wheelhouse: str
    ) -> None:
        """Check that the programs are there that builds need, unless their wheels are kept.

        Args:
            builds: project → its build.
            slug: of the target.
            cuda_major: of the torch that they are compiled against; None without CUDA.
            wheelhouse: folder that may have the wheels; empty without one.

        Raises:
            InstallError: ENV045 when a program is missing, ENV046 when nvcc is of another CUDA generation.
        """
        for name, build in sorted(builds.items()):
            if self.kept(build, slug, wheelhouse):
                continue
            for program in build.needs:
                version = self._version(program)
                if not version:
                    raise InstallError(
                        "ENV045",
                        f"{name} is built from source, and {program} is not on this machine",
                        where=name,
                        hint=_INSTALL[program],
                    )
                if program == "nvcc" and cuda_major and not version.startswith(f"{cuda_major}."):
                    raise InstallError(
                        "ENV046",
                        f"{name} is compiled against torch for CUDA {cuda_major}, but nvcc is of CUDA {version}",
                        where=name,
                        hint=f"install the CUDA toolkit {cuda_major}, and name it in CUDA_HOME",
                    )

    def kept(self, build: LockedBuild, slug: str, wheelhouse: str = "") -> Path | None:
        """Return the wheel that was built before, here or by whoever filled a wheelhouse; None without one."""
        local = Path(wheelhouse) if wheelhouse and "://" not in wheelhouse else None
        places = [self._place(build, slug), *([local / BUILT / build.digest(slug)] if local else [])]
        return next((path for place in places for path in sorted(place.glob("*.whl"))), None)

    def hand_over(self, build: LockedBuild, slug: str, wheelhouse: Path) -> bool:
        """Copy a kept wheel into a wheelhouse; say whether there is one.

        Raises:
            InstallError: ENV021 when the disk is full, ENV024 for any other OS error.
        """
        if (found := self.kept(build, slug)) is None:
            return False
        place = wheelhouse / BUILT / build.digest(slug)
        with environment_errors(place):
            place.mkdir(parents=True, exist_ok=True)
            write_atomic(place / found.name, found.read_bytes())
        return True

    def _place(self, build: LockedBuild, slug: str) -> Path:
        """Return the folder of a wheel; its name tells what the lock and this machine's programs decide."""
        programs = "\n".join(f"{program} {self._version(program)}" for program in sorted(build.needs))
        return self.folder / build.digest(slug) / hashlib.sha256(programs.encode()).hexdigest()[:16]

    def build(self, pin: Pin, build: LockedBuild, slug: str, python: Path, supply: InstallSource) -> Path:
        """Return the wheel of a source distribution; built unless it is kept.

        Args:
            pin: of the source distribution.
            build: its locked build.
            slug: of the target.
            python: the interpreter of the environment.
            supply: for the indexes and the wheelhouse.

        Raises:
            InstallError: ENV047 when the build fails; as `UvInstaller.fill`.
            ToolError: when a file cannot be downloaded, or has another hash.
        """
        if found := self.kept(build, slug, supply.wheelhouse):
            return found
        place = self._place(build, slug)
        with environment_errors(self.folder):
            place.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".new-", dir=self.folder) as scratch:
                made = self._made(pin, build, python, supply, Path(scratch))
                with suppress(OSError):  # another process built it meanwhile
                    made.parent.rename(place)
        return place / made.name

    def _made(self, pin: Pin, build: LockedBuild, python: Path, supply: InstallSource, work: Path) -> Path:
        prefix, out = work / "environment", work / "wheel"
        installer = UvInstaller(processes=self.processes, executable=self.executable, offline=self.offline)
        installer.make(prefix, python, "build")
        pins = {line.partition(" ")[0]: line for line in build.requirements}
        # What the lock has as well is installed as for the lock itself, from the same servers.
        shared, held = supply.shared(pins)
        installer.fill(prefix, shared)
        if others := [line for name, line in sorted(pins.items()) if name not in held]:
            installer.extend(prefix, others, supply)
        archive = work / (pin.filename or "source.tar.gz")
        archive.write_bytes(self._archive(pin, supply))
        env = {
            **inherited_environ(_OF_COMPILERS),
            **uv_environ(),
            **mirror_environ(supply.indexes),
            **build.env,
        }
        command: list[str | Path] = [
            self.executable, "--no-config", *(["--offline"] if self.offline else []), "build", "--wheel",
            "--no-build-isolation", "--python", prefix, "--out-dir", out, archive,
        ]  # fmt: skip
        env["PATH"] = os.pathsep.join(
            [str(prefix / ("Scripts" if os.name == "nt" else "bin")), env.get("PATH", "")]
        )
        ran = self.processes.run(command, env=env, timeout_s=_TIMEOUT_S, cwd=work)
        if ran.status:
            raise _failed(pin, f"the build ended with {describe(ran.status)}", ran.stderr)
        wheels = [path for path in out.glob("*.whl") if _is_of(path.name, pin)]
        if len(wheels) != 1:
            names = ", ".join(sorted(path.name for path in out.glob("*.whl"))) or "none"
            raise _failed(pin, f"expected one wheel of {pin.name} {pin.version}, found {names}")
        for other in out.iterdir():
            if other != wheels[0]:
                other.unlink()
        return wheels[0]

    def _archive(self, pin: Pin, supply: InstallSource) -> bytes:
        """Return the source distribution, from the wheelhouse if it is a folder that has it."""
        held = Path(supply.wheelhouse) / pin.filename if supply.wheelhouse and pin.filename else None
        if held and "://" not in supply.wheelhouse and held.is_file():
            content = held.read_bytes()
            if hashlib.sha256(content).hexdigest() in pin.sha256:
                return content
        if not pin.url:
            raise InstallError(
                "ENV047",
                f"{pin.name} is built from source, and without the pylock the URL of its file is not known",
                where=pin.name,
                hint="run `envsmith lock`: it makes the pylock from the locked pins, and moves none",
            )
        return self.fetch(pin.url, pin.sha256[0], f"{pin.name} {pin.version}")

    def _version(self, program: str) -> str:
        """Return the version of a program of this machine; empty without it."""
        if program not in self._programs:
            self._programs[program] = next(filter(None, map(self._asked, _candidates(program))), "")
        return self._programs[program]

    def _asked(self, path: str) -> str:
        ran = self.processes.run([path, "--version"], env=inherited_environ(_OF_COMPILERS), timeout_s=60.0)
        if release := _RELEASE.search(ran.stdout):
            return f"{release[1]}.{release[2]}"
        return next(iter((ran.stdout or ran.stderr).splitlines()), "").strip()


def _candidates(program: str) -> Iterator[str]:
    """Yield the paths of a program of PROGRAMS, best first."""
    if program == "nvcc":
        homes = [os.environ[name] for name in ("CUDA_HOME", "CUDA_PATH") if os.environ.get(name)]
        found = [shutil.which("nvcc", path=str(Path(home, "bin"))) for home in homes] + [shutil.which("nvcc")]
    else:
        words = shlex.split(os.environ.get("CXX", "")) or [""]
        found = [shutil.which(name) for name in (words[0], "c++", "g++", "clang++", "cl") if name]
    yield from filter(None, found)


def _is_of(filename: str, pin: Pin) -> bool:
    try:
        name, version, *_ = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        return False
    return name == canonicalize_name(pin.name) and version.public == Version(pin.version).public


def _failed(pin: Pin, problem: str, text: str = "") -> InstallError:
    return InstallError(
        "ENV047",
        f"{pin.name} {pin.version} could not be built: {problem}",
        where=pin.name,
        details=(("the build says", excerpt(text)),) if text else (),
        hint=f"settings for its build: the table build.{pin.name} of the profile",
    )
