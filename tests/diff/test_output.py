"""How differences read: pairs of real locks, against Markdown that a person has read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from envsmith.catalog import Catalog
from envsmith.diff.compare import CompareFacts, compare
from envsmith.diff.model import DiffSide, LockDiff
from envsmith.diff.output import headline, markdown, text
from envsmith.files import atomic
from envsmith.lockfile.store import read_locks
from envsmith.model.finding import Decision
from envsmith.model.license import PackageLicense
from tests.locks import LINUX, MAC, WINDOWS, kept

DATA = Path(__file__).parent.parent / "data/diff"
CATALOG = Catalog.embedded()


def side(folder: Path) -> DiffSide:
    (place,) = folder.iterdir()
    return DiffSide(
        title=place.name,
        locks=read_locks(place.name, atomic.read_files(place), PurePosixPath(place.name)),
    )


def pair(name: str) -> LockDiff:
    return compare(
        side(DATA / name / "before"),
        side(DATA / name / "after"),
        CATALOG,
        CompareFacts(licences=licences(name)),
    )


def licences(name: str) -> dict[str, PackageLicense]:
    """Return what was read of the licences of a pair's files."""
    path = DATA / name / "licences.json"
    found = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return {
        sha256: PackageLicense(expression=said["expression"], name=said["name"])
        for sha256, said in found.items()
    }


@pytest.mark.parametrize("name", ["backend", "release", "pruned", "nightly", "platform"])
def test_markdown_of_real_pairs(name: str) -> None:
    assert markdown([pair(name)]) == (DATA / f"{name}.md").read_text("utf-8")


def test_what_others_write_stays_plain_text() -> None:
    decision = Decision(
        subject="x", kind="noted", message="a|b <script>\n# [x](http://e.example) `c` \x1b[1m"
    )
    before, after = kept(f"p/{LINUX}"), kept(f"p/{LINUX}", decisions=(decision,))
    found = compare(DiffSide(title="p", locks=(before,)), DiffSide(title="p|q", locks=(after,)), CATALOG)
    told = markdown([found])
    assert told.startswith("## p → p\\|q: torch unchanged\n")
    assert "- added: a\\|b &lt;script> # \\[x](http://e.example) 'c' ?\\[1m\n" in told


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("loses sm_70, says a_b", "loses sm_70, says a_b"),
        ("_all_ of __init__", "\\_all\\_ of \\_\\_init\\_\\_"),
        ("ask @somebody, see #12 or x!7", "ask @&#8203;somebody, see #&#8203;12 or x!7"),
        ("a@b.example at HEAD@{1}", "a@b.example at HEAD@{1}"),
        ("C:\\x ~~no~~ AT&amp;T", "C:\\\\x \\~\\~no\\~\\~ AT&amp;amp;T"),
    ],
)
def test_what_others_write_calls_nobody_and_marks_nothing(message: str, shown: str) -> None:
    decision = Decision(subject="x", kind="noted", message=message)
    before, after = kept(f"p/{LINUX}"), kept(f"p/{LINUX}", decisions=(decision,))
    found = compare(DiffSide(title="p", locks=(before,)), DiffSide(title="p", locks=(after,)), CATALOG)
    assert f"- added: {shown}\n" in markdown([found])


def test_new_targets_say_what_they_get(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    after = (
        kept(f"p/{LINUX}", "torch==2.11.0+cu128"),
        kept(f"p/{WINDOWS}", "torch==2.11.0+cu128"),
        kept(f"p/{MAC}", "numpy==2", backend="cpu"),
    )
    found = compare(DiffSide(title="p at HEAD"), DiffSide(title="p", locks=after), CATALOG)
    assert markdown([found]).splitlines()[2:] == [
        f"New targets, torch 2.11.0+cu128 · CUDA 12.8 · driver ≥ 525.60.13: `{LINUX}`.",
        "",
        f"New targets, torch 2.11.0+cu128 · CUDA 12.8 · driver ≥ 528.33: `{WINDOWS}`.",
        "",
        f"New targets, torch none: `{MAC}`.",
    ]
    text([found])
    assert f"\n          {MAC}  (torch none)\n" in capsys.readouterr().out
    assert [item["targets"] for item in found.to_json()["new"]] == [[LINUX], [WINDOWS], [MAC]]  # type: ignore[attr-defined]


def test_nothing_and_a_new_profile(capsys: pytest.CaptureFixture[str]) -> None:
    lock = kept(f"p/{LINUX}")
    same = compare(DiffSide(title="p", locks=(lock,)), DiffSide(title="p", locks=(lock,)), CATALOG)
    assert headline(same) == "no changes"
    assert markdown([same, same]) == "No changes to installed packages or decisions.\n"
    text([same, same])
    assert capsys.readouterr().out == "unchanged p, p\n"
    new = compare(DiffSide(title="p at HEAD"), DiffSide(title="p", locks=(lock,)), CATALOG)
    assert headline(new) == "1 new target"
    gone = compare(DiffSide(title="p", locks=(lock,)), DiffSide(title="p at x"), CATALOG)
    assert headline(gone) == "1 target removed"


def test_text(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    text([pair("backend"), pair("release"), pair("pruned")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("cu126 → cu130: torch 2.12.1+cu126 or 2.13.0+cu126 → ")
    assert any(
        line.startswith("torch     CUDA 12.6 → CUDA 13.0 · driver ≥ 525.60.13 → ≥ 580 · kernels lost sm_50")
        for line in lines
    )
    assert "new       cp312-manylinux_2_28_aarch64  (torch 2.13.0+cu130 · CUDA 13.0 · driver ≥ 580)" in lines
    assert "removed   cp311-win_amd64" in lines
    assert "shop: torch unchanged, 3 removed" in lines
    told = [line for line in lines if line.startswith("licences ")]
    assert told == [
        "licences  cuda-bindings, cuda-pathfinder: Apache-2.0 (new) (cp312-manylinux_2_28_x86_64)"
    ]
    assert lines[lines.index("shop: torch unchanged, 3 removed") - 1] == ""
    assert lines[-1].startswith("decisions added: torchvision dropped")


def test_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    found = LockDiff(before="p", after="p", common=(LINUX,), removed=("x",), download_bytes=(7, 9_000))
    assert "Download size of all targets: 7 bytes → 9.0 kB.\n" in markdown([found])
    text([replace(found, download_without=("torch", "triton"))])
    assert "download  7 bytes → 9.0 kB, without torch, triton (size unknown)\n" in capsys.readouterr().out
