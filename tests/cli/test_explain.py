"""Why a package is in a lock: targets with the same answer together, files of each."""

from __future__ import annotations

import pytest

from envsmith.cli import explain
from envsmith.model.decision import Decision
from envsmith.workflows.explaining import Explanation


def explanation(slug: str, **values: object) -> Explanation:
    known: dict[str, object] = {
        "profile": "app",
        "slug": slug,
        "name": "torch",
        "version": "2.8.0",
        "askers": ("requirements.txt:1", "torchvision"),
        "index": "https://download.pytorch.org/whl/cu128",
        "wheel": f"torch-{slug}.whl",
        "sha256": slug[-1] * 4,
        "decisions": (),
        "bounds": (),
    }
    return Explanation(**(known | values))  # type: ignore[arg-type]


def shown(capfd: pytest.CaptureFixture[str], *found: Explanation) -> list[str]:
    for alike in explain._alike(list(found)):
        explain._show(alike)
    return capfd.readouterr().out.splitlines()


def test_targets_with_the_same_answer_are_told_together(capfd: pytest.CaptureFixture[str]) -> None:
    assert shown(capfd, explanation("a"), explanation("b")) == [
        "torch 2.8.0 · app: a, b",
        "  asked by  requirements.txt:1",
        "            torchvision",
        "  index     https://download.pytorch.org/whl/cu128",
        "  wheel     torch-a.whl sha256:aaaa",
        "            torch-b.whl sha256:bbbb",
    ]


def test_another_version_is_told_apart(capfd: pytest.CaptureFixture[str]) -> None:
    lines = shown(capfd, explanation("a"), explanation("b", version="2.9.0"))
    assert [line for line in lines if line.startswith("torch ")] == [
        "torch 2.8.0 · app: a",
        "torch 2.9.0 · app: b",
    ]


def test_a_source_distribution_is_called_one(capfd: pytest.CaptureFixture[str]) -> None:
    assert "  source    opuslib-3.0.1.tar.gz sha256:aaaa" in shown(
        capfd, explanation("a", wheel="opuslib-3.0.1.tar.gz")
    )


def test_without_the_pylock_the_hash_is_told_alone(capfd: pytest.CaptureFixture[str]) -> None:
    assert "  sha256    aaaa" in shown(capfd, explanation("a", wheel="", index=""))


def test_what_is_not_locked_is_told_with_its_decision(capfd: pytest.CaptureFixture[str]) -> None:
    gone = Decision(subject="torch", kind="dropped", code="RES101", message="torch dropped")
    lines = shown(
        capfd, explanation("a", version="", askers=(), index="", wheel="", sha256="", decisions=(gone,))
    )
    assert lines == ["torch (not locked) · app: a", "  decision  torch dropped  RES101"]
