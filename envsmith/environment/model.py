"""Generation: one built environment, and what is kept of it beside its files.

Environment: what was found where an environment is installed.

Interpreter: a Python that an environment is made with, and where it runs.


Which of a profile's locks an interpreter can be installed from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from packaging.utils import canonicalize_name

from envsmith.errors import NoMatchingTargetError
from envsmith.model.target import Platform, Python, parse_slug

FORM = 1
RECORD = "envsmith.json"
"""Lies in the generation's root from the moment it is proved; a folder without it is half-built."""
CONSTRAINTS = "envsmith-constraints.txt"
"""Lies beside it: the pins of the torch family, for PIP_CONSTRAINT and UV_CONSTRAINT."""
_ID = re.compile(r"[a-z0-9][a-z0-9._-]*-[0-9a-f]{6}(?:-\d+)?")
_SYSTEMS = {"linux": "linux", "darwin": "macos", "win32": "windows"}
_MACHINES = {"linux": {"arm64": "aarch64", "amd64": "x86_64"}, "macos": {}, "windows": {"x86_64": "amd64"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One proved environment."""

    id: str
    """Name of its folder: ``cu128-7c1e2a``."""
    profile: str
    target: str
    """Slug of the target."""
    lock_sha256: str
    """Of the requirements file it was built from."""
    torch: str
    """Pinned version of torch; empty where there is none."""
    python: str
    """``3.11.7``."""
    base: str
    """Where the interpreter's standard library lies."""
    folders: tuple[str, ...]
    """Names of the ``.dist-info`` folders it was proved with, sorted."""
    site: str
    """Its ``site-packages``, relative to its root."""
    files: int
    built_utc: str
    family: Mapping[str, str]
    """Torch-family project → version."""
    guard: bool = True
    """Whether it carries the constraints of its torch family."""
    tried: tuple[str, ...] = ()
    """The checks of its profile that it has passed, as `Check.word` writes them."""
    compiled: bool = False
    """Whether its modules were compiled beforehand."""
    place: str = ""
    """Where it was built: its programs start the Python of that place. Empty where that is not on record."""

    def to_json(self) -> str:
        """Write the record."""
        return json.dumps({"form": FORM, **asdict(self)}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Generation:
        """Read a record.

        Raises:
            ValueError: when it is none, or of a later form.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            if values.pop("form") != FORM:
                raise ValueError("of another form")
            values["folders"] = tuple(values["folders"])
            values["tried"] = tuple(values.get("tried", ()))
            return cls(**values)
        except (TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ValueError("no record of a generation") from error


def is_id(text: str) -> bool:
    """Tell whether a text can name a generation."""
    return _ID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A Python as it describes itself."""

    executable: str
    base: str
    """Where its standard library lies."""
    version: str
    """``3.11.7``."""
    implementation: str
    """``cpython``."""
    is_free_threaded: bool
    bits: int
    os: str
    """``linux``, ``macos`` or ``windows``; as the system calls itself where it is none of these."""
    machine: str
    """As wheel tags spell it."""
    libc: str
    """``glibc``; empty where there is another one, or none."""
    release: tuple[int, int]
    """Version of glibc or of macOS; ``(0, 0)`` where neither is there."""

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Interpreter:
        """Read what `runtime/probe.py` says of an interpreter.

        Raises:
            KeyError: when something is missing.
            TypeError: when it is of another kind.
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
        return Python(major=major, minor=minor)

    def __str__(self) -> str:
        system = {"linux": "Linux", "macos": "macOS", "windows": "Windows"}.get(self.os, self.os)
        library = f" {self.libc}" if self.libc else ""
        release = ".".join(map(str, self.release)) if any(self.release) else ""
        threads = " free-threaded" if self.is_free_threaded else ""
        return f"Python {self.version}{threads} · {system} {self.machine}{library} {release}".rstrip()

    def runs(self, python: Python, platform: Platform) -> bool:
        """Say whether wheels for a Python and platform run here."""
        if (self.implementation, self.is_free_threaded, self.bits) != ("cpython", False, 64):
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
class Distribution:
    """One installed distribution, and how its files compare with its RECORD."""

    name: str
    """Normalised."""
    version: str
    folder: str
    """Name of its ``.dist-info`` folder."""
    has_record: bool
    files: int
    size_bytes: int
    missing: tuple[str, ...] = ()
    """Some of the files that RECORD names and that are not there, relative to ``site-packages``."""
    missing_count: int = 0
    changed: tuple[str, ...] = ()
    """Some of those that have another size, or another hash where hashes were looked at."""
    changed_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchBuild:
    """What ``torch/version.py`` says."""

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
    """None where there is no torch."""

    @property
    def files(self) -> int:
        """How many files its RECORDs name."""
        return sum(item.files for item in self.distributions)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Environment:
        """Read what `runtime/probe.py` says of an environment.

        Raises:
            KeyError: when something is missing.
            TypeError: when it is of another kind.
        """
        torch = values["torch"]
        return cls(
            prefix=values["prefix"],
            site=values["site"],
            interpreter=Interpreter.from_json(values["interpreter"]),
            distributions=tuple(
                sorted(
                    (_distribution(item) for item in values["distributions"]),
                    key=lambda item: (item.name, item.folder),
                )
            ),
            torch=torch and TorchBuild(**{key: str(value or "") for key, value in torch.items()}),
        )


def _distribution(item: Mapping[str, Any]) -> Distribution:
    return Distribution(
        name=canonicalize_name(item["name"]),
        version=item["version"],
        folder=item["folder"],
        has_record=item["has_record"],
        files=item["files"],
        size_bytes=item["bytes"],
        missing=tuple(item["missing"]),
        missing_count=item["missing_count"],
        changed=tuple(item["changed"]),
        changed_count=item["changed_count"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """How an import in the environment's own interpreter went."""

    name: str
    seconds: float = 0.0
    version: str = ""
    error: str = ""
    """Empty where it worked."""
    place: str = ""
    """File and line that raised."""


def choose_target(slugs: Iterable[str], interpreter: Interpreter, *, profile: str) -> str:
    """Return the target of a profile whose wheels run on an interpreter; of several, the one of the latest floor.

    Raises:
        LockError: LCK004 when there is none.
    """
    slugs = sorted(slugs)
    found = [slug for slug in slugs if interpreter.runs(*parse_slug(slug))]
    if found:
        return max(found, key=lambda slug: parse_slug(slug)[1].floor)
    raise NoMatchingTargetError(
        "LCK004",
        f"no lock of {profile} is for {interpreter}",
        where=interpreter.executable,
        details=tuple(("locked for", slug) for slug in slugs),
        hint=_way_out(slugs, interpreter, profile),
    )


def _way_out(slugs: Iterable[str], interpreter: Interpreter, profile: str) -> str:
    pairs = [parse_slug(slug) for slug in slugs]
    pythons = [str(python) for python, platform in pairs if runs_wheels_of(interpreter, platform)]
    if pythons:
        return f"name an interpreter it is locked for with --python {pythons[-1]}"
    return f"add this machine's platform to the profile and run `envsmith lock {profile}`"


def runs_wheels_of(interpreter: Interpreter, platform: Platform) -> bool:
    """Say whether a platform's wheels run where an interpreter does, in some Python."""
    return interpreter.runs(interpreter.python, platform)


def locked_pythons(slugs: Iterable[str], here: Platform, preferred: Python) -> tuple[Python, ...]:
    """Return the Pythons that a profile is locked for on a platform, the preferred one first, then the newest.

    Args:
        slugs: of the locks.
        here: this machine's platform; its floor is not compared.
        preferred: the Python that is taken where it is among them.
    """
    pairs = (parse_slug(slug) for slug in slugs)
    found = {python for python, on in pairs if (on.os, on.machine) == (here.os, here.machine)}
    return tuple(sorted(found, key=lambda python: (python != preferred, -python.major, -python.minor)))
