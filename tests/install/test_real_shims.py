"""Shims with real packages: torchaudio 2.8.0 and 2.11.0 from PyPI, soundfile, and the real torch 2.13.0+cpu.

PyPI's builds of torchaudio link CUDA's libraries, which that torch has not: their compiled parts are taken out, which
torchaudio takes for a build without them. With their own torch, whole, they are tried where ENVSMITH_TEST_LARGE=1
allows downloads of some gigabytes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from envsmith.environment.prefix import interpreter_path
from envsmith.model.shim import SHIMS, package
from envsmith.process.runner import Processes
from envsmith.shims import environment as shim_files
from envsmith.uv.command import find_uv
from tests.commands import Project
from tests.runtime.shims.site import LEGACY_NAMES

TORCH = "2.13.0"
VOICE = (
    "torch.torch_version.TorchVersion",
    *(f"pyannote.audio.core.task.{name}" for name in ("Specifications", "Problem", "Resolution")),
)
NAMES = ("torch.torch_version.TorchVersion", "app.shapes.Shape", "torch.Size")
pytestmark = [
    pytest.mark.online,
    pytest.mark.skipif(
        sys.version_info[:2] != (3, 11) or sys.platform != "linux", reason="torch for cp311 on Linux"
    ),
]
CHECKPOINT = """
import torch
from app.shapes import Shape
version = torch.torch_version.TorchVersion(torch.__version__)
torch.save({"made by": version, "shape": Shape(3), "w": torch.ones(2)}, FILE)
"""
LOADED = """
import json, torch, app.shapes
try:
    held = torch.load(FILE, weights_only=True)
    said = [str(held["made by"]) == torch.__version__, held["shape"].sides, held["w"].tolist()]
except Exception as error:
    said = [type(error).__name__, "app.shapes.Shape" in str(error) or "TorchVersion" in str(error)]
print(json.dumps(said))
"""
PYANNOTE = """
import json, numpy, pyannote.audio, soundfile, torch
from pyannote.audio import Audio, Model
from pyannote.audio.core.task import Problem, Resolution, Specifications
from pyannote.audio.models.segmentation import PyanNet
soundfile.write(FILE, numpy.zeros(16000), 16000)
samples, rate = Audio(sample_rate=16000, mono="downmix")(FILE)
model = PyanNet(sincnet={"stride": 10})
model.specifications = Specifications(
    problem=Problem.MONO_LABEL_CLASSIFICATION, resolution=Resolution.FRAME, duration=2.0, classes=["a", "b"]
)
model.build()
own = {
    "versions": {"torch": torch.torch_version.TorchVersion(torch.__version__), "pyannote.audio": "3.4.0"},
    "architecture": {"module": "pyannote.audio.models.segmentation.PyanNet", "class": "PyanNet"},
    "specifications": model.specifications,
}
whole = {
    "state_dict": model.state_dict(), "hyper_parameters": dict(model.hparams), "pyannote.audio": own,
    "pytorch-lightning_version": "2.0.0", "epoch": 0, "global_step": 0, "loops": {}, "optimizer_states": [],
}
torch.save(whole, FILE + ".ckpt")
try:
    loaded = Model.from_pretrained(FILE + ".ckpt").specifications.classes
except Exception as error:
    loaded = type(error).__name__
print(json.dumps([list(samples.shape), Audio().get_duration(FILE), loaded]))
"""
SOUND = """
import json, numpy, soundfile, torchaudio
wave = numpy.stack([numpy.linspace(-1, 1, 400), numpy.zeros(400)], axis=1)
soundfile.write(FILE, wave, 8000, subtype="PCM_16")
told = torchaudio.info(FILE)
samples, rate = torchaudio.load(FILE, frame_offset=100, num_frames=200)
expected = soundfile.read(FILE, dtype="float32")[0][100:300].T
print(json.dumps([
    told.sample_rate, told.num_frames, told.num_channels, told.bits_per_sample, told.encoding,
    rate, list(samples.shape), str(samples.dtype), bool((samples.numpy() == expected).all()),
    torchaudio.list_audio_backends(),
]))
"""


def pip(prefix: Path, *words: str) -> bool:
    """Install into an environment; uv shares its cache, and takes the wheel of torch where pip's variable says."""
    links = [
        word for place in os.environ.get("PIP_FIND_LINKS", "").split() for word in ("--find-links", place)
    ]
    command: list[str | Path] = [
        find_uv(),
        "pip",
        "install",
        "--no-config",
        "--quiet",
        "--python",
        interpreter_path(prefix),
        *links,
        *words,
    ]
    return not subprocess.run(command, capture_output=True, check=False).returncode


def environment(root: Path, *packages: str, is_whole: bool) -> Path:
    """Make an environment with soundfile, the project's own module, and a torchaudio with its torch or another."""
    prefix = root / "env"
    subprocess.run(
        [find_uv(), "venv", "--no-config", "--quiet", "--python", sys.executable, prefix], check=True
    )
    torch, torchaudio = packages
    if not pip(prefix, torch, "numpy==2.4.6", "soundfile==0.14.0") or not pip(
        prefix, "--no-deps", torchaudio
    ):
        pytest.skip(f"{torch} and {torchaudio} cannot be had here")
    (site,) = prefix.glob("lib/python3*/site-packages")
    if not is_whole:
        for library in (*site.glob("torchaudio/lib/*.so"), *site.glob("torio/lib/*.so")):
            library.unlink()
    (site / "app").mkdir()
    (site / "app" / "shapes.py").write_text(
        "class Shape:\n    def __init__(self, sides): self.sides = sides\n", "utf-8"
    )
    shim_files.install_shims(prefix, package(SHIMS, NAMES, shim_files.shim_sources()), Processes())
    return prefix


def said(prefix: Path, code: str, file: Path, **env: str) -> Any:
    done = subprocess.run(
        [interpreter_path(prefix), "-I", "-W", "ignore", "-c", f"FILE = {str(file)!r}\n{code}"],
        env={**os.environ, **env},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]) if done.stdout else None


def states(prefix: Path, root: Path, *words: str) -> dict[str, Any]:
    project = Project(root=root)
    project.profile(
        "own", backend="cpu", python=["3.11"], platforms=["linux"], shims=list(SHIMS), safe_globals=NAMES
    )
    ran = project.run("shims", "status", "own", "--prefix", str(prefix), "--json", *words)
    assert ran.status == 0, ran.said
    return {state["name"]: state for state in json.loads(ran.out)["data"]}


def compare(prefix: Path, root: Path, *, is_new: bool) -> None:
    """See what is added, that sounds are read, that checkpoints are loaded, and what `status` says of it."""
    file = root / "shape.pt"
    said(prefix, CHECKPOINT, file)
    found = states(prefix, root, "--checkpoint", str(file))
    audio, names = found["torchaudio-legacy-api"], found["torch-safe-globals"]
    assert sorted(audio["added"]) == (sorted([*LEGACY_NAMES, "load"]) if is_new else [])
    assert (audio["need"], names["need"]) == ("needed" if is_new else "can go", "needed")
    assert sorted(names["added"]) == sorted(NAMES)
    assert names["reasons"][0].endswith("shape.pt: app.shapes.Shape, torch.torch_version.TorchVersion")
    backends = said(prefix, SOUND, root / "sound.wav")
    assert backends[:9] == [8000, 400, 2, 16, "PCM_S", 8000, [2, 200], "torch.float32", True]
    assert "soundfile" in backends[9]
    assert said(prefix, LOADED, file) == [True, 3, [1.0, 1.0]]
    assert said(prefix, LOADED, file, ENVSMITH_SHIMS="off") == ["UnpicklingError", True]


def test_torchaudio_2_11_lacks_the_names_and_gets_them(tmp_path: Path) -> None:
    prefix = environment(tmp_path, f"torch=={TORCH}+cpu", "torchaudio==2.11.0", is_whole=False)
    compare(prefix, tmp_path, is_new=True)


@pytest.mark.weekly
def test_torchaudio_2_8_has_the_names_and_keeps_its_own(tmp_path: Path) -> None:
    prefix = environment(tmp_path, f"torch=={TORCH}+cpu", "torchaudio==2.8.0", is_whole=False)
    compare(prefix, tmp_path, is_new=False)


LARGE = pytest.mark.skipif(
    not os.environ.get("ENVSMITH_TEST_LARGE"), reason="downloads some gigabytes: ENVSMITH_TEST_LARGE=1"
)


@LARGE
@pytest.mark.parametrize(("version", "is_new"), [("2.8.0", False), ("2.11.0", True)])
def test_torchaudio_with_its_own_torch_from_pypi(tmp_path: Path, version: str, *, is_new: bool) -> None:
    prefix = environment(tmp_path, f"torch=={version}", f"torchaudio=={version}", is_whole=True)
    compare(prefix, tmp_path, is_new=is_new)


@LARGE
def test_pyannote_3_reads_sounds_and_loads_its_checkpoints(tmp_path: Path) -> None:
    prefix = environment(tmp_path, "torch==2.11.0", "torchaudio==2.11.0", is_whole=True)
    if not pip(prefix, "torch==2.11.0", "torchaudio==2.11.0", "pyannote.audio==3.4.0"):
        pytest.skip("pyannote.audio 3.4.0 cannot be had here")
    done = subprocess.run(
        [interpreter_path(prefix), "-I", "-W", "ignore", "-c", "import pyannote.audio"],
        env={**os.environ, "ENVSMITH_SHIMS": "off"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert "module 'torchaudio' has no attribute 'AudioMetaData'" in done.stderr
    (site,) = prefix.glob("lib/python3*/site-packages")
    outcomes = []
    for names in (("torchaudio-legacy-api",), SHIMS):
        for path in site.glob("envsmith_shims-*.dist-info"):
            shutil.rmtree(path)
        shim_files.install_shims(prefix, package(names, VOICE, shim_files.shim_sources()), Processes())
        outcomes.append(said(prefix, PYANNOTE, tmp_path / "sound.wav"))
    assert outcomes == [[[1, 16000], 1.0, "UnpicklingError"], [[1, 16000], 1.0, ["a", "b"]]]
