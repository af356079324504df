"""Over the sources of real packages nothing that they import is let go, and what they do not import is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from envsmith.adapters.sources import read_usage
from envsmith.model.usage import Sought

MODULES = ("torchvision", "torchaudio", "cv2")
USED, PERHAPS, NO = "used", "conditional", "unused"
# What `envsmith scan` answers for each, compared with the lines that import (2026-11-21).
USING = {
    "albumentations==2.0.8": (NO, NO, USED),
    "datasets==5.2.0": (PERHAPS, NO, NO),
    "demucs==4.1.0": (NO, USED, NO),
    "diffusers==0.42.1": (PERHAPS, USED, USED),
    "easyocr==1.7.2": (USED, NO, USED),
    "facenet-pytorch==2.6.0": (USED, NO, PERHAPS),
    "fastai==2.8.12": (USED, NO, PERHAPS),
    "imageio==2.38.1": (NO, NO, USED),
    "insightface==2.1": (NO, NO, USED),
    "lpips==0.1.4": (USED, NO, USED),
    "open-clip-torch==3.3.0": (USED, NO, NO),
    "pyannote-audio==4.0.7": (NO, USED, NO),
    "pytorch-lightning==2.6.6": (USED, NO, NO),
    "segmentation-models-pytorch==0.6.0": (USED, NO, NO),
    "silero-vad==6.2.3": (NO, PERHAPS, NO),
    "speechbrain==1.1.2": (PERHAPS, USED, NO),
    "supervision==0.31.2": (NO, NO, USED),
    "timm==1.0.31": (USED, NO, NO),
    "torchmetrics==1.9.0": (USED, USED, NO),
    "torchtune==0.6.1": (USED, NO, NO),
    "ultralytics==8.4.190": (USED, NO, USED),
    "umap-learn==0.5.12": (PERHAPS, NO, NO),
    "whisperx==3.8.6": (NO, USED, NO),
    # The only use of torchaudio is one in a try: it writes a sound into a model card.
    "sentence-transformers==6.2.0": (NO, PERHAPS, NO),
    # Asks whether torchvision is installed, by a function of its own.
    "accelerate==1.15.0": (PERHAPS, NO, NO),
}
NOT_USING = (
    "tensorboardx==2.6.5",
    "einops==0.8.1",
    "evaluate==0.4.6",
    "kornia==0.9.0",
    "peft==0.21.2",
    "rembg==2.0.86",
    "safetensors==0.8.0",
    "tokenizers==0.23.3",
    "trl==1.16.0",
    "nvidia-ml-py==13.615.71",
)
ANSWERS = {**USING, **dict.fromkeys(NOT_USING, (NO, NO, NO))}


def install(name: str, folder: Path) -> None:
    words = ["uv", "--no-config", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]
    place = Path(sys.executable).parent / words[0]
    for attempt in range(3):
        done = subprocess.run(
            [place, *words[1:], "--python", sys.executable, "--target", folder, name],
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        if done.returncode == 0:
            return
        assert attempt < 2, done.stderr


def imported(folder: Path) -> set[str]:
    """Return the modules that some line imports, found by nothing but a pattern."""
    found: set[str] = set()
    for path in folder.rglob("*.py"):
        text = path.read_text("utf-8", "replace")
        found |= {
            module
            for module in MODULES
            if re.search(rf"^[ \t]*(?:import|from)[ \t]+{module}\b", text, re.MULTILINE)
        }
    return found


@pytest.mark.online
@pytest.mark.parametrize("name", ANSWERS)
def test_a_real_package(name: str, tmp_path: Path) -> None:
    install(name, tmp_path)
    usage = read_usage(tmp_path, [Sought(module=module) for module in MODULES])
    answers = {module: usage.answer([module]) for module in MODULES}
    assert not [module for module in imported(tmp_path) if answers[module] == NO], "let go, though imported"
    assert tuple(answers.values()) == ANSWERS[name]
    assert usage.files_read


def test_there_are_enough_of_both() -> None:
    assert len(USING) >= 20
    assert len(NOT_USING) >= 10
