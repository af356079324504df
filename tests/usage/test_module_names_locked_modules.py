from __future__ import annotations

from pathlib import Path

import pytest

from envsmith.model.wheel import WheelContents
from envsmith.usage.module_names import KnownModules

SHA = {
    name: letter * 64 for name, letter in (("opencv-python", "a"), ("google-cloud-speech", "b"), ("x", "c"))
}
URL = "https://files.example/opencv.whl"
MEMBERS = {
    SHA["opencv-python"]: ("cv2/__init__.py", "cv2/cv2.abi3.so", "opencv_python-4.dist-info/RECORD"),
    SHA["google-cloud-speech"]: ("google/cloud/speech/__init__.py", "google/cloud/speech_v1/__init__.py"),
}


def kept(sha256: str, url: str) -> WheelContents | None:
    assert url in ("", URL if sha256 == SHA["opencv-python"] else "")
    paths = MEMBERS.get(sha256)
    return WheelContents(size_bytes=1, members=dict.fromkeys(paths, 1)) if paths else None


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "lockfiles" / "cpu"
    folder.mkdir(parents=True)
    pins = (f"{name}==1 \\\n    --hash=sha256:{sha256}\n    # via x.in:1\n" for name, sha256 in SHA.items())
    (folder / "requirements.cp312-win_amd64.txt").write_text("# head\n" + "".join(pins), "utf-8")
    (folder / "pylock.cp312-win_amd64.toml").write_text(
        f'{{name = "x.whl", url = "{URL}", size = 1, hashes = {{sha256 = "{SHA["opencv-python"]}"}}}},\n',
        "utf-8",
    )
    (folder / "requirements.broken.txt").write_bytes(b"\xff\xfe")
    return tmp_path


def test_modules_come_from_the_locked_wheels(project: Path) -> None:
    found = KnownModules(kept).installed_modules(project, SHA.keys())
    assert found == {
        "opencv-python": ("cv2",),
        "google-cloud-speech": ("google.cloud.speech", "google.cloud.speech_v1"),
    }


def test_what_is_installed_is_believed_first(project: Path) -> None:
    site = project / ".venv/lib/python3.12/site-packages/opencv_python-4.dist-info"
    site.mkdir(parents=True)
    (project / ".venv/pyvenv.cfg").write_text("", "utf-8")
    (site / "RECORD").write_text("mine/__init__.py,,\n", "utf-8")
    found = KnownModules(kept).installed_modules(project, {"opencv-python"})
    assert found == {"opencv-python": ("mine",)}


def test_other_projects_are_not_looked_for(project: Path) -> None:
    assert KnownModules(kept).installed_modules(project, {"x", "numpy"}) == {}
    assert KnownModules(kept).installed_modules(project / "nowhere", SHA.keys()) == {}
