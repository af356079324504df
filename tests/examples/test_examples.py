"""Each example locks again, in a copy, to the very bytes that are committed, and holds what its case needs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from envsmith.lockfile.manifest import Manifest
from tests.commands import Project, decisions
from tests.index_recording import Recording
from tests.index_server import IndexReplay
from tests.record_index import CASES

ROOT = Path(__file__).parents[2] / "examples"
SLUGS = {
    "speech-server": ["cp311-win_amd64"],
    "fastapi-server": ["cp311-win_amd64"],
    "rtx5080-voice": ["cp311-manylinux_2_28_x86_64", "cp312-manylinux_2_28_x86_64"],
    "fitting-room": ["cp312-win_amd64"],
}


def committed(name: str) -> Manifest:
    path = ROOT / name / "lockfiles" / name / "manifest.toml"
    return Manifest.from_toml(path.read_text("utf-8"), path.name)


def pins(name: str, slug: str) -> dict[str, str]:
    text = (ROOT / name / "lockfiles" / name / f"requirements.{slug}.txt").read_text("utf-8")
    found = (line.removesuffix(" \\").split("==") for line in text.splitlines() if "==" in line)
    return {parts[0]: parts[1] for parts in found if not parts[0].startswith((" ", "#"))}


def codes(name: str, subject: str) -> set[str]:
    return {
        str(item["code"])
        for slug in SLUGS[name]
        for item in decisions(committed(name), slug)
        if item["subject"] == subject
    }


@pytest.mark.parametrize("name", SLUGS)
def test_an_example_locks_again_to_the_committed_bytes(name: str, tmp_path: Path) -> None:
    """The index is replayed; the manifest holds the hash of the pylock, which is not committed."""
    copy = tmp_path / name
    shutil.copytree(ROOT / name, copy, ignore=shutil.ignore_patterns("lockfiles"))
    project = Project(root=copy)
    with IndexReplay(Recording.read(name)) as index:
        project.env |= index.environ(cache=tmp_path / "uv")
        ran = project.run(*CASES[name].words)
    assert ran.status == 0, ran.said
    assert (index.missed, index.refused) == ([], [])
    folder = ROOT / name / "lockfiles" / name
    kept = {path.name: path.read_bytes() for path in folder.glob("*") if not path.name.startswith("pylock.")}
    made = {key: value for key, value in project.locks(name).items() if not key.startswith("pylock.")}
    assert made == kept
    assert project.run(*CASES[name].words[:-2], "--check").status == 0


@pytest.mark.parametrize("name", SLUGS)
def test_an_example_is_locked_for_the_targets_of_its_case(name: str) -> None:
    assert sorted(committed(name).targets) == SLUGS[name]


@pytest.mark.parametrize("name", SLUGS)
def test_the_readme_shows_what_the_locks_hold(name: str) -> None:
    shown = (ROOT / name / "README.md").read_text("utf-8")
    for slug, entry in committed(name).targets.items():
        line = next(line for line in shown.splitlines() if line.strip().startswith(slug))
        assert entry.family["torch"].version in line
        assert f"  {entry.packages}  " in line
        assert all(str(item["message"]) in shown for item in entry.decisions)


def test_the_speech_server_carries_neither_torchvision_nor_torchaudio() -> None:
    locked = pins("speech-server", "cp311-win_amd64")
    assert locked["torch"] == "2.1.2+cpu"
    assert not {"torchvision", "torchaudio"} & set(locked)
    assert {"sentence-transformers", "pydub", "webrtcvad", "opuslib", "google-cloud-speech"} <= set(locked)
    assert codes("speech-server", "torchvision") == codes("speech-server", "torchaudio") == {"RES114"}
    assert locked["numpy"] < "2", "torch 2.1 was compiled with NumPy 1"


def test_the_fastapi_server_gets_the_cpu_builds_that_belong_together() -> None:
    locked = pins("fastapi-server", "cp311-win_amd64")
    assert locked["torch"] == "2.3.1+cpu"
    assert locked["torchvision"] == "0.18.1+cpu"
    assert locked["torchaudio"] == "2.3.1"
    assert codes("fastapi-server", "torchaudio") == {"RES102"}, "PyPI's Windows wheel is the CPU build, told"
    entry = committed("fastapi-server").targets["cp311-win_amd64"]
    assert "CUDA_VISIBLE_DEVICES=" in entry.inputs["env"]


@pytest.mark.parametrize("slug", SLUGS["rtx5080-voice"])
def test_the_voice_project_gets_a_stable_torch_with_its_kernels_and_its_torchaudio(slug: str) -> None:
    locked = pins("rtx5080-voice", slug)
    assert locked["torch"] == "2.8.0+cu128"
    assert locked["torchaudio"] == "2.8.0+cu128"
    assert locked["pyannote-audio"].startswith("3.")
    assert codes("rtx5080-voice", "torchaudio") == {"RES110"}
    assert "RES108" in codes("rtx5080-voice", "torch")


def test_the_fitting_room_has_one_member_of_each_family() -> None:
    locked = pins("fitting-room", "cp312-win_amd64")
    assert (locked["torch"], locked["torchvision"], locked["torchaudio"]) == (
        "2.8.0+cu128",
        "0.23.0+cu128",
        "2.8.0+cu128",
    )
    assert locked["mediapipe"] == "0.10.21"
    assert locked["numpy"] == "1.26.4"
    assert [name for name in locked if name.startswith("opencv")] == ["opencv-contrib-python"]
    assert [name for name in locked if name.startswith("onnxruntime")] == ["onnxruntime-gpu"]
    assert tuple(int(part) for part in locked["onnxruntime-gpu"].split(".")[:2]) < (1, 27)
    gone = ("onnxruntime", "opencv-python", "opencv-python-headless")
    assert [codes("fitting-room", name) for name in gone] == [{"RES111"}] * 3
    assert {"chromadb", "rembg"} <= set(locked)
    messages = {
        str(item["subject"]): str(item["message"])
        for item in decisions(committed("fitting-room"), "cp312-win_amd64")
        if item["code"] == "RES111"
    }
    assert "required by chromadb" in messages["onnxruntime"]
    assert "rembg" in messages["opencv-python-headless"]
    assert set(committed("fitting-room").targets["cp312-win_amd64"].unsatisfied) == {
        "chromadb: onnxruntime>=1.14.1",
        "rembg: opencv-python-headless",
    }


def test_the_fitting_room_explains_what_is_not_there() -> None:
    ran = Project(root=ROOT / "fitting-room").run("explain", "onnxruntime")
    assert ran.status == 0, ran.said
    shown = (ROOT / "fitting-room" / "README.md").read_text("utf-8")
    assert ran.out.strip() in shown
