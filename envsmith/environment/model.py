"""Values of environments: interpreters, installed distributions; choice of the target to install."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from envsmith.config.package_source import PackageSource
from envsmith.errors import NoMatchingTargetError
from envsmith.model.target import Platform, Python, parse_slug

# sys.platform → the name in platforms.
_SYSTEMS = {"linux": "linux", "darwin": "macos", "win32": "windows"}
# Names of machines that differ from those in wheel tags, by system.
_MACHINES = {"linux": {"arm64": "aarch64", "amd64": "x86_64"}, "macos": {}, "windows": {"x86_64": "amd64"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """Description of an interpreter by itself."""

    executable: str
    base: str
    """Folder of its standard library."""
    version: str
    """``3.11.7``."""
    implementation: str
    """``cpython``."""
    is_free_threaded: bool
    bits: int
    os: str
    """``linux``, ``macos``, ``windows``, or ``sys.platform`` of another system."""
    machine: str
    """As in wheel tags."""
    libc: str
    """``glibc``; empty for others."""
    release: tuple[int, int]
    """Version of glibc or macOS; else ``(0, 0)``."""

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Interpreter:
        """Parse the description of an interpreter by `runtime/inspect_environment.py`.

        Raises:
            KeyError: when a key is missing.
            TypeError: when a value has another type.
        """
        os = _SYSTEMS.get(values["system"], values["system"])
        machine = values["machine"].lower()
        return cls(
            executable=values["executable"],
            base=values["base"],
            version=values["version"],
            implementation=values["implementation"],
            is_free_threaded=values["is_free_threaded"],
            bits=values["bits"],
            os=os,
            machine=_MACHINES.get(os, {}).get(machine, machine),
            libc=values["libc"],
            release=_pair(values["macos_version"] if os == "macos" else values["libc_version"]),
        )

    @property
    def python(self) -> Python:
        """Its feature version."""
        major, minor = _pair(self.version)
        return Python(major=major, minor=minor, is_free_threaded=self.is_free_threaded)

    def __str__(self) -> str:
        system = {"linux": "Linux", "macos": "macOS", "windows": "Windows"}.get(self.os, self.os)
        library = f" {self.libc}" if self.libc else ""
        release = ".".join(map(str, self.release)) if any(self.release) else ""
        threads = " free-threaded" if self.is_free_threaded else ""
        return f"Python {self.version}{threads} · {system} {self.machine}{library} {release}".rstrip()

    def supports(self, python: Python, platform: Platform) -> bool:
        """Return whether wheels for a Python version and platform run on the interpreter."""
        if (self.implementation, self.bits) != ("cpython", 64):
            return False
        if (self.python, self.os, self.machine) != (python, platform.os, platform.machine):
            return False
        return platform.os == "windows" or (
            (platform.os != "linux" or self.libc == "glibc") and self.release >= platform.floor
        )


def _pair(text: str) -> tuple[int, int]:
    match = re.match(r"(\d+)(?:\.(\d+))?", text)
    return (int(match[1]), int(match[2] or 0)) if match else (0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentLayout:
    """The folders of an environment, and the names that its Python imports."""

    interpreter: Interpreter
    prefix: str
    is_virtual: bool
    purelib: str
    platlib: str
    scripts: str
    user_site: str
    stdlib: tuple[str, ...]
    """Folders of the standard library."""
    stdlib_names: tuple[str, ...]
    """Its modules, without built-in ones; empty for Python 3.9, which cannot list them."""
    suffixes: tuple[str, ...]
    """Of extension modules."""
    changes: tuple[str, ...] = ()
    """Files of the environment itself that changed since its install, each with the change."""
    is_kept: bool = True
    """False for a generation without kept digests, made by an earlier version."""

    @property
    def site_folders(self) -> tuple[str, ...]:
        """The folders of installed packages."""
        return tuple(dict.fromkeys((self.purelib, self.platlib)))

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> EnvironmentLayout:
        """Parse the layout printed by `runtime/inspect_environment.py`.

        Raises:
            KeyError: when a key is missing.
            TypeError: when a value has another type.
        """
        lists = {name: tuple(map(str, values[name])) for name in ("stdlib", "stdlib_names", "suffixes")}
        texts = {name: str(values[name]) for name in ("prefix", "purelib", "platlib", "scripts", "user_site")}
        fields: dict[str, Any] = {**lists, **texts, "is_virtual": bool(values["is_virtual"])}
        return cls(interpreter=Interpreter.from_json(values["interpreter"]), **fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallOrigin:
    """Origin of a distribution that was not installed from an index (``direct_url.json``)."""

    kind: str
    """``archive``, ``folder`` or ``vcs``."""
    url: str
    sha256: str = ""
    """Of an archive, if recorded."""
    commit: str = ""
    subdirectory: str = ""
    is_editable: bool = False
    path: str = ""
    """Of a folder or file on this machine, relative to the project, with slashes."""

    @classmethod
    def parse(cls, data: Mapping[str, Any], project: str) -> InstallOrigin:
        """Parse a ``direct_url.json``.

        Args:
            data: its content.
            project: path of the project's folder, links followed, with slashes.

        Raises:
            KeyError: when it has no URL.
            TypeError: when a value has another type.
            AttributeError: when a value is no table.
        """
        url = str(data["url"])
        parts = urlsplit(url)
        path = re.sub(r"^/(?=[A-Za-z]:/)", "", unquote(parts.path)) if parts.scheme == "file" else ""
        archive, vcs, folder = (data.get(f"{key}_info") for key in ("archive", "vcs", "dir"))
        hashes = (archive or {}).get("hashes") or {}
        old = str((archive or {}).get("hash", "")).partition("sha256=")[2]
        return cls(
            kind="archive" if archive is not None else "vcs" if vcs is not None else "folder",
            url=url,
            sha256=str(hashes.get("sha256", old)),
            commit=str((vcs or {}).get("commit_id", "")),
            subdirectory=str(data.get("subdirectory", "")),
            is_editable=(folder or {}).get("editable") is True,
            path=posixpath.relpath(path, project) if path else "",
        )

    def is_of(self, source: str) -> bool:
        """Return whether it is the place of a locked package."""
        wanted = PackageSource.parse(source)
        if wanted.kind == "git":
            return (self.kind, self.url.removesuffix("/"), self.commit, self.subdirectory) == (
                "vcs", wanted.place.removesuffix("/"), wanted.revision, wanted.subdirectory
            )  # fmt: skip
        if wanted.kind == "folder":
            found = (self.kind, self.path, self.is_editable)
            return found == ("folder", posixpath.normpath(wanted.folder), wanted.is_editable)
        if wanted.kind == "file":
            return self.kind == "archive" and self.path == posixpath.normpath(wanted.place)
        return self.kind == "archive" and self.url.partition("#")[0] == wanted.place


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """An installed distribution, compared with its RECORD."""

    name: str
    """Normalised."""
    version: str
    folder: str
    """Name of its ``.dist-info`` folder."""
    has_record: bool
    files: int
    size_bytes: int
    missing: tuple[str, ...] = ()
    """The first of the missing files, relative to ``site-packages``."""
    missing_count: int = 0
    changed: tuple[str, ...] = ()
    """The first of the files with another size, or another hash if hashes were compared."""
    changed_count: int = 0
    differing: tuple[str, ...] = ()
    """The first of the files that equal their RECORD, but not the locked wheel."""
    differing_count: int = 0
    is_listed: bool = False
    """Whether its files were compared with the list of files in the locked wheel."""
    origin: InstallOrigin | None = None
    """None if it is from an index, or its origin is unknown."""
    replaced: tuple[str, ...] = ()
    """Its files that belong to the environment itself (``pyvenv.cfg``), relative to the prefix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchBuild:
    """Content of ``torch/version.py``."""

    version: str
    cuda: str = ""
    hip: str = ""
    xpu: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """An installed environment."""

    prefix: str
    site: str
    """Its ``site-packages``, relative to the prefix."""
    interpreter: Interpreter
    distributions: tuple[Distribution, ...]
    """Sorted by name."""
    torch: TorchBuild | None = None
    """None without torch."""
    changes: tuple[str, ...] = ()
    """Files of the environment itself that changed since its install, each with the change."""
    is_kept: bool = True
    """False for a generation without kept digests, made by an earlier version."""

    @property
    def files(self) -> int:
        """Number of files in all RECORDs."""
        return sum(item.files for item in self.distributions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """Result of importing a module, or running a command, in an environment."""

    name: str
    seconds: float = 0.0
    version: str = ""
    error: str = ""
    """Empty on success."""
    place: str = ""
    """File and line of the exception."""


def choose_target(slugs: Iterable[str], interpreter: Interpreter, *, profile: str) -> str:
    """Return the locked target that an interpreter supports; of several, the one with the newest platform.

    Raises:
        NoMatchingTargetError: LCK004 when it supports none.
    """
    slugs = sorted(slugs)
    found = [slug for slug in slugs if interpreter.supports(*parse_slug(slug))]
    if found:
        return max(found, key=lambda slug: parse_slug(slug)[1].floor)
    raise NoMatchingTargetError(
        "LCK004",
        f"{profile} is not locked for {interpreter}",
        where=interpreter.executable,
        details=tuple(("locked for", slug) for slug in slugs),
        hint=_hint(slugs, interpreter, profile),
    )


def _hint(slugs: Iterable[str], interpreter: Interpreter, profile: str) -> str:
    pairs = [parse_slug(slug) for slug in slugs]
    pythons = [str(python) for python, platform in pairs if runs_wheels_of(interpreter, platform)]
    if pythons:
        return f"choose a locked Python version with --python {pythons[-1]}"
    here = [one for _, one in pairs if (one.os, one.machine) == (interpreter.os, interpreter.machine)]
    if here and interpreter.release < min(here).floor and (interpreter.libc or interpreter.os != "linux"):
        return f"the locked wheels need {min(here).system_version} or later: install on a newer system"
    return f"add the platform of this machine to the profile, then run `envsmith lock {profile}`"


def runs_wheels_of(interpreter: Interpreter, platform: Platform) -> bool:
    """Return whether wheels for a platform run on the interpreter's machine, for some Python version."""
    return interpreter.supports(interpreter.python, platform)


def locked_pythons(slugs: Iterable[str], here: Platform, preferred: Python) -> tuple[Python, ...]:
    """Return the Python versions locked for a platform, the preferred one first, then the newest.

    Args:
        slugs: the locked targets.
        here: the platform of this machine; its floor is ignored.
        preferred: a Python version.
    """
    pairs = (parse_slug(slug) for slug in slugs)
    found = {python for python, on in pairs if (on.os, on.machine) == (here.os, here.machine)}
    return tuple(
        sorted(
            found,
            key=lambda python: (python != preferred, -python.major, -python.minor, python.is_free_threaded),
        )
    )
