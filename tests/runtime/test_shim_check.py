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
from tests.runtime.shims.site import SERIALIZATION, Site

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
    folder.mkdir()
    return Site(folder=folder)


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
    found = said(site, "audio")
    assert (found["load"], found["info"], found["active"]) == ("", "", [])
    assert len(found["absent"]) == 5


def test_a_torchaudio_that_does_not(site: Site) -> None:
    site.write(
        torchaudio="print('noise')\ndef load(path): raise ImportError('no codec\\nmore')\ndef info(path): return 3"
    )
    found = said(site, "audio")
    assert found["load"] == "ImportError: no codec"
    assert found["info"].startswith("AttributeError: 'int'")
    assert "info" not in found["absent"]


def test_one_that_reads_something_else(site: Site) -> None:
    site.write(torchaudio=READS.replace("32768", "1"))
    assert said(site, "audio")["load"].startswith(
        "ValueError: a WAV of 160 frames at 16000 Hz, all 0.5, is read as"
    )


@pytest.mark.parametrize("what", ["audio", "globals"])
def test_what_cannot_be_imported(site: Site, what: str) -> None:
    site.write(torchaudio="raise SystemExit('no')", torch="raise OSError('no')")
    assert said(site, what)["error"] in ("SystemExit: no", "OSError: no")


def test_names_are_tried_one_by_one_with_the_shims_and_without(site: Site) -> None:
    site.write(torch=LOAD, torch__serialization=SERIALIZATION, own__shapes="class Shape: pass")
    site.shims(safe_globals=["own.shapes.Shape", "gone.Thing"])
    names = ("own.shapes.Shape", "gone.Thing")
    on = said(site, "globals", *names)
    assert (on["active"], on["added"]["torch-safe-globals"]) == (
        ["torch-safe-globals", "torchaudio-legacy-api"],
        ["own.shapes.Shape"],
    )
    assert on["refused"] == {
        "gone.Thing": "its module cannot be imported: ModuleNotFoundError: No module named 'gone'"
    }
    assert on["files"] == {}
    off = said(site, "globals", *names, "--", "a.ckpt", ENVSMITH_SHIMS="off")
    assert off["files"]["a.ckpt"][0].startswith("(AttributeError: ")
    assert off["active"] == []
    assert off["refused"]["own.shapes.Shape"] == "ValueError: GLOBAL own.shapes.Shape is refused"
