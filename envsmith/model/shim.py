"""Shims: compatibility code for packages, and the distribution with it."""

from __future__ import annotations

import base64
import hashlib
import keyword
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from envsmith.errors import ProfileError
from envsmith.model.naming import suggestion

LEGACY_API, SAFE_GLOBALS = "torchaudio-legacy-api", "torch-safe-globals"
SHIMS = {LEGACY_API: "torchaudio", SAFE_GLOBALS: "torch.serialization"}
"""Shim → the module after whose import it runs; its code is in ``runtime/shims``."""
PROJECT = "envsmith-shims"
"""Name of the distribution; it is on no index."""
_MODULE = "envsmith_shims"
_START = f"import {_MODULE}; {_MODULE}.start()\n"
DOTTED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)+")
LONGEST_GLOBAL = 300
# A checkpoint that may call functions of these modules can run any code; torch itself refuses the first four.
FORBIDDEN_MODULES = (
    *("sys", "os", "posix", "nt", "builtins", "subprocess", "importlib", "runpy", "pty", "shutil", "socket"),
    *("ctypes", "code", "codeop", "pickle", "_pickle", "marshal", "operator"),
    *("torch.serialization", "torch.hub"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShimPackage:
    """The shims of one environment, as one distribution."""

    version: str
    """``1+0a1b2c3d``: the label is a digest of the files."""
    files: Mapping[str, bytes]
    """Path below ``site-packages`` → content."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "files", MappingProxyType(dict(sorted(self.files.items()))))

    @property
    def folder(self) -> str:
        """Name of its ``.dist-info`` folder."""
        return f"{_MODULE}-{self.version}.dist-info"


def is_shims(folder: str) -> bool:
    """Return whether a ``.dist-info`` folder belongs to the shims."""
    return folder.startswith(f"{_MODULE}-")


def check_shim(name: str) -> str:
    """Return a shim's name unchanged if the shim exists.

    Raises:
        ProfileError: PRF005 for an unknown name.
    """
    if name not in SHIMS:
        raise ProfileError("PRF005", f"unknown shim `{name[:100]}`", hint=suggestion(name, SHIMS))
    return name


def check_global(text: str) -> str:
    """Return the dotted name of a class or function unchanged if a profile may allow it.

    Raises:
        ProfileError: PRF005 if it is not a dotted name, or in a module whose functions can run any code.
    """
    parts = text.split(".")
    if not DOTTED.fullmatch(text) or len(text) > LONGEST_GLOBAL or any(map(keyword.iskeyword, parts)):
        raise ProfileError(
            "PRF005",
            f"`{text[:100]}` is not a dotted name of a class or function",
            hint="copy the name from torch's message: torch.torch_version.TorchVersion",
        )
    if any(f"{text}.".startswith(f"{module}.") for module in FORBIDDEN_MODULES):
        raise ProfileError(
            "PRF005",
            f"`{text}` must not be a safe global: a checkpoint could use it to run any code",
            hint="save the checkpoint without it, as a state_dict",
        )
    return text


def package(
    names: Collection[str], safe_globals: tuple[str, ...], sources: Mapping[str, bytes]
) -> ShimPackage:
    """Build the distribution of the active shims.

    Args:
        names: the active shims.
        safe_globals: dotted names that `torch-safe-globals` allows.
        sources: filename → content of the code.
    """
    watched = {name: [SHIMS[name]] for name in names}
    if SAFE_GLOBALS in names:
        watched[SAFE_GLOBALS] += sorted(_modules_of(safe_globals))
    settings = [" ".join(("shim", name, *modules)) for name, modules in sorted(watched.items())]
    settings += [f"global {name}" for name in sorted(safe_globals) if SAFE_GLOBALS in names]
    files = {f"{_MODULE}/{name}": data for name, data in sources.items()}
    files |= {f"{_MODULE}/active.txt": "\n".join([*settings, ""]).encode(), f"{_MODULE}.pth": _START.encode()}
    built = ShimPackage(version=f"1+{_digest(files)}", files=files)
    files |= {f"{built.folder}/{name}": text.encode() for name, text in _metadata(built.version).items()}
    record = [f"{path},sha256={_record_hash(data)},{len(data)}\n" for path, data in sorted(files.items())]
    files[f"{built.folder}/RECORD"] = "".join([*record, f"{built.folder}/RECORD,,\n"]).encode()
    return ShimPackage(version=built.version, files=files)


def _modules_of(names: tuple[str, ...]) -> set[str]:
    """Return the possible modules of dotted names; a class may be nested in another."""
    parts = [name.split(".") for name in names]
    return {".".join(found[:length]) for found in parts for length in range(1, len(found))}


def _metadata(version: str) -> dict[str, str]:
    summary = "Compatibility shims selected by a profile's `shims`; see `envsmith shims`"
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


def _record_hash(data: bytes) -> str:
    """Return the sha256 in RECORD's encoding.

    Source: PyPA, "Recording installed projects" (read 2026-11-21).
    """
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
