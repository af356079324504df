"""Installed distributions, compared with their RECORDs and with the lists of files in their wheels.

Files are listed and hashed by envsmith's own interpreter, so that no code of the environment takes part.

Source: PyPA specification of recording installed projects (read 2026-11-21): a RECORD line is path, hash and size, the
path relative to the folder of the ``.dist-info``; hash and size may be empty.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from zlib import crc32

from packaging.utils import canonicalize_name

from envsmith.environment.installed_files import read_origin
from envsmith.environment.model import Distribution, EnvironmentLayout, TorchBuild
from envsmith.environment.prefix import is_compiled, record_lines
from envsmith.files.own_folder import extended
from envsmith.files.text import open_regular, read_regular
from envsmith.model.wheel import WheelContents, is_loadable, is_top_module

MAX_PATHS = 20
_CHUNK_BYTES = 1 << 20
_TORCH_VERSION_NAMES = {"version": "__version__", "cuda": "cuda", "hip": "hip", "xpu": "xpu"}
# Files that only the creator of an environment writes; a wheel's data files and scripts may have their paths.
_OWN_FILES = re.compile(r"pyvenv\.cfg|envsmith\.json|envsmith-(constraints\.txt|made|failed)", re.IGNORECASE)
_OWN_PROGRAMS = re.compile(
    r"(python|pythonw|pypy)[\d.]*(\.exe)?|(de)?activate(_this)?(\.[a-z0-9]+)?", re.IGNORECASE
)

Wheels = Mapping[str, WheelContents]
"""Normalised name → contents of the locked wheel."""
_Row = tuple[str, str, int | None]
# Installed path → size and checksum.
_Listed = Mapping[str, tuple[int, int | None]]
_Look = Callable[["list[_InstalledFile]"], Iterable[str]]


def list_distributions(
    layout: EnvironmentLayout, *, with_hashes: bool, wheels: Wheels
) -> tuple[Distribution, ...]:
    """List the distributions of an environment, each with its missing and changed files, sorted by name.

    Args:
        layout: the folders of the environment.
        with_hashes: compare hashes and checksums as well; without, sizes only.
        wheels: lists of files to compare with.
    """
    found = [path for folder in layout.site_folders for path in sorted(Path(folder).glob("*.dist-info"))]
    records = {path: list(_record_rows(path / "RECORD")) for path in found}
    shared = _Shared(harmless=_shared_unloadable(records), modules=_shared_modules(records))
    state = partial(_InstalledFile.state, with_hashes=with_hashes)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        look: _Look = partial(pool.map, state) if with_hashes else partial(map, state)
        distributions = [
            _distribution(path, rows, shared, layout, wheels, look) for path, rows in records.items()
        ]
    return tuple(sorted(distributions, key=lambda item: (item.name, item.folder)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared:
    """Files that several distributions own."""

    harmless: set[str]
    """Those that no program loads; any content is right."""
    modules: Mapping[str, Sequence[tuple[str, int | None]]]
    """Module of one file → hash and size as each owner recorded them."""


def _shared_unloadable(records: dict[Path, list[_Row]]) -> set[str]:
    """Return the files with several owners that no program loads; any owner's content is right."""
    owners = Counter(path for rows in records.values() for path, _, _ in rows)
    return {
        path
        for folder, rows in records.items()
        for path, _, _ in rows
        if owners[path] > 1 and not is_loadable(os.path.relpath(path, folder.parent))
    }


def _shared_modules(records: dict[Path, list[_Row]]) -> dict[str, list[tuple[str, int | None]]]:
    """Return hash and size by every owner of a module that several distributions install: any owner's is right.

    The lock, or else `installed_files`, checks whether they do harm.
    """
    found: dict[str, list[tuple[str, int | None]]] = {}
    for folder, rows in records.items():
        for path, hash_, size in rows:
            if is_top_module(path.removeprefix(f"{folder.parent}{os.sep}")):
                found.setdefault(path, []).append((hash_, size))
    return {path: rows for path, rows in found.items() if len(rows) > 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class _InstalledFile:
    """A file of a distribution, as recorded and as in its wheel; None where unknown."""

    path: str
    is_harmless: bool
    """Whether several distributions own it, and no program loads it."""
    is_added: bool
    """Whether it is neither in the wheel nor written by an installer."""
    recorded_hash: str = ""
    recorded_size: int | None = None
    listed_size: int | None = None
    listed_checksum: int | None = None
    others: Sequence[tuple[str, int | None]] = ()
    """Recorded hash and size by each of several owners."""

    @property
    def size_bytes(self) -> int | None:
        """Its size; None unless it is a regular file."""
        try:
            found = os.stat(extended(self.path))  # noqa: PTH116 - faster, for many files
        except (OSError, ValueError):
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def state(self, *, with_hashes: bool) -> str:
        """Return ``missing``, ``changed`` (not as recorded), ``differing`` (not as in the wheel), or nothing."""
        found = self._state(with_hashes)
        if found in ("", "missing") or not self.others:
            return found
        as_other = (
            replace(self, recorded_hash=hash_, recorded_size=size, listed_size=None, listed_checksum=None)
            for hash_, size in self.others
        )
        return found if all(item._state(with_hashes) for item in as_other) else ""  # noqa: SLF001 - of this class

    def _state(self, with_hashes: bool) -> str:
        size = self.size_bytes
        if size is None:
            return "" if is_compiled(self.path) else "missing"
        if self.is_harmless:
            return ""
        if self.recorded_size not in (None, size):
            return "changed"
        if self.is_added or self.listed_size not in (None, size):
            return "differing"
        return self._content_state() if with_hashes else ""

    def _content_state(self) -> str:
        kind, _, value = self.recorded_hash.partition("=")
        checksum = 0
        try:
            digest = hashlib.new(kind) if kind else None
            with open_regular(self.path) as stream:
                while chunk := stream.read(_CHUNK_BYTES):
                    if digest:
                        digest.update(chunk)
                    if self.listed_checksum is not None:
                        checksum = crc32(chunk, checksum)
        except (OSError, ValueError):
            return "changed"
        if digest and base64.urlsafe_b64encode(digest.digest()).decode().rstrip("=") != value.rstrip("="):
            return "changed"
        return "" if self.listed_checksum in (None, checksum) else "differing"


def _distribution(
    folder: Path,
    rows: list[_Row],
    shared: _Shared,
    layout: EnvironmentLayout,
    wheels: Wheels,
    look: _Look,
) -> Distribution:
    """Describe a distribution.

    Args:
        folder: its ``.dist-info``.
        rows: of its RECORD.
        shared: files of several distributions.
        layout: the folders of the environment.
        wheels: lists of files in wheels.
        look: returns the state of each file.
    """
    name, version = _name_and_version(folder)
    name = canonicalize_name(name)
    contents = wheels.get(name)
    if contents and f"{folder.name}/METADATA" not in contents.members:  # of another version
        contents = None
    files = _files(
        folder, rows, shared.harmless, _listed_files(contents, folder, layout) if contents else None
    )
    found: dict[str, list[str]] = {"missing": [], "changed": [], "differing": []}
    files = [replace(file, others=shared.modules.get(file.path, ())) for file in files]
    for file, state in zip(files, look(files), strict=True):
        found.get(state, []).append(file.path)
    own = f"{folder.name}/METADATA"
    return Distribution(
        name=name,
        version=version,
        folder=folder.name,
        has_record=any(path.replace(os.sep, "/").endswith(own) for path, _, _ in rows),
        files=len(rows),
        size_bytes=sum(file.size_bytes or 0 for file in files),
        is_listed=contents is not None,
        origin=read_origin(folder),
        replaced=tuple(sorted(filter(None, (_own_file(path, layout) for path, _, _ in rows)))),
        missing=_relative_paths(folder, found["missing"]),
        missing_count=len(found["missing"]),
        changed=_relative_paths(folder, found["changed"]),
        changed_count=len(found["changed"]),
        differing=_relative_paths(folder, found["differing"]),
        differing_count=len(found["differing"]),
    )


def _files(
    folder: Path, rows: list[_Row], harmless: set[str], listed: _Listed | None
) -> list[_InstalledFile]:
    """Return all files in a RECORD, and in the wheel's list."""
    recorded = {path: (hash_, size) for path, hash_, size in rows}
    found = []
    for path in {**recorded, **(listed or {})}:
        hash_, size = recorded.get(path, ("", None))
        listed_size, checksum = (listed or {}).get(path, (None, None))
        found.append(
            _InstalledFile(
                path=path,
                is_harmless=path in harmless,
                is_added=listed is not None and _is_addition(path, folder, listed),
                recorded_hash=hash_,
                recorded_size=size,
                listed_size=listed_size,
                listed_checksum=checksum,
            )
        )
    return found


def _listed_files(contents: WheelContents, folder: Path, layout: EnvironmentLayout) -> _Listed:
    """Return installed path → size and checksum of a wheel's files; not of those that installers rewrite."""
    found = {}
    for path, size in contents.members.items():
        first, _, rest = path.partition("/")
        if first in ("<scripts>", "<headers>") or path == f"{folder.name}/RECORD":
            continue
        place = os.path.join(layout.prefix, rest) if first == "<data>" else os.path.join(folder.parent, path)  # noqa: PTH118 - texts
        found[os.path.normpath(place)] = (size, contents.checksums.get(path))
    return found


def _is_addition(path: str, folder: Path, listed: Mapping[str, object]) -> bool:
    """Return whether a recorded file in ``site-packages`` is neither in its wheel nor written by an installer."""
    root = f"{folder.parent}{os.sep}"
    is_inside = path.startswith(root) and not path.startswith(f"{folder}{os.sep}")
    return is_inside and path not in listed and not is_compiled(path)


def _own_file(path: str, layout: EnvironmentLayout) -> str:
    """Return the relative path of a file that belongs to the environment itself; empty for any other file."""
    folder, name = os.path.split(path)
    is_own = (folder == os.path.normpath(layout.prefix) and _OWN_FILES.fullmatch(name)) or (
        folder == os.path.normpath(layout.scripts) and _OWN_PROGRAMS.fullmatch(name)
    )
    return os.path.relpath(path, layout.prefix) if is_own else ""


def _relative_paths(folder: Path, paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(os.path.relpath(path, folder.parent) for path in sorted(paths)[:MAX_PATHS])


def _name_and_version(folder: Path) -> tuple[str, str]:
    """Read name and version from METADATA, else from the folder's name."""
    name, _, version = folder.name[: -len(".dist-info")].partition("-")
    with suppress(OSError):  # no METADATA: the folder's name has both
        for line in read_regular(folder / "METADATA").decode("utf-8", "replace").splitlines():
            key, _, value = line.partition(":")
            if not line.strip():
                break
            if key.lower() == "name":
                name = value.strip()
            elif key.lower() == "version":
                version = value.strip()
    return name, version


def _record_rows(record: Path) -> Iterator[_Row]:
    root = record.parent.parent
    for row in record_lines(record):
        path, hash_, size = (*row, "", "")[:3]
        full = os.path.normpath(os.path.join(root, path))  # noqa: PTH118 - texts
        yield full, hash_, int(size) if re.fullmatch("[0-9]{1,18}", size) else None


def torch_build(layout: EnvironmentLayout) -> TorchBuild | None:
    """Read torch's version.py without importing torch; None without torch."""
    for folder in layout.site_folders:
        try:
            tree = ast.parse(read_regular(Path(folder, "torch", "version.py")))
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        values = {}
        for node in tree.body:
            target: ast.expr | None = node.target if isinstance(node, ast.AnnAssign) else None
            if isinstance(node, ast.Assign) and len(node.targets) == 1:
                target = node.targets[0]
            value = getattr(node, "value", None)
            if isinstance(target, ast.Name) and isinstance(value, ast.Constant):
                values[target.id] = value.value
        return TorchBuild(**{key: str(values.get(name) or "") for key, name in _TORCH_VERSION_NAMES.items()})
    return None
