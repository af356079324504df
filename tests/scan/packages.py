"""Real packages, and what a scan of their sources says of three modules: they are the projects here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from envsmith.lock.inputs.request import LockOptions, lock_requests
from envsmith.lockfile.manifest import RememberedOptions
from envsmith.model.usage import SearchedModule
from envsmith.usage.scan import read_usage

MODULES = {"torchvision": "torchvision", "torchaudio": "torchaudio", "cv2": "opencv-python"}
"""Module → the project that brings it."""
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
_PROFILE = """\
backend = "cpu"
python = ["3.12"]
platforms = ["linux"]
prune = ["opencv-python"]
family = { torchvision = "auto", torchaudio = "auto" }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What is found out about one package."""

    answers: tuple[str, ...]
    """One of usage.ANSWERS for each module."""
    dropped: tuple[str, ...]
    """Modules whose projects `auto` no longer asks for."""
    imported: tuple[str, ...]
    """Modules that some line imports, found by nothing but a pattern."""
    files_read: int


def judge(project: Path) -> Judged:
    """Scan a project, and have an ``auto`` profile decide what is asked for in it.

    Args:
        project: its folder; a profile and a requirements file are written there, as a project would have them.
    """
    (project / "profiles").mkdir()
    (project / "profiles/mine.toml").write_text(_PROFILE, "utf-8")
    (project / "requirements.txt").write_text("".join(f"{name}\n" for name in MODULES.values()), "utf-8")
    usage = read_usage(project, [SearchedModule(module=module) for module in MODULES])
    remembered = RememberedOptions(requirements_files=("requirements.txt",))
    options = LockOptions(profiles=("mine",), remembered=remembered, folder=project / "lockfiles")
    (wanted,) = lock_requests(options, project)
    asked = {item.name for item in wanted.requirements}
    return Judged(
        answers=tuple(usage.answer([module]) for module in MODULES),
        dropped=tuple(module for module, name in MODULES.items() if name not in asked),
        imported=_imported(project),
        files_read=usage.files_read,
    )


def _imported(folder: Path) -> tuple[str, ...]:
    texts = [path.read_text("utf-8", "replace") for path in folder.rglob("*.py")]
    patterns = {
        module: re.compile(rf"^[ \t]*(?:import|from)[ \t]+{module}\b", re.MULTILINE) for module in MODULES
    }
    return tuple(module for module, pattern in patterns.items() if any(map(pattern.search, texts)))
