"""The real torch, end to end: locked, gathered into a wheelhouse, installed from it without network, and used."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from envsmith.catalog import Catalog
from envsmith.host.current import this_platform, this_python
from envsmith.model.backend import Backend
from tests.commands import NO_NETWORK, Project, can_leave_network

VERSION, AS_OF = "2.13.0", "2026-07-20"
SLUG = "cp311-manylinux_2_28_x86_64"
WHEEL = f"torch-{VERSION}+cpu-cp311-{SLUG}.whl"
SPEECH_SERVER = Path(__file__).parents[2] / "examples" / "speech-server"
WITHIN = NO_NETWORK if can_leave_network() else ()
USED = """
import importlib.util, json, torch
product = torch.tensor([[1.0, 2.0], [3.0, 4.0]]) @ torch.tensor([[0.0, 1.0], [1.0, 0.0]])
print(json.dumps([torch.__version__, product.tolist(), importlib.util.find_spec("torchvision") is not None]))
"""
pytestmark = [
    pytest.mark.online,
    pytest.mark.skipif(
        f"{this_python().tag}-{this_platform()}" != SLUG, reason=f"the wheel that can be had is for {SLUG}"
    ),
]


@pytest.fixture(scope="module")
def wheelhouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real wheel, where pip can have it."""
    folder = tmp_path_factory.mktemp("wheelhouse")
    pip(folder, f"torch=={VERSION}")
    found = [path.name for path in folder.iterdir()]
    if found != [WHEEL]:
        pytest.skip(f"pip downloads {found or 'nothing'} for torch=={VERSION}, not {WHEEL}")
    return folder


def pip(folder: Path, *words: str) -> None:
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        folder,
        *words,
    ]
    subprocess.run(command, capture_output=True, check=False)


def gather(project: Project, profile: str, wheelhouse: Path) -> None:
    """Put PyPI's files of a lock into the wheelhouse, beside torch, which is there."""
    ran = project.run_online("download", profile, "--target", SLUG, "-d", str(wheelhouse))
    assert ran.status == 0, ran.said


def used(project: Project, code: str = USED) -> list[object]:
    command: list[str | Path] = [project.root / ".venv/bin/python", "-W", "ignore", "-c", code]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout.splitlines()[-1]))


def test_the_wheel_is_the_very_one_of_the_snapshot(wheelhouse: Path) -> None:
    with (wheelhouse / WHEEL).open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    listing = Catalog.embedded().listing("stable", Backend.parse("cpu"))
    assert listing is not None
    rows = [
        wheel.sha256
        for item in listing.releases("torch")
        for wheel in item.wheels()
        if wheel.filename == WHEEL
    ]
    assert rows == [digest]


def test_cpu_minimal_is_locked_installed_without_network_and_multiplies(
    wheelhouse: Path, tmp_path: Path
) -> None:
    project = Project(root=tmp_path / "project", env={"UV_CACHE_DIR": str(tmp_path / "cache")})
    here = ("--python", "3.11", "--platform", "linux")
    ran = project.run_online("lock", "cpu-minimal", "--catalog", "embedded", "--as-of", AS_OF, *here)
    assert ran.status == 0, ran.said
    gather(project, "cpu-minimal", wheelhouse)
    words = ("--frozen", "--offline", "--wheelhouse", str(wheelhouse), "--deep")
    ran = project.run("install", "cpu-minimal", *words, within=WITHIN)
    assert ran.status == 0, ran.said
    assert f"torch {VERSION}+cpu imports" in ran.out
    assert used(project) == [f"{VERSION}+cpu", [[2.0, 1.0], [4.0, 3.0]], False]
    licences = bill(project, "cpu-minimal", "--prefix", ".venv")
    assert {"Apache-2.0", "BSD-3-Clause", "MIT"} <= set(licences["torch"]["expression"].split(" AND "))
    assert "NOASSERTION" not in str(licences)


def bill(project: Project, *words: str) -> dict[str, dict[str, str]]:
    """Return package → what its bill of materials says of its licence, without network."""
    ran = project.run("export", *words, "--format", "cyclonedx", "--offline", within=WITHIN)
    assert ran.status == 0, ran.said
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(ran.out) is None
    found = json.loads(ran.out)["components"]
    return {item["name"]: item["licenses"][0] for item in found}


@pytest.mark.weekly
def test_what_the_speech_server_asks_for_is_installed_without_torchvision(
    wheelhouse: Path, tmp_path: Path
) -> None:
    """Its lock is for Windows and an old torch: the same requirements, with the torch that can be had here."""
    root = tmp_path / "speech-server"
    shutil.copytree(SPEECH_SERVER, root, ignore=shutil.ignore_patterns("lockfiles"))
    requirements = root / "requirements-ai.txt"
    requirements.write_text(
        requirements.read_text("utf-8").replace("torch==2.1.2", f"torch=={VERSION}"), "utf-8"
    )
    profile = root / "profiles" / "speech-server.toml"
    text = profile.read_text("utf-8").replace('["windows"]', '["linux"]')
    profile.write_text(
        f'{text}\n[[checks]]\nimport = "sentence_transformers"\n[[checks]]\nimport = "webrtcvad"\n', "utf-8"
    )
    project = Project(root=root, env={"UV_CACHE_DIR": str(tmp_path / "cache")})
    words = ("-r", "requirements-ai.txt", "--catalog", "embedded", "--as-of", AS_OF)
    ran = project.run_online("lock", "speech-server", *words)
    assert ran.status == 0, ran.said
    gather(project, "speech-server", wheelhouse)
    held = ("--offline", "--wheelhouse", str(wheelhouse))
    ran = project.run("install", "speech-server", *held, within=WITHIN)
    assert ran.status == 0, ran.said
    assert "sentence_transformers" in ran.out
    assert used(project) == [f"{VERSION}+cpu", [[2.0, 1.0], [4.0, 3.0]], False]
