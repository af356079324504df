"""Wheelhouses, artifacts and lock folders for tests, with random bytes."""

from __future__ import annotations

import hashlib
import random
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import tomlkit
from packaging.pylock import Package, PackageWheel, Pylock
from packaging.utils import canonicalize_name
from packaging.version import Version

from envsmith.download.artifact import Artifact
from envsmith.download.part_file import FOLDER
from envsmith.download.record import FetchedFile
from envsmith.download.transfer import TransferPolicy
from envsmith.download.wheelhouse import WheelhouseDownloader
from envsmith.errors import EnvsmithError
from envsmith.index.hashing import FileCache
from envsmith.lockfile.manifest import FILENAME, FamilyPin, Manifest, TargetRecord

FAST = TransferPolicy(connect_s=5, read_s=5, pause_s=0.0)
NAME = "torch-2.14.0+cu130-cp312-cp312-win_amd64.whl"


def made_bytes(size: int, seed: int = 0) -> bytes:
    """Return random bytes."""
    return random.Random(seed).randbytes(size)  # noqa: S311 - not for cryptography


def artifact(url: str, body: bytes, *, size: bool = True, filename: str = NAME) -> Artifact:
    return Artifact(
        filename=filename,
        sha256=hashlib.sha256(body).hexdigest(),
        url=url,
        project=filename.split("-", maxsplit=1)[0],
        size_bytes=len(body) if size else None,
        locks=("a/cp312-win_amd64",),
    )


def lock_files(profile: str, locks: Mapping[str, Sequence[Artifact]]) -> dict[str, bytes]:
    """Return the files of a lock folder: slug → the files of its pylock."""
    files: dict[str, bytes] = {}
    entries: dict[str, TargetRecord] = {}
    for slug, items in locks.items():
        text = Pylock(
            lock_version=Version("1.0"),
            created_by="tests",
            packages=[
                Package(
                    name=canonicalize_name(item.filename.split("-")[0]),
                    version=_version(item),
                    wheels=[
                        PackageWheel(
                            name=item.filename,
                            url=item.url,
                            size=item.size_bytes,
                            hashes={"sha256": item.sha256},
                        )
                    ],
                )
                for item in items
            ],
        ).to_dict()
        content = tomlkit.dumps(text).encode()
        files[f"pylock.{slug}.toml"] = content
        lines = (f"{item.project}=={_version(item)} --hash=sha256:{item.sha256}\n" for item in items)
        files[f"requirements.{slug}.txt"] = "".join(lines).encode()
        digest = hashlib.sha256(content).hexdigest()
        entries[slug] = TargetRecord(
            plan=f"plan-{digest[:8]}",
            inputs={},
            catalog="made up",
            family={
                item.project: FamilyPin(
                    version=str(_version(item)), filename=item.filename, sha256=item.sha256
                )
                for item in items
                if item.project == "torch"
            },
            packages=len(items),
            files={f"pylock.{slug}.toml": digest},
        )
    manifest = Manifest(profile=profile, cutoff_utc="2026-11-20T09:00:00Z", targets=entries)
    return {**files, FILENAME: manifest.to_toml().encode()}


def _version(item: Artifact) -> Version:
    return Version(item.filename.split("-")[1].removesuffix(".tar.gz"))


class AsLocked:
    """Locations with the URL of the artifact."""

    def urls(self, item: Artifact) -> Iterator[str]:
        yield item.url


@dataclass
class FakeListener:
    """Records its calls."""

    plans: list[tuple[int, int, bool]] = field(default_factory=list)
    moved_bytes: Counter[str] = field(default_factory=Counter)
    waited: list[str] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    first_bytes: threading.Event = field(default_factory=threading.Event)

    def planned(self, files: int, size_bytes: int, *, is_exact: bool) -> None:
        self.plans.append((files, size_bytes, is_exact))

    def moved(self, filename: str, count: int) -> None:
        self.moved_bytes[filename] += count
        if count > 0:
            self.first_bytes.set()

    def waiting(self, filename: str) -> None:
        self.waited.append(filename)

    def ended(self, file: FetchedFile) -> None:
        self.sources[file.filename] = file.source

    def failed(self, filename: str, error: EnvsmithError) -> None:
        self.failures[filename] = error.code


def downloader(
    folder: Path, listener: FakeListener | None = None, policy: TransferPolicy = FAST, jobs: int = 4
) -> WheelhouseDownloader:
    return WheelhouseDownloader(
        listener=listener or FakeListener(), cache=FileCache(folder / "kept"), policy=policy, jobs=jobs
    )


def leftovers(wheelhouse: Path) -> list[str]:
    """Return the names of the incomplete files."""
    return sorted(path.name for path in (wheelhouse / FOLDER).iterdir())
