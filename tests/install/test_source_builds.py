"""A source distribution with settings is locked and built against the locked torch, once, by real uv.

PyTorch's index and the package index are replayed over loopback; the backend is in the archive.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from envsmith.host.current import this_python
from tests.commands import Project, Ran
from tests.install.made import made_torch
from tests.replay import ReplayIndex
from tests.replay_files import ReplayFile, make_metadata
from tests.uv.test_wheel_builder import BACKEND, PYPROJECT

TAG = "manylinux_2_28_x86_64"
OLD, NEW = "2.19.0+cpu", "2.20.0+cpu"


def archive() -> bytes:
    """Return the archive of `kernels`, whose metadata is static."""
    target = io.BytesIO()
    info = "Metadata-Version: 2.2\nName: kernels\nVersion: 1.0\nRequires-Dist: torch\n"
    with tarfile.open(fileobj=target, mode="w:gz") as tar:
        for name, text in {"pyproject.toml": PYPROJECT, "backend.py": BACKEND, "PKG-INFO": info}.items():
            member = tarfile.TarInfo(f"kernels-1.0/{name}")
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return target.getvalue()


@pytest.fixture
def replay() -> object:
    with ReplayIndex() as index:
        for version in (OLD, NEW):
            wheel = made_torch(version)
            metadata = make_metadata("torch", version).encode()
            index.add(
                ReplayFile(
                    index="cpu", filename=wheel.filename, sha256=wheel.sha256, body=wheel.body, metadata=metadata,
                    metadata_sha256=hashlib.sha256(metadata).hexdigest(), upload_time="2026-11-01T12:00:00Z",
                )
            )  # fmt: skip
        body = archive()
        sha256 = hashlib.sha256(body).hexdigest()
        index.add(ReplayFile(index="own", filename="kernels-1.0.tar.gz", sha256=sha256, body=body))
        yield index


@pytest.fixture
def project(tmp_path: Path, replay: ReplayIndex) -> Project:
    made = Project(
        root=tmp_path / "project",
        index=replay.base,
        env={"UV_CACHE_DIR": str(tmp_path / "uv"), "ENVSMITH_CACHE_DIR": str(tmp_path / "project/cache")},
    )
    made.profile(
        "kernels", backend="cpu", python=[str(this_python())], platforms=[TAG], requirements=["kernels"]
    )
    path = made.root / "profiles/kernels.toml"
    path.write_text(path.read_text("utf-8") + '[build.kernels]\nenv = { MAX_JOBS = "3" }\n', "utf-8")
    return made


def lock(project: Project, *words: str) -> None:
    index = f"{project.index}/own"
    ran = project.run(
        "lock", "kernels", "--allow-sdist", "kernels", "--default-index", index, "--catalog", "live", *words
    )
    assert ran.status == 0, ran.said


def install(project: Project, *words: str) -> Ran:
    rewrite = f"https://download.pytorch.org/whl={project.index}"
    return project.run("install", "kernels", "--rewrite", rewrite, *words)


def seen(project: Project) -> str:
    """Return what the installed module says."""
    python = project.root / ".venv/bin/python"
    code = "import kernels; print(kernels.TORCH, kernels.JOBS)"
    return subprocess.run(
        [python, "-c", code], capture_output=True, encoding="utf-8", check=True
    ).stdout.strip()


def test_it_is_built_against_the_locked_torch_and_once(project: Project) -> None:
    lock(project)
    (record,) = project.manifest("kernels").targets.values()
    build = record.builds["kernels"]
    assert [line.split(" ")[0] for line in build.requirements] == [f"torch=={NEW}"]
    assert build.env == {"MAX_JOBS": "3"}
    installed = install(project)
    assert installed.status == 0, installed.said
    assert seen(project) == f"{NEW} 3"
    built = list((project.root / "cache/built").glob("*/*/*.whl"))
    assert len(built) == 1
    before = built[0].stat().st_mtime_ns
    assert project.run("verify", "kernels").status == 0
    rewrite = f"https://download.pytorch.org/whl={project.index}"
    held = project.run("download", "kernels", "-d", "held", "--rewrite", rewrite)
    assert held.status == 0, held.said
    assert "built on this machine" not in held.said
    # Another machine with the wheelhouse, without network.
    (project.root / ".venv").unlink()
    shutil.rmtree(project.root / ".envsmith")
    (project.root / "cache/built").rename(project.root / "cache/away")
    other = project.run("install", "kernels", "--wheelhouse", "held", "--offline")
    assert other.status == 0, other.said
    assert seen(project) == f"{NEW} 3"
    assert not (project.root / "cache/built").exists()
    (project.root / "cache/away").rename(project.root / "cache/built")
    (project.root / ".venv").unlink()
    shutil.rmtree(project.root / ".envsmith")
    again = install(project)
    assert again.status == 0, again.said
    assert [path.stat().st_mtime_ns for path in (project.root / "cache/built").glob("*/*/*.whl")] == [before]


def test_other_settings_or_another_torch_give_another_build(project: Project) -> None:
    lock(project)
    assert install(project).status == 0
    path = project.root / "profiles/kernels.toml"
    text = (
        path.read_text("utf-8")
        .replace('"3"', '"5"')
        .replace("[build", 'constraints = ["torch<2.20"]\n[build')
    )
    path.write_text(text, "utf-8")
    assert project.run("lock", "--check", "kernels").status == 1
    lock(project)
    installed = install(project)
    assert installed.status == 0, installed.said
    assert seen(project) == f"{OLD} 5"
    project.run("rollback")
    assert seen(project) == f"{NEW} 3"


def test_a_build_of_another_archive_is_no_lock_of_ours(project: Project) -> None:
    lock(project)
    path = project.root / "lockfiles/kernels/manifest.toml"
    text = path.read_text("utf-8")
    (record,) = project.manifest("kernels").targets.values()
    at = text.index(".builds.kernels]")
    changed = text[:at] + text[at:].replace(record.builds["kernels"].sha256, "0" * 64, 1)
    path.write_text(changed, "utf-8")
    refused = install(project, "--frozen")
    assert refused.status == 1
    assert "LCK060" in refused.said
    assert not (project.root / ".venv").exists()
