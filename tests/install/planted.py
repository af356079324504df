"""Faults that are planted beside the real torch: each is a change people's environments have been seen with."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.site_packages import write_distribution

Undo = Callable[[], None]
UV = Path(sys.executable).parent / "uv"


@dataclass(frozen=True, kw_only=True)
class Sound:
    """A sound environment, and the project it is in."""

    prefix: Path
    root: Path

    @property
    def site(self) -> Path:
        """Where its packages lie."""
        return next((self.prefix / "lib").glob("*/site-packages"))

    def info(self, name: str) -> Path:
        """Return the metadata folder of a distribution."""
        return next(self.site.glob(f"{name}-*.dist-info"))

    def overwrite(self, path: str, data: bytes) -> None:
        """Write a file, and nothing that shares its bytes."""
        place = self.site / path
        place.unlink(missing_ok=True)
        place.write_bytes(data)

    def read(self, path: str) -> bytes:
        """Return what a file holds."""
        return (self.site / path).read_bytes()

    def uv(self, *words: str) -> None:
        """Let uv change it, as people do."""
        command: list[str | Path] = [
            UV,
            "--no-config",
            "pip",
            words[0],
            "--quiet",
            "--python",
            self.prefix,
            *words[1:],
        ]
        subprocess.run(command, check=True)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault."""

    name: str
    text: str
    plant: Callable[[Sound], Undo]
    """Plants it, and returns what takes back the part of it that lies outside the environment."""


FAULTS: tuple[Fault, ...] = ()


def _nothing() -> None:
    """Take back nothing: all of it lies in the environment."""


def _fault(text: str) -> Callable[[Callable[[Sound], Undo | None]], Callable[[Sound], Undo | None]]:
    def added(plant: Callable[[Sound], Undo | None]) -> Callable[[Sound], Undo | None]:
        global FAULTS  # noqa: PLW0603 - the list of what stands below
        name = plant.__name__
        FAULTS = (*FAULTS, Fault(name=name, text=text, plant=lambda sound: plant(sound) or _nothing))
        return plant

    return added


@_fault("changed file of torch, same size")
def changed(sound: Sound) -> None:
    path = "torch/nn/functional.py"
    sound.overwrite(path, sound.read(path).replace(b"momentum", b"momemtum", 1))


@_fault("edited file of torch")
def edited(sound: Sound) -> None:
    path = "torch/serialization.py"
    sound.overwrite(path, sound.read(path) + b"\n# weights_only is off now\n")


@_fault("deleted file of torch")
def removed(sound: Sound) -> None:
    (sound.site / "torch" / "version.py").unlink()


@_fault("added file in torch")
def added(sound: Sound) -> None:
    sound.overwrite("torch/extra.py", b"")


@_fault("added `.pth` with an import")
def pth(sound: Sound) -> None:
    sound.overwrite("added.pth", b"import sys; sys.added = True\n")


@_fault("added `sitecustomize`")
def sitecustomize(sound: Sound) -> None:
    sound.overwrite("sitecustomize.py", b"import sys\n")


@_fault("added distribution")
def extra(sound: Sound) -> None:
    write_distribution(sound.site, "extra", {"extra/__init__.py": b""})


@_fault("added distribution with a missing requirement")
def unmet(sound: Sound) -> None:
    info = write_distribution(sound.site, "extra", {"extra/__init__.py": b""})
    with (info / "METADATA").open("a", encoding="utf-8") as stream:
        stream.write("Requires-Dist: not-installed>=2\n")


@_fault("uninstalled distribution")
def uninstalled(sound: Sound) -> None:
    sound.uv("uninstall", "sympy")


@_fault("deleted metadata folder of numpy")
def no_info(sound: Sound) -> None:
    shutil.rmtree(sound.info("numpy"))


@_fault("newer numpy from PyPI")
def numpy_too_new(sound: Sound) -> None:
    sound.uv("install", "--no-deps", "numpy>=2.4")


@_fault("torch with another label (`+cu128`)")
def swapped_label(sound: Sound) -> None:
    info = sound.info("torch")
    for path in (info / "METADATA", sound.site / "torch" / "version.py"):
        text = path.read_text("utf-8").replace("+cpu", "+cu128").replace("Optional[str] = None", "'12.8'")
        sound.overwrite(str(path.relative_to(sound.site)), text.encode())


@_fault("deleted RECORD of torch")
def no_record(sound: Sound) -> None:
    (sound.info("torch") / "RECORD").unlink()


@_fault("truncated RECORD of torch")
def half_record(sound: Sound) -> None:
    place = sound.info("torch") / "RECORD"
    lines = place.read_text("utf-8").splitlines(keepends=True)
    sound.overwrite(str(place.relative_to(sound.site)), "".join(lines[: len(lines) // 2]).encode())


@_fault("deleted METADATA of filelock")
def no_metadata(sound: Sound) -> None:
    (sound.info("filelock") / "METADATA").unlink()


@_fault("two metadata folders of numpy")
def twice(sound: Sound) -> None:
    write_distribution(sound.site, "numpy", {}, version="1.26.4")


@_fault("interrupted removal (`~umpy`)")
def half_removed(sound: Sound) -> None:
    (sound.site / "~umpy").mkdir()


@_fault("opencv-python over opencv-python-headless, from PyPI")
def two_opencvs(sound: Sound) -> None:
    sound.uv("install", "--no-deps", "opencv-python")


@_fault("onnxruntime-gpu over onnxruntime")
def onnx_gpu(sound: Sound) -> None:
    files = {"onnxruntime/capi/onnxruntime_validation.py": b"check_distro_info = print\n"}
    write_distribution(sound.site, "onnxruntime-gpu", files, version="1.26.0")


@_fault("torchvision for another backend (`+cu130`)")
def mixed(sound: Sound) -> None:
    files = {"torchvision/version.py": b"__version__ = '0.28.0+cu130'\n"}
    write_distribution(sound.site, "torchvision", files, version="0.28.0+cu130")


@_fault("torchvision for another torch")
def unpaired(sound: Sound) -> None:
    files = {"torchvision/version.py": b"__version__ = '0.20.0+cpu'\n"}
    write_distribution(sound.site, "torchvision", files, version="0.20.0+cpu")


@_fault("library of torch cut in half")
def cut_library(sound: Sound) -> None:
    data = sound.read("torch/lib/libc10.so")
    sound.overwrite("torch/lib/libc10.so", data[: len(data) // 2])


@_fault("empty library of torch")
def empty_library(sound: Sound) -> None:
    sound.overwrite("torch/lib/libshm.so", b"")


@_fault("OpenCV's library with wrong contents, same size")
def garbage(sound: Sound) -> None:
    sound.overwrite("cv2/cv2.abi3.so", os.urandom(len(sound.read("cv2/cv2.abi3.so"))))


def _broken(sound: Sound, line: bytes, path: str = "cv2/__init__.py") -> None:
    sound.overwrite(path, line + b"\n" + sound.read(path))


@_fault("import that hangs")
def hangs(sound: Sound) -> None:
    _broken(sound, b"import time; time.sleep(600)")


@_fault("import that segfaults")
def segfaults(sound: Sound) -> None:
    _broken(sound, b"import ctypes; ctypes.string_at(0)")


@_fault("import that aborts")
def aborts(sound: Sound) -> None:
    _broken(sound, b"import os; os.abort()", "onnxruntime/__init__.py")


@_fault("import that exits with status 0")
def ends(sound: Sound) -> None:
    _broken(sound, b"import os; os._exit(0)")


@_fault("import that prints 50 MB and succeeds")
def prints(sound: Sound) -> None:
    _broken(sound, b"print('x' * 50_000_000)")


@_fault("import that fails")
def fails(sound: Sound) -> None:
    _broken(sound, b"import no_such_module", "onnxruntime/__init__.py")


def _came_from(sound: Sound, origin: object) -> None:
    info = sound.info("filelock")
    (info / "direct_url.json").write_text(json.dumps(origin), "utf-8")
    with (info / "RECORD").open("a", encoding="utf-8") as stream:
        stream.write(f"{info.name}/direct_url.json,,\n")


@_fault("filelock installed from version control")
def from_git(sound: Sound) -> None:
    origin = {"vcs": "git", "commit_id": "0" * 40}
    _came_from(sound, {"url": "https://example.org/filelock.git", "vcs_info": origin})


@_fault("filelock installed from a folder")
def from_folder(sound: Sound) -> None:
    _came_from(sound, {"url": "file:///somewhere", "dir_info": {"editable": True}})


@_fault("`numpy.py` in the project's folder")
def shadow(sound: Sound) -> Undo:
    place = sound.root / "numpy.py"
    place.write_text("", "utf-8")
    return place.unlink
