"""Wheels are built with exactly the locked packages, once. Backends are in the archives, so nothing is downloaded."""

from __future__ import annotations

import hashlib
import io
import sys
import tarfile
from pathlib import Path

import pytest

from envsmith.errors import InstallError
from envsmith.lockfile.manifest import LockedBuild
from envsmith.lockfile.pins import InstallSource, Pin
from envsmith.process.runner import Processes
from envsmith.uv.command import find_uv
from envsmith.uv.wheel_builder import BUILT, WheelBuilder
from tests.install.made import Made, made_torch

SLUG = "cp312-manylinux_2_28_x86_64"
PYPROJECT = '[build-system]\nrequires = ["torch"]\nbuild-backend = "backend"\nbackend-path = ["."]\n'
# Writes what it saw into the wheel.
BACKEND = """
import base64, hashlib, os, zipfile
import torch

def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "kernels-1.0-py3-none-any.whl"
    info = "kernels-1.0.dist-info"
    files = {
        "kernels.py": f"TORCH = {torch.__version__!r}\\nJOBS = {os.environ.get('MAX_JOBS')!r}\\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\\nName: kernels\\nVersion: 1.0\\nRequires-Dist: torch\\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    rows = []
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(text)}")
    files[f"{info}/RECORD"] = "\\n".join([*rows, f"{info}/RECORD,,", ""])
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
    return name
"""


def archive(backend: str = BACKEND) -> bytes:
    target = io.BytesIO()
    files = {
        "pyproject.toml": PYPROJECT,
        "backend.py": backend,
        "PKG-INFO": "Metadata-Version: 2.1\nName: kernels\n",
    }
    with tarfile.open(fileobj=target, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(f"kernels-1.0/{name}")
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return target.getvalue()


class Built:
    """A builder, the torches of a wheelhouse, and the archives that were fetched."""

    def __init__(self, folder: Path, content: bytes) -> None:
        self.content, self.fetched, self.folder = content, 0, folder
        self.wheelhouse = folder / "wheelhouse"
        self.wheelhouse.mkdir(parents=True)
        self.builder = WheelBuilder(
            processes=Processes(),
            executable=find_uv(),
            folder=folder / "built",
            fetch=self._fetch,
            offline=True,
        )
        self.pin = Pin(
            name="kernels", version="1.0", sha256=(hashlib.sha256(content).hexdigest(),),
            filename="kernels-1.0.tar.gz", url="http://127.0.0.1:9/kernels-1.0.tar.gz",
        )  # fmt: skip

    def _fetch(self, url: str, sha256: str, place: str) -> bytes:
        assert (url, sha256, place) == (self.pin.url, self.pin.sha256[0], "kernels 1.0")
        self.fetched += 1
        return self.content

    def stock(self, torch: Made) -> LockedBuild:
        """Return a build against a torch."""
        (self.wheelhouse / torch.filename).write_bytes(torch.body)
        line = f"torch=={torch.version} --hash=sha256:{torch.sha256}"
        return LockedBuild(sha256=self.pin.sha256[0], requirements=(line,), env={"MAX_JOBS": "3"})

    def wheel(self, build: LockedBuild) -> str:
        """Return what the module in the built wheel says."""
        import zipfile

        supply = InstallSource(text="", is_pylock=False, wheelhouse=str(self.wheelhouse))
        path = self.builder.build(self.pin, build, SLUG, Path(sys.executable), supply)
        with zipfile.ZipFile(path) as wheel:
            return wheel.read("kernels.py").decode()


def test_a_build_sees_the_locked_torch_and_its_variables_once(tmp_path: Path) -> None:
    built = Built(tmp_path, archive())
    old, new = built.stock(made_torch("2.19.0+cpu")), built.stock(made_torch("2.20.0+cpu"))
    assert built.wheel(old) == "TORCH = '2.19.0+cpu'\nJOBS = '3'\n"
    assert built.wheel(old) == "TORCH = '2.19.0+cpu'\nJOBS = '3'\n"
    assert built.fetched == 1
    assert built.wheel(new) == "TORCH = '2.20.0+cpu'\nJOBS = '3'\n"
    assert built.fetched == 2
    assert not [path for path in built.builder.folder.iterdir() if path.name.startswith(".")]
    given = built.wheelhouse / BUILT / new.digest(SLUG)
    given.mkdir(parents=True)
    kept = built.builder.kept(new, SLUG)
    assert kept
    kept.rename(given / kept.name)
    assert built.wheel(new) == "TORCH = '2.20.0+cpu'\nJOBS = '3'\n"
    assert built.fetched == 2


def test_the_archive_of_a_wheelhouse_is_taken_by_its_hash(tmp_path: Path) -> None:
    built = Built(tmp_path, archive())
    build = built.stock(made_torch("2.19.0+cpu"))
    (built.wheelhouse / built.pin.filename).write_bytes(b"another")
    built.wheel(build)
    assert built.fetched == 1
    (built.wheelhouse / built.pin.filename).write_bytes(built.content)
    other = LockedBuild(sha256=build.sha256, requirements=build.requirements)
    built.wheel(other)
    assert built.fetched == 1


@pytest.mark.parametrize(
    "backend",
    [
        "def build_wheel(*_):\n    raise SystemExit('no kernels today')\n",
        BACKEND.replace("kernels-1.0", "other-1.0"),
    ],
    ids=["fails", "another project"],
)
def test_a_failed_build_is_told_and_leaves_nothing(tmp_path: Path, backend: str) -> None:
    built = Built(tmp_path, archive(backend))
    with pytest.raises(InstallError, match="the build ended with") as caught:
        built.wheel(built.stock(made_torch("2.19.0+cpu")))
    assert caught.value.code == "ENV047"
    assert not list(built.builder.folder.rglob("*.whl"))


def test_a_package_with_another_hash_than_the_locked_one_is_refused(tmp_path: Path) -> None:
    built = Built(tmp_path, archive())
    build = built.stock(made_torch("2.19.0+cpu"))
    built.stock(made_torch("2.19.0+cpu", more=b"tampered"))
    with pytest.raises(InstallError):
        built.wheel(build)


@pytest.mark.skipif(sys.platform == "win32", reason="the compiler is a shell script")
def test_programs_are_asked_for_before_anything_is_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cuda = tmp_path / "cuda/bin"
    cuda.mkdir(parents=True)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_HOME", raising=False)
    monkeypatch.delenv("CUDA_PATH", raising=False)
    build = LockedBuild(sha256="0" * 64, requirements=(), needs=("nvcc",))

    def check() -> None:
        Built(tmp_path / str(len(list(tmp_path.iterdir()))), b"").builder.check(
            {"kernels": build}, SLUG, 12, ""
        )

    with pytest.raises(InstallError) as caught:
        check()
    assert caught.value.code == "ENV045"
    monkeypatch.setenv("CUDA_HOME", str(cuda.parent))
    (cuda / "nvcc").write_text("#!/bin/sh\necho 'Cuda compilation tools, release 13.0, V13.0.48'\n")
    (cuda / "nvcc").chmod(0o755)
    with pytest.raises(InstallError) as caught:
        check()
    assert caught.value.code == "ENV046"
    (cuda / "nvcc").write_text("#!/bin/sh\necho 'Cuda compilation tools, release 12.8, V12.8.93'\n")
    check()
