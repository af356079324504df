"""With made-up packages; with the real ones in tests/install/test_real_shims.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from envsmith.runtime import shim_check
from tests.runtime.shims.site import LEGACY_NAMES, SERIALIZATION, Site

SCRIPT = Path(shim_check.__file__)
READS = """
import wave
class Samples:
    def __init__(self, data): self.data, self.shape = data, (1, len(data) // 2)
    def __getitem__(self, at): return int.from_bytes(self.data[:2], "little") / 32768
def load(path):
    with wave.open(path) as sound: return Samples(sound.readframes(1 << 20)), sound.getframerate()
"""
LOAD = """
import zipfile
from torch.serialization import marked
def load(file, weights_only):
    assert weights_only is True
    held = zipfile.ZipFile(file).read("archive/data.pkl")
    name = ".".join(held[3:].decode("latin-1").split("\\n")[:2])
    if name not in [f"{one.__module__}.{one.__qualname__}" for one in marked]:
        raise ValueError(f"GLOBAL {name} is refused")
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    folder = tmp_path / "packages"
    for name in ("torch-2.8", "torchaudio-2.9"):
        project, _, version = name.partition("-")
        (folder / f"{name}.dist-info").mkdir(parents=True)
        metadata = f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n"
        (folder / f"{name}.dist-info" / "METADATA").write_text(metadata, "utf-8")
    return Site(folder=folder)


AUDIO = ("torchaudio-legacy-api", "torchaudio", "torchaudio", "--")
GLOBALS = ("torch-safe-globals", "torch.serialization", "torch")


def said(site: Site, *words: str, **env: str) -> Any:
    """Run the script as it is meant to be, in a Python that starts with the folder."""
    code = f"import site, runpy, sys; site.addsitedir({str(site.folder)!r}); sys.argv = {[str(SCRIPT), *words]!r}\n"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"{code}runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"],
        env={**os.environ, **env},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_torchaudio_that_reads(site: Site) -> None:
    site.write(torchaudio=READS)
    found = said(site, *AUDIO)
    names = "AudioMetaData, info, list_audio_backends, get_audio_backend, set_audio_backend"
    assert (found["reasons"], found["is_needed"]) == ([f"torchaudio 2.9 has no {names}"], True)
    assert (found["failures"], found["active"]) == ([], [])


def test_a_torchaudio_with_all_names(site: Site) -> None:
    names = "".join(f"def {name}(): pass\n" for name in LEGACY_NAMES)
    site.write(torchaudio=READS + names)
    found = said(site, *AUDIO)
    assert found["reasons"] == ["torchaudio 2.9 has all five names, and its load reads a WAV file"]
    assert not found["is_needed"]


def test_a_torchaudio_that_does_not(site: Site) -> None:
    site.write(
        torchaudio="print('noise')\ndef load(path): raise ImportError('no codec\\nmore')\ndef info(path): return 3"
    )
    found = said(site, *AUDIO)
    assert found["reasons"][1] == "its load cannot read a WAV file: ImportError: no codec"
    assert "info" not in found["reasons"][0].split("has no ")[1].split(", ")
    load, info = found["failures"]
    assert load == "load fails even with the shim: ImportError: no codec"
    assert info.startswith("info fails even with the shim: AttributeError: 'int'")


def test_one_that_reads_something_else(site: Site) -> None:
    site.write(torchaudio=READS.replace("32768", "1"))
    assert said(site, *AUDIO)["failures"][0].startswith(
        "load fails even with the shim: ValueError: a WAV of 160 frames at 16000 Hz, all 0.5, is read as"
    )


@pytest.mark.parametrize("words", [AUDIO, (*GLOBALS, "--")])
def test_what_cannot_be_imported(site: Site, words: tuple[str, ...]) -> None:
    site.write(torchaudio="raise SystemExit('no')", torch="raise OSError('no')")
    assert said(site, *words)["error"] in ("SystemExit: no", "OSError: no")


def test_names_are_tried_one_by_one_with_the_shims_and_without(site: Site) -> None:
    site.write(torch=LOAD, torch__serialization=SERIALIZATION, own__shapes="class Shape: pass")
    site.shims(safe_globals=["own.shapes.Shape", "gone.Thing"])
    names = ("own.shapes.Shape", "gone.Thing")
    on = said(site, *GLOBALS, *names, "--")
    assert (on["active"], on["added"]["torch-safe-globals"]) == (
        ["torch-safe-globals", "torchaudio-legacy-api"],
        ["own.shapes.Shape"],
    )
    assert on["failures"] == [
        (
            "gone.Thing is refused even with the shim: its module cannot be imported: "
            "ModuleNotFoundError: No module named 'gone'"
        )
    ]
    assert on["reasons"] == ["torch 2.8 refuses gone.Thing", "torch 2.8 loads own.shapes.Shape without it"]
    off = said(site, *GLOBALS, *names, "--", ENVSMITH_SHIMS="off")
    assert (off["active"], off["is_needed"]) == ([], True)
    assert off["reasons"] == ["torch 2.8 refuses own.shapes.Shape, gone.Thing"]
    assert off["failures"][1] == (
        "own.shapes.Shape is refused even with the shim: ValueError: GLOBAL own.shapes.Shape is refused"
    )


def test_no_name_is_needed(site: Site) -> None:
    site.write(torch=LOAD, torch__serialization=SERIALIZATION)
    found = said(site, *GLOBALS, "--")
    assert (found["is_needed"], found["reasons"]) == (False, ["the profile lists no safe-globals"])


def test_checkpoints_decide_where_they_are_at_hand(site: Site) -> None:
    unsafe = "def get_unsafe_globals_in_checkpoint(file): return {'x': {'a.D', 'a.B'}, 'y': set()}[file]\n"
    site.write(torch=LOAD, torch__serialization=SERIALIZATION + unsafe)
    found = said(site, *GLOBALS, "a.B", "a.C", "--", "y", "x")
    assert found["is_needed"]
    assert found["reasons"] == [
        "torch 2.8 refuses in x: a.B, a.D",
        "torch 2.8 loads y without it",
        "not in these checkpoints: a.C",
        "not allowed by the profile: a.D",
    ]
    found = said(site, *GLOBALS, "a.B", "--", "y", "z")
    assert not found["is_needed"]
    assert found["reasons"][1] == "torch 2.8 refuses in z: (KeyError: 'z')"
