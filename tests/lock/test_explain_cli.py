"""Why a package is in a lock: targets with the same answer together, files of each."""

from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.cli.main import main
from envsmith.lock.explain import cli as explain_cli
from envsmith.lock.explain.explain import Explanation
from envsmith.model.finding import Decision

LOCKFILES = Path(__file__).parents[2] / "lockfiles"


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


def shown(
    capfd: pytest.CaptureFixture[str], *found: Explanation, uses: dict[str, list[str]] | None = None
) -> list[str]:
    for group in explain_cli._grouped(list(found)):
        explain_cli._show(group, {} if uses is None else uses)
    return capfd.readouterr().out.splitlines()


def test_targets_with_the_same_answer_are_told_together(capfd: pytest.CaptureFixture[str]) -> None:
    assert shown(capfd, explanation("a"), explanation("b")) == [
        "torch 2.8.0 · app: a, b",
        "  asked by  requirements.txt:1",
        "            torchvision",
        "  used in   (no file of this project)",
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
    assert lines == [
        "torch (not locked) · app: a",
        "  used in   (no file of this project)",
        "  decision  torch dropped  RES101",
    ]


def test_the_whole_story_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    stays = Decision(
        subject="torch",
        kind="noted",
        code="RES115",
        message="torch stays: required by timm",
        evidence=("a", "b"),
    )
    found = explanation(
        "a",
        askers=("timm",),
        decisions=(stays,),
        ways=("timm ← requirements.txt:2",),
        roots=("timm",),
        changes=("removing the packages that require it: timm",),
    )
    lines = shown(
        capfd, found, uses={"torch": ["src/a.py:1 (import: torch)"], "timm": ["src/b.py:3 (import: timm)"]}
    )
    assert lines == [
        "torch 2.8.0 · app: a",
        "  asked by  timm",
        "  through   timm ← requirements.txt:2",
        "  used in   src/a.py:1 (import: torch)",
        "            src/b.py:3 (import: timm): timm, which requires it",
        "  index     https://download.pytorch.org/whl/cu128",
        "  wheel     torch-a.whl sha256:aaaa",
        "  decision  torch stays: required by timm  RES115",
        "  because   a",
        "            b",
        "  change    removing the packages that require it: timm",
    ]


def test_the_command_tells_where_the_project_uses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    # The committed locks, explained in a folder of our own: its files are the project's.
    (tmp_path / "app.py").write_text("import torchvision\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(["explain", "torchvision", "-o", str(LOCKFILES), "--profile", "cu128"]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines[0].startswith("torchvision 0.26.0+cu128 · cu128: ")
    assert "  used in   app.py:1 (import: torchvision)" in lines
    assert any(line.startswith("  change    --backend cu130: torchvision up to ") for line in lines)
