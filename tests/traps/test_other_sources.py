"""Traps: a wheel from the wrong source, or with the wrong label."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.version import Version

from envsmith.catalog import Catalog
from envsmith.model.backend import Backend
from tests.commands import Project
from tests.replay import ReplayIndex
from tests.replay_files import ReplayFile

AS_OF = "2026-11-20"
LINUX = "cp312-cp312-manylinux_2_28_x86_64"
SLUG = "cp312-manylinux_2_28_x86_64"
CU128 = "https://download.pytorch.org/whl/cu128"


def _listing(backend: str) -> ReplayIndex:
    replay = ReplayIndex()
    listing = Catalog.embedded().listing("stable", Backend.parse(backend))
    assert listing
    replay.add_listing(listing)
    return replay


def _plain_uv(folder: Path, asked: str, *flags: str) -> str:
    """Return the pins that uv chooses by itself."""
    words = ["uv", "pip", "compile", "-", "--no-header", "--no-annotate", "--quiet", "--no-config", *flags]
    target = ["--python-version", "3.12", "--python-platform", "x86_64-manylinux_2_28"]
    found = subprocess.run(
        [sys.executable, "-m", *words, *target, "--python", sys.executable],
        input=asked,
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return found.stdout


@pytest.mark.online
def test_pypi_has_a_newer_torch_than_the_backend(tmp_path: Path) -> None:
    """PyPI's torch is newer than the last one of cu128, and of another CUDA.

    uv and pip with an extra index take the highest version wherever it lies, and so PyPI's.
    """
    with _listing("cu128") as replay:
        project = Project(root=tmp_path / "project", index=replay.base)
        project.profile("old", backend="cu128", on_retired="stable", python=["3.12"], platforms=["linux"],
                        requirements=["torch"])  # fmt: skip
        ran = project.run_online("lock", "old", "--catalog", "live", "--as-of", AS_OF)
        assert ran.status == 0, ran.said
        torch = project.pins("old", SLUG)["torch"]
        assert (torch.version, torch.index) == ("2.11.0+cu128", CU128)
        assert torch.url.startswith(f"{CU128}/torch-2.11.0%2Bcu128-cp312")
        assert "torch 2.11.0 is its last; cu130 follows" in ran.said
        project.profile("new", backend="cu128", on_retired="stable", python=["3.12"], platforms=["linux"],
                        requirements=["torch>=2.12"])  # fmt: skip
        refused = project.run("lock", "new", "--catalog", "live", "--as-of", AS_OF)
        assert refused.status == 1, refused.said
        assert "RES021" in refused.said
        assert "cu128 · torch 2.11.0" in refused.said
        assert not project.locks("new")
        others = _plain_uv(tmp_path, "torch\n", "--no-deps", "--exclude-newer", f"{AS_OF}T23:59:59Z")
        assert Version(others.strip().removeprefix("torch==")) > Version("2.11.0"), others


@pytest.mark.online
def test_torch_comes_only_as_a_dependency(tmp_path: Path) -> None:
    """Only torchmetrics requires torch, which must be the backend's build.

    An index bound to the name torch in uv's sources holds for direct requirements alone.
    """
    with _listing("cu128") as replay:
        project = Project(root=tmp_path / "project", index=replay.base)
        project.profile("dragged", backend="cu128", on_retired="stable", python=["3.12"], platforms=["linux"],
                        requirements=["torchmetrics"])  # fmt: skip
        ran = project.run_online("lock", "dragged", "--catalog", "live", "--as-of", AS_OF)
        assert ran.status == 0, ran.said
        pins = project.pins("dragged", SLUG)
        assert (pins["torch"].version, pins["torch"].index) == ("2.11.0+cu128", CU128)
        assert "download.pytorch.org" not in pins["torchmetrics"].url
        told = project.run("explain", "torch", "--profile", "dragged")
        assert "torchmetrics" in told.said, told.said


def test_page_lists_old_root_wheels_among_the_labelled(case: Project, replay: ReplayIndex) -> None:
    """The page of cu128 lists torch 1.13.1 of PyTorch's root, without label, among those of +cu128.

    uv and pip take it when nothing newer answers, and CUDA 11.7 is installed from the page of CUDA 12.8.
    """
    old = ReplayFile.made("torch", "1.13.1", LINUX, index="cu134")
    labelled = ReplayFile.made("torch", "2.20.0+cu134", LINUX, index="cu134")
    replay.add(labelled, _at_root(old))
    others = _plain_uv(case.root.parent, "torch<2\n", "--default-index", f"{replay.base}/cu134")
    assert others == "torch==1.13.1\n"
    case.profile("any", backend="cu134", python=["3.12"], platforms=["linux"], requirements=["torch"])
    case.profile("old", backend="cu134", python=["3.12"], platforms=["linux"], requirements=["torch<2"])
    assert case.run("lock", "any", "--catalog", "live", "--as-of", AS_OF).status == 0
    assert case.pins("any", SLUG)["torch"].version == "2.20.0+cu134"
    refused = case.run("lock", "old", "--catalog", "live", "--as-of", AS_OF)
    assert refused.status == 1, refused.said
    assert "RES021" in refused.said
    assert "cu134 · torch 2.20.0: cp312" in refused.said
    assert "1.13.1" not in refused.said
    assert not case.locks("old")


def test_torchaudio_with_another_label_than_torch(case: Project, replay: ReplayIndex) -> None:
    """The page of one CUDA lists a newer torchaudio of another, which fails when it is imported.

    Resolvers take the newest version; no metadata says that the two labels must agree.
    """
    torch = ReplayFile.made("torch", "2.20.0+cu134", LINUX, index="cu134")
    own = ReplayFile.made("torchaudio", "2.20.0+cu134", LINUX, index="cu134")
    other = ReplayFile.made("torchaudio", "2.21.0+cu130", LINUX, index="cu134")
    replay.add(torch, own, other)
    others = _plain_uv(case.root.parent, "torch\ntorchaudio\n", "--default-index", f"{replay.base}/cu134")
    assert "torchaudio==2.21.0+cu130" in others
    asked = {
        "any": ["torch", "torchaudio"],
        "pinned": ["torch", "torchaudio==2.21.0"],
        "labelled": ["torch", "torchaudio==2.21.0+cu130"],
    }
    for name, requirements in asked.items():
        case.profile(name, backend="cu134", python=["3.12"], platforms=["linux"], requirements=requirements)
    ran = case.run("lock", "any", "--catalog", "live", "--as-of", AS_OF)
    assert ran.status == 0, ran.said
    pins = case.pins("any", SLUG)
    assert [pins[name].version for name in ("torch", "torchaudio")] == ["2.20.0+cu134", "2.20.0+cu134"]
    assert pins["torchaudio"].sha256 == own.sha256
    pinned = case.run("lock", "pinned", "--catalog", "live", "--as-of", AS_OF)
    assert pinned.status == 1, pinned.said
    assert "RES021" in pinned.said
    assert "cu134 · torchaudio 2.20.0: cp312" in pinned.said
    labelled = case.run("lock", "labelled", "--catalog", "live", "--as-of", AS_OF)
    assert labelled.status != 0
    assert "+cu130" in labelled.said
    assert "the backend is cu134" in labelled.said


def test_torch_2_15_with_torchaudio_2_11(case: Project, replay: ReplayIndex) -> None:
    """PyPI's torch 2.15 is built for CUDA 13.2, its torchaudio 2.11 for 13.0: the import fails.

    pip and uv install the two without a word, for torchaudio 2.11 declares no torch at all.
    """
    listing = Catalog.embedded().listing("stable", Backend.parse("cu132"))
    assert listing
    replay.add_listing(listing)
    case.profile(
        "newest",
        backend="cu132",
        index="pypi",
        python=["3.12"],
        platforms=["linux"],
        requirements=["torch==2.15.0", "torchaudio==2.11.0"],
    )
    ran = case.run("lock", "newest", "--catalog", "live", "--as-of", AS_OF)
    assert ran.status == 1, ran.said
    assert "RES022" in ran.said
    assert "PyPI has no cu132 build of torchaudio" in ran.said
    assert "2.11.0 is cu130" in ran.said
    assert not case.locks("newest")


def test_torchaudio_that_binds_itself_to_no_torch(case: Project, replay: ReplayIndex) -> None:
    """A torchaudio from 2.11 on declares no torch, so an older torch beside it resolves, and cannot be used.

    The catalog's pairing says it needs torch 2.11 or newer: the older torchaudio, which fits, is taken.
    """
    replay.add(
        ReplayFile.made("torch", "2.9.1+cu134", LINUX, index="cu134"),
        ReplayFile.made("torchaudio", "2.9.1+cu134", LINUX, ["torch==2.9.1"], index="cu134"),
        ReplayFile.made("torchaudio", "2.11.0+cu134", LINUX, index="cu134"),
    )
    asked = "torch==2.9.1\ntorchaudio\n"
    others = _plain_uv(case.root.parent, asked, "--default-index", f"{replay.base}/cu134")
    assert "torchaudio==2.11.0+cu134" in others
    case.profile("pair", backend="cu134", python=["3.12"], platforms=["linux"],
                    requirements=["torch==2.9.1", "torchaudio"])  # fmt: skip
    ran = case.run("lock", "pair", "--catalog", "live", "--as-of", AS_OF)
    assert ran.status == 0, ran.said
    assert case.pins("pair", SLUG)["torchaudio"].version == "2.9.1+cu134"


def test_aarch64_torch_without_a_torchvision_for_it(case: Project, replay: ReplayIndex) -> None:
    """There is a torch for aarch64, but its torchvision was built for x86_64 alone.

    PyPI's torchvision for aarch64, another build, is what others fall back to.
    """
    arm = "cp312-cp312-manylinux_2_28_aarch64"
    replay.add(
        ReplayFile.made("torch", "2.20.0+cu134", LINUX, index="cu134"),
        ReplayFile.made("torch", "2.20.0+cu134", arm, index="cu134"),
        ReplayFile.made("torchvision", "0.35.0+cu134", LINUX, ["torch==2.20.0"], index="cu134"),
    )
    case.profile("both", backend="cu134", python=["3.12"], platforms=["linux", "linux-aarch64"],
                    requirements=["torch", "torchvision"])  # fmt: skip
    refused = case.run("lock", "both", "--catalog", "live", "--as-of", AS_OF)
    assert refused.status == 1, refused.said
    assert "RES021" in refused.said
    assert "torchvision for cp312 on manylinux_2_28_aarch64 with cu134" in refused.said
    assert not case.locks("both")
    case.profile("x86", backend="cu134", python=["3.12"], platforms=["linux"],
                    requirements=["torch", "torchvision"])  # fmt: skip
    case.profile("alone", backend="cu134", python=["3.12"], platforms=["linux-aarch64"],
                    requirements=["torch"])  # fmt: skip
    ran = case.run("lock", "x86", "alone", "--catalog", "live", "--as-of", AS_OF)
    assert ran.status == 0, ran.said
    assert case.pins("x86", SLUG)["torchvision"].version == "0.35.0+cu134"
    assert set(case.pins("alone", "cp312-manylinux_2_28_aarch64")) == {"torch"}


def _at_root(file: ReplayFile) -> ReplayFile:
    return replace(file, at_root=True)


def test_a_check_and_an_offline_lock_ask_no_server(case: Project, replay: ReplayIndex) -> None:
    """`--check` compares with what was read last, whatever catalog is named; live and offline exclude each other."""
    replay.add(ReplayFile.made("torch", "2.20.0+cu134", LINUX, index="cu134"))
    case.profile("any", backend="cu134", python=["3.12"], platforms=["linux"], requirements=["torch"])
    assert case.run("lock", "any", "--catalog", "live", "--as-of", AS_OF).status == 0
    asked = replay.count()
    replay.add(ReplayFile.made("torch", "2.21.0+cu134", LINUX, index="cu134"))
    for mode in ("live", "auto"):
        assert case.run("lock", "any", "--check", "--catalog", mode).status == 0
    assert case.run("lock", "any", "--offline").status == 0
    refused = case.run("lock", "any", "--catalog", "live", "--offline")
    assert (refused.status, replay.count()) == (2, asked)
    assert "remove --offline" in refused.said
