"""Shim: code put into an environment that adds to a package what it lacks, and the package that shims come as."""

from __future__ import annotations

import base64
import hashlib
import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from envsmith.errors import ProfileError
from envsmith.model.naming import suggestion

LEGACY_API, SAFE_GLOBALS = "torchaudio-legacy-api", "torch-safe-globals"
SHIMS = (LEGACY_API, SAFE_GLOBALS)
PROJECT = "envsmith-shims"
"""Name of the distribution; no index has it."""
_MODULE = "envsmith_shims"
_START = f"import {_MODULE}; {_MODULE}.start()\n"
DOTTED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)+")
LONGEST_GLOBAL = 300
# A checkpoint that may call what these contain can run any code; torch itself refuses the first four.
NEVER = (
    *("sys", "os", "posix", "nt", "builtins", "subprocess", "importlib", "runpy", "pty", "shutil", "socket"),
    *(
        "ctypes",
        "code",
        "codeop",
        "pickle",
        "_pickle",
        "marshal",
        "operator",
        "torch.serialization",
        "torch.hub",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShimPackage:
    """The shims of one environment, as one distribution."""

    version: str
    """``1+0a1b2c3d``: the label is made of what is in it."""
    files: Mapping[str, bytes]
    """Path below ``site-packages`` → content."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "files", MappingProxyType(dict(sorted(self.files.items()))))

    @property
    def folder(self) -> str:
        """Name of its ``.dist-info`` folder."""
        return f"{_MODULE}-{self.version}.dist-info"


def is_shims(folder: str) -> bool:
    """Say whether a ``.dist-info`` folder is that of shims."""
    return folder.startswith(f"{_MODULE}-")


def check_shim(name: str) -> str:
    """Return a shim's name if there is such a shim.

    Raises:
        ProfileError: PRF005 when there is none.
    """
    if name not in SHIMS:
        raise ProfileError("PRF005", f"there is no shim {name[:100]!r}", hint=suggestion(name, SHIMS))
    return name


def check_global(text: str) -> str:
    """Return the dotted name of a class or function if it is one that a profile may allow.

    Raises:
        ProfileError: PRF005 when it is no dotted name, or of a module whose functions can run anything.
    """
    parts = text.split(".")
    if not DOTTED.fullmatch(text) or len(text) > LONGEST_GLOBAL or any(map(keyword.iskeyword, parts)):
        raise ProfileError(
            "PRF005",
            f"{text[:100]!r} is no dotted name of a class or function",
            hint="write it as torch's message does: torch.torch_version.TorchVersion",
        )
    if any(f"{text}.".startswith(f"{module}.") for module in NEVER):
        raise ProfileError(
            "PRF005",
            f"{text} is not allowed: what may call it may run anything, and weights_only would guard nothing",
            hint="save the checkpoint anew without it, as a state_dict",
        )
    return text


def package(
    names: tuple[str, ...], safe_globals: tuple[str, ...], sources: Mapping[str, bytes]
) -> ShimPackage:
    """Make the distribution that holds some shims.

    Args:
        names: the shims that are active.
        safe_globals: dotted names that `torch-safe-globals` allows.
        sources: file name → content of the code.
    """
    words = [f"shim {name}" for name in sorted(names)]
    words += [f"global {name}" for name in sorted(safe_globals) if SAFE_GLOBALS in names]
    files = {f"{_MODULE}/{name}": data for name, data in sources.items()}
    files |= {f"{_MODULE}/active.txt": "\n".join([*words, ""]).encode(), f"{_MODULE}.pth": _START.encode()}
    made = ShimPackage(version=f"1+{_digest(files)}", files=files)
    files |= {f"{made.folder}/{name}": text.encode() for name, text in _told(made.version).items()}
    rows = [f"{path},sha256={_hash(data)},{len(data)}\n" for path, data in sorted(files.items())]
    files[f"{made.folder}/RECORD"] = "".join([*rows, f"{made.folder}/RECORD,,\n"]).encode()
    return ShimPackage(version=made.version, files=files)


def _told(version: str) -> dict[str, str]:
    summary = "Adds to packages what they lack; put here by a profile's `shims`, see `envsmith shims`"
    return {
        "METADATA": f"Metadata-Version: 2.1\nName: {PROJECT}\nVersion: {version}\nSummary: {summary}\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: envsmith\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "INSTALLER": "envsmith\n",
    }


def _digest(files: Mapping[str, bytes]) -> str:
    whole = hashlib.sha256()
    for path, data in sorted(files.items()):
        whole.update(f"{path}\0{len(data)}\0".encode() + data)
    return whole.hexdigest()[:8]


def _hash(data: bytes) -> str:
    """Return a hash as RECORD has it.

    Source: the specification of recording installed projects, PyPA (read 2026-11-21).
    """
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
