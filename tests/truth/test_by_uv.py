"""uv reads the locks as it reads anyone's: it would install just what they hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from envsmith.catalog import Catalog
from envsmith.model.backend import Backend
from tests.commands import Project
from tests.replay import ReplayIndex
from tests.truth.judged import Judged, interpreters, uv

LINE = re.compile(r"^ \+ (\S+?)==(\S+)", re.MULTILINE)


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Make an empty environment of each Python at hand."""
    root = tmp_path_factory.mktemp("environments")
    for version, python in interpreters().items():
        done = uv("venv", "--quiet", "--offline", "--python", python, root / version, cwd=root)
        assert done.returncode == 0, done.stderr
    return {path.name: path / "bin" / "python" for path in root.iterdir()}


def test_uv_would_sync_every_lock(
    shipped: Project, locks: list[Judged], environments: dict[str, Path], tmp_path: Path
) -> None:
    """Checked for each platform with an interpreter of the lock's Python, without network."""
    judged = []
    for lock in locks:
        python = environments.get(str(lock.target.python))
        if python is None:
            continue
        done = uv("pip", "sync", "--dry-run", "--offline", "--preview-features", "pylock", "--python", python,
                  "--python-platform", lock.uv_platform, lock.pylock, cwd=tmp_path)  # fmt: skip
        assert done.returncode == 0, (lock.name, done.stderr)
        pins = shipped.pins(lock.profile, lock.target.slug)
        assert dict(LINE.findall(done.stderr)) == {name: pin.version for name, pin in pins.items()}, lock.name
        judged.append(lock.name)
    assert "cu128/cp311-manylinux_2_28_x86_64" in judged or "3.11" not in environments
    assert judged


def test_uv_refuses_a_lock_of_another_python(
    locks: list[Judged], environments: dict[str, Path], tmp_path: Path
) -> None:
    lock = next(lock for lock in locks if lock.profile == "cu132" and str(lock.target.python) == "3.14")
    version = next(iter(set(environments) - {"3.14"}))
    done = uv("pip", "sync", "--dry-run", "--offline", "--preview-features", "pylock",
              "--python", environments[version], lock.pylock, cwd=tmp_path)  # fmt: skip
    assert done.returncode != 0
    assert "==3.14.*" in done.stderr


@pytest.mark.parametrize("profile", ["cpu-minimal", "cu128"])
def test_uv_takes_the_requirements_with_their_hashes(
    profile: str,
    locks: list[Judged],
    environments: dict[str, Path],
    index_environ: dict[str, str],
    tmp_path: Path,
) -> None:
    """The requirements file for this machine, PyTorch's index replayed: uv finds each pin with its hash."""
    lock = next(
        lock
        for lock in locks
        if lock.profile == profile and lock.target.slug == "cp311-manylinux_2_28_x86_64"
    )
    backend = Backend.parse("cpu" if profile == "cpu-minimal" else profile)
    listing = Catalog.embedded().listing("stable", backend)
    assert listing
    if "3.11" not in environments:
        pytest.skip("no Python 3.11 is at hand")
    with ReplayIndex() as replay:
        replay.add_listing(listing)
        text = lock.requirements.read_text("utf-8")
        copy = tmp_path / "requirements.txt"
        copy.write_text(text.replace("https://download.pytorch.org/whl", replay.base), "utf-8")
        assert copy.read_text("utf-8") != text
        done = uv("pip", "install", "--dry-run", "--no-deps", "--require-hashes", "--only-binary", ":all:",
                  "--python", environments["3.11"], "-r", copy, cwd=tmp_path, env=index_environ)  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert len(LINE.findall(done.stderr)) == lock.entry.packages
    assert not [path for path, _ in replay.requests if path.endswith(".whl")]
