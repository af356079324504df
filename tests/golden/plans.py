"""The plan of the recording tests/data/uv: torch for Windows with one index entry."""

from __future__ import annotations

from packaging.requirements import Requirement

from envsmith.config.requirement import SourcedRequirement
from envsmith.model.backend import Backend
from envsmith.model.finding import Decision
from envsmith.model.listing import VersionMetadata
from envsmith.model.target import Platform, Python, Target
from envsmith.model.wheel import Wheel
from envsmith.plan.model import ResolutionPlan, TorchIndexSlice

INDEX = "https://download.pytorch.org/whl/cpu"
TORCH = Wheel.from_entry(
    index="cpu",
    filename="torch-2.8.0+cpu-cp312-cp312-win_amd64.whl",
    url=f"{INDEX}/torch-2.8.0%2Bcpu-cp312-cp312-win_amd64.whl",
    sha256="2be20b2c05a0cce10430cc25f32b689259640d273232b2de357c35729132256d",
)


def plan() -> ResolutionPlan:
    """Return the plan, with one decision and one variable."""
    return ResolutionPlan(
        profile="golden",
        target=Target(
            python=Python.parse("3.12"), platform=Platform.parse("windows"), backend=Backend.parse("cpu")
        ),
        channel="stable",
        slice=TorchIndexSlice(
            index="cpu",
            url=INDEX,
            projects={"torch": (TORCH,), "torchvision": ()},
            metadata=(
                VersionMetadata(
                    name="torch",
                    version="2.8.0+cpu",
                    requires_dist=(
                        "filelock",
                        "typing-extensions>=4.10.0",
                        'setuptools; python_version >= "3.12"',
                        "sympy>=1.13.3",
                        "networkx",
                        "jinja2",
                        "fsspec",
                    ),
                    requires_python=">=3.9.0",
                ),
            ),
        ),
        requirements=(
            SourcedRequirement(requirement=Requirement("torch==2.8.0"), origin="requirements.txt:1"),
        ),
        excludes=("torchaudio",),
        cutoff_utc="2026-11-20T23:59:59Z",
        moved={},
        env={"CUDA_VISIBLE_DEVICES": ""},
        pypi_builds={},
        decisions=(
            Decision(
                subject="torchaudio",
                kind="dropped",
                code="RES101",
                message='torchaudio dropped: the profile says family.torchaudio = "drop"',
            ),
        ),
    )
