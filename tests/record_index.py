"""Record the answers that the package index gives while a project is locked, and lock from them.

    python -m tests.record_index                   record all cases and write their lockfiles
    python -m tests.record_index fitting-room      record one case
    python -m tests.record_index --replay --into FOLDER --envsmith PATH
                                                   lock all cases from their recordings into a folder

A recording is trimmed to the answers that are needed. It is written only if the same command, with the recording
in place of the index, makes the same lockfiles.
"""

from __future__ import annotations

import argparse
import datetime as dt
import difflib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.parser import HeaderParser
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import urllib3
from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

from tests.index_recording import Recording, StandIn, is_metadata
from tests.index_server import FILES_HOST, INDEX_HOST, IndexProxy, IndexReplay, Reply

ROOT = Path(__file__).parents[1]
PROFILES = tuple(sorted(path.stem for path in (ROOT / "profiles").glob("*.toml")))
NEWER_RELEASES = 2
"""Releases after the cutoff that a page keeps; a lock that ignored the cutoff would take them."""


_HEADERS = (
    *("Metadata-Version", "Name", "Version", "Dynamic"),
    *("Requires-Dist", "Requires-Python", "Provides-Extra"),
)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A project, the command that locks it, and the place of its lockfiles."""

    name: str
    folder: Path
    """Has ``lockfiles``, and else what is copied into the project: the files of an example, the shipped profiles."""
    words: tuple[str, ...]
    """Arguments of ``envsmith``."""

    def copy(self, place: Path) -> Path:
        """Copy the project without its lockfiles."""
        if self.folder == ROOT:
            place.mkdir()
            shutil.copytree(ROOT / "profiles", place / "profiles")
            return place
        return Path(shutil.copytree(self.folder, place, ignore=shutil.ignore_patterns("lockfiles")))


def _example(name: str, requirements: str) -> Case:
    words = ("lock", name, "-r", requirements, "--catalog", "embedded", "--as-of", "2026-11-20")
    return Case(name=name, folder=ROOT / "examples" / name, words=words)


_SHIPPED = ("lock", *PROFILES, "--catalog", "embedded", "--as-of", "2026-11-20T09:00:00Z")
CASES = {
    case.name: case
    for case in (
        _example("speech-server", "requirements-ai.txt"),
        _example("fastapi-server", "requirements.txt"),
        _example("rtx5080-voice", "requirements.txt"),
        _example("fitting-room", "requirements.txt"),
        Case(name="shipped", folder=ROOT, words=_SHIPPED),
    )
}
_CUTOFF = "2026-11-20T23:59:59Z"


class IndexRecorder(IndexProxy):
    """A proxy that passes requests on to the index and keeps the answers."""

    def __init__(self) -> None:
        super().__init__()
        self._pages: dict[str, list[dict[str, Any]] | None] = {}
        self._files: dict[str, bytes] = {}
        self._sidecars: set[str] = set()
        self._listed: set[str] = set()
        """Wheels whose list of members envsmith read. Of all others uv read the metadata only."""
        self._pool = urllib3.PoolManager(maxsize=16)

    def answer(self, method: str, host: str, path: str, headers: Mapping[str, str]) -> Reply:
        """Ask the index; nothing is compressed, for ranges count bytes of the file itself."""
        passed = {name: headers[name] for name in ("accept", "range") if name in headers}
        got = self._pool.request(
            method, f"https://{host}{path}", headers={**passed, "accept-encoding": "identity"}
        )
        if host == INDEX_HOST:
            name = canonicalize_name(path.removeprefix("/simple/").strip("/"))
            self._pages[name] = None if got.status == 404 else json.loads(got.data)["files"]
        elif path.endswith(".metadata"):
            self._sidecars |= {path.removesuffix(".metadata")} if got.status == 200 else set()
        elif method == "GET" and "range" not in headers:
            self._files[path] = got.data
        elif headers.get("user-agent") == "envsmith":
            self._listed.add(path)
        kept = {name: got.headers[name] for name in ("Content-Type", "Content-Range") if name in got.headers}
        size = int(got.headers.get("Content-Length", len(got.data)))
        return Reply(status=got.status, body=got.data, headers=kept, size=size)

    def recording(self, recorded: str) -> Recording:
        """Return the answers that are needed to give them again."""
        asked = sorted({path.removesuffix(".metadata") for path, _ in self.requests if "/packages/" in path})
        releases = defaultdict(set)
        for path in asked:
            name, version = _release(path.rpartition("/")[2])
            releases[name].add(version)
        return Recording(
            recorded=recorded,
            projects={
                name: [_trimmed(row) for row in _needed(rows, releases[name])]
                for name, rows in self._pages.items()
                if rows is not None
            },
            absent=[name for name, rows in self._pages.items() if rows is None],
            wheels={path: self._stand_in(path) for path in asked if path not in self._files},
            files=self._files,
        )

    def _stand_in(self, path: str) -> StandIn:
        remote = _RemoteFile(self._pool, f"https://{FILES_HOST}{path}")
        with zipfile.ZipFile(io.BufferedReader(remote, 1 << 16)) as wheel:
            items = wheel.infolist()
            text = wheel.read(next(item for item in items if is_metadata(item.filename))).decode()
        return StandIn(
            size=remote.size,
            members=[
                (item.filename, item.file_size, item.CRC)
                for item in items
                if path in self._listed or is_metadata(item.filename)
            ],
            metadata=resolving_headers(text),
            has_sidecar=path in self._sidecars,
        )


def resolving_headers(metadata: str) -> str:
    """Return the headers of METADATA that a resolver reads. Others name hosts, and take space."""
    found = HeaderParser().parsestr(metadata).items()
    return "".join(f"{name}: {' '.join(value.split())}\n" for name, value in found if name in _HEADERS)


class _RemoteFile(io.RawIOBase):
    """A file on a server, read by HTTP ranges."""

    def __init__(self, pool: urllib3.PoolManager, url: str) -> None:
        super().__init__()
        self._pool, self._url, self._position = pool, url, 0
        self.size = int(self._get("bytes=0-0").headers["Content-Range"].rpartition("/")[2])

    def _get(self, span: str) -> urllib3.BaseHTTPResponse:
        got = self._pool.request("GET", self._url, headers={"Range": span, "Accept-Encoding": "identity"})
        if got.status != 206:
            raise OSError(f"{self._url} answered {got.status} to a ranged request")
        return got

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        self._position = start + offset
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        last = min(self.size, self._position + len(buffer)) - 1
        if last < self._position:
            return 0
        data = self._get(f"bytes={self._position}-{last}").data
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def _release(filename: str) -> tuple[str, Version]:
    """Return the project and version of a file.

    Raises:
        ValueError: when it is neither a wheel nor a source distribution.
    """
    if filename.endswith(".whl"):
        return parse_wheel_filename(filename)[:2]
    return parse_sdist_filename(filename)


def _needed(rows: list[dict[str, Any]], asked: set[Version]) -> Iterator[dict[str, Any]]:
    """Yield the rows of the releases that were asked for, and of the next ones after the cutoff.

    Where no file of a project was asked for, the newest release before the cutoff is kept.
    """
    versions: list[Version | None] = []
    uploads: dict[Version, str] = {}
    for row in rows:
        try:
            version = _release(row["filename"])[1]
        except ValueError:
            versions.append(None)
            continue
        versions.append(version)
        uploads[version] = min(row["upload-time"], uploads.get(version, row["upload-time"]))
    before = sorted(version for version, time in uploads.items() if time <= _CUTOFF)
    kept = asked or set(before[-1:])
    newest = max(kept, default=Version("0"))
    after = sorted(version for version, time in uploads.items() if time > _CUTOFF and version > newest)
    kept |= set(after[:NEWER_RELEASES])
    return (row for row, version in zip(rows, versions, strict=True) if version in kept)


def _trimmed(row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("filename", "hashes", "requires-python", "size", "upload-time", "yanked", "core-metadata")
    kept = {name: row[name] for name in names if row.get(name)}
    return {**kept, "url": row["url"].removeprefix(f"https://{FILES_HOST}")}


def lock(case: Case, index: IndexProxy, command: list[str]) -> dict[str, bytes]:
    """Lock a copy of the project behind a proxy.

    Returns:
        Path below ``lockfiles`` → content.
    """
    with tempfile.TemporaryDirectory() as scratch:
        root = case.copy(Path(scratch) / "project")
        own = {
            "ENVSMITH_CACHE_DIR": f"{scratch}/own",
            "ENVSMITH_PYTORCH_INDEX": "http://127.0.0.1:9/whl",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        environ = {**os.environ, **own, **index.environ(cache=Path(scratch, "uv"))}
        subprocess.run([*command, *case.words], cwd=root, env=environ, check=True)
        found = root / "lockfiles"
        paths = sorted(path for path in found.rglob("*") if path.is_file())
        return {path.relative_to(found).as_posix(): path.read_bytes() for path in paths}


def replay(case: Case, recording: Recording, command: list[str]) -> dict[str, bytes]:
    """Lock from a recording.

    Raises:
        SystemExit: when a request is not in the recording.
    """
    with IndexReplay(recording) as index:
        locked = lock(case, index, command)
    if index.missed:
        raise SystemExit("\n".join([f"{case.name}: not recorded:", *index.missed]))
    return locked


def record(case: Case, command: list[str]) -> dict[str, bytes]:
    """Record a case and return its lockfiles.

    Raises:
        SystemExit: when the recording gives other lockfiles than the index.
    """
    today = dt.datetime.now(dt.UTC).date().isoformat()
    with IndexRecorder() as index:
        locked = lock(case, index, command)
        recording = index.recording(
            f"with `python -m tests.record_index {case.name}` on {today}, by uv {installed_version('uv')}"
        )
    if difference := _difference(locked, replay(case, recording, command)):
        raise SystemExit(f"{case.name}: the recording gives another lock\n{difference}")
    size = recording.write(case.name).stat().st_size
    counts = (
        f"{len(recording.projects)} projects, {len(recording.wheels)} wheels, {len(recording.files)} files"
    )
    sys.stderr.write(f"{case.name}: {counts}, {size} bytes\n")
    return locked


def _difference(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> str:
    """Return the difference of two sets of lockfiles as ``diff`` prints it."""
    lines: list[str] = []
    for path in sorted({*before, *after}):
        first, second = (found.get(path, b"").decode().splitlines() for found in (before, after))
        lines += difflib.unified_diff(first, second, f"index/{path}", f"recording/{path}", n=0, lineterm="")
    return "\n".join(lines)


def main() -> None:
    """Run the command of the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m tests.record_index")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"cases [default: {' '.join(CASES)}]")
    parser.add_argument("--replay", action="store_true", help="lock from the recordings instead")
    parser.add_argument("--into", type=Path, help="folder for the lockfiles [default: those of the cases]")
    parser.add_argument("--envsmith", help="command that locks [default: this checkout's]")
    options = parser.parse_args()
    command = [options.envsmith] if options.envsmith else [sys.executable, "-m", "envsmith"]
    for case in (CASES[name] for name in options.names or CASES):
        locked = replay(case, Recording.read(case.name), command) if options.replay else record(case, command)
        folder = options.into / case.name if options.into else case.folder
        for path, content in locked.items():
            place = folder / "lockfiles" / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)


if __name__ == "__main__":
    main()
