"""Small wheels, locks of them, and projects to install these into."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from packaging.pylock import Package, PackageWheel, Pylock
from packaging.utils import canonicalize_name
from packaging.version import Version

from envsmith.host.current import this_platform, this_python
from envsmith.lockfile.manifest import FILENAME, FamilyPin, Manifest, TargetRecord
from envsmith.lockfile.pylock import Lock
from envsmith.lockfile.store import lock_files, sha256_of
from envsmith.model.backend import Backend
from envsmith.model.target import Platform, Python, Target
from tests.commands import Project, Ran
from tests.replay import ReplayIndex
from tests.replay_files import make_metadata

PROFILE = "small"
NO_ADDRESS = "http://127.0.0.1:9/files"


@dataclass(frozen=True, kw_only=True)
class Made:
    """A wheel and its name."""

    name: str
    version: str
    filename: str
    body: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


def made(
    name: str,
    version: str = "1.0",
    files: Mapping[str, bytes] | None = None,
    requires: Sequence[str] = (),
    mode: int = 0o600,
) -> Made:
    """Make a wheel for any Python; without files its module knows its version. Equal arguments give equal bytes."""
    module = name.replace("-", "_")
    stem = f"{module}-{version}"
    held = dict(files or {f"{module}/__init__.py": f'__version__ = "{version}"\n'.encode()})
    held[f"{stem}.dist-info/METADATA"] = make_metadata(name, version, requires).encode()
    held[f"{stem}.dist-info/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: made\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    rows = [f"{path},sha256={_hash(data)},{len(data)}" for path, data in held.items()]
    held[f"{stem}.dist-info/RECORD"] = "\n".join([*rows, f"{stem}.dist-info/RECORD,,", ""]).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path, data in held.items():
            member = zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0))
            member.external_attr = (mode << 16) + (not mode & 0o200)  # of POSIX, and of DOS
            archive.writestr(member, data)
    return Made(name=name, version=version, filename=f"{stem}-py3-none-any.whl", body=buffer.getvalue())


def made_torch(
    version: str, cuda: str | None = None, *, more: bytes = b"", requires: Sequence[str] = ()
) -> Made:
    """Make a torch that can be imported, and says of itself what the real one does."""
    text = f"__version__ = {version!r}\ncuda: str | None = {cuda!r}\nhip: str | None = None\nxpu: str | None = None\n"
    files = {
        "torch/__init__.py": b"from torch.version import __version__\n",
        "torch/version.py": text.encode(),
        "torch/lib/libtorch.so": more or bytes(range(256)) * 64,
    }
    return made("torch", version, files, requires)


@dataclass(kw_only=True)
class Shop:
    """A project, the wheels it can be given, and the locks of them."""

    project: Project
    wheelhouse: Path
    wheels: dict[str, Made] = field(default_factory=dict)
    index: ReplayIndex = field(default_factory=ReplayIndex)
    """The index that a profile was locked from, where that was done."""
    target_python: Python = field(default_factory=this_python)
    target_platform: Platform = field(default_factory=this_platform)
    """Where the locks are for."""

    @classmethod
    def opened(cls, root: Path, **env: str) -> Shop:
        """Open a shop in a folder of its own; uv's cache is the shop's, too."""
        project = Project(root=root / "project", env={"UV_CACHE_DIR": str(root / "uv-cache"), **env})
        project.root.mkdir(parents=True, exist_ok=True)
        (root / "wheelhouse").mkdir(parents=True, exist_ok=True)
        return cls(project=project, wheelhouse=root / "wheelhouse")

    def stock(self, *wheels: Made) -> None:
        """Put wheels into the wheelhouse."""
        for wheel in wheels:
            (self.wheelhouse / wheel.filename).write_bytes(wheel.body)

    def lock(
        self,
        *wheels: Made,
        profile: str = PROFILE,
        backend: str = "cpu",
        address: str = NO_ADDRESS,
        slugs: Sequence[str] = (),
    ) -> str:
        """Write a profile's lock of these wheels, pylock included, and return its target's slug."""
        here = Target(
            python=self.target_python, platform=self.target_platform, backend=Backend.parse(backend)
        )
        locks = [lock_of(wheels, here, profile, address)]
        files = {name: data for lock in locks for name, data in lock_files(lock).items()}
        manifest = Manifest(
            profile=profile,
            cutoff_utc="2026-11-20T09:00:00Z",
            targets={slug: entry_of_lock(locks[0], files) for slug in slugs or (here.slug,)},
        )
        folder = self.project.root / "lockfiles" / profile
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in {**files, FILENAME: manifest.to_toml().encode()}.items():
            (folder / name).write_bytes(data)
        return here.slug

    def install(self, *words: str, profile: str = PROFILE) -> Ran:
        """Install from the wheelhouse, without network."""
        return self.project.run(
            "install", profile, "--frozen", "--offline", "--wheelhouse", str(self.wheelhouse), *words
        )

    @property
    def link(self) -> Path:
        """The current environment."""
        return self.project.root / ".venv"

    @property
    def generations(self) -> Path:
        """Where they lie."""
        return self.project.root / ".envsmith" / "g"

    def names(self) -> list[str]:
        """Return the names of all that lies among the generations."""
        return sorted(path.name for path in self.generations.iterdir())

    def current(self) -> str:
        """Return the name of the current generation."""
        return self.link.readlink().name

    def python(self) -> Path:
        """Return the interpreter of the current environment."""
        return self.link / "bin" / "python"


def lock_of(wheels: Sequence[Made], target: Target, profile: str, address: str) -> Lock:
    """Return a lock of wheels."""
    pylock = Pylock(
        lock_version=Version("1.0"),
        created_by="envsmith",
        packages=[
            Package(
                name=canonicalize_name(wheel.name),
                version=Version(wheel.version),
                wheels=[
                    PackageWheel(
                        name=wheel.filename,
                        url=f"{address}/{wheel.filename.replace('+', '%2B')}",
                        size=len(wheel.body),
                        hashes={"sha256": wheel.sha256},
                    )
                ],
            )
            for wheel in sorted(wheels, key=lambda item: item.name)
        ],
        tool={"envsmith": {"catalog": "made up 2026-11-20"}},
    )
    return Lock(
        profile=profile,
        target=target,
        pylock=pylock,
        plan_digest="0" * 64,
        requirers={},
        family=tuple(wheel.name for wheel in wheels if wheel.name in ("torch", "torchvision", "torchaudio")),
        indexes=(),
        decisions=(),
    )


def entry_of_lock(lock: Lock, files: Mapping[str, bytes]) -> TargetRecord:
    family = {}
    for package in lock.pylock.packages:
        if package.name in lock.family:
            (wheel,) = package.wheels or ()
            family[str(package.name)] = FamilyPin(
                version=str(package.version), filename=wheel.filename, sha256=wheel.hashes["sha256"]
            )
    return TargetRecord(
        plan=lock.plan_digest,
        inputs={"backend": str(lock.target.backend), "allow-sdist": []},
        catalog="made up 2026-11-20",
        family=family,
        packages=len(lock.pylock.packages),
        files={name: sha256_of(data) for name, data in files.items()},
    )


def _hash(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
