from __future__ import annotations

import pytest

from envsmith.lock.explain.explain import changes, other_backends
from envsmith.model.backend import Backend
from envsmith.model.finding import Decision
from envsmith.model.listing import IndexListing, Metadata, group_releases
from envsmith.plan.pruning import PruneVerdict, propose
from tests.plan.made import row

KNOWN = Metadata(requires_dist=(), requires_python=None, confidence="exact", basis="made up")


def decided(subject: str, code: str, message: str) -> Decision:
    return Decision(subject=subject, kind="noted", message=message, code=code)


@pytest.mark.parametrize(
    ("name", "decision", "expected"),
    [
        (
            "torchvision",
            decided(
                "torchvision", "RES101", 'torchvision dropped: the profile sets family.torchvision = "drop"'
            ),
            ('family.torchvision = "keep" in the profile',),
        ),
        (
            "torchaudio",
            decided(
                "torchaudio",
                "RES114",
                "torchaudio dropped: not used (3 files scanned), and no package requires it",
            ),
            (
                "an import in the project's files, or a package that requires it",
                'family.torchaudio = "keep" in the profile',
            ),
        ),
        (
            "xformers",
            decided("xformers", "RES114", "xformers dropped: not used (3 files scanned)"),
            (
                "an import in the project's files, or a package that requires it",
                "removing xformers from `prune` in the profile",
            ),
        ),
        (
            "torchvision",
            decided("torchvision", "RES115", "torchvision stays: required by lpips, timm"),
            ("removing the packages that require it: lpips, timm",),
        ),
        (
            "torchvision",
            decided("torchvision", "RES115", "torchvision stays: used"),
            ("removing the uses above",),
        ),
        (
            "onnxruntime",
            decided(
                "onnxruntime", "RES111", "onnxruntime → onnxruntime-gpu: both own the folder onnxruntime"
            ),
            ("choosing onnxruntime under `family` in the profile",),
        ),
        ("numpy", decided("numpy", "", "numpy<2 because of torch<2.3"), ()),
    ],
)
def test_each_decision_names_the_way_to_another(
    name: str, decision: Decision, expected: tuple[str, ...]
) -> None:
    assert changes(name, [decision, decision]) == expected


def test_what_pruning_says_is_understood() -> None:
    unneeded = PruneVerdict(
        project="xformers", answer="unused", reason="not used (3 files scanned)", evidence=()
    )
    used = PruneVerdict(project="xformers", answer="used", reason="used", evidence=("main.py:1",))
    assert changes("xformers", [propose(unneeded)])[0].startswith("an import in the project's files")
    assert changes("xformers", [propose(used)]) == ("removing the uses above",)


def test_other_backends_are_told_with_what_they_have() -> None:
    def listing(backend: str, *files: str) -> IndexListing:
        rows = [row(file, index=backend) for file in files]
        return IndexListing(
            channel="stable",
            backend=Backend.parse(backend),
            retrieved="2026-11-20",
            source="made up",
            projects=group_releases(rows, {(item.name, str(item.version)): KNOWN for item in rows}),
        )

    audio = [f"torchaudio-{version}+cu130-cp312-cp312-win_amd64.whl" for version in ("2.9.0", "2.11.0")]
    assert other_backends("torchaudio", [listing("cu130", *audio), listing("cu132")]) == (
        "--backend cu130: torchaudio up to 2.11.0 exists",
        "--backend cu132: no torchaudio exists for it",
    )
